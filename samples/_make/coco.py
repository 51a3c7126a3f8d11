"""Park scenes as COCO publishes its own: a file for each split, with the class table of all."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import park, rle
from .canvas import Mask, Scene
from .files import jpeg, put, put_json
from .trace import Outline, box, pixels, rings

Record = dict[str, Any]
Casts = Mapping[int, Sequence[str]]

_PERSON, _DOG, _FRISBEE, _UMBRELLA, _BALL = 1, 18, 34, 28, 37
CATEGORIES = (
    ("person", _PERSON, "person"),
    ("animal", _DOG, "dog"),
    ("accessory", _UMBRELLA, "umbrella"),
    ("sports", _FRISBEE, "frisbee"),
    ("sports", _BALL, "sports ball"),
)
"""Supercategory, id and name, as COCO has them; nobody has a frisbee."""

_IDS = {"person": _PERSON, "dog": _DOG, "umbrella": _UMBRELLA, "ball": _BALL}
_CROWD = "__ignore__"
"""What the park calls a group too small to outline one by one; scene 76 has one."""

_TRAIN: Casts = {
    65: ("person", "ball", "dog"),
    66: ("akimbo", "umbrella"),
    67: ("pair", "ball"),
    68: ("umbrella", "dog"),
    69: (),
    70: ("pair", "dog"),
    71: ("person", "umbrella", "ball"),
    72: ("dog", "akimbo"),
    76: ("person", "ball", "dog"),
}
_VAL: Casts = {
    73: ("pair", "dog"),
    74: ("person", "dog", "ball"),
    75: ("akimbo", "ball"),
}
_BOXES: Casts = {77: ("person", "dog")}


def write(folder: Path) -> None:
    """Write annotations/ and images/ of both splits. No umbrella is in val."""
    for split, casts in (("train", _TRAIN), ("val", _VAL)):
        dataset = _dataset(casts, folder / "images" / split)
        # COCO's annotations do not stand in the order of its images.
        random.Random(f"coco {split}").shuffle(dataset["annotations"])
        put_json(folder / "annotations" / f"instances_{split}.json", dataset, indent=None)


def write_boxes(folder: Path) -> None:
    """Write a file in which a dog has a box and no segmentation, as where a detector helped."""
    dataset = _dataset(_BOXES, folder / "images")
    for record in dataset["annotations"]:
        if record["category_id"] == _DOG:
            record["segmentation"] = []
    put_json(folder / "instances_boxes.json", dataset, indent=None)


def _dataset(casts: Casts, folder: Path) -> Record:
    """Return what the file of a split says, and write its pictures into ``folder``."""
    images, annotations = [], []
    for number, cast in casts.items():
        stage = park.scene(number, cast=cast)
        image = 137 * number
        name = f"{image:012d}.jpg"
        put(folder / name, jpeg(stage.render(random.Random(f"coco {number}"))))
        images.append({
            "license": 1,
            "file_name": name,
            "height": stage.height,
            "width": stage.width,
            "id": image,
        })  # fmt: skip
        annotations += _annotations(stage, image=image)
    return {
        "info": {"description": "Scenes in a park", "version": "1.0"},
        "licenses": [{"url": "", "id": 1, "name": "Apache-2.0"}],
        "images": images,
        "annotations": annotations,
        "categories": [
            {"supercategory": group, "id": id_, "name": name} for group, id_, name in CATEGORIES
        ],
    }


def _annotations(stage: Scene, *, image: int) -> list[Record]:
    """Return what is visible of each thing, back to front."""
    records = []
    for index, thing in enumerate(stage.things):
        seen = stage.visible(index)
        outer, inner = rings(seen)
        if not outer:
            continue
        crowd = thing.label == _CROWD
        shape = _run_lengths(seen, crowd=crowd) if crowd or inner else _polygons(outer)
        records.append({
            **shape,
            "iscrowd": int(crowd),
            "image_id": image,
            "category_id": _PERSON if crowd else _IDS[thing.label],
            "id": 100 * image + index,
        })  # fmt: skip
    return records


def _polygons(outer: list[Outline]) -> Record:
    """Return a polygon for each part."""
    points = np.concatenate([np.array(ring) for ring in outer])
    low, high = points.min(axis=0), points.max(axis=0)
    return {
        "segmentation": [[value for point in ring for value in point] for ring in outer],
        "area": round(sum(_area(np.array(ring)) for ring in outer), 4),
        "bbox": [*low.tolist(), *(high - low).round(2).tolist()],
    }


def _area(ring: Any) -> float:
    x, y = ring.T
    return abs(float(x @ np.roll(y, -1) - np.roll(x, -1) @ y)) / 2


def _run_lengths(seen: Mask, *, crowd: bool) -> Record:
    """Return the pixels: polygons have no holes. Crowds have their run lengths as numbers."""
    covered = pixels(seen)
    x1, y1, x2, y2 = box(seen)
    counts = rle.runs(covered) if crowd else rle.encode(covered)
    return {
        "segmentation": {"counts": counts, "size": list(covered.shape)},
        "area": int(covered.sum()),
        "bbox": [x1, y1, x2 - x1, y2 - y1],
    }
