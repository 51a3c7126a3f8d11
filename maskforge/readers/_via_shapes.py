"""A VIA shape to a geometry.

VIA draws on an HTML canvas whose pixel (0, 0) covers [0, 1) x [0, 1): coordinates are used as they
are. ``theta`` of an ellipse is in radians, from +x towards +y, to the axis ``rx``, as VIA rotates
its canvas. Field names are VIA 2's; ``extreme_rect`` and ``extreme_circle`` are VIA 3's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from maskforge.errors import GeometryError
from maskforge.raster.geometry import MAX_COORDINATE, Box, Ellipse, Geometry, Polygon, Polyline
from maskforge.raster.geometry import points as as_points
from maskforge.raster.geometry import ring as as_ring
from maskforge.readers._via_entry import kind

SHAPES = (
    "polygon", "polyline", "line", "rect", "circle", "ellipse", "point",
    "extreme_rect", "extreme_circle",
)  # fmt: skip


def geometry(shape: Mapping[str, object], *, line_width: float, point_size: float) -> Geometry:
    """Return the geometry of ``shape`` (VIA's shape_attributes).

    Args:
        shape: VIA's fields, ``name`` among them.
        line_width: width of a polyline, in pixels.
        point_size: radius of the disc that a point becomes, in pixels.

    Raises:
        GeometryError: code ``empty-shape`` when the shape covers nothing, ``bad-shape`` otherwise.
    """
    name = shape.get("name")
    if name == "polygon":
        return Polygon(as_ring(_vertices(shape)))
    if name in ("polyline", "line"):
        return Polyline(_at_least(2, _vertices(shape)), line_width)
    if name == "rect":
        return _rect(shape)
    if name == "circle":
        radius = _radius(shape, "r")
        return _ellipse(_number(shape, "cx"), _number(shape, "cy"), radius, radius, 0.0)
    if name == "ellipse":
        theta = _number(shape, "theta") if "theta" in shape else 0.0
        cx, cy = _number(shape, "cx"), _number(shape, "cy")
        return _ellipse(cx, cy, _radius(shape, "rx"), _radius(shape, "ry"), theta)
    if name == "point":
        return Ellipse(_number(shape, "cx"), _number(shape, "cy"), point_size, point_size)
    if name == "extreme_rect":
        corners = _at_least(2, _vertices(shape))
        return _box(*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist())
    if name == "extreme_circle":
        return _circle_through(_vertices(shape))
    raise GeometryError(f"the shape's name must be one of {list(SHAPES)}, but got {kind(name)}")


def _vertices(shape: Mapping[str, object]) -> NDArray[np.float64]:
    """Return the points as columns x, y; they may be infinite or NaN still."""
    x, y = _coordinates(shape, "all_points_x"), _coordinates(shape, "all_points_y")
    if len(x) != len(y):
        raise GeometryError(
            "all_points_x and all_points_y must have the same length, "
            f"but got {len(x)} and {len(y)}"
        )
    vertices = np.empty((len(x), 2))
    try:
        vertices[:, 0], vertices[:, 1] = x, y
    except OverflowError as error:
        raise GeometryError(f"coordinates must be within ±{MAX_COORDINATE:.0f}") from error
    return vertices


def _coordinates(shape: Mapping[str, object], field: str) -> list[float]:
    values = shape.get(field)
    if not isinstance(values, list):
        got = kind(values) if field in shape else "nothing"
        raise GeometryError(f"{field} must be an array of numbers, but got {got}")
    # The types first: NumPy would read true as 1 and null as not-a-number.
    if set(map(type, values)) <= {int, float}:
        return values
    return [_to_float(value, f"{field}[{index}]") for index, value in enumerate(values)]


def _to_float(value: object, field: str) -> float:
    """Return a number, or a string that holds one, as a float; it may be infinite or NaN."""
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            return float(value)
        except (ValueError, OverflowError):
            pass  # the sentence below says it
    raise GeometryError(f"{field} must be a number, but got {kind(value)}")


def _number(shape: Mapping[str, object], field: str) -> float:
    if field not in shape:
        raise GeometryError(f"{field} must be a number, but got nothing")
    number = _to_float(shape[field], field)
    if not abs(number) <= MAX_COORDINATE:  # NaN fails as well
        raise GeometryError(
            f"{field} must be finite and within ±{MAX_COORDINATE:.0f}, but got {number}"
        )
    return number


def _radius(shape: Mapping[str, object], field: str) -> float:
    radius = _number(shape, field)
    if radius < 0:
        raise GeometryError(f"{field} must not be negative, but got {radius}")
    return radius


def _at_least(count: int, vertices: NDArray[np.float64]) -> NDArray[np.float64]:
    vertices = as_points(vertices)
    if len(vertices) < count:
        raise GeometryError(
            f"this shape must have at least {count} points, but got {len(vertices)}",
            code="empty-shape",
        )
    return vertices


def _rect(shape: Mapping[str, object]) -> Box:
    x, y = _number(shape, "x"), _number(shape, "y")
    # The canvas draws a negative width to the left of x, so that is what it means.
    x_other, y_other = x + _number(shape, "width"), y + _number(shape, "height")
    return _box(min(x, x_other), min(y, y_other), max(x, x_other), max(y, y_other))


def _box(x_min: float, y_min: float, x_max: float, y_max: float) -> Box:
    if x_min == x_max or y_min == y_max:
        raise GeometryError(
            f"a rectangle must have an extent, but got {x_max - x_min} x {y_max - y_min}",
            code="empty-shape",
        )
    return Box(x_min, y_min, x_max, y_max)


def _ellipse(cx: float, cy: float, rx: float, ry: float, theta: float) -> Ellipse:
    if rx == 0 or ry == 0:
        raise GeometryError(
            f"a circle or an ellipse must have an extent, but its radii are {rx} and {ry}",
            code="empty-shape",
        )
    return Ellipse(cx, cy, rx, ry, theta)


def _circle_through(vertices: NDArray[np.float64]) -> Ellipse:
    """Return the circle through three points, with the first one as the origin to stay exact."""
    vertices = as_points(vertices)
    if len(vertices) != 3:
        raise GeometryError(f"an extreme circle must have 3 points, but got {len(vertices)}")
    x, y = vertices[0].tolist()
    (bx, by), (cx, cy) = (vertices[1:] - vertices[0]).tolist()
    twice_area = 2 * (bx * cy - by * cx)
    if twice_area == 0:
        raise GeometryError("an extreme circle's 3 points must not lie on one line")
    b, c = bx * bx + by * by, cx * cx + cy * cy
    dx, dy = (cy * b - by * c) / twice_area, (bx * c - cx * b) / twice_area
    radius = math.hypot(dx, dy)
    if not max(abs(x + dx), abs(y + dy), radius) <= MAX_COORDINATE:
        raise GeometryError("an extreme circle's 3 points must not lie almost on one line")
    return Ellipse(x + dx, y + dy, radius, radius)
