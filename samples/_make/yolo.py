"""Park scenes as a data set for ultralytics: a text file of outlines for each picture."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import park
from .canvas import Scene
from .files import jpeg, put
from .trace import box, rings

NAMES = ("person", "dog", "umbrella", "ball")

_SPLITS: Mapping[str, Mapping[int, Sequence[str]]] = {
    "train": {
        80: ("person", "ball", "dog"),
        81: ("umbrella", "dog"),
        82: (),
        83: ("pair", "ball"),
        84: ("person", "umbrella", "dog"),
    },
    "val": {85: ("dog", "person"), 86: ("akimbo", "ball")},
}
_WITHOUT_FILE = 82
_BOXED = 85


def write(folder: Path) -> None:
    """Write ``data.yaml``, ``images/`` and ``labels/``."""
    lines = ["path: .", *(f"{split}: images/{split}" for split in _SPLITS), "names:"]
    lines += [f"  {number}: {name}" for number, name in enumerate(NAMES)]
    put(folder / "data.yaml", "".join(f"{line}\n" for line in lines).encode())
    for split, casts in _SPLITS.items():
        for number, cast in casts.items():
            stage = park.scene(number, cast=cast)
            name = f"yard_{number:03}"
            picture = stage.render(random.Random(f"yolo {number}"))
            put(folder / "images" / split / f"{name}.jpg", jpeg(picture))
            if number != _WITHOUT_FILE:
                text = "".join(_lines(stage, boxed=number == _BOXED))
                put(folder / "labels" / split / f"{name}.txt", text.encode())


def _lines(stage: Scene, *, boxed: bool) -> list[str]:
    """Return a line for each part of a thing that is visible, back to front.

    boxed: dogs have a box, as where a detector was trained on the same pictures.
    """
    lines = []
    for index, thing in enumerate(stage.things):
        if thing.label not in NAMES:
            continue
        seen = stage.visible(index)
        number = NAMES.index(thing.label)
        if boxed and thing.label == "dog" and seen.any():
            x1, y1, x2, y2 = box(seen)
            values = [(x1 + x2) / 2 / stage.width, (y1 + y2) / 2 / stage.height]
            values += [(x2 - x1) / stage.width, (y2 - y1) / stage.height]
            lines.append(f"{number} {' '.join(f'{value:.6f}' for value in values)}\n")
            continue
        for ring in rings(seen)[0]:
            points = (f"{x / stage.width:.6f} {y / stage.height:.6f}" for x, y in ring)
            lines.append(f"{number} {' '.join(points)}\n")
    return lines
