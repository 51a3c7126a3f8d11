"""Who wins where regions overlap: from the runs of regions to segments with one owner each.

The image is cut at every place where a run begins or ends. Between two cuts nothing changes, so
ownership, contests and class counts are decided once a segment instead of once a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from maskforge.runs import Ints, Runs, ranked

Overlap: TypeAlias = Literal["last", "first", "smallest", "error"]
"""last: later regions lie on top, as in Labelme and Cityscapes. first: earlier ones do. smallest:
smaller ones do. error: regions of different classes must not overlap."""

MAX_PAIRS = 4_000_000
"""Runs, and segments times regions, handled at once; more is done in halves: memory stays flat."""


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """A partition of the flat image into S segments, in order.

    start, length: (S,) int64, the first start is 0. owner: (S,) int64, the region on top, -1 none.
    pair_segment, pair_region: (P,) int64, which regions cover which segment, below the top as well,
    after erasing.
    """

    start: Ints
    length: Ints
    owner: Ints
    pair_segment: Ints
    pair_region: Ints


def order(areas: Ints, level: Ints, overlap: Overlap) -> Ints:
    """Return the regions from bottom to top, (R,) int64.

    areas: pixels of each region. level: priority of each region, higher lies on top; within one
    level ``overlap`` decides.
    """
    index = np.arange(len(areas))
    if overlap == "first":
        second = -index
    elif overlap == "smallest":
        second = -areas
    else:
        second = index
    return np.lexsort((index, second, level))


def resolve(runs: Runs, *, bottom_up: Ints, eraser: NDArray[np.bool_], size: int) -> Segments:
    """Return the segments of an image of ``size`` pixels.

    bottom_up: regions from bottom to top. eraser: (R,) which regions erase what regions with lower
    numbers cover, whatever lies on top, and cover nothing themselves.
    """
    rank = np.empty(len(bottom_up), dtype=np.int64)
    rank[bottom_up] = np.arange(len(bottom_up))
    return _resolve(runs, rank, eraser, 0, size)


def _resolve(runs: Runs, rank: Ints, eraser: NDArray[np.bool_], begin: int, end: int) -> Segments:
    if len(runs) > MAX_PAIRS and end - begin > 1:
        return _halved(runs, rank, eraser, (begin, (begin + end) // 2, end))
    cuts, index = ranked(np.concatenate([runs.start, runs.stop, [begin, end]]))
    low = index[: len(runs)]
    count = index[len(runs) : -2] - low
    total = int(count.sum())
    if total > MAX_PAIRS and len(cuts) > 3:
        places = (begin, int(cuts[len(cuts) // 2]), end)
        return _halved(runs, rank, eraser, places)
    segment = np.repeat(low - np.cumsum(count) + count, count) + np.arange(total)
    region = np.repeat(runs.region, count)
    if eraser.any():
        segment, region = _erase(segment, region, eraser, len(cuts) - 1)
    owner = np.full(len(cuts) - 1, -1, dtype=np.int64)
    # Of several values for one index the last one stays: the top is written last.
    upwards = rank[region]
    if (upwards[1:] < upwards[:-1]).any():
        sort = np.argsort(upwards, kind="stable")
        owner[segment[sort]] = region[sort]
    else:
        owner[segment] = region
    return Segments(cuts[:-1], np.diff(cuts), owner, segment, region)


def _halved(
    runs: Runs,
    rank: Ints,
    eraser: NDArray[np.bool_],
    places: tuple[int, int, int],
) -> Segments:
    begin, middle, end = places
    halves = (
        _resolve(_clip(runs, a, b), rank, eraser, a, b) for a, b in ((begin, middle), (middle, end))
    )
    return _join(*halves)


def _erase(segment: Ints, region: Ints, eraser: NDArray[np.bool_], count: int) -> tuple[Ints, Ints]:
    """Drop the pairs that a later eraser covers, and the erasers themselves."""
    erases = eraser[region]
    last = np.full(count, -1, dtype=np.int64)
    last[segment[erases]] = region[erases]  # regions come ascending, so the last one stays
    keep = ~erases & (region > last[segment])
    return segment[keep], region[keep]


def _clip(runs: Runs, begin: int, end: int) -> Runs:
    start, stop = np.clip(runs.start, begin, end), np.clip(runs.stop, begin, end)
    inside = start < stop
    return Runs(runs.region[inside], start[inside], stop[inside])


def _join(a: Segments, b: Segments) -> Segments:
    return Segments(
        np.concatenate([a.start, b.start]),
        np.concatenate([a.length, b.length]),
        np.concatenate([a.owner, b.owner]),
        np.concatenate([a.pair_segment, b.pair_segment + len(a.start)]),
        np.concatenate([a.pair_region, b.pair_region]),
    )
