"""VIA shapes to geometry, in maskforge's pixel convention."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskforge.errors import GeometryError
from maskforge.raster.geometry import Box, Ellipse, Geometry, Polygon, Polyline
from maskforge.readers._via_shapes import geometry


def lower(**shape: object) -> Geometry:
    return geometry(shape, line_width=4, point_size=1.5)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ({"name": "rect", "x": 1, "y": 2, "width": 3, "height": 5}, Box(1, 2, 4, 7)),
        ({"name": "rect", "x": 4, "y": 7, "width": -3, "height": -5}, Box(1, 2, 4, 7)),
        ({"name": "rect", "x": "1", "y": " 2.5 ", "width": 3.0, "height": 5}, Box(1, 2.5, 4, 7.5)),
        ({"name": "circle", "cx": 3, "cy": 4, "r": 2.5}, Ellipse(3, 4, 2.5, 2.5)),
        ({"name": "ellipse", "cx": 3, "cy": 4, "rx": 2, "ry": 1}, Ellipse(3, 4, 2, 1, 0)),
        (
            {"name": "ellipse", "cx": 3, "cy": 4, "rx": 2, "ry": 1, "theta": -0.5},
            Ellipse(3, 4, 2, 1, -0.5),
        ),
        ({"name": "point", "cx": 3, "cy": 4}, Ellipse(3, 4, 1.5, 1.5)),
    ],
)
def test_shapes_of_numbers(shape: dict[str, object], expected: Geometry) -> None:
    assert lower(**shape) == expected


def test_a_polygon_loses_its_closing_point() -> None:
    polygon = lower(name="polygon", all_points_x=[1, "7", 4.5, 1], all_points_y=[2, 3, 9, 2])
    assert isinstance(polygon, Polygon)
    assert polygon.exterior.tolist() == [[1, 2], [7, 3], [4.5, 9]]
    assert polygon.interiors == ()


def test_a_polyline_keeps_its_closing_point() -> None:
    line = lower(name="polyline", all_points_x=[1, 7, 1], all_points_y=[2, 3, 2])
    assert isinstance(line, Polyline)
    assert (line.points.tolist(), line.width) == ([[1, 2], [7, 3], [1, 2]], 4)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ({}, "the shape's name must be one of"),
        ({"name": ["rect"]}, "but got an array of 1"),
        ({"name": "rect", "x": 1, "y": 2, "width": 3}, "height must be a number, but got nothing"),
        ({"name": "point", "cx": None, "cy": 2}, "cx must be a number, but got null"),
        ({"name": "point", "cx": True, "cy": 2}, "cx must be a number, but got true"),
        ({"name": "point", "cx": "left", "cy": 2}, "cx must be a number, but got 'left'"),
        ({"name": "point", "cx": "nan", "cy": 2}, "cx must be finite"),
        ({"name": "point", "cx": 1e7, "cy": 2}, "cx must be finite and within"),
        ({"name": "point", "cx": 10**5000, "cy": 2}, "cx must be a number, but got a huge integer"),
        ({"name": "circle", "cx": 1, "cy": 2, "r": -3}, "r must not be negative"),
        ({"name": "polygon"}, "all_points_x must be an array of numbers, but got nothing"),
        ({"name": "polygon", "all_points_x": "1,2"}, "must be an array of numbers, but got '1,2'"),
        (
            {"name": "polygon", "all_points_x": [1, 2, 3], "all_points_y": [1, 2]},
            "must have the same length, but got 3 and 2",
        ),
        (
            {"name": "polygon", "all_points_x": [1, 2, None], "all_points_y": [1, 2, 3]},
            "all_points_x[2] must be a number, but got null",
        ),
        (
            {"name": "polygon", "all_points_x": [1, 2, math.inf], "all_points_y": [1, 2, 3]},
            "point 2 is (inf, 3.0)",
        ),
        (
            {"name": "polygon", "all_points_x": [1, 2, 10**400], "all_points_y": [1, 2, 3]},
            "coordinates must be within",
        ),
        (
            {"name": "extreme_circle", "all_points_x": [1, 2], "all_points_y": [1, 2]},
            "must have 3 points, but got 2",
        ),
        (
            {"name": "extreme_circle", "all_points_x": [1, 2, 3], "all_points_y": [1, 2, 3]},
            "must not lie on one line",
        ),
        (
            {"name": "extreme_circle", "all_points_x": [0, 1e5, 2e5], "all_points_y": [0, 0, 1e-3]},
            "must not lie almost on one line",
        ),
    ],
)
def test_what_makes_no_shape(shape: dict[str, object], message: str) -> None:
    with pytest.raises(GeometryError, match=re.escape(message)) as caught:
        lower(**shape)
    assert caught.value.code == "bad-shape"


@pytest.mark.parametrize(
    "shape",
    [
        {"name": "polygon", "all_points_x": [], "all_points_y": []},
        {"name": "polygon", "all_points_x": [1, 2], "all_points_y": [1, 3]},
        {"name": "line", "all_points_x": [1], "all_points_y": [1]},
        {"name": "extreme_rect", "all_points_x": [], "all_points_y": []},
        {"name": "extreme_rect", "all_points_x": [1, 1], "all_points_y": [1, 5]},
        {"name": "rect", "x": 1, "y": 2, "width": 3, "height": 0},
        {"name": "ellipse", "cx": 1, "cy": 2, "rx": 3, "ry": 0},
    ],
)
def test_what_covers_nothing(shape: dict[str, object]) -> None:
    with pytest.raises(GeometryError) as caught:
        lower(**shape)
    assert caught.value.code == "empty-shape"


@given(
    st.tuples(*[st.integers(-2000, 2000)] * 2),
    st.integers(2, 500),
    st.lists(st.floats(0, 2 * math.pi), min_size=3, max_size=3),
)
def test_an_extreme_circle_goes_through_its_points(
    center: tuple[int, int], radius: int, angles: list[float]
) -> None:
    x = [center[0] + radius * math.cos(angle) for angle in angles]
    y = [center[1] + radius * math.sin(angle) for angle in angles]
    sides = [math.dist((x[i], y[i]), (x[i - 1], y[i - 1])) for i in range(3)]
    if min(sides) < 1:
        return  # three points nearly at one place say nothing about the circle
    circle = lower(name="extreme_circle", all_points_x=x, all_points_y=y)
    assert isinstance(circle, Ellipse)
    assert circle.rx == circle.ry == pytest.approx(radius, rel=1e-6)
    assert (circle.cx, circle.cy) == pytest.approx(center, abs=1e-6 * radius)
