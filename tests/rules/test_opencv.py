"""The rule against OpenCV called directly."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from shapes import HEIGHT, WIDTH, drawn, mask, random_region, ring

from maskforge.raster.geometry import Bitmap, Box, Ellipse, Polygon, Polyline
from maskforge.rules import opencv


def direct(region: tuple[Polygon, ...]) -> np.ndarray:
    whole = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    for part in region:
        rings = [r.astype(np.int32) for r in (part.exterior, *part.interiors)]
        alone = np.zeros_like(whole)
        cv2.fillPoly(alone, rings, 1)
        whole |= alone
    return whole.astype(bool)


def test_polygons_with_holes_and_parts_are_those_of_fillpoly() -> None:
    random = np.random.default_rng(17)
    regions = [random_region(random) for _ in range(2000)]
    assert sum(len(r) > 1 for r in regions) > 800
    assert sum(any(p.interiors for p in r) for r in regions) > 800
    runs = opencv.cover(regions, height=HEIGHT, width=WIDTH)
    expected = [direct(region) for region in regions]
    assert sum(bool(pixels.any()) for pixels in expected) > 1500
    assert [
        index
        for index, pixels in enumerate(expected)
        if (runs.mask(index, height=HEIGHT, width=WIDTH) != pixels).any()
    ] == []


def test_vertices_are_truncated_toward_zero_and_edges_belong_to_the_shape() -> None:
    expected = [
        "####.....",
        "####.....",
        "####.....",
        ".........",
        ".........",
        ".........",
    ]
    assert drawn(opencv, Box(-0.9, -0.9, 3.9, 2.9)) == expected
    assert (
        drawn(opencv, Polygon(ring((-0.9, -0.9), (3.9, -0.9), (3.9, 2.9), (-0.9, 2.9)))) == expected
    )


def test_the_edges_of_an_interior_stay_and_parts_do_not_cancel() -> None:
    holed = Polygon(ring((0, 0), (8, 0), (8, 5), (0, 5)), (ring((2, 1), (6, 1), (6, 4), (2, 4)),))
    assert drawn(opencv, Box(3, 2, 4, 9), holed) == [
        "#########",
        "#########",
        "#####.###",
        "#####.###",
        "#########",
        "#########",
    ]


def test_a_bitmap_is_laid_on_its_truncated_corner_and_clipped() -> None:
    patch = np.array([[1, 0, 1], [1, 1, 0]], dtype=bool)
    assert drawn(opencv, Bitmap.of(patch, x=-1.5, y=4.9), Bitmap.of(patch, x=7.9)) == [
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
        for index, pixels in enumerate(expected):
            got = runs.mask(index, height=HEIGHT, width=WIDTH)
            np.testing.assert_array_equal(got, pixels.astype(bool))


def test_regions_that_cover_nothing_have_no_runs() -> None:
    outside = (Box(20, 20, 30, 30), Ellipse(-50, 2, 3, 3), Polyline(ring((0, -9), (5, -9)), 2))
    runs = opencv.cover([(), outside, (Box(1, 1, 2, 2),)], height=6, width=9)
    assert runs.region.tolist() == [2, 2]
    assert runs.start.tolist() == [10, 19]
    assert runs.stop.tolist() == [12, 21]
    assert len(opencv.cover([], height=6, width=9)) == 0


def test_far_coordinates_stay_right() -> None:
    half = Polygon(ring((4.5, 2.9), (1e6, 2.9), (1e6, 1e6), (4.5, 1e6)))
    pixels = mask(opencv, half, Polyline(ring((-1e6, 0), (1e6, 0)), 1), height=6, width=9)
    assert pixels[0].all()
    assert not pixels[1].any()
    assert pixels[2:, 4:].all()
    assert pixels.sum() == 9 + 4 * 5


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


@pytest.mark.parametrize(
    ("count", "top", "is_asked"),
    [(500, 0, False), (501, 0, True), (4, -32768, False), (4, -32769, True)],
)
def test_polygons_of_few_vertices_near_the_image_are_never_slow(
    count: int, top: int, is_asked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(opencv, "_is_slow", lambda *about: asked.append(about))
    around = [(0, top), (8, top), (8, 5), *[(0, 5)] * (count - 3)]
    assert drawn(opencv, Polygon(ring(*around))) == ["#########"] * 6
    assert bool(asked) == is_asked
