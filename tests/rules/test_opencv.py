"""The rule against OpenCV called directly."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import pytest

from maskforge.geometry import Bitmap, Box, Ellipse, Polygon, Polyline
from maskforge.rules import opencv

HEIGHT, WIDTH = 37, 53


def ring(*points: tuple[float, float]) -> np.ndarray:
    return np.array(points, dtype=np.float64)


def random_ring(random: np.random.Generator, *, center: np.ndarray | None = None) -> np.ndarray:
    """Return 3 to 20 vertices in and around the image, of many sizes, whole ones among them."""
    count = int(random.integers(3, 21))
    size = random.choice([0.7, 3, 10, 30, 300, 20_000], p=[0.1, 0.2, 0.3, 0.2, 0.15, 0.05])
    center = random.uniform(-5, [WIDTH + 5, HEIGHT + 5]) if center is None else center
    points = center + random.uniform(-size, size, (count, 2))
    if random.random() < 0.5:
        angle = np.sort(random.uniform(0, 2 * np.pi, count))
        points = center + size * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points.round() if random.random() < 0.3 else points


def random_region(random: np.random.Generator) -> tuple[Polygon, ...]:
    """Return 1 to 3 parts, each with 0 to 3 interiors, most of them somewhere in it."""
    parts = []
    for _ in range(int(random.choice([1, 1, 2, 3]))):
        exterior = random_ring(random)
        holes = int(random.choice([0, 0, 1, 2, 3]))
        parts.append(
            Polygon(
                exterior,
                tuple(random_ring(random, center=exterior.mean(axis=0)) for _ in range(holes)),
            )
        )
    return tuple(parts)


def direct(region: tuple[Polygon, ...]) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    for part in region:
        rings = [r.astype(np.int32) for r in (part.exterior, *part.interiors)]
        alone = np.zeros_like(mask)
        cv2.fillPoly(alone, rings, 1)
        mask |= alone
    return mask.astype(bool)


def test_polygons_with_holes_and_parts_are_those_of_fillpoly() -> None:
    random = np.random.default_rng(17)
    regions = [random_region(random) for _ in range(2000)]
    assert sum(len(r) > 1 for r in regions) > 800
    assert sum(any(p.interiors for p in r) for r in regions) > 800
    runs = opencv.cover(regions, height=HEIGHT, width=WIDTH)
    expected = [direct(region) for region in regions]
    assert sum(bool(mask.any()) for mask in expected) > 1500
    assert [
        index
        for index, mask in enumerate(expected)
        if (runs.mask(index, height=HEIGHT, width=WIDTH) != mask).any()
    ] == []


def cover(*geometry: Any, height: int = 6, width: int = 9) -> np.ndarray:
    return opencv.cover([geometry], height=height, width=width).mask(0, height=height, width=width)


def drawn(*geometry: Any) -> list[str]:
    return ["".join(".#"[p] for p in row) for row in cover(*geometry).astype(int).tolist()]


def test_vertices_are_truncated_toward_zero_and_edges_belong_to_the_shape() -> None:
    expected = [
        "####.....",
        "####.....",
        "####.....",
        ".........",
        ".........",
        ".........",
    ]
    assert drawn(Box(-0.9, -0.9, 3.9, 2.9)) == expected
    assert drawn(Polygon(ring((-0.9, -0.9), (3.9, -0.9), (3.9, 2.9), (-0.9, 2.9)))) == expected


def test_the_edges_of_an_interior_stay_and_parts_do_not_cancel() -> None:
    holed = Polygon(ring((0, 0), (8, 0), (8, 5), (0, 5)), (ring((2, 1), (6, 1), (6, 4), (2, 4)),))
    assert drawn(Box(3, 2, 4, 9), holed) == [
        "#########",
        "#########",
        "#####.###",
        "#####.###",
        "#########",
        "#########",
    ]


def test_a_bitmap_is_laid_on_its_truncated_corner_and_clipped() -> None:
    patch = np.array([[1, 0, 1], [1, 1, 0]], dtype=bool)
    assert drawn(Bitmap(patch, -1.5, 4.9), Bitmap(patch, 7.9, 0.0)) == [
        ".......#.",
        ".......##",
        ".........",
        ".........",
        ".#.......",
        "#........",
    ]


def test_circles_ellipses_and_lines_are_those_of_opencv() -> None:
    random = np.random.default_rng(18)
    for _ in range(200):
        x, y = random.uniform(-10, [WIDTH + 10, HEIGHT + 10]).tolist()
        a, b = random.uniform(0, 30, 2).tolist()
        theta = float(random.uniform(-4, 4))
        points = random.uniform(-20, 70, (int(random.integers(2, 6)), 2))
        thickness = float(random.uniform(0, 12))
        expected = [np.zeros((HEIGHT, WIDTH), dtype=np.uint8) for _ in range(3)]
        center, axes = (int(x), int(y)), (int(a), int(b))
        cv2.circle(expected[0], center, int(a), 1, -1)
        cv2.ellipse(expected[1], center, axes, math.degrees(theta), 0, 360, 1, -1)
        cv2.polylines(
            expected[2], [points.astype(np.int32)], False, 1, thickness=max(round(thickness), 1)
        )
        regions = [
            (Ellipse(x, y, a, a, theta),),
            (Ellipse(x, y, a, b, theta),),
            (Polyline(points, thickness),),
        ]
        runs = opencv.cover(regions, height=HEIGHT, width=WIDTH)
        for index, mask in enumerate(expected):
            got = runs.mask(index, height=HEIGHT, width=WIDTH)
            np.testing.assert_array_equal(got, mask.astype(bool))


def test_regions_that_cover_nothing_have_no_runs() -> None:
    outside = (Box(20, 20, 30, 30), Ellipse(-50, 2, 3, 3), Polyline(ring((0, -9), (5, -9)), 2))
    runs = opencv.cover([(), outside, (Box(1, 1, 2, 2),)], height=6, width=9)
    assert runs.region.tolist() == [2, 2]
    assert runs.start.tolist() == [10, 19]
    assert runs.stop.tolist() == [12, 21]
    assert len(opencv.cover([], height=6, width=9)) == 0


def test_far_coordinates_stay_right() -> None:
    half = Polygon(ring((4.5, 2.9), (1e6, 2.9), (1e6, 1e6), (4.5, 1e6)))
    mask = cover(half, Polyline(ring((-1e6, 0), (1e6, 0)), 1))
    assert mask[0].all()
    assert not mask[1].any()
    assert mask[2:, 4:].all()
    assert mask.sum() == 9 + 4 * 5


@pytest.mark.parametrize("y_min", [0, -1e6])
def test_a_polygon_that_opencv_cannot_fill_in_time_is_filled_otherwise(
    monkeypatch: pytest.MonkeyPatch, y_min: float
) -> None:
    """Thousands of edges over one another on every row, and on a million rows above the image."""
    random = np.random.default_rng(25)
    scribble = random.uniform([10, y_min], [400, 450], (5000, 2))
    frame = ring((100, 100), (500, 100), (500, 400), (100, 400))
    regions = [(Polygon(frame, (scribble,)),), (Polygon(frame),)]
    expected = opencv.cover(regions[1:], height=480, width=640).mask(0, height=480, width=640)
    if y_min == 0:
        cv2.fillPoly(canvas := np.zeros((480, 640), np.uint8), [scribble.astype(np.int32)], 1)
    called: list[int] = []
    fill_poly = cv2.fillPoly

    def counted(image: np.ndarray, rings: list[np.ndarray], color: int) -> np.ndarray:
        called.append(sum(map(len, rings)))
        return fill_poly(image, rings, color)

    monkeypatch.setattr(cv2, "fillPoly", counted)
    runs = opencv.cover([((Polygon(scribble)),), *regions], height=480, width=640)
    assert called == [4]
    masks = [runs.mask(k, height=480, width=640) for k in range(3)]
    np.testing.assert_array_equal(masks[2], expected)
    np.testing.assert_array_equal(masks[1][:, 402:], expected[:, 402:])
    assert not masks[0][:, 402:].any()
    if y_min == 0:
        assert canvas.mean() > 0.3
        assert (masks[0] != canvas).mean() < 0.0005
