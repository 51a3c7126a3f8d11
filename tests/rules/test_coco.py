"""The rule against pycocotools."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from pycocotools import mask as coco_mask
from shapes import HEIGHT, WIDTH, drawn, random_region, random_ring, ring

from maskforge.raster.geometry import Bitmap, Box, Ellipse, Polygon, Polyline
from maskforge.rules import _parity, coco

# pycocotools 2.0 has not caught up with NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def merged(rings: Sequence[np.ndarray], *, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Return the union of ``rings`` as pycocotools makes it."""
    if not rings:
        return np.zeros((height, width), dtype=bool)
    polygons = [r.ravel().tolist() for r in rings]
    rle = coco_mask.merge(coco_mask.frPyObjects(polygons, height, width))
    return np.asarray(coco_mask.decode(rle), dtype=bool)


def direct(region: tuple[Polygon, ...]) -> np.ndarray:
    parts = [merged([p.exterior]) & ~merged(p.interiors) for p in region]
    return np.logical_or.reduce(parts)


def differing(regions: Sequence[tuple[Polygon, ...]], expected: Sequence[np.ndarray]) -> list[int]:
    runs = coco.cover(regions, height=HEIGHT, width=WIDTH)
    return [
        index
        for index, mask in enumerate(expected)
        if (runs.mask(index, height=HEIGHT, width=WIDTH) != mask).any()
    ]


def test_polygons_with_holes_and_parts_are_those_of_pycocotools() -> None:
    random = np.random.default_rng(19)
    regions = [random_region(random) for _ in range(2000)]
    assert sum(len(r) > 1 for r in regions) > 800
    assert sum(any(p.interiors for p in r) for r in regions) > 800
    expected = [direct(r) for r in regions]
    assert sum(bool(mask.any()) for mask in expected) > 1200
    assert differing(regions, expected) == []
    runs = coco.cover(regions, height=HEIGHT, width=WIDTH)
    assert (runs.start < runs.stop).all()
    same = runs.region[1:] == runs.region[:-1]
    assert (runs.region[1:] >= runs.region[:-1]).all()
    assert (runs.start[1:] >= runs.stop[:-1])[same].all()


def test_persons_are_those_of_ochuman() -> None:
    """OCHumanApi takes the union of the inner rings off the union of the outer ones."""
    random = np.random.default_rng(20)
    regions, expected = [], []
    for _ in range(300):
        outer = [random_ring(random) for _ in range(int(random.integers(1, 4)))]
        inner = [random_ring(random, center=outer[0].mean(axis=0)) for _ in range(2)]
        shared = tuple(inner)  # as the reader has it; equal ones that are not the same do, too
        regions.append(tuple(Polygon(r, shared if len(outer) < 3 else (*inner,)) for r in outer))
        expected.append(merged(outer) & ~merged(inner))
    assert differing(regions, expected) == []


def test_large_images_and_long_edges_are_those_of_pycocotools() -> None:
    random = np.random.default_rng(21)
    rings = [random.uniform(-1e5, 1e5, (n, 2)).round(1) for n in (3, 4, 5, 9)]
    rings += [random.uniform(-500, 1500, (n, 2)) for n in (3, 40, 400)]
    runs = coco.cover([(Polygon(r),) for r in rings], height=600, width=800)
    for index, exterior in enumerate(rings):
        expected = merged([exterior], height=600, width=800)
        np.testing.assert_array_equal(runs.mask(index, height=600, width=800), expected)


def test_edges_whose_crossing_is_a_tie_are_those_of_pycocotools() -> None:
    """Edges (x, run, rise) in fifths of a pixel, where the quotient of doubles is one step off."""
    ties = [(3, -1, 186), (3, -1, 198), (4, -2, 300), (2, 1, 98), (2, 1, 206), (2, 2, 392)]
    rings = [
        ring((x, y), (x + run, y + rise), (100, y + rise), (100, y)) / 5
        for x, run, rise in ties
        for y in range(5)
    ]
    runs = coco.cover([(Polygon(r),) for r in rings], height=90, width=20)
    for index, exterior in enumerate(rings):
        expected = merged([exterior], height=90, width=20)
        np.testing.assert_array_equal(runs.mask(index, height=90, width=20), expected)


