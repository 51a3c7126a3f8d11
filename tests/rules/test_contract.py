"""What every rule owes, whatever it decides on the border of a shape."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import assert_well_formed, geometries, masks_of, sizes

from maskforge import plugins
from maskforge.raster.geometry import Bitmap, Box, Ellipse, Geometry, Polygon, Polyline
from maskforge.rules import pixel_center

RULES = [plugins.load("rules", name) for name in plugins.names("rules")]
every_rule = pytest.mark.parametrize("rule", RULES, ids=plugins.names("rules"))


def masks(rule: ModuleType, *regions: tuple[Geometry, ...], height: int, width: int) -> list:
    runs = rule.cover(list(regions), height=height, width=width)
    assert_well_formed(runs, len(regions), height=height, width=width)
    return masks_of(runs, len(regions), height=height, width=width)


def quad(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], dtype=np.float64)


def one_of_each(x: float, y: float) -> list[Geometry]:
    return [
        Polygon(quad(x, y, x + 6, y + 4)),
        Box(x, y, x + 6, y + 4),
        Ellipse(x + 3, y + 2, 3, 2),
        Ellipse(x + 3, y + 2, 3, 2, 0.7),
        Polyline(np.array([(x, y), (x + 6, y + 4)]), 2.0),
        Bitmap.of(np.ones((4, 6), dtype=bool), x=x, y=y),
    ]


def test_the_four_rules_are_there() -> None:
    assert {"pixel-center", "labelme", "opencv", "coco"} <= set(plugins.names("rules"))


@every_rule
def test_says_whether_it_tiles(rule: ModuleType) -> None:
    assert rule.TILES is (rule is pixel_center)


@every_rule
def test_nothing_gives_nothing(rule: ModuleType) -> None:
    assert masks(rule, height=3, width=4) == []
    assert not any(m.any() for m in masks(rule, (), (), height=3, width=4))


@every_rule
@given(st.lists(st.lists(geometries, max_size=3).map(tuple), max_size=4), sizes, sizes)
@settings(max_examples=40)
def test_runs_are_well_formed_and_parts_are_united(
    rule: ModuleType, regions: list[tuple[Geometry, ...]], height: int, width: int
) -> None:
    together = masks(rule, *regions, height=height, width=width)
    for region, got in zip(regions, together, strict=True):
        alone = [masks(rule, (g,), height=height, width=width)[0] for g in region]
        expected = np.any(alone, axis=0) if alone else np.zeros((height, width), dtype=bool)
        np.testing.assert_array_equal(got, expected)


@every_rule
@pytest.mark.parametrize("place", [(-60, 0), (60, 0), (0, -60), (0, 60), (-60, 60)])
def test_wholly_outside_covers_nothing(rule: ModuleType, place: tuple[int, int]) -> None:
    for geometry in one_of_each(*place):
        assert not masks(rule, (geometry,), height=9, width=11)[0].any(), geometry


@every_rule
def test_partly_outside_is_clipped_as_a_larger_image_shows_it(rule: ModuleType) -> None:
    """Moving by whole pixels moves the raster, and clipping only takes away."""
    for x, y in ((-3, 2), (8, 2), (3, -2), (3, 7), (-2, -2), (9, 8)):
        for small, large in zip(one_of_each(x, y), one_of_each(x + 20, y + 20), strict=True):
            got = masks(rule, (small,), height=9, width=11)[0]
            whole = masks(rule, (large,), height=49, width=51)[0]
            if rule is pixel_center or not isinstance(small, Polyline | Ellipse):
                np.testing.assert_array_equal(got, whole[20:29, 20:31], err_msg=str(small))
                assert got.any()
            assert not got.all()


@every_rule
def test_a_shape_in_the_middle_covers_about_its_area(rule: ModuleType) -> None:
    """Asymmetric on purpose: 40 wide, 20 high, so rows and columns cannot be swapped."""
    box = Box(30, 10, 70, 30)
    ring = quad(30, 10, 70, 30)
    disc = Ellipse(50, 20, 20, 10)
    for geometry, area in ((box, 800), (Polygon(ring), 800), (disc, 628)):
        got = masks(rule, (geometry,), height=48, width=96)[0]
        rows, columns = np.nonzero(got)
        assert got.sum() == pytest.approx(area, rel=0.12)
        assert columns.mean() == pytest.approx(49.5, abs=0.6)
        assert rows.mean() == pytest.approx(19.5, abs=0.6)
        assert np.ptp(columns) == pytest.approx(39.5, abs=1)
        assert np.ptp(rows) == pytest.approx(19.5, abs=1)


@every_rule
def test_holes_are_taken_out(rule: ModuleType) -> None:
    frame = Polygon(quad(2, 2, 22, 16), (quad(6, 5, 12, 12), quad(15, 5, 19, 12)))
    got = masks(rule, (frame,), height=20, width=25)[0]
    assert got[3, 3]
    assert got[8, 13]
    assert not got[7:11, 8:11].any()
    assert not got[7:11, 17].any()
    solid = masks(rule, (Polygon(frame.exterior),), height=20, width=25)[0]
    assert solid[7:11, 8:11].all()
    assert (got <= solid).all()


@every_rule
def test_a_hole_does_not_reach_other_geometries_of_the_region(rule: ModuleType) -> None:
    frame = Polygon(quad(2, 2, 22, 16), (quad(6, 5, 14, 12),))
    got = masks(rule, (frame, Box(8, 7, 12, 10)), height=20, width=25)[0]
    assert got[8, 10]
    assert not got[8, 7]


@every_rule
def test_regions_do_not_disturb_each_other(rule: ModuleType) -> None:
    shapes = one_of_each(2, 1)
    together = masks(rule, *((g,) for g in shapes), height=9, width=11)
    for geometry, got in zip(shapes, together, strict=True):
        np.testing.assert_array_equal(got, masks(rule, (geometry,), height=9, width=11)[0])


FAR = 1e6


@every_rule
@pytest.mark.parametrize(
    "geometry",
    [
        Polygon(quad(-FAR, -FAR, FAR, FAR)),
        Polygon(quad(-FAR, -FAR, FAR, FAR), (quad(-FAR, -FAR, 4, FAR),)),
        Polygon(np.array([(-FAR, 3.0), (FAR, 3.5), (FAR, 6.0)])),
        Box(-FAR, -FAR, FAR, FAR),
        Ellipse(4, 4, FAR, FAR),
        Ellipse(4, 4, FAR, 2.0, 0.3),
        Ellipse(FAR, FAR, 5, 5),
        Polyline(np.array([(-FAR, -FAR), (FAR, FAR)]), 3.0),
        Polyline(np.array([(-FAR, 4.0), (FAR, 4.0)]), 1.0),
        Polyline(np.array([(0.0, 0.0), (8.0, 8.0)]), FAR),
        Bitmap.of(np.ones((3, 3), dtype=bool), x=FAR, y=-FAR),
        Polygon(np.random.default_rng(0).uniform(-FAR, FAR, (500, 2))),
    ],
    ids=lambda g: type(g).__name__,
)
def test_coordinates_far_away_neither_hang_nor_fail(rule: ModuleType, geometry: Geometry) -> None:
    masks(rule, (geometry,), height=9, width=11)


@every_rule
def test_a_shape_around_the_whole_image_covers_it(rule: ModuleType) -> None:
    for geometry in (Polygon(quad(-FAR, -FAR, FAR, FAR)), Box(-FAR, -FAR, FAR, FAR)):
        assert masks(rule, (geometry,), height=9, width=11)[0].all()


@every_rule
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 9), (9, 1)])
def test_images_one_pixel_wide_or_high(rule: ModuleType, height: int, width: int) -> None:
    for geometry in one_of_each(-2, -1):
        got = masks(rule, (geometry,), height=height, width=width)[0]
        assert got.shape == (height, width)
    assert masks(rule, (Box(-5, -5, 20, 20),), height=height, width=width)[0].all()
