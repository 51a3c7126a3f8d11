"""Peak memory of the command line, as the system counts it (Linux).

The peak of each process is its VmHWM in /proc; where a command starts workers, their peaks are
added up, which is more than they ever hold at one time.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import inputs
import measure
import numpy as np

FRAMES = (200, 2000)
QUICK = (20, 40)
EMBEDDED_FILES = 20
EMBEDDED_BYTES = 5_000_000


def run(cache: Path, scratch: Path, quick: bool, repeats: int) -> dict[str, Any]:
    """Print and return peaks in MB: VIA frames, few and many, and embedded images."""
    if not Path("/proc/self/status").exists():
        print("\nPeak memory is measured on Linux only.")
        return {}
    via = inputs.make("via", cache, count=(inputs.QUICK if quick else inputs.COUNTS)["via"])
    bare = [sys.executable, "-c", "import time; time.sleep(0.2)"]
    peaks: dict[str, float] = {"python, doing nothing": peak(bare)}
    for count in QUICK if quick else FRAMES:
        for workers in (1, 2):
            name = f"maskforge via, {count} frames of 640x480x4, -j {workers}"
            peaks[name] = _via(via, scratch / "memory", count, workers)
    for embedded in (False, True):
        what = f"{EMBEDDED_BYTES / 1e6:.0f} MB of imageData" if embedded else "no imageData"
        name = f"maskforge labelme, {EMBEDDED_FILES} files with {what}"
        peaks[name] = _labelme(scratch / "memory", embedded=embedded)
    rows = [["command", "peak MB"], *([name, f"{peak:.0f}"] for name, peak in peaks.items())]
    print(f"\n{measure.table(rows)}", flush=True)
    return peaks


def _via(source: Path, folder: Path, count: int, workers: int) -> float:
    """Return the peak for ``count`` frames; their images are hard links to a few."""
    folder.mkdir(parents=True)
    images = sorted(source.glob("*.jpg"))
    names = [f"frame_{index:05}.jpg" for index in range(count)]
    for index, name in enumerate(names):
        inputs.link(images[index % len(images)], folder / name)
    inputs.write_via(folder / "project.json", names, np.random.default_rng(inputs.SEED))
    out = folder / "out.npy"
    command = [*_maskforge("via", folder / "project.json"), "-o", str(out), "-j", str(workers)]
    top = peak(command)
    assert out.stat().st_size > count * 640 * 480 * 4, "the dictionary is too small"
    shutil.rmtree(folder)
    return top


def _labelme(folder: Path, *, embedded: bool) -> float:
    """Return the peak for files of one polygon each, the image inside or beside."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(inputs.SEED)
    points = inputs.blob(random, x=300, y=200, radius=100, count=30).tolist()
    shape = {"label": "person", "points": points, "group_id": None, "shape_type": "polygon"}
    size = {"imageHeight": 480, "imageWidth": 640}
    image = next(inputs.photographs(random, 1, height=480, width=640, grain=5))
    image.save(folder / "image.jpg")
    # Bytes after the end of a JPEG belong to no image: a small photograph in a file of 5 MB.
    data = (folder / "image.jpg").read_bytes()
    text = base64.b64encode(data.ljust(EMBEDDED_BYTES * 3 // 4, b"\xff")).decode()
    for index in range(EMBEDDED_FILES):
        document = {"version": "6.3.1", "flags": {}, "shapes": [{**shape, "flags": {}}], **size}
        document["imagePath"] = "absent.jpg" if embedded else "image.jpg"
        document["imageData"] = text if embedded else None
        (folder / f"file_{index:02}.json").write_text(json.dumps(document), encoding="utf-8")
    top = peak([*_maskforge("labelme", folder), "-o", str(folder / "out"), "-j", "1"])
    assert len(list((folder / "out" / "masks").glob("*.png"))) == EMBEDDED_FILES
    shutil.rmtree(folder)
    return top


def _maskforge(command: str, source: Path) -> list[str]:
    quiet = ["--quiet", "--no-previews", "--images", "none"]
    return [sys.executable, "-m", "maskforge", command, str(source), *quiet]


def peak(command: list[str]) -> float:
    """Return the peak of ``command`` and all that it started, in MB."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peaks: dict[int, int] = {}
    while process.poll() is None:
        for pid in _tree(process.pid):
            peaks[pid] = max(peaks.get(pid, 0), _high_water(pid))
        time.sleep(0.01)
    if process.returncode:
        raise SystemExit(f"{command[2:4]} ended with exit code {process.returncode}")
    return sum(peaks.values()) * 1024 / 1e6


def _tree(pid: int) -> list[int]:
    found = [pid]
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text(encoding="ascii").split():
                found += _tree(int(child))
    except OSError:
        pass  # it has ended meanwhile
    return found


def _high_water(pid: int) -> int:
    """Return the largest resident size of a process so far, in KiB, 0 when it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    return next((int(v.split()[1]) for v in lines.splitlines() if v.startswith("VmHWM")), 0)
