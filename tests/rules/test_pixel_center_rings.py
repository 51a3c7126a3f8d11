"""Polygons by the default rule: against exact fractions, and shapes that share edges."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapes import mask, polygon
from strategies import coordinates, inside, inside_by_column, masks_of, rings, sizes

from maskforge.raster.geometry import Polygon
from maskforge.rules import pixel_center


@given(rings(), sizes, sizes)
def test_every_pixel_center_in_exact_arithmetic(ring: np.ndarray, height: int, width: int) -> None:
    got = mask(pixel_center, Polygon(ring), height=height, width=width)
    expected = [[inside(ring, r, c) for c in range(width)] for r in range(height)]
    np.testing.assert_array_equal(got, np.array(expected))


@given(rings(), sizes, sizes)
def test_looking_up_gives_the_same_as_looking_left(
    ring: np.ndarray, height: int, width: int
) -> None:
    got = mask(pixel_center, Polygon(ring), height=height, width=width)
    for r in range(height):
        for c in range(width):
            expected = inside_by_column(ring, r, c)
            assert expected is None or got[r, c] == expected


@given(rings(-1e6, 1e6), sizes, sizes)
def test_vertices_far_away(ring: np.ndarray, height: int, width: int) -> None:
    got = mask(pixel_center, Polygon(ring), height=height, width=width)
    expected = [[inside(ring, r, c) for c in range(width)] for r in range(height)]
    np.testing.assert_array_equal(got, np.array(expected))


@given(rings(), st.lists(rings(), min_size=1, max_size=3), sizes, sizes)
def test_holes(ring: np.ndarray, holes: list[np.ndarray], height: int, width: int) -> None:
    got = mask(pixel_center, Polygon(ring, tuple(holes)), height=height, width=width)
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
        mask(pixel_center, Polygon(ring), height=height, width=width),
        mask(pixel_center, Polygon(np.ascontiguousarray(other)), height=height, width=width),
    )


@given(rings(), sizes, sizes)
def test_a_repeated_or_closing_vertex_changes_nothing(
    ring: np.ndarray, height: int, width: int
) -> None:
    doubled = np.concatenate([np.repeat(ring, 2, axis=0), ring[:1]])
    np.testing.assert_array_equal(
        mask(pixel_center, Polygon(ring), height=height, width=width),
        mask(pixel_center, Polygon(doubled), height=height, width=width),
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
    runs = pixel_center.cover(shapes, height=height, width=width)
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
    runs = pixel_center.cover(shapes, height=height, width=width)
    counts = np.zeros(height * width + 1, dtype=int)
    np.add.at(counts, runs.start, 1)
    np.add.at(counts, runs.stop, -1)
    assert (np.cumsum(counts)[:-1] == 1).all()


def test_a_polygon_and_the_hole_it_fills_contest_nothing() -> None:
    ring = np.array([(1.3, 0.5), (6.5, 1.1), (4.5, 4.7), (2.2, 3.5)])
    frame = Polygon(np.array([(0.0, 0.0), (8, 0), (8, 5), (0, 5)]), (ring[::-1].copy(),))
    outer, inner = masks_of(
        pixel_center.cover([(frame,), (Polygon(ring),)], height=5, width=8), 2, height=5, width=8
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
        for masked in [
            mask(pixel_center, Polygon(base + np.array([dx + 1, dy + 1])), height=10, width=11)
        ]
    ]
    assert np.mean(found) == pytest.approx(area, rel=0.002)
