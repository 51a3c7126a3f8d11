"""Fewer points, and still no gap and no overlap between neighbours."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from label_images import Ids, figure, patches, seeds, small
from strategies import numbers

from maskforge.errors import UsageError
from maskforge.raster import regions, simplify, trace
from maskforge.raster.geometry import Polygon
from maskforge.raster.simplify import Simplified
from maskforge.rules import pixel_center

TRIANGLE = np.array([[10, 8], [90, 30], [40, 75]])


def drawn(*rings: object, height: int = 80, width: int = 100) -> Ids:
    """Return a label image of polygons, 1 and so on."""
    polygons = [(Polygon(np.array(ring, dtype=np.float64)),) for ring in rings]
    runs = pixel_center.cover(polygons, height=height, width=width)
    image = np.zeros((height, width), dtype=np.uint8)
    for number in range(len(rings)):
        image[runs.mask(number, height=height, width=width)] = number + 1
    return image


def shapes(parts: tuple[Polygon, ...]) -> list[shapely.Polygon]:
    return [shapely.Polygon(part.exterior, part.interiors) for part in parts]


def check(
    image: Ids,
    *,
    instances: Ids | None = None,
    skip: tuple[int, ...] = (),
    tolerance: float | None = None,
    keep_iou: float | None = None,
) -> Simplified:
    """Simplify, and check all that is promised."""
    found = regions.of_label_image(image, instances, skip=skip)
    got = simplify.simplify(found, pixel_center.cover, tolerance=tolerance, keep_iou=keep_iou)
    polygons = [shape for parts in got.geometries for shape in shapes(parts)]
    assert all(shape.is_valid for shape in polygons), "nothing crosses itself"
    assert len(polygons) == sum(
        map(len, trace.polygons(found.runs, len(found), width=found.width))
    ), "no part is lost"
    for parts in got.geometries:
        for part in parts:
            assert shapely.LinearRing(part.exterior).is_ccw, "no ring is turned inside out"
            assert not any(shapely.LinearRing(ring).is_ccw for ring in part.interiors)
    whole = shapely.union_all(polygons).area if polygons else 0
    assert sum(shape.area for shape in polygons) == pytest.approx(whole), "no overlap"
    if not skip:
        assert whole == pytest.approx(image.size), "no gap"
    rings = [r for parts in got.geometries for p in parts for r in (p.exterior, *p.interiors)]
    assert all((ring >= 0).all() and (ring <= image.shape[::-1]).all() for ring in rings)
    assert got.points_after == sum(map(len, rings))
    assert got.points_after <= got.points_before
    # What it says it lost is what is lost.
    height, width = image.shape
    covered = pixel_center.cover(got.geometries, height=height, width=width)
    after = np.full(image.shape, -1)
    for k in range(len(found)):
        one, two = (r.mask(k, height=height, width=width) for r in (found.runs, covered))
        assert got.region_iou[k] == pytest.approx((one & two).sum() / (one | two).sum())
        assert (after[two] == -1).all()
        after[two] = found.value[k]
        assert two.any(), "no region vanishes"
        if keep_iou is not None and one.sum() > simplify.HELD:
            assert got.region_iou[k] >= keep_iou
    assert list(got.class_iou) == np.unique(found.value).tolist()
    for value, iou in got.class_iou.items():
        one, two = image == value, after == value
        assert iou == pytest.approx((one & two).sum() / (one | two).sum())
        assert keep_iou is None or iou >= keep_iou
    return got


def test_what_was_a_triangle_is_one_again() -> None:
    got = check(drawn(TRIANGLE), skip=(0,), tolerance=1.2)
    ((part,),) = got.geometries
    assert len(part.exterior) == 3
    for corner in TRIANGLE:
        assert np.abs(part.exterior - corner).max(axis=1).min() <= 1.2
    assert got.points_before > 100
    assert got.region_iou[0] > 0.97


def test_a_box_loses_nothing() -> None:
    got = check(drawn([[3, 5], [30, 5], [30, 17], [3, 17]]), skip=(0,), tolerance=5)
    assert got.points_after == 4
    assert got.region_iou.tolist() == [1]
    assert got.class_iou == {1: 1.0}


@pytest.mark.parametrize("choice", [{"tolerance": 0}, {"tolerance": 0.3}])
def test_nothing_is_lost_unasked(choice: dict[str, float]) -> None:
    image = patches(3, height=40, width=60)
    found = regions.of_label_image(image)
    got = check(image, **choice)
    assert set(got.region_iou) == {1}
    # Corners only, those of neighbours among them.
    assert got.points_after == got.points_before
    traced = list(trace.polygons(found.runs, len(found), width=60))
    for parts, expected in zip(got.geometries, traced, strict=True):
        assert all(a.equals(b) for a, b in zip(shapes(parts), shapes(expected), strict=True))


def test_fewer_points_of_which_no_pixel_tells() -> None:
    got = check(patches(3, height=40, width=60), keep_iou=1)
    assert set(got.region_iou) == {1}
    assert got.points_after < got.points_before


def test_neighbours_have_the_same_border() -> None:
    image = drawn([[0, 0], [52, 0], [47, 80], [0, 80]], [[52, 0], [100, 0], [100, 80], [47, 80]])
    got = check(image, tolerance=2)
    ((left,), (right,)) = got.geometries
    assert len(left.exterior) == len(right.exterior) == 4
    common = {tuple(p) for p in left.exterior} & {tuple(p) for p in right.exterior}
    assert common == {(52, 0), (47, 80)}


def test_an_island_stays_on_its_side() -> None:
    image = np.zeros((14, 40), dtype=np.uint8)
    image[:10] = 1
    image[2:10, 8:33] = 0
    image[5:7, 20:23] = 2
    got = check(image, tolerance=30)
    (_, (upper,), (island,)) = got.geometries
    assert not shapes((upper,))[0].intersects(shapes((island,))[0])


@pytest.mark.parametrize("keep_iou", [0.9, 0.98])
def test_more_is_kept_of_what_is_asked_for(keep_iou: float) -> None:
    image = patches(1, height=90, width=120, size=30)
    less = check(image, keep_iou=keep_iou)
    assert less.points_after < less.points_before / 2
    assert check(image, keep_iou=0.995).points_after > less.points_after


def test_small_regions_are_held_as_a_class() -> None:
    image = np.zeros((60, 60), dtype=np.uint8)
    for row in range(2, 54, 9):
        for column in range(2, 54, 9):
            image[row : row + 5, column : column + 3] = image[row + 1, column - 1 : column + 5] = 1
    check(image, skip=(0,), keep_iou=0.97)


ways = st.one_of(
    st.sampled_from([0.4, 0.8, 1.5, 3, 10, 1e9]).map(lambda t: {"tolerance": t}),
    st.sampled_from([0, 0.7, 0.9, 0.97, 0.99]).map(lambda k: {"keep_iou": k}),
)


@given(small, ways, st.sampled_from([(), (0,)]))
def test_small_images(image: Ids, way: dict[str, float], skip: tuple[int, ...]) -> None:
    check(image, skip=skip, **way)


@given(seeds, ways, st.sampled_from([(), (0,)]))
def test_figures(seed: int, way: dict[str, float], skip: tuple[int, ...]) -> None:
    check(figure(seed), skip=skip, **way)


@given(seeds, ways, st.booleans())
def test_patches(seed: int, way: dict[str, float], with_instances: bool) -> None:
    image = patches(seed, height=30, width=44, size=8)
    instances = patches(seed + 1, height=30, width=44, classes=3) if with_instances else None
    check(image, instances=instances, **way)


def test_batches_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    image = patches(7, height=30, width=44, size=8)
    once = check(image, tolerance=1)
    monkeypatch.setattr(trace, "BATCH", 5)
    again = check(image, tolerance=1)
    assert [shapes(g)[0].wkt for g in once.geometries] == [
        shapes(g)[0].wkt for g in again.geometries
    ]


def test_no_regions() -> None:
    found = regions.of_label_image(np.zeros((3, 4), dtype=np.uint8), skip=(0,))
    for way in ({"tolerance": 1.0}, {"keep_iou": 0.9}):
        got = simplify.simplify(found, pixel_center.cover, **way)
        assert (got.geometries, got.points_before, got.points_after) == ((), 0, 0)
        assert got.class_iou == {}


@pytest.mark.parametrize(
    ("way", "message"),
    [
        ({}, "either a tolerance or an IoU"),
        ({"tolerance": 1, "keep_iou": 0.9}, "either a tolerance or an IoU"),
        ({"tolerance": -1}, "0 or more pixels, but got -1"),
        ({"tolerance": np.nan}, "0 or more pixels, but got nan"),
        ({"keep_iou": 1.01}, "from 0 to 1, but got 1.01"),
        ({"keep_iou": 99}, "from 0 to 1, but got 99"),
    ],
)
def test_wrong_ways(way: dict[str, float], message: str) -> None:
    found = regions.of_label_image(numbers("12"))
    with pytest.raises(UsageError, match=message):
        simplify.simplify(found, pixel_center.cover, **way)
