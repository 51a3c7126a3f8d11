from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from pycocotools import mask as oracle

from maskforge.errors import GeometryError
from maskforge.raster import rle
from maskforge.raster import runs as runs_
from maskforge.raster.runs import Runs

MASKS = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12))

# Two rows, three columns; read column by column it is F F | T T | F T.
SMALL = np.array([[0, 1, 0], [0, 1, 1]], dtype=bool)


def text_of(mask: NDArray[np.bool_]) -> bytes:
    """Return the counts as pycocotools writes them."""
    text: bytes = oracle.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"]
    return text


def read(counts: str | bytes | list[int], *, height: int, width: int) -> NDArray[np.bool_]:
    """Return the whole mask that a bitmap is part of."""
    found = rle.bitmap(counts, height=height, width=width)
    whole = np.zeros((height, width), dtype=bool)
    rows, columns = found.mask.shape
    whole[int(found.y) :, int(found.x) :][:rows, :columns] = found.mask
    return whole


def test_counts_run_down_the_columns_and_begin_with_false() -> None:
    assert np.array_equal(read([2, 2, 1, 1], height=2, width=3), SMALL)
    assert np.array_equal(read([0, 2, 2, 1, 1], height=2, width=3), ~SMALL)
    assert np.array_equal(read([6], height=2, width=3), np.zeros((2, 3), bool))


@given(MASKS)
def test_what_pycocotools_writes_is_read(mask: NDArray[np.bool_]) -> None:
    height, width = mask.shape
    assert np.array_equal(read(text_of(mask), height=height, width=width), mask)
    assert np.array_equal(read(text_of(mask).decode(), height=height, width=width), mask)


@given(MASKS, st.integers(1, 700), st.integers(1, 60))
def test_counts_of_several_characters(mask: NDArray[np.bool_], tall: int, wide: int) -> None:
    large = np.repeat(np.repeat(mask, tall, axis=0), wide, axis=1)
    assert np.array_equal(read(text_of(large), height=large.shape[0], width=large.shape[1]), large)


@given(MASKS)
def test_bitmap_is_the_smallest_one(mask: NDArray[np.bool_]) -> None:
    height, width = mask.shape
    found = rle.bitmap(text_of(mask), height=height, width=width)
    part, x, y = found.mask, int(found.x), int(found.y)
    whole = np.zeros_like(mask)
    whole[y : y + part.shape[0], x : x + part.shape[1]] = part
    assert np.array_equal(whole, mask)
    rows, columns = np.nonzero(mask)
    expected = (np.ptp(rows) + 1, np.ptp(columns) + 1) if len(rows) else (0, 0)
    assert part.shape == expected


@given(st.lists(st.integers(0, 9), min_size=1, max_size=12), st.integers(1, 4))
def test_bitmap_of_counts_of_0(counts: list[int], width: int) -> None:
    height = sum(counts) // width + 1
    counts.append(height * width - sum(counts))
    values = np.arange(len(counts)) % 2 == 1
    mask = np.repeat(values, counts).reshape(width, height).T
    found = rle.bitmap(counts, height=height, width=width)
    cut = np.ix_(mask.any(axis=1), mask.any(axis=0))
    assert found.mask.sum() == mask.sum()
    assert np.array_equal(found.mask[np.ix_(found.mask.any(1), found.mask.any(0))], mask[cut])


def test_bitmap_costs_no_more_than_it_holds() -> None:
    side = 2_000_000
    found = rle.bitmap([5 * side + 7, 2, side * side - 5 * side - 9], height=side, width=side)
    assert found.mask.tolist() == [[True], [True]]
    assert (found.x, found.y) == (5, 7)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ([5], "sum up to height times width, 6, but their sum is 5"),
        ([7, -1], "0 or more"),
        ([2**62, 2**62, 2**62, 2**62, 6], "0 or more"),
        ([6.0], "whole numbers"),
        ([10**30], "whole numbers"),
        ([[6]], "whole numbers"),
        ([], "their sum is 0"),
        ("", "their sum is 0"),
        ("é", "ASCII"),
        ("/", "damaged or cut off"),
        ("p", "damaged or cut off"),
        ("2P", "damaged or cut off"),
        ("PPPPPPP0", "at most 7 characters"),
        ("5", "their sum is 5"),
    ],
)
def test_damaged_counts(counts: str | list[int], message: str) -> None:
    with pytest.raises(GeometryError, match=message):
        rle.bitmap(counts, height=2, width=3)


@given(st.text(st.characters(min_codepoint=40, max_codepoint=120), max_size=30))
def test_any_text_is_a_mask_or_a_geometry_error(text: str) -> None:
    try:
        read(text, height=4, width=5)
    except GeometryError:
        return


def runs_of(regions: list[NDArray[np.bool_]]) -> Runs:
    return runs_.union(runs_.gather([(k, *runs_.of_mask(mask)) for k, mask in enumerate(regions)]))


def test_counts_are_written_down_the_columns() -> None:
    regions = [SMALL, ~SMALL, np.zeros((2, 3), bool), np.ones((2, 3), bool)]
    got = rle.counts(runs_of(regions), 5, height=2, width=3)
    assert got == [[2, 2, 1, 1], [0, 2, 2, 1, 1], [6], [0, 6], [6]]
    # From the fourth on the difference from the count two before: -1 is "O".
    texts = rle.encode(runs_of(regions), 5, height=2, width=3)
    assert texts == ["221O", "022OO", "6", "06", "6"]
    assert rle.encode(runs_.empty(), 0, height=2, width=3) == []
    assert rle.counts(runs_.empty(), 0, height=2, width=3) == []


@given(
    st.lists(arrays(np.bool_, (5, 4)), max_size=4),
    *(st.integers(1, size) for size in (300, 40, 30)),
)
def test_what_is_written_is_what_pycocotools_writes(
    regions: list[NDArray[np.bool_]], tall: int, wide: int, batch: int
) -> None:
    regions = [np.repeat(np.repeat(mask, tall, axis=0), wide, axis=1) for mask in regions]
    height, width = 5 * tall, 4 * wide
    whole = runs_of(regions)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rle, "BATCH", batch)
        got = rle.encode(whole, len(regions), height=height, width=width)
        numbers = rle.counts(whole, len(regions), height=height, width=width)
    assert got == [text_of(mask).decode() for mask in regions]
    for mask, counts in zip(regions, numbers, strict=True):
        assert np.array_equal(read(counts, height=height, width=width), mask)


def test_a_region_of_too_many_runs_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs_, "MAX_RUNS", 3)
    monkeypatch.setattr(rle, "BATCH", 1)
    rle.encode(runs_of([SMALL, SMALL, SMALL]), 3, height=2, width=3)
    chequered = np.indices((4, 4)).sum(axis=0) % 2 == 0
    with pytest.raises(GeometryError, match="at most 3 runs of pixels in their rows, but have"):
        rle.encode(runs_of([chequered]), 1, height=4, width=4)
