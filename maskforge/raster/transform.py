"""Geometry under a change of frame: scaling, and the eight EXIF orientations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from maskforge.raster.annotation import Annotation
from maskforge.raster.geometry import Bitmap, Box, Ellipse, Geometry, Polygon, Polyline, points

Matrix = NDArray[np.float64]

# Stored to upright: x' = a x + b y + (c w + d h), likewise y' (EXIF 2.3, tag 0x0112).
_ORIENTATIONS: dict[int, tuple[tuple[int, int, int, int], tuple[int, int, int, int]]] = {
    1: ((1, 0, 0, 0), (0, 1, 0, 0)),
    2: ((-1, 0, 1, 0), (0, 1, 0, 0)),
    3: ((-1, 0, 1, 0), (0, -1, 0, 1)),
    4: ((1, 0, 0, 0), (0, -1, 0, 1)),
    5: ((0, 1, 0, 0), (1, 0, 0, 0)),
    6: ((0, -1, 0, 1), (1, 0, 0, 0)),
    7: ((0, -1, 0, 1), (-1, 0, 1, 0)),
    8: ((0, 1, 0, 0), (-1, 0, 1, 0)),
}


def upright_matrix(orientation: int, *, height: int, width: int) -> Matrix:
    """Return the (2, 3) matrix from the stored frame, ``height`` by ``width``, upright."""
    rows = _ORIENTATIONS[orientation]
    return np.array([[a, b, c * width + d * height] for a, b, c, d in rows], dtype=np.float64)


def working_size(full: tuple[int, int], size: tuple[int, ...]) -> tuple[int, int]:
    """Return (height, width) that ``size`` makes of ``full`` (height, width), in pixels.

    size: () the full size; (N,) the longer side at most N, the ratio kept; (width, height).
    """
    if len(size) == 2:
        return size[1], size[0]
    factor = min(1.0, size[0] / max(full)) if size else 1.0
    return max(1, round(full[0] * factor)), max(1, round(full[1] * factor))


def scale_matrix(x: float, y: float) -> Matrix:
    """Return the (2, 3) matrix that scales by ``x`` and ``y``."""
    return np.array([[x, 0, 0], [0, y, 0]], dtype=np.float64)


_DECIMALS = 6
"""Of pixels; what :func:`absolute` makes of fractions is as exact as they were written."""


def absolute(annotation: Annotation, *, height: int, width: int) -> Annotation:
    """Return an annotation whose coordinates are fractions in pixels, of an image of this size.

    They are rounded to a millionth, so that a corner of a pixel, divided and multiplied, is one.
    """
    matrix = scale_matrix(width, height)
    scaled = transform_annotation(annotation, matrix, height=height, width=width)
    regions = tuple(
        replace(region, geometry=tuple(map(_rounded, region.geometry))) for region in scaled.regions
    )
    return replace(scaled, regions=regions, relative=False)


def _rounded(geometry: Geometry) -> Geometry:
    match geometry:
        case Polygon(exterior, interiors):
            rings = [np.round(ring, _DECIMALS) for ring in (exterior, *interiors)]
            return Polygon(rings[0], tuple(rings[1:]))
        case Box(left, top, right, bottom):
            return Box(*(round(side, _DECIMALS) for side in (left, top, right, bottom)))
        case _:
            return geometry


def transform_annotation(
    annotation: Annotation, matrix: Matrix, *, height: int, width: int
) -> Annotation:
    """Return ``annotation`` in the frame that ``matrix`` leads to, ``height`` x ``width``."""
    regions = tuple(
        replace(
            r, geometry=tuple(transform(g, matrix, height=height, width=width) for g in r.geometry)
        )
        for r in annotation.regions
    )
    return replace(annotation, regions=regions, height=height, width=width)


def transform(geometry: Geometry, matrix: Matrix, *, height: int, width: int) -> Geometry:
    """Return ``geometry`` under the affine (2, 3) ``matrix``, one of axis-parallel images.

    height, width: the frame it leads to. Widths of lines grow by the geometric mean of the two
    scales; bitmaps are resampled at pixel centers (nearest) and cut at the frame. Raises
    GeometryError for coordinates that become too large.
    """
    linear, offset = matrix[:, :2], matrix[:, 2]
    match geometry:
        case Polygon(exterior, interiors):
            return Polygon(
                points(exterior @ linear.T + offset),
                tuple(points(i @ linear.T + offset) for i in interiors),
            )
        case Box(x0, y0, x1, y1):
            corners = points(np.array([[x0, y0], [x1, y1]]) @ linear.T + offset)
            (left, top), (right, bottom) = corners.min(0).tolist(), corners.max(0).tolist()
            return Box(left, top, right, bottom)
        case Polyline(line, thickness):
            scale = float(np.sqrt(abs(np.linalg.det(linear))))
            return Polyline(points(line @ linear.T + offset), thickness * scale)
        case Ellipse():
            return _ellipse(geometry, linear, offset)
        case Bitmap():
            return _bitmap(geometry, linear, offset, height, width)


def _ellipse(ellipse: Ellipse, linear: Matrix, offset: Matrix) -> Ellipse:
    """The image of a unit circle under M is an ellipse whose axes are the singular vectors of M."""
    cos, sin = np.cos(ellipse.theta), np.sin(ellipse.theta)
    axes = linear @ np.array([[cos, -sin], [sin, cos]]) @ np.diag([ellipse.rx, ellipse.ry])
    u, (rx, ry), _ = np.linalg.svd(axes)
    cx, cy = (linear @ [ellipse.cx, ellipse.cy] + offset).tolist()
    theta = 0.0 if rx == ry else float(np.arctan2(u[1, 0], u[0, 0]))
    return Ellipse(cx, cy, float(rx), float(ry), theta)


def _bitmap(bitmap: Bitmap, linear: Matrix, offset: Matrix, height: int, width: int) -> Bitmap:
    h, w = bitmap.height, bitmap.width
    box = np.array([[bitmap.x, bitmap.y], [bitmap.x + w, bitmap.y + h]]) @ linear.T + offset
    frame = (width, height)
    left, top = np.clip(np.rint(box.min(0)), 0, frame).astype(int).tolist()
    right, bottom = np.clip(np.rint(box.max(0)), 0, frame).astype(int).tolist()
    centers = np.arange(left, right) + 0.5 - offset[0], np.arange(top, bottom) + 0.5 - offset[1]
    # Axis-parallel: each axis of the source depends on one axis of the frame alone.
    turned = linear[0, 0] == 0
    along_x, along_y = centers[::-1] if turned else centers
    x, y = (
        (along_x / linear[1, 0], along_y / linear[0, 1])
        if turned
        else (along_x / linear[0, 0], along_y / linear[1, 1])
    )
    j = np.clip(np.floor(x - bitmap.x), 0, w - 1).astype(np.intp)
    i = np.clip(np.floor(y - bitmap.y), 0, h - 1).astype(np.intp)
    mask = bitmap.mask[np.ix_(i, j)]
    return Bitmap.of(mask.T if turned else mask, x=float(left), y=float(top))
