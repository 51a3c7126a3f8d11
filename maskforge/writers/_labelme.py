"""Labelme JSON: regions to shapes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from maskforge.raster.geometry import Box, Ellipse, Geometry, Polygon, Polyline, Ring
from maskforge.records import to_json
from maskforge.writers import Scene, _objects

TITLE = "Labelme JSON"
SUFFIX = ".json"
FOLDER = "images"
LOSSLESS = False
COLLECTION: Final = False

_VERSION = "5.5.0"
"""Of Labelme, whose files have these fields."""

_LINE_WIDTH = 10.0
"""Pixels; that of Labelme's own export, and of our reader where nothing is said."""


Options = _objects.Tracing


def encode(scene: Scene, options: _objects.Tracing) -> bytes:
    """Return the file."""
    found = _objects.of(scene, options, whole=False)
    name_of = scene.raster.classes.name_of
    groups = _Groups(found.groups)
    shapes: list[dict[str, Any]] = []
    for number, (class_id, group) in enumerate(zip(found.class_ids, found.groups, strict=True)):
        drawn = _drawn(found.drawn[number], height=found.height, width=found.width)
        if drawn is None:
            drawn = [("polygon", ring) for ring in found.rings[number]]
        tie = groups.of(group, parts=len(drawn))
        for kind, points in drawn:
            shapes.append(
                {
                    "label": name_of(class_id),
                    "points": _objects.numbers(points),
                    "group_id": tie,
                    "description": "",
                    "shape_type": kind,
                    "flags": {},
                    "mask": None,
                }
            )
    content: dict[str, Any] = {
        "version": _VERSION,
        "flags": {},
        "shapes": shapes,
        "imagePath": "".join(_objects.folder_and_name(scene)),
        "imageData": None,
        "imageHeight": scene.raster.height,
        "imageWidth": scene.raster.width,
    }
    return to_json(content, indent=2) + b"\n"


def _drawn(
    parts: Sequence[Geometry] | None, *, height: int, width: int
) -> list[tuple[str, Ring]] | None:
    """Return kind and points of each shape, None where Labelme has none for one of them."""
    found = [_shape(part, height=height, width=width) for part in parts or ()]
    shapes = [shape for shape in found if shape is not None]
    return shapes if shapes and len(shapes) == len(found) else None


def _shape(part: Geometry, *, height: int, width: int) -> tuple[str, Ring] | None:
    match part:
        case Box(left, top, right, bottom):
            return "rectangle", np.array([[left, top], [right, bottom]])
        case Ellipse(cx, cy, rx, ry) if rx == ry:
            return "circle", np.array([[cx, cy], [cx + rx, cy]])
        case Polyline(points, thickness) if thickness == _LINE_WIDTH:
            return "linestrip", points
        case Polygon():
            ring = _objects.one_ring([part], height=height, width=width)
            return None if ring is None else ("polygon", ring)
        case _:
            return None


class _Groups:
    """The numbers that tie the shapes of one object; Labelme has no others than whole ones."""

    def __init__(self, groups: Iterable[_objects.Group]) -> None:
        self._free = itertools.count(max((g for g in groups if isinstance(g, int)), default=0) + 1)
        self._known: dict[str, int] = {}

    def of(self, group: _objects.Group, *, parts: int) -> int | None:
        """Return the number for an object of so many parts, None for one that needs none."""
        if isinstance(group, str):
            if group not in self._known:
                self._known[group] = next(self._free)
            return self._known[group]
        return next(self._free) if group is None and parts > 1 else group
