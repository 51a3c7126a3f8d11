"""YOLO segmentation: a text file for each image, a line for each object, coordinates as fractions.

https://docs.ultralytics.com/datasets/segment/. Numbers of classes count from 0, in the order of the
class table, without the background. An image without objects has an empty file. What was drawn
outside of the image is cut off along its border. A line has one ring: holes, and the parts of one
object, are tied by slits without width; ``--split-parts`` writes a line for each part instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from maskforge.raster import keyholes
from maskforge.raster.geometry import Ring
from maskforge.writers import Scene, _objects
from maskforge.writers._objects import Objects

TITLE = "YOLO segmentation"
SUFFIX = ".txt"
FOLDER = "labels"
LOSSLESS = False
COLLECTION: Final = False

DIGITS = 12
"""Behind the point: a ten-millionth of a pixel in an image of 65,536."""


@dataclass(frozen=True, slots=True)
class Options(_objects.Tracing):
    """split_parts: a line for each part of an object."""

    split_parts: bool = False


def encode(scene: Scene, options: Options) -> bytes:
    """Return the file."""
    found = _objects.of(scene, options, whole=True)
    classes = scene.raster.classes
    number_of = {class_id: n for n, (class_id, _) in enumerate(_objects.things(classes))}
    lines = []
    for number, class_id in enumerate(found.class_ids):
        rings = _rings(found, number, split=options.split_parts)
        scene.lost["objects split into parts"] += len(rings) > 1
        lines += [f"{number_of[class_id]} {_fractions(ring, found)}\n" for ring in rings]
    return "".join(lines).encode()


def _rings(found: Objects, number: int, *, split: bool) -> list[Ring]:
    """Return the rings of an object: one, or one for each part."""
    size = {"height": found.height, "width": found.width}
    polygons = _objects.as_polygons(found.drawn[number])
    if polygons is not None:
        parts = [[polygon] for polygon in polygons] if split else [polygons]
        tied = [_objects.one_ring(part, **size) for part in parts]
        whole = [cut(ring, **size) for ring in tied if ring is not None]
        rings = [ring for ring in whole if len(ring) > 2]
        if rings and len(whole) == len(tied):
            return rings
    return found.rings[number] if split else [keyholes.ring(found.polygons[number])]


def cut(ring: Ring, *, height: int, width: int) -> Ring:
    """Return the part of ``ring`` within the image, float64 (N, 2); by the even-odd rule.

    Where that falls into pieces, they are tied along the border (Sutherland and Hodgman, 1974).
    """
    for axis, limit, sign in ((0, 0, 1), (1, 0, 1), (0, width, -1), (1, height, -1)):
        inside = (ring[:, axis] - limit) * sign >= 0
        if inside.all():
            continue
        ring = _behind(ring, inside, axis, limit)
    return ring


def _behind(ring: Ring, inside: NDArray[np.bool_], axis: int, limit: int) -> Ring:
    """Return ``ring`` cut along a line: its vertices inside, and where it crosses the line."""
    following = np.roll(ring, -1, axis=0)
    crosses = inside != np.roll(inside, -1)
    step = following[:, axis] - ring[:, axis]
    share = (limit - ring[:, axis]) / np.where(crosses, step, 1)
    cuts = ring + share[:, None] * (following - ring)
    cuts[:, axis] = limit
    both = np.stack([ring, cuts], axis=1).reshape(-1, 2)
    kept: Ring = both[np.stack([inside, crosses], axis=1).reshape(-1)]
    return kept


def _fractions(ring: Ring, found: Objects) -> str:
    return " ".join(
        f"{_fraction(x, found.width)} {_fraction(y, found.height)}" for x, y in ring.tolist()
    )


@lru_cache(maxsize=1 << 14)  # corners of pixels come again and again
def _fraction(value: float, size: int) -> str:
    return f"{value / size:.{DIGITS}f}".rstrip("0").rstrip(".")
