"""The default rule against exact fractions, equations, shapely, and rasters made by eye."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from shapes import mask, polygon
from strategies import (
    assert_well_formed,
    bitmaps,
    boxes,
    drawing,
    ellipses,
    lines,
    masks_of,
    picture,
    sizes,
)

from maskforge.raster.geometry import Bitmap, Box, Ellipse, Polyline
from maskforge.rules import pixel_center
from maskforge.rules.pixel_center import band

GOLDEN = {
    "triangle": (
        polygon((1, 0), (7, 0), (1, 4)),
        """
        .#####..
        .####...
        .##.....
        .#......
        ........
        """,
    ),
    "tall L": (
        polygon((1, 1), (3, 1), (3, 4), (6, 4), (6, 5), (1, 5)),
        """
        ........
        .##.....
        .##.....
        .##.....
        .#####..
        """,
    ),
    "bow tie": (  # even-odd: two triangles that meet at (4, 2.5)
        polygon((1, 0), (7, 5), (7, 0), (1, 5)),
        """
        .#....#.
        .##..##.
        .######.
        .##..##.
        .#....#.
        """,
    ),
    "star wound twice": (  # the middle is inside twice, so out
        polygon((0, 0), (8, 0), (8, 5), (0, 5), (0, 0), (2, 1), (5, 1), (5, 4), (2, 4), (2, 1)),
        """
        ########
        ##...###
        ##...###
        ##...###
        ########
        """,
    ),
    "hole": (
        polygon((0, 0), (7, 0), (7, 5), (0, 5), holes=(((1, 1), (1, 3), (5, 3), (5, 1)),)),
        """
        #######.
        #....##.
        #....##.
        #######.
        #######.
        """,
    ),
    "holes that overlap stay holes": (
        polygon(
            (0, 0),
            (8, 0),
            (8, 5),
            (0, 5),
            holes=(((1, 1), (4, 1), (4, 3), (1, 3)), ((3, 2), (7, 2), (7, 4), (3, 4))),
        ),
        """
        ########
        #...####
        #......#
        ###....#
        ########
        """,
    ),
    "box, centers on its left and upper side count": (
        Box(1.5, 0.5, 4.5, 3.5),
        """
        .###....
        .###....
        .###....
        ........
        ........
        """,
    ),
    "box thinner than a pixel between two centers": (
        Box(1.6, 0, 2.4, 5),
        """
        ........
        ........
        ........
        ........
        ........
        """,
    ),
    "ellipse": (
        Ellipse(4, 2, 3.2, 1.6),
        """
        ...##...
        .######.
        .######.
        ...##...
        ........
        """,
    ),
    "line with a corner": (
        Polyline(np.array([(1.5, 0.0), (1.5, 3.5), (7.0, 3.5)]), 1.0),
        """
        .#......
        .#......
        .#......
        .######.
        ........
        """,
    ),
    "bitmap": (
        Bitmap.of(picture("##.\n#.#"), x=4.6, y=1.5),
        """
        ........
        .....##.
        .....#.#
        ........
        ........
        """,
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_by_eye(name: str) -> None:
    shape, expected = GOLDEN[name]
    assert drawing(mask(pixel_center, shape, height=5, width=8)) == "\n".join(expected.split())


@given(boxes, sizes, sizes)
def test_box_is_half_open(box: Box, height: int, width: int) -> None:
    x, y = np.arange(width) + 0.5, np.arange(height)[:, None] + 0.5
    expected = (box.x_min <= x) & (x < box.x_max) & (box.y_min <= y) & (y < box.y_max)
    np.testing.assert_array_equal(mask(pixel_center, box, height=height, width=width), expected)


@given(ellipses, sizes, sizes)
def test_ellipse_is_its_equation(ellipse: Ellipse, height: int, width: int) -> None:
    got = mask(pixel_center, ellipse, height=height, width=width)
    dx = np.arange(width) + 0.5 - ellipse.cx
    dy = np.arange(height)[:, None] + 0.5 - ellipse.cy
    along = dx * np.cos(ellipse.theta) + dy * np.sin(ellipse.theta)
    across = dy * np.cos(ellipse.theta) - dx * np.sin(ellipse.theta)
    value = (along / ellipse.rx) ** 2 + (across / ellipse.ry) ** 2
    clear = np.abs(value - 1) > 1e-9
    np.testing.assert_array_equal(got[clear], (value < 1)[clear])


@pytest.mark.parametrize(
    "radii", [(0, 3), (3, 0), (-1, 2), (1e-9, 1e-9), (1e-170, 1e-170), (1e-160, 3)]
)
def test_an_ellipse_without_extent_covers_nothing(radii: tuple[float, float]) -> None:
    assert not mask(pixel_center, Ellipse(2.25, 3.25, *radii), height=6, width=5).any()


@given(lines, sizes, sizes)
def test_line_is_the_band_of_its_width(line: Polyline, height: int, width: int) -> None:
    got = mask(pixel_center, line, height=height, width=width)
    whole = shapely.LineString(line.points)
    assume(whole.length > 1e-6)  # else GEOS cannot tell where along the line a point lies
    half = line.width / 2
    for r in range(height):
        for c in range(width):
            center = shapely.Point(c + 0.5, r + 0.5)
            if got[r, c]:
                assert whole.distance(center) <= half + 1e-9
            elif whole.distance(center) < 0.99 * half:
                assert _beyond_an_end(line.points, center)


def _beyond_an_end(points: np.ndarray, center: shapely.Point) -> bool:
    """Tell whether the nearest place on the line is one of its flat ends, up to rounding."""
    whole = shapely.LineString(points)
    nearest = whole.interpolate(whole.project(center))
    ends = (shapely.Point(points[0]), shapely.Point(points[-1]))
    return any(nearest.distance(end) < 1e-6 for end in ends)


@pytest.mark.parametrize(
    "line",
    [
        Polyline(np.array([(1.0, 1.0), (4.0, 4.0)]), 0.0),
        Polyline(np.array([(1.0, 1.0), (4.0, 4.0)]), float("nan")),
        Polyline(np.array([(1.0, 1.0)]), 3.0),
        Polyline(np.array([(1.0, 1.0), (1.0, 1.0)]), 3.0),
    ],
)
def test_a_line_without_extent_covers_nothing(line: Polyline) -> None:
    assert band(line) == []


@given(bitmaps, sizes, sizes)
def test_bitmap_lies_on_the_nearest_pixel(bitmap: Bitmap, height: int, width: int) -> None:
    got = mask(pixel_center, bitmap, height=height, width=width)
    half = Fraction(1, 2)
    x, y = (-((half - Fraction(v)) // 1) for v in (bitmap.x, bitmap.y))  # halves down
    expected = np.zeros((height, width), dtype=bool)
    for r, c in zip(*np.nonzero(bitmap.mask), strict=True):
        if 0 <= r + y < height and 0 <= c + x < width:
            expected[r + y, c + x] = True
    np.testing.assert_array_equal(got, expected)


def test_a_bitmap_and_the_box_of_its_place_agree() -> None:
    for x, y in ((0.5, 1.5), (1.2, 0.7), (-2.5, -0.4), (4.0, 3.0), (2.500001, -1.499999)):
        solid = Bitmap.of(np.ones((3, 2), dtype=bool), x=x, y=y)
        np.testing.assert_array_equal(
            mask(pixel_center, solid, height=6, width=7),
            mask(pixel_center, Box(x, y, x + 2, y + 3), height=6, width=7),
        )


def test_geometries_of_all_kinds_become_one_region() -> None:
    parts = (
        Bitmap.of(np.ones((1, 2), dtype=bool)),
        Box(1, 0, 4, 2),
        Ellipse(6, 3.5, 1.2, 1.2),
        polygon((0, 4), (3, 4), (3, 5), (0, 5)),
    )
    runs = pixel_center.cover([(), parts, (), (Box(7, 0, 8, 1),)], height=5, width=8)
    assert_well_formed(runs, 4, height=5, width=8)
    found = masks_of(runs, 4, height=5, width=8)
    assert [m.any() for m in found] == [False, True, False, True]
    assert drawing(found[1]) == drawing(
        picture(
            """
        ####....
        .###....
        .....##.
        .....##.
        ###..##.
        """
        )
    )


def test_no_regions_and_no_rings_give_no_runs() -> None:
    assert len(pixel_center.cover([], height=3, width=4)) == 0
    assert len(pixel_center.cover([(), ()], height=3, width=4)) == 0
    assert len(pixel_center.ring_runs([], height=3, width=4)) == 0
