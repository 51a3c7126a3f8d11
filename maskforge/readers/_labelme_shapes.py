"""Labelme's shapes to regions: one function for each kind."""

from __future__ import annotations

import base64
import io
import math
import struct
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from maskforge.errors import GeometryError, Problem, ReadError
from maskforge.labels import clean
from maskforge.raster import geometry, runs
from maskforge.raster.annotation import Region
from maskforge.raster.geometry import Bitmap, Box, Ellipse, Geometry, Polygon, Polyline

MAX_PATCH_PIXELS = 2**28
"""All patches of one image together; base64 of a few kilobytes can decode to gigabytes."""

Points: TypeAlias = NDArray[np.float64]

_PNG = b"\x89PNG\r\n\x1a\n"
_PATCH_MODES = ("1", "L", "P", "I;16", "I")


@dataclass(frozen=True, slots=True)
class _Pen:
    line_width: float
    point_size: float


class Shape(msgspec.Struct, gc=False):
    """A shape as it stands in the file."""

    label: str
    points: list[tuple[float, float]]
    shape_type: str | None = None
    group_id: int | str | None = None
    mask: str | None = None


def regions(
    shapes: Mapping[int, Shape], *, line_width: float, point_size: float, file: str
) -> tuple[tuple[Region, ...], tuple[Problem, ...]]:
    """Return the regions of ``shapes``, by their number, and a problem for each that makes none.

    It is a warning where a shape covers nothing, an error where it cannot be drawn. Raises
    ReadError (code ``too-large``) for more than the limits allow.
    """
    found: list[Region] = []
    problems: list[Problem] = []
    pen = _Pen(line_width, point_size)
    pixels = many = 0
    for (index, shape), points in zip(shapes.items(), _points(list(shapes.values())), strict=True):
        place = f"shapes[{index}]"
        try:
            if isinstance(points, GeometryError):
                place = f"{place}.points"
                raise points
            made = _lower(shape, points, pen)
            if (shape.shape_type or "").lower() == "mask":
                patches = [patch for patch in made if isinstance(patch, Bitmap)]
                pixels += sum(patch.height * patch.width for patch in patches)
                _check_patch_pixels(pixels)
                many += sum(len(patch.start) for patch in patches)
                runs.check(many)
        except GeometryError as error:
            if error.code == "too-large":
                raise ReadError(error.message, code=error.code, file=file, place=place) from error
            problem = error.problem(file=file, place=place)
            is_empty = error.code == "empty-shape"
            problems.append(replace(problem, severity="warning") if is_empty else problem)
            continue
        found.append(Region(clean(shape.label), made, shape.group_id, place=place))
    return tuple(found), tuple(problems)


def _points(shapes: Sequence[Shape]) -> Sequence[Points | GeometryError]:
    """Return the points of every shape, views of one array: made and checked all at once.

    Where some are beyond the limits, the error of a shape instead.
    """
    counts = [len(shape.points) for shape in shapes]
    total = sum(counts)
    flat = chain.from_iterable(chain.from_iterable(shape.points for shape in shapes))
    array = np.fromiter(flat, dtype=np.float64, count=2 * total).reshape(total, 2)
    if not geometry.within_limits(array):
        return [_checked(shape) for shape in shapes]
    views = []
    start = 0
    for count in counts:
        views.append(array[start : start + count])
        start += count
    return views


def _checked(shape: Shape) -> Points | GeometryError:
    try:
        return geometry.points(shape.points)
    except GeometryError as error:
        return error


def _lower(shape: Shape, points: Points, pen: _Pen) -> tuple[Geometry, ...]:
    """Return the geometry of one shape. Raises GeometryError, code ``empty-shape`` for no area."""
    if not shape.label.strip():
        raise GeometryError("a shape must have a label, but has none", code="no-label")
    kind = (shape.shape_type or "polygon").lower()
    if kind not in _KINDS:
        raise GeometryError(
            f"shape_type must be one of {list(_KINDS)}, but got {kind!r}", code="bad-field"
        )
    if not len(points):
        raise GeometryError(f"a {kind} must have points, but has none", code="empty-shape")
    return _KINDS[kind](shape, points, pen)


def _polygon(shape: Shape, points: Points, pen: _Pen) -> tuple[Geometry, ...]:
    # The same as geometry.ring, less the array arithmetic: most files are nothing but polygons.
    closed = len(points) > 1 and shape.points[0] == shape.points[-1]
    exterior = points[:-1] if closed else points
    if len(exterior) < 3:
        raise GeometryError(
            f"a polygon must have at least 3 points, but got {len(exterior)}", code="empty-shape"
        )
    return (Polygon(exterior),)


def _oriented_rectangle(shape: Shape, points: Points, pen: _Pen) -> tuple[Geometry, ...]:
    _check_count(shape, 4)
    return (Polygon(points),)


def _rectangle(shape: Shape, points: Points, pen: _Pen) -> tuple[Geometry, ...]:
    if len(points) == 4:  # as X-AnyLabeling writes it
        return (Polygon(points),)
    _check_count(shape, 2)
    (x_min, y_min), (x_max, y_max) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    if x_min == x_max or y_min == y_max:
        raise GeometryError("a rectangle must have a width and a height", code="empty-shape")
    return (Box(x_min, y_min, x_max, y_max),)


def _circle(shape: Shape, points: Points, pen: _Pen) -> tuple[Geometry, ...]:
    _check_count(shape, 2)
    (cx, cy), rim = shape.points
    radius = math.sqrt((cx - rim[0]) ** 2 + (cy - rim[1]) ** 2)  # to the last bit as labelme
    if radius == 0:
        raise GeometryError("a circle must have a radius above 0", code="empty-shape")
    return (Ellipse(cx, cy, radius, radius),)


