"""Runs against sets of pixels painted one by one."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import Mask, assert_well_formed, masks, masks_of, picture

from maskforge.errors import GeometryError
from maskforge.raster import runs as runs_
from maskforge.raster.runs import Runs

HEIGHT, WIDTH, COUNT = 3, 5, 4
SIZE = HEIGHT * WIDTH

intervals = st.tuples(
    st.integers(0, COUNT - 1), st.integers(0, SIZE - 1), st.integers(1, SIZE)
).map(lambda t: (t[0], t[1], min(t[1] + t[2], SIZE)))


def messy(parts: list[tuple[int, int, int]]) -> Runs:
    """Runs whose regions ascend, but overlap and come unsorted within a region."""
    ordered = sorted(parts, key=lambda part: part[0])
    columns = np.array(ordered, dtype=np.int64).reshape(-1, 3).T
    return Runs(*columns)


def pixels(runs: Runs, region: int) -> set[int]:
    return {
        pixel
        for number, start, stop in zip(runs.region, runs.start, runs.stop, strict=True)
        if number == region
        for pixel in range(start, stop)
    }


@given(st.lists(intervals, max_size=10))
def test_union(parts: list[tuple[int, int, int]]) -> None:
    before = messy(parts)
    after = runs_.union(before)
    assert_well_formed(after, COUNT, height=HEIGHT, width=WIDTH)
    for region in range(COUNT):
        assert pixels(after, region) == pixels(before, region)
    same = after.region[1:] == after.region[:-1]
    assert (after.start[1:][same] > after.stop[:-1][same]).all(), "runs that meet are merged"


@given(st.lists(intervals, max_size=8), st.lists(intervals, max_size=8))
def test_subtract(parts: list[tuple[int, int, int]], less: list[tuple[int, int, int]]) -> None:
    whole, holes = messy(parts), messy(less)
    left = runs_.subtract(whole, holes)
    assert_well_formed(left, COUNT, height=HEIGHT, width=WIDTH)
    for region in range(COUNT):
        assert pixels(left, region) == pixels(whole, region) - pixels(holes, region)


@given(st.lists(intervals, max_size=8), st.lists(st.integers(0, 2), min_size=COUNT, max_size=COUNT))
def test_relabel(parts: list[tuple[int, int, int]], numbers: list[int]) -> None:
    before = messy(parts)
    after = runs_.relabel(before, np.array(numbers, dtype=np.int64))
    assert_well_formed(after, 3, height=HEIGHT, width=WIDTH)
    for target in range(3):
        sources = [k for k in range(COUNT) if numbers[k] == target]
        assert pixels(after, target) == set().union(*(pixels(before, k) for k in sources), set())


@given(masks())
def test_of_mask(mask: Mask) -> None:
    height, width = mask.shape
    runs = runs_.gather([(0, *runs_.of_mask(mask))])
    assert_well_formed(runs, 1, height=height, width=width)
    assert (runs.start // width == (runs.stop - 1) // width).all()
    np.testing.assert_array_equal(masks_of(runs, 1, height=height, width=width)[0], mask)
    np.testing.assert_array_equal(runs.mask(0, height=height, width=width), mask)


def test_of_mask_takes_any_value_but_0_and_ends_runs_at_the_row() -> None:
    mask = np.array([[0, 7], [255, 1]], dtype=np.uint8)
    start, stop = runs_.of_mask(mask)
    assert list(zip(start.tolist(), stop.tolist(), strict=True)) == [(1, 2), (2, 4)]


def test_of_mask_of_no_size() -> None:
    for shape in ((0, 3), (3, 0), (0, 0)):
        start, stop = runs_.of_mask(np.zeros(shape, dtype=bool))
        assert len(start) == len(stop) == 0


@given(st.lists(masks(height=HEIGHT, width=WIDTH), min_size=1, max_size=4), st.randoms())
def test_of_columns(regions: list[Mask], random: Random) -> None:
    edges = []
    for number, mask in enumerate(regions):
        flat = np.concatenate([[False], mask.T.ravel(), [False]])
        edges += [(place, number) for place in np.flatnonzero(flat[1:] != flat[:-1]).tolist()]
        if random.random() < 0.5:  # two at one place cancel out
            edges += [(random.randint(0, SIZE), number)] * 2
    random.shuffle(edges)
    place, region = np.array(edges, dtype=np.int64).reshape(-1, 2).T
    runs = runs_.of_columns(place, height=HEIGHT, width=WIDTH, region=region)
    assert_well_formed(runs, len(regions), height=HEIGHT, width=WIDTH)
    assert (runs.start // WIDTH == (runs.stop - 1) // WIDTH).all()
    found = masks_of(runs, len(regions), height=HEIGHT, width=WIDTH)
    np.testing.assert_array_equal(found, regions)
    alone = runs_.of_columns(place[region == 0], height=HEIGHT, width=WIDTH)
    np.testing.assert_array_equal(alone.mask(0, height=HEIGHT, width=WIDTH), regions[0])


def test_runs_are_counted_before_they_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs_, "MAX_RUNS", HEIGHT)
    column = np.array([HEIGHT, 2 * HEIGHT])
    assert len(runs_.of_columns(column, height=HEIGHT, width=WIDTH)) == HEIGHT
    with pytest.raises(GeometryError, match="at most 3 runs of pixels in their rows, but have 6"):
        runs_.of_columns(np.append(column, column + 2 * HEIGHT), height=HEIGHT, width=WIDTH)


@given(masks(), st.integers(-6, 6), st.integers(-6, 6))
def test_placed(mask: Mask, x: int, y: int) -> None:
    start, stop = runs_.placed(
        *runs_.of_mask(mask), of=mask.shape[1], x=x, y=y, height=HEIGHT, width=WIDTH
    )
    runs = runs_.gather([(0, start, stop)])
    assert_well_formed(runs, 1, height=HEIGHT, width=WIDTH)
    plane = np.pad(mask, 12)[12 - y : 12 - y + HEIGHT, 12 - x : 12 - x + WIDTH]
    np.testing.assert_array_equal(runs.mask(0, height=HEIGHT, width=WIDTH), plane)


@given(st.lists(intervals, max_size=10))
def test_areas_and_mask(parts: list[tuple[int, int, int]]) -> None:
    runs = runs_.union(messy(parts))
    areas = runs.areas(COUNT)
    assert areas.dtype == np.int64
    assert areas.tolist() == [len(pixels(runs, region)) for region in range(COUNT)]
    for region, painted in enumerate(masks_of(runs, COUNT, height=HEIGHT, width=WIDTH)):
        got = runs.mask(region, height=HEIGHT, width=WIDTH)
        assert got.dtype == np.bool_
        np.testing.assert_array_equal(got, painted)


def test_a_run_may_go_on_into_the_next_row() -> None:
    runs = runs_.union(messy([(0, 3, 5), (0, 5, 7)]))
    assert (runs.start.tolist(), runs.stop.tolist()) == ([3], [7])
    np.testing.assert_array_equal(
        runs.mask(0, height=HEIGHT, width=WIDTH), picture("...##\n##...\n.....")
    )


digits = st.one_of(st.integers(0, 5), st.integers(0, 2**16 + 2), st.integers(0, 2**50))
"""Few values, so that some are equal; and some that differ in their upper digits only."""


@given(st.lists(digits, max_size=9))
def test_ascending(values: list[int]) -> None:
    got = runs_.ascending(np.array(values, dtype=np.int64)).tolist()
    assert got == sorted(range(len(values)), key=lambda place: values[place])


def test_ascending_looks_at_each_digit() -> None:
    values = np.array([1 << 32, 1 << 31, 1 << 16, 1 << 15, 0, (1 << 16) - 1, 1 << 48, 3 << 16])
    assert runs_.ascending(values).tolist() == [4, 3, 5, 2, 7, 1, 0, 6]


@given(st.one_of(st.lists(digits, max_size=9), st.lists(st.integers(0, 9), max_size=12)))
def test_ranked(values: list[int]) -> None:
    found, index = runs_.ranked(np.array(values, dtype=np.int64))
    assert found.tolist() == sorted(set(values))
    assert index.tolist() == [found.tolist().index(value) for value in values]


@given(st.lists(st.integers(0, 9), max_size=12), st.sampled_from([0, 9, 10, runs_.MAX_TABLE]))
def test_once(values: list[int], largest: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs_, "MAX_TABLE", largest)
        keep = runs_.once(np.array(values, dtype=np.int64), below=10)
    kept = [value for value, stays in zip(values, keep.tolist(), strict=True) if stays]
    assert sorted(kept) == sorted(set(values))


def test_once_of_values_that_no_table_holds() -> None:
    values = np.array([2**59, 1, 2**59, 0, 1])
    keep = runs_.once(values, below=2**60)
    assert sorted(values[keep].tolist()) == [0, 1, 2**59]


def test_empty_and_gather_of_nothing() -> None:
    for runs in (runs_.empty(), runs_.gather([]), runs_.union(runs_.empty())):
        assert_well_formed(runs, 0, height=1, width=1)
        assert len(runs) == 0
        assert runs.areas(3).tolist() == [0, 0, 0]
    assert len(runs_.subtract(runs_.empty(), messy([(0, 1, 2)]))) == 0


def test_indices_of_the_largest_image_do_not_overflow() -> None:
    size = 2**28
    many = 100_000
    regions = np.arange(many, dtype=np.int64)
    runs = Runs(regions, np.full(many, size - 2), np.full(many, size))
    after = runs_.union(runs)
    assert (after.region == regions).all()
    assert (after.start == size - 2).all()
    assert (after.stop == size).all()
