"""How long it takes until something happens: --help, and the first mask of a conversion."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import inputs
import measure
import numpy as np

TIMES, QUICK = 20, 3


def run(cache: Path, scratch: Path, quick: bool, repeats: int) -> dict[str, Any]:
    """Print and return milliseconds of wall time; commands take turns."""
    folder = scratch / "startup"
    folder.mkdir(parents=True)
    _one_file(folder)
    bare, module = [sys.executable, "-c", "pass"], [sys.executable, "-m", "maskforge"]
    convert = [*module, "labelme", str(folder / "photo.json"), "-o", str(folder / "out"), "-q"]
    timers: dict[str, Callable[[], float]] = {
        "python -c pass": lambda: _until_end(bare),
        "python -c 'import numpy'": lambda: _until_end([sys.executable, "-c", "import numpy"]),
        "python -c 'import maskforge'": lambda: _until_end(
            [sys.executable, "-c", "import maskforge"]
        ),
        "maskforge --help": lambda: _until_end([*module, "--help"]),
        "maskforge labelme, first mask": lambda: _until_mask([*convert, "--no-previews"], folder),
        "maskforge labelme, first mask and preview": lambda: _until_mask(convert, folder),
    }
    seconds: dict[str, list[float]] = {name: [] for name in timers}
    for turn in range(1 + (QUICK if quick else TIMES)):
        for name, timer in timers.items():
            taken = timer()
            if turn:
                seconds[name].append(taken)
    shutil.rmtree(folder)
    start = statistics.median(seconds["python -c pass"])
    rows = [["command", "ms", "best", "above bare Python"]]
    for name, found in seconds.items():
        middle = statistics.median(found)
        above = f"{(middle - start) * 1e3:.0f}" if middle != start else ""
        rows.append([name, f"{middle * 1e3:.0f}", f"{min(found) * 1e3:.0f}", above])
    print(f"\n{measure.table(rows)}", flush=True)
    return seconds


def _one_file(folder: Path) -> None:
    random = np.random.default_rng(inputs.SEED)
    points = inputs.blob(random, x=250, y=180, radius=90, count=20).tolist()
    shape = {"label": "person", "points": points, "group_id": None, "shape_type": "polygon"}
    document: dict[str, Any] = {
        "version": "6.3.1",
        "flags": {},
        "shapes": [shape],
        "imageData": None,
    }
    document |= {"imagePath": "photo.jpg", "imageHeight": 375, "imageWidth": 500}
    (folder / "photo.json").write_text(json.dumps(document), encoding="utf-8")
    image = next(inputs.photographs(random, 1, height=375, width=500, grain=9))
    image.save(folder / "photo.jpg", quality=92)


def _until_end(command: list[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def _until_mask(command: list[str], folder: Path) -> float:
    """Return the seconds until the mask is there; it comes last of all files of its image."""
    shutil.rmtree(folder / "out", ignore_errors=True)
    mask = folder / "out" / "masks" / "photo.png"
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while not mask.exists() and process.poll() is None:
        time.sleep(0.0005)
    seconds = time.perf_counter() - begin
    if process.wait():
        raise SystemExit(f"the conversion ended with exit code {process.returncode}")
    return seconds