def test_boxes_are_those_of_pycocotools() -> None:
    random = np.random.default_rng(22)
    corners = np.sort((random.uniform(-10, 60, (300, 2, 2)) * 8).round() / 8, axis=1)
    runs = coco.cover(
        [(Box(*low, *high),) for low, high in corners.tolist()], height=HEIGHT, width=WIDTH
    )
    sized = np.concatenate([corners[:, 0], corners[:, 1] - corners[:, 0]], axis=1)
    expected = coco_mask.decode(coco_mask.frPyObjects(sized, HEIGHT, WIDTH)).astype(bool)
    for index in range(len(corners)):
        mask = runs.mask(index, height=HEIGHT, width=WIDTH)
        np.testing.assert_array_equal(mask, expected[:, :, index])


def test_the_size_of_a_batch_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(23)
    regions = [random_region(random) for _ in range(40)]
    whole = coco.cover(regions, height=HEIGHT, width=WIDTH)
    for batch in (1, 7, 100):
        monkeypatch.setattr(_parity, "_BATCH", batch)
        parts = coco.cover(regions, height=HEIGHT, width=WIDTH)
        for name in ("region", "start", "stop"):
            np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))


def test_an_interior_takes_its_inside_off_its_own_part_only() -> None:
    holed = Polygon(ring((0, 0), (9, 0), (9, 6), (0, 6)), (ring((2, 1), (6, 1), (6, 4), (2, 4)),))
    assert drawn(coco, Box(3, 2, 4, 9), holed) == [
        "#########",
        "##....###",
        "##.#..###",
        "##.#..###",
        "#########",
        "#########",
    ]


def test_a_bitmap_is_laid_on_the_nearest_pixel_and_clipped() -> None:
    patch = np.array([[1, 0, 1], [1, 1, 0]], dtype=bool)
    assert drawn(coco, Bitmap.of(patch, x=-1.4, y=5.3), Bitmap.of(patch, x=6.6, y=1.5)) == [
        ".........",
        ".......#.",
        ".......##",
        ".........",
        ".........",
        ".#.......",
    ]


def test_a_line_has_its_width_flat_ends_and_round_joints() -> None:
    assert drawn(coco, Polyline(ring((1, 3), (8, 3)), 2)) == drawn(coco, Box(1, 2, 8, 4))
    assert drawn(coco, Polyline(ring((1, 2), (6, 2), (6, 2), (6, 5)), 4)) == [
        ".######..",
        ".#######.",
        ".#######.",
        ".#######.",
        "....####.",
        ".........",
    ]
    assert len(coco.cover([(Polyline(ring((1, 2), (1, 2)), 4),)], height=6, width=9)) == 0


def test_a_line_that_crosses_itself_a_million_times_ends() -> None:
    random = np.random.default_rng(26)
    line = Polyline(random.uniform(-1e6, 1e6, (3000, 2)), 4000)
    assert coco.cover([(line,)], height=6, width=9).areas(1).tolist() == [54]


def test_ellipses_are_drawn_as_rings() -> None:
    random = np.random.default_rng(24)
    for size in [*random.uniform(0.5, 40, 50).tolist(), 1e3, 1e4, 5e5]:
        rx, ry = size, size * float(random.uniform(0.3, 1))
        theta, side = random.uniform(-4, 4, 2).tolist()
        cos, sin = np.cos(theta), np.sin(theta)
        u, v = rx * np.cos(side), ry * np.sin(side)  # a place on the edge, put into the image
        cx, cy = WIDTH / 2 - (u * cos - v * sin), HEIGHT / 2 - (u * sin + v * cos)
        mask = coco.cover([(Ellipse(cx, cy, rx, ry, theta),)], height=HEIGHT, width=WIDTH).mask(
            0, height=HEIGHT, width=WIDTH
        )
        y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5 - np.array([cy, cx]).reshape(2, 1, 1)
        u, v = x * cos + y * sin, y * cos - x * sin
        level = np.hypot(u / rx, v / ry)
        slope = np.hypot(u / rx**2, v / ry**2) / np.maximum(level, 1e-9)
        assert ((mask == (level < 1)) | (np.abs(level - 1) < 0.3 * slope)).all()


def test_regions_that_cover_nothing_have_no_runs() -> None:
    outside = (Box(20, 20, 30, 30), Ellipse(-50, 2, 3, 3), Box(1, -9, 5, -2), Box(2, 2, 2.1, 2.1))
    runs = coco.cover([(), outside, (Box(1, 1, 3, 3),)], height=6, width=9)
    assert runs.region.tolist() == [2, 2]
    assert runs.start.tolist() == [10, 19]
    assert runs.stop.tolist() == [12, 21]
    assert len(coco.cover([], height=6, width=9)) == 0
    assert len(coco.cover([()], height=6, width=9)) == 0
