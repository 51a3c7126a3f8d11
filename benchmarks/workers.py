"""How much a second worker gains, its start paid for: the street frames, many times over.

Beside it stand two programs started at the same time, each with half of the files: what the machine
itself gains by its second core, with nobody to hand out work or to collect what came of it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import cases
import inputs
import measure

COUNT, QUICK = 1000, 96


def run(cache: Path, scratch: Path, quick: bool, repeats: int) -> dict[str, Any]:
    """Print and return the seconds of one worker, of two, and of two programs."""
    count = QUICK if quick else COUNT
    kind = "street-jpeg"
    source = inputs.make(kind, cache, count=(inputs.QUICK if quick else inputs.COUNTS)[kind])
    folder = _many(source, scratch / "many", count)

    def convert(workers: int) -> measure.Work:
        labels = inputs.STREET_LABELS
        return cases.ours(folder, count, format="labelme", labels=labels, workers=workers)

    work = {
        "1 worker": convert(1),
        "2 workers": convert(2),
        "2 programs, half of the files each": lambda out: _programs(folder, out),
    }
    entrants = [measure.Entrant(name, each, count, lambda out: None) for name, each in work.items()]
    measure.race(entrants, scratch=scratch, repeats=repeats)
    shutil.rmtree(folder)
    rows = [[f"{count} street frames, {os.cpu_count()} cores", "seconds", "best", "speedup"]]
    for entrant in entrants:
        speedup = f"{entrants[0].median / entrant.median:.2f}x" if len(rows) > 1 else ""
        seconds = f"{entrant.median * count / 1e3:.2f}"
        rows.append([entrant.name, seconds, f"{min(entrant.seconds):.2f}", speedup])
    print(f"\n{measure.table(rows)}", flush=True)
    return {entrant.name: {"count": count, "seconds": entrant.seconds} for entrant in entrants}


def _programs(folder: Path, out: Path) -> None:
    files = sorted(map(str, folder.glob("*.json")))
    command = [sys.executable, "-m", "maskforge", "labelme", "--no-previews", "--images", "none"]
    command += ["-q", "-j", "1", "--labels", ",".join(inputs.STREET_LABELS)]
    programs = [
        subprocess.Popen([*command, *files[half::2], "-o", str(out / str(half))]) for half in (0, 1)
    ]
    assert not any([program.wait() for program in programs])


def _many(source: Path, folder: Path, count: int) -> Path:
    """Return ``folder`` with ``count`` annotation files that share the images of ``source``."""
    folder.mkdir(parents=True)
    for image in source.glob("*.jpg"):
        inputs.link(image, folder / image.name)
    paths = sorted(source.glob("*.json"))
    for index in range(count):
        inputs.link(paths[index % len(paths)], folder / f"copy_{index:05}.json")
    return folder
