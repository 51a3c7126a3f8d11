"""The whole pixels of the rectangle around each region, for those who want boxes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from maskforge.raster.geometry import Bitmap, Box, Ellipse, Geometry, Polygon
from maskforge.raster.runs import Runs, gather, of_mask

TILES = False
"""Rectangles overlap where their shapes only touch."""


def cover(regions: Sequence[tuple[Geometry, ...]], *, height: int, width: int) -> Runs:
    """Return the pixels of each region: the union of its geometries, clipped to the image."""
    parts = []
    for number, region in enumerate(regions):
        mask = np.zeros((height, width), dtype=np.bool_)
        for left, top, right, bottom in map(_around, region):
            rows = slice(max(0, math.floor(top)), max(0, math.ceil(bottom)))
            mask[rows, max(0, math.floor(left)) : max(0, math.ceil(right))] = True
        parts.append((number, *of_mask(mask)))
    return gather(parts)


def _around(part: Geometry) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom."""
    if isinstance(part, Box):
        return part.x_min, part.y_min, part.x_max, part.y_max
    if isinstance(part, Bitmap):
        return part.x, part.y, part.x + part.width, part.y + part.height
    if isinstance(part, Ellipse):
        far = max(part.rx, part.ry)
        return part.cx - far, part.cy - far, part.cx + far, part.cy + far
    points, far = (part.exterior, 0.0) if isinstance(part, Polygon) else (part.points, part.width)
    (left, top), (right, bottom) = points.min(axis=0) - far / 2, points.max(axis=0) + far / 2
    return left, top, right, bottom
