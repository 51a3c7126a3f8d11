"""The default rule against exact fractions, equations, shapely, and rasters made by eye."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import (
    assert_well_formed,
    bitmaps,
    boxes,
    coordinates,
    drawing,
    ellipses,
    inside,
    inside_by_column,
    lines,
    masks_of,
    picture,
    rings,
    sizes,
)

from maskforge.geometry import Bitmap, Box, Ellipse, Geometry, Polygon, Polyline
from maskforge.rules.pixel_center import band, cover, ring_runs


def mask(*geometry: Geometry, height: int, width: int) -> np.ndarray:
    runs = cover([geometry], height=height, width=width)
    assert_well_formed(runs, 1, height=height, width=width)
    return masks_of(runs, 1, height=height, width=width)[0]


def polygon(*points: tuple[float, float], holes: tuple[object, ...] = ()) -> Polygon:
    return Polygon(
        np.array(points, dtype=np.float64),
        tuple(np.array(hole, dtype=np.float64) for hole in holes),
    )


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
        Bitmap(picture("##.\n#.#"), 4.6, 1.5),
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
    assert drawing(mask(shape, height=5, width=8)) == "\n".join(expected.split())


@given(rings(), sizes, sizes)
def test_every_pixel_center_in_exact_arithmetic(ring: np.ndarray, height: int, width: int) -> None:
    got = mask(Polygon(ring), height=height, width=width)
    expected = [[inside(ring, r, c) for c in range(width)] for r in range(height)]
    np.testing.assert_array_equal(got, np.array(expected))


@given(rings(), sizes, sizes)
def test_looking_up_gives_the_same_as_looking_left(
    ring: np.ndarray, height: int, width: int
) -> None:
    got = mask(Polygon(ring), height=height, width=width)
    for r in range(height):
        for c in range(width):
            expected = inside_by_column(ring, r, c)
            assert expected is None or got[r, c] == expected


@given(rings(-1e6, 1e6), sizes, sizes)
def test_vertices_far_away(ring: np.ndarray, height: int, width: int) -> None:
    got = mask(Polygon(ring), height=height, width=width)
    expected = [[inside(ring, r, c) for c in range(width)] for r in range(height)]
    np.testing.assert_array_equal(got, np.array(expected))


@given(rings(), st.lists(rings(), min_size=1, max_size=3), sizes, sizes)
def test_holes(ring: np.ndarray, holes: list[np.ndarray], height: int, width: int) -> None:
    got = mask(Polygon(ring, tuple(holes)), height=height, width=width)
    expected = [
        [inside(ring, r, c) and not any(inside(hole, r, c) for hole in holes) for c in range(width)]
        for r in range(height)
    ]
    np.testing.assert_array_equal(got, np.array(expected))


@given(rings(), st.integers(0, 6), st.booleans(), sizes, sizes)
def test_start_and_direction_do_not_matter(
    ring: np.ndarray, start: int, back: bool, height: int, width: int
) -> None:
    other = np.roll(ring, start, axis=0)
    other = other[::-1] if back else other
    np.testing.assert_array_equal(
        mask(Polygon(ring), height=height, width=width),
        mask(Polygon(np.ascontiguousarray(other)), height=height, width=width),
    )


@given(rings(), sizes, sizes)
def test_a_repeated_or_closing_vertex_changes_nothing(
    ring: np.ndarray, height: int, width: int
) -> None:
    doubled = np.concatenate([np.repeat(ring, 2, axis=0), ring[:1]])
    np.testing.assert_array_equal(
        mask(Polygon(ring), height=height, width=width),
        mask(Polygon(doubled), height=height, width=width),
    )


def _split(triangles: list, point: tuple[float, float]) -> None:
    """Replace the triangle that ``point`` is strictly inside of, if any, by three."""
    for number, (a, b, c) in enumerate(triangles):
        signs = {_side(p, q, point) for p, q in ((a, b), (b, c), (c, a))}
        if signs in ({1}, {-1}):
            triangles[number : number + 1] = [(a, b, point), (b, c, point), (c, a, point)]
            return


def _side(a: tuple[float, float], b: tuple[float, float], p: tuple[float, float]) -> int:
    (ax, ay), (bx, by), (px, py) = (tuple(map(Fraction, q)) for q in (a, b, p))
    area = (bx - ax) * (py - ay) - (by - ay) * (px - ax)
    return (area > 0) - (area < 0)


@given(
    st.tuples(coordinates(-6, -0.1), coordinates(-6, -0.1)),
    st.lists(st.tuples(coordinates(-3, 12), coordinates(-3, 12)), max_size=12),
    st.randoms(use_true_random=False),
    sizes,
    sizes,
)
def test_triangles_that_fill_the_plane_cover_each_pixel_once(
    corner: tuple[float, float],
    points: list[tuple[float, float]],
    chance: random.Random,
    height: int,
    width: int,
) -> None:
    x, y = corner
    far = 14.3
    triangles = [((x, y), (far, y), (far, far)), ((x, y), (far, far), (x, far))]
    for point in points:
        _split(triangles, point)
    shapes = []
    for triangle in triangles:
        listed = list(triangle)
        turn = chance.randrange(3)
        listed = listed[turn:] + listed[:turn]
        shapes.append((polygon(*(listed[::-1] if chance.random() < 0.5 else listed)),))
    runs = cover(shapes, height=height, width=width)
    total = sum(m.astype(int) for m in masks_of(runs, len(shapes), height=height, width=width))
    np.testing.assert_array_equal(total, np.ones((height, width), dtype=int))


def test_a_large_partition_covers_each_pixel_once() -> None:
    """Delaunay triangles of points on tie-prone grids, in one image of a real size."""
    rng = np.random.default_rng(3)
    height, width = 211, 307
    inner = np.concatenate(
        [
            rng.uniform(0, [width, height], (300, 2)),
            rng.integers(0, [width, height], (300, 2)),
            rng.integers(0, [2 * width, 2 * height], (300, 2)) / 2,
            rng.integers(0, [10 * width, 10 * height], (300, 2)) / 10,
        ]
    )
    corners = np.array([(-1, -2), (width + 3, -2), (width + 3, height + 1), (-1, height + 1)])
    points = shapely.MultiPoint(np.concatenate([inner, corners]))
    triangles = shapely.get_parts(shapely.delaunay_triangles(points))
    shapes = [(Polygon(np.array(t.exterior.coords[:-1])),) for t in triangles]
    runs = cover(shapes, height=height, width=width)
    counts = np.zeros(height * width + 1, dtype=int)
    np.add.at(counts, runs.start, 1)
    np.add.at(counts, runs.stop, -1)
    assert (np.cumsum(counts)[:-1] == 1).all()


def test_a_polygon_and_the_hole_it_fills_contest_nothing() -> None:
    ring = np.array([(1.3, 0.5), (6.5, 1.1), (4.5, 4.7), (2.2, 3.5)])
    frame = Polygon(np.array([(0.0, 0.0), (8, 0), (8, 5), (0, 5)]), (ring[::-1].copy(),))
    outer, inner = masks_of(
        cover([(frame,), (Polygon(ring),)], height=5, width=8), 2, height=5, width=8
    )
    assert (outer ^ inner).all()


def test_area_is_unbiased() -> None:
    """Over all places on the pixel grid a shape has as many pixels as its area, on average."""
    base = np.array([(0.0, 0.0), (7.3, 1.9), (5.1, 6.7), (1.2, 4.4)])
    area = shapely.Polygon(base).area
    steps = (np.arange(16) + 0.5) / 16
    found = [
        len(masked.nonzero()[0])
        for dx in steps
        for dy in steps
        for masked in [mask(Polygon(base + np.array([dx + 1, dy + 1])), height=10, width=11)]
    ]
    assert np.mean(found) == pytest.approx(area, rel=0.002)


@given(boxes, sizes, sizes)
def test_box_is_half_open(box: Box, height: int, width: int) -> None:
    x, y = np.arange(width) + 0.5, np.arange(height)[:, None] + 0.5
    expected = (box.x_min <= x) & (x < box.x_max) & (box.y_min <= y) & (y < box.y_max)
    np.testing.assert_array_equal(mask(box, height=height, width=width), expected)


@given(ellipses, sizes, sizes)
def test_ellipse_is_its_equation(ellipse: Ellipse, height: int, width: int) -> None:
    got = mask(ellipse, height=height, width=width)
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
    assert not mask(Ellipse(2.25, 3.25, *radii), height=6, width=5).any()


@given(lines, sizes, sizes)
def test_line_is_the_band_of_its_width(line: Polyline, height: int, width: int) -> None:
    got = mask(line, height=height, width=width)
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
    got = mask(bitmap, height=height, width=width)
    half = Fraction(1, 2)
    x, y = (-((half - Fraction(v)) // 1) for v in (bitmap.x, bitmap.y))  # halves down
    expected = np.zeros((height, width), dtype=bool)
    for r, c in zip(*np.nonzero(bitmap.mask), strict=True):
        if 0 <= r + y < height and 0 <= c + x < width:
            expected[r + y, c + x] = True
    np.testing.assert_array_equal(got, expected)


def test_a_bitmap_and_the_box_of_its_place_agree() -> None:
    for x, y in ((0.5, 1.5), (1.2, 0.7), (-2.5, -0.4), (4.0, 3.0), (2.500001, -1.499999)):
        solid = Bitmap(np.ones((3, 2), dtype=bool), x, y)
        np.testing.assert_array_equal(
            mask(solid, height=6, width=7), mask(Box(x, y, x + 2, y + 3), height=6, width=7)
        )


def test_geometries_of_all_kinds_become_one_region() -> None:
    parts = (
        Bitmap(np.ones((1, 2), dtype=bool), 0, 0),
        Box(1, 0, 4, 2),
        Ellipse(6, 3.5, 1.2, 1.2),
        polygon((0, 4), (3, 4), (3, 5), (0, 5)),
    )
    runs = cover([(), parts, (), (Box(7, 0, 8, 1),)], height=5, width=8)
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
    assert len(cover([], height=3, width=4)) == 0
    assert len(cover([(), ()], height=3, width=4)) == 0
    assert len(ring_runs([], height=3, width=4)) == 0
