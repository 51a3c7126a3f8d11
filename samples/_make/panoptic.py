"""Park scenes as COCO publishes panoptic segmentation: a PNG with a colour for each segment."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from . import park
from .files import jpeg, png, put, put_json
from .trace import pixels

_CATEGORIES = (
    ("person", 1, "person", 1),
    ("animal", 18, "dog", 1),
    ("sports", 37, "sports ball", 1),
    ("ground", 193, "grass-merged", 0),
)
"""Supercategory, id and name, and whether it is a thing that is counted, as COCO has them."""

_IDS = {"person": 1, "dog": 18, "ball": 37, "__ignore__": 1}
_GRASS = 193
_CASTS: Mapping[int, Sequence[str]] = {
    90: ("person", "dog", "ball"),
    91: ("pair", "dog"),
    92: (),
    93: ("akimbo", "ball"),
    96: ("person", "ball", "dog"),
}


def write(folder: Path) -> None:
    """Write ``panoptic_train.json``, its PNGs beside it, and ``images/``."""
    images, annotations = [], []
    for number, cast in _CASTS.items():
        stage = park.scene(number, cast=cast)
        name = f"{211 * number:012d}"
        picture = stage.render(random.Random(f"panoptic {number}"))
        put(folder / "images" / f"{name}.jpg", jpeg(picture))
        size = {"height": stage.height, "width": stage.width}
        images.append({"file_name": f"{name}.jpg", "id": 211 * number, **size})
        ids = np.zeros((stage.height, stage.width), np.int64)
        ids[stage.height // 3 :] = _number(number, 0)  # above it nobody has said what it is
        segments = [_segment(_number(number, 0), _GRASS)]
        for index, thing in enumerate(stage.things, start=1):
            seen = pixels(stage.visible(index - 1))
            if thing.label in _IDS and seen.any():
                ids[seen] = _number(number, index)
                crowd = thing.label == "__ignore__"
                segments.append(_segment(ids[seen][0], _IDS[thing.label], crowd=crowd))
        for segment in segments:
            segment |= _measured(ids == segment["id"])
        colors = np.stack([ids % 256, ids // 256 % 256, ids // 65536], axis=2).astype(np.uint8)
        put(folder / "panoptic_train" / f"{name}.png", png(Image.fromarray(colors)))
        annotations.append({
            "segments_info": segments, "file_name": f"{name}.png", "image_id": 211 * number,
        })  # fmt: skip
    put_json(
        folder / "panoptic_train.json",
        {
            "info": {"description": "Scenes in a park", "version": "1.0"},
            "images": images,
            "annotations": annotations,
            "categories": [
                {"supercategory": group, "isthing": thing, "id": id_, "name": name}
                for group, id_, name, thing in _CATEGORIES
            ],
        },
        indent=None,
    )


def _number(scene: int, index: int) -> int:
    """Return the number of a segment, of three bytes, no two of them near each other."""
    return (scene * 7919 + index * 104_729 + 1) % 16_777_213 + 1


def _segment(number: Any, category: int, *, crowd: bool = False) -> dict[str, Any]:
    return {"id": int(number), "category_id": category, "iscrowd": int(crowd)}


def _measured(mask: Any) -> dict[str, Any]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    left, top = int(columns[0]), int(rows[0])
    size = [int(columns[-1]) - left + 1, int(rows[-1]) - top + 1]
    return {"bbox": [left, top, *size], "area": int(mask.sum())}