def _ellipse(shape: Shape, points: Points, pen: _Pen) -> tuple[Geometry, ...]:
    """An ellipse of a program that descends from labelme, which has none: in the box of two
    corners or of four, or by its center and a point on each axis.
    """
    if len(points) == 2:
        (x_min, y_min), (x_max, y_max) = points.min(axis=0), points.max(axis=0)
        center, axes = points.mean(axis=0), np.array([(x_max - x_min, 0), (0, y_max - y_min)]) / 2
    elif len(points) == 4:
        center, axes = points.mean(axis=0), (points[[1, 2]] - points[[0, 1]]) / 2
    else:
        _check_count(shape, 3)
        center, axes = points[0], points[1:] - points[0]
    rx, ry = np.hypot(axes[:, 0], axes[:, 1]).tolist()
    if not rx or not ry:
        raise GeometryError("an ellipse must have a width and a height", code="empty-shape")
    cx, cy = center.tolist()
    return (Ellipse(cx, cy, rx, ry, math.atan2(axes[0, 1], axes[0, 0])),)


def _cuboid(shape: Shape, points: Points, pen: _Pen) -> tuple[Geometry, ...]:
    """What is seen of a box with eight corners: their hull, in whichever order they come."""
    import shapely  # only cuboids need it, and importing it takes long

    _check_count(shape, 8)
    hull = shapely.convex_hull(shapely.MultiPoint(points))
    if not isinstance(hull, shapely.Polygon):
        raise GeometryError("a cuboid must have a width and a height", code="empty-shape")
    return (Polygon(np.array(hull.exterior.coords)[:-1]),)


def _line(shape: Shape, points: Points, pen: _Pen) -> tuple[Geometry, ...]:
    if len(points) > 2:  # as AnyLabeling writes a strip of lines
        return _linestrip(shape, points, pen)
    _check_count(shape, 2)
    return (Polyline(points, pen.line_width),)


def _linestrip(shape: Shape, points: Points, pen: _Pen) -> tuple[Geometry, ...]:
    if len(points) < 2:
        raise GeometryError("a linestrip must have at least 2 points", code="empty-shape")
    return (Polyline(points, pen.line_width),)


def _point(shape: Shape, points: Points, pen: _Pen) -> tuple[Geometry, ...]:
    _check_count(shape, 1)
    return _points_shape(shape, points, pen)


def _points_shape(shape: Shape, points: Points, pen: _Pen) -> tuple[Geometry, ...]:
    return tuple(Ellipse(x, y, pen.point_size, pen.point_size) for x, y in shape.points)


def _mask(shape: Shape, points: Points, pen: _Pen) -> tuple[Geometry, ...]:
    _check_count(shape, 2)
    (x1, y1), (x2, y2) = shape.points
    whole = all(value.is_integer() for value in (x1, y1, x2, y2))
    # Where the corners are no pixels (Labelme writes such files), the patch's own size counts.
    size = (int(y2 - y1) + 1, int(x2 - x1) + 1) if whole else None
    mask = _patch(shape.mask, size)
    if not mask.any():
        raise GeometryError("a mask must have a pixel that is set", code="empty-shape")
    return (Bitmap.of(mask, x=x1, y=y1),)


def _patch(text: str | None, size: tuple[int, int] | None) -> NDArray[np.bool_]:
    """Return the pixels of a base64 PNG; its header is checked before anything is decoded."""
    try:
        data = base64.b64decode(text or "")
    except ValueError as error:
        raise GeometryError(f"mask must be base64, but: {error}", code="bad-field") from error
    if not data.startswith(_PNG) or len(data) < 24:
        raise GeometryError("mask must be a PNG in base64, but is not", code="bad-field")
    width, height = struct.unpack(">II", data[16:24])
    _check_patch_pixels(width * height)
    if size is not None and size != (height, width):
        raise GeometryError(
            f"mask must be as large as its corners say, {size[1]}x{size[0]}, "
            f"but is {width}x{height}"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its size, which is known to be within our limit
        try:
            with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
                pixels = np.asarray(image) if image.mode in _PATCH_MODES else None
        except Exception as error:  # Pillow's decoders raise whatever the damage leads them to
            raise GeometryError(f"mask must be a PNG, but: {error}", code="bad-field") from error
    if pixels is None:
        raise GeometryError("mask must be a PNG with one channel", code="bad-field")
    return np.asarray(pixels != 0, dtype=np.bool_)


def _check_patch_pixels(pixels: int) -> None:
    if pixels > MAX_PATCH_PIXELS:
        raise GeometryError(
            f"the masks of one image must have at most {MAX_PATCH_PIXELS} pixels, "
            f"but have {pixels}",
            code="too-large",
        )


def _check_count(shape: Shape, count: int) -> None:
    if len(shape.points) != count:
        raise GeometryError(
            f"a {shape.shape_type} must have exactly {count} points, but got {len(shape.points)}"
        )


_KINDS: dict[str, Callable[[Shape, Points, _Pen], tuple[Geometry, ...]]] = {
    "polygon": _polygon,
    "rectangle": _rectangle,
    "oriented_rectangle": _oriented_rectangle,
    "rotation": _oriented_rectangle,  # X-AnyLabeling's name for it
    "quadrilateral": _oriented_rectangle,
    "cuboid": _cuboid,
    "ellipse": _ellipse,
    "circle": _circle,
    "line": _line,
    "linestrip": _linestrip,
    "point": _point,
    "points": _points_shape,
    "mask": _mask,
}
