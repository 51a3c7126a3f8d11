"""How much a second worker gains, its start paid for: the street frames, many times over."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import cases
import inputs
import measure

COUNT, QUICK = 1000, 96


def run(cache: Path, scratch: Path, quick: bool, repeats: int) -> dict[str, Any]:
    """Print and return the seconds of one worker and of two."""
    count = QUICK if quick else COUNT
    kind = "street-jpeg"
    source = inputs.make(kind, cache, count=(inputs.QUICK if quick else inputs.COUNTS)[kind])
    folder = _many(source, scratch / "many", count)
    entrants = [
        measure.Entrant(
            f"{number} worker{'s' * (number > 1)}",
            cases.ours(
                folder, count, format="labelme", labels=inputs.STREET_LABELS, workers=number
            ),
            count,
            lambda out: None,
        )
        for number in (1, 2)
    ]
    measure.race(entrants, scratch=scratch, repeats=min(repeats, 3))
    shutil.rmtree(folder)
    one, two = entrants
    rows = [
        [f"{count} street frames, {os.cpu_count()} cores", "seconds", "best", "speedup"],
        [one.name, f"{one.median * count / 1e3:.2f}", f"{min(one.seconds):.2f}", ""],
        [
            two.name,
            f"{two.median * count / 1e3:.2f}",
            f"{min(two.seconds):.2f}",
            f"{one.median / two.median:.2f}x",
        ],
    ]
    print(f"\n{measure.table(rows)}", flush=True)
    return {entrant.name: {"count": count, "seconds": entrant.seconds} for entrant in entrants}


def _many(source: Path, folder: Path, count: int) -> Path:
    """Return ``folder`` with ``count`` annotation files that share the images of ``source``."""
    folder.mkdir(parents=True)
    for image in source.glob("*.jpg"):
        os.link(image, folder / image.name)
    paths = sorted(source.glob("*.json"))
    for index in range(count):
        os.link(paths[index % len(paths)], folder / f"copy_{index:05}.json")
    return folder
