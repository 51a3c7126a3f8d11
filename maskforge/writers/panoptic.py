"""COCO panoptic: a PNG for each image in which every object has a colour, and a JSON file for all.

https://cocodataset.org/#format-data (panoptic segmentation). The number of a segment is
R + 256 G + 65536 B. What shows is written: of objects on top of each other, the visible pixels. The
background, and what is ignored, is void (0); the file says that void is the background here. Ids of
categories are those of the class table. The PNGs lie in a folder called after the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np

from maskforge.classes import ClassTable
from maskforge.io import png
from maskforge.raster import regions
from maskforge.writers import Scene, _coco, _objects

TITLE = "COCO panoptic"
SUFFIX = ".json"
FOLDER = "panoptic"
LOSSLESS = False
COLLECTION: Final = True
BY_SPLIT = True


@dataclass(frozen=True, slots=True)
class Options:
    """Nothing to choose."""


def encode(scene: Scene, options: Options) -> bytes:
    """Return the image's entry, and its segments."""
    _objects.count_ignored(scene)
    found = regions.of_raster(scene.raster)
    shown = zip(found.value.tolist(), found.areas.tolist(), found.boxes.tolist(), strict=True)
    segments = [
        {"id": number, "category_id": value, "area": area, "bbox": box, "iscrowd": 0}
        for number, (value, area, box) in enumerate(shown, start=1)
    ]
    about = {
        "image_id": _coco.image_id(scene.names),
        "file_name": f"{scene.names.stem}.png",
        "segments_info": segments,
    }
    return _coco.piece(scene, [about])


def picture(scene: Scene, options: Options) -> bytes:
    """Return the PNG file, RGB."""
    found = regions.of_raster(scene.raster)
    size = found.height * found.width
    order = np.argsort(found.runs.start)
    start, stop = found.runs.start[order], found.runs.stop[order]
    # Where a run ends void begins, unless another run does.
    ends = stop[np.append(start[1:], size)[: len(stop)] != stop]
    place = np.concatenate([start, ends])
    number = np.append(found.runs.region[order] + 1, np.zeros_like(ends))
    if not len(start) or start[0]:
        place, number = np.append(place, 0), np.append(number, 0)
    order = np.argsort(place)
    place, number = place[order], number[order]
    ids = np.arange(len(found) + 1)
    colors = np.stack([ids & 255, ids >> 8 & 255, ids >> 16], axis=1).astype(np.uint8)
    return png.encode_runs(place, number, colors=colors, height=found.height, width=found.width)


def Collection(file: BinaryIO, classes: ClassTable, options: Options) -> _coco.Collection:
    """Return what takes the images one by one."""
    has_background = classes.background is not None
    info = {"void": "background" if has_background else "ignore"}
    return _coco.Collection(file, classes, category={"isthing": 1}, info=info, numbered=False)
