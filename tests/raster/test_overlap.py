"""Who wins, against a stack of regions kept for every pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import Mask, masks

from maskforge.errors import GeometryError
from maskforge.raster import overlap
from maskforge.raster import runs as runs_
from maskforge.raster.overlap import Segments
from maskforge.raster.runs import Runs

HEIGHT, WIDTH = 3, 4
SIZE = HEIGHT * WIDTH
regions_ = st.lists(masks(height=HEIGHT, width=WIDTH), max_size=5)


def runs_of(regions: list[Mask]) -> Runs:
    return runs_.gather([(k, *runs_.of_mask(mask)) for k, mask in enumerate(regions)])


def stacks(regions: list[Mask], eraser: list[bool]) -> list[list[int]]:
    """Return for each pixel the regions that cover it once the erasers have been at work."""
    result = []
    for pixel in range(SIZE):
        stack: list[int] = []
        for number, mask in enumerate(regions):
            if mask.flat[pixel]:
                stack = [] if eraser[number] else [*stack, number]
        result.append(stack)
    return result


def check(segments: Segments, expected: list[list[int]], bottom_up: list[int]) -> None:
    assert segments.start[0] == 0
    assert (segments.length > 0).all()
    np.testing.assert_array_equal(np.cumsum(segments.length)[:-1], segments.start[1:])
    assert segments.length.sum() == SIZE
    pairs: dict[int, list[int]] = {}
    for segment, region in zip(
        segments.pair_segment.tolist(), segments.pair_class.tolist(), strict=True
    ):
        pairs.setdefault(segment, []).append(region)
    for number, (start, length, owner) in enumerate(
        zip(segments.start, segments.length, segments.owner, strict=True)
    ):
        for stack in expected[start : start + length]:
            assert sorted(set(pairs.get(number, []))) == stack
            assert owner == (max(stack, key=bottom_up.index) if stack else -1)


@given(regions_, st.data(), st.sampled_from([1, 2, 5, overlap.MAX_PAIRS]))
def test_resolve(regions: list[Mask], data: st.DataObject, limit: int) -> None:
    count = len(regions)
    bottom_up = data.draw(st.permutations(range(count)))
    eraser = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(overlap, "MAX_PAIRS", limit)
        segments = overlap.resolve(
            runs_of(regions),
            bottom_up=np.array(bottom_up, dtype=np.int64),
            region_class=np.arange(count),  # a class for each region: pairs tell them apart
            eraser=np.array(eraser, dtype=bool),
            size=SIZE,
        )
    check(segments, stacks(regions, eraser), list(bottom_up))


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), max_size=6),
    st.sampled_from(["last", "first", "smallest", "error"]),
)
def test_order(regions: list[tuple[int, int]], policy: overlap.Overlap) -> None:
    areas = np.array([area for area, _ in regions], dtype=np.int64)
    level = np.array([level for _, level in regions], dtype=np.int64)
    got = overlap.order(areas, level, policy).tolist()
    assert sorted(got) == list(range(len(regions)))
    keys = {
        "last": lambda k: (level[k], k),
        "error": lambda k: (level[k], k),
        "first": lambda k: (level[k], -k),
        "smallest": lambda k: (level[k], -areas[k], k),  # of equal ones the later lies on top
    }
    assert got == sorted(range(len(regions)), key=keys[policy])


def test_no_regions_is_one_segment_without_an_owner() -> None:
    none = np.zeros(0, dtype=np.int64)
    segments = overlap.resolve(
        runs_.empty(),
        bottom_up=none,
        region_class=none,
        eraser=none.astype(bool),
        size=SIZE,
    )
    assert segments.start.tolist() == [0]
    assert segments.length.tolist() == [SIZE]
    assert segments.owner.tolist() == [-1]


def test_halves_keep_each_pair_once_and_refuse_what_no_person_draws() -> None:
    checks = np.arange(SIZE) % 2 == 0
    everywhere = np.ones(SIZE, dtype=bool)
    regions = [checks, *[everywhere] * 5]
    kind = np.array([1, 2, 2, 2, 2, 2])
    none = np.zeros(6, dtype=bool)

    def resolve() -> Segments:
        return overlap.resolve(
            runs_of([region.reshape(HEIGHT, WIDTH) for region in regions]),
            bottom_up=np.arange(6),
            region_class=kind,
            eraser=none,
            size=SIZE,
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(overlap, "MAX_PAIRS", 8)
        assert len(resolve().pair_class) == SIZE + checks.sum()
        patch.setattr(overlap, "MAX_KEPT", SIZE)
        with pytest.raises(GeometryError, match="overlap so often"):
            resolve()


def test_a_half_has_no_runs_of_the_other() -> None:
    """Not even empty ones, or a half of many runs would have as many as the whole."""
    region, start, stop = np.array([[0, 1, 2, 3], [0, 3, 6, 9], [4, 6, 9, 12]])
    found = overlap._clip(Runs(region, start, stop), 4, 9)
    assert list(zip(found.region, found.start, found.stop, strict=True)) == [(1, 4, 6), (2, 6, 9)]


def test_what_is_erased_so_often_that_no_person_drew_it_is_refused() -> None:
    everywhere = np.ones((HEIGHT, WIDTH), dtype=bool)
    runs = runs_of([everywhere] * 6)  # a run each: 3 to take away, twice
    eraser = np.array([False, False, False, True, True, False])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(overlap, "MAX_KEPT", 18)
        assert overlap.erased(runs, eraser).areas(6).tolist() == [0, 0, 0, 0, 0, SIZE]
        patch.setattr(overlap, "MAX_KEPT", 17)
        with pytest.raises(GeometryError, match="erased so often") as caught:
            overlap.erased(runs, eraser)
        left, right = np.zeros((2, HEIGHT, WIDTH), dtype=bool)
        left[0], right[2] = True, True
        apart = runs_of([left, left, right])  # what is elsewhere costs nothing
        patch.setattr(overlap, "MAX_KEPT", 0)
        assert overlap.erased(apart, np.array([False, False, True])).areas(3).tolist() == [4, 4, 0]
    assert caught.value.code == "too-large"
