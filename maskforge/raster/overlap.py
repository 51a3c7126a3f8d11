"""Who wins where regions overlap: from the runs of regions to segments with one owner each.

The image is cut at every place where a run begins or ends. Between two cuts nothing changes, so
ownership, contests and class counts are decided once a segment instead of once a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from maskforge.errors import GeometryError
from maskforge.raster.runs import Ints, Runs, ascending, gather, once, ranked, subtract

Overlap: TypeAlias = Literal["last", "first", "smallest", "error"]
"""last: later regions lie on top, as in Labelme and Cityscapes. first: earlier ones do. smallest:
smaller ones do. error: regions of different classes must not overlap."""

MAX_PAIRS = 4_000_000
"""Runs, and segments times regions, handled at once; more is done in halves: memory stays flat."""

MAX_KEPT = 32_000_000
"""Segments times classes kept for one image; what no person draws is refused."""


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """A partition of the flat image into S segments, in order.

    start, length: (S,) int64, the first start is 0. owner: (S,) int64, the region on top, -1 none.
    pair_segment, pair_class: (P,) int64, which classes cover which segment, below the top as well,
    after erasing; a pair may stand more than once.
    """

    start: Ints
    length: Ints
    owner: Ints
    pair_segment: Ints
    pair_class: Ints


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
    if second is index and not level.any():
        return index
    return np.lexsort((index, second, level))


def resolve(
    runs: Runs, *, bottom_up: Ints, region_class: Ints, eraser: NDArray[np.bool_], size: int
) -> Segments:
    """Return the segments of an image of ``size`` pixels.

    bottom_up: regions from bottom to top. region_class: (R,) the class id of each. eraser: (R,)
    which regions erase what regions with lower numbers cover, whatever lies on top, and cover
    nothing themselves. Raises GeometryError (code ``too-large``) beyond :data:`MAX_KEPT`.
    """
    rank = np.empty(len(bottom_up), dtype=np.int64)
    rank[bottom_up] = np.arange(len(bottom_up))
    return _Resolver(rank, region_class, eraser).between(runs, 0, size)


@dataclass(frozen=True, slots=True, eq=False)
class _Resolver:
    rank: Ints
    region_class: Ints
    eraser: NDArray[np.bool_]

    def between(self, runs: Runs, begin: int, end: int) -> Segments:
        """Return the segments of the flat pixels ``begin`` to before ``end``, all runs inside."""
        if len(runs) > MAX_PAIRS and end - begin > 1:
            return self._halved(runs, (begin, (begin + end) // 2, end))
        cuts, index = ranked(np.concatenate([runs.start, runs.stop, [begin, end]]))
        low = index[: len(runs)]
        count = index[len(runs) : -2] - low
        total = int(count.sum())
        if total > MAX_PAIRS and len(cuts) > 3:
            return self._halved(runs, (begin, int(cuts[len(cuts) // 2]), end))
        segment = (low - count.cumsum() + count).repeat(count)
        segment += np.arange(total)
        region = runs.region.repeat(count)
        if self.eraser.any():
            segment, region = _erase(segment, region, self.eraser, len(cuts) - 1)
        owner = np.full(len(cuts) - 1, -1, dtype=np.int64)
        # Of several values for one index the last one stays: the top is written last.
        if (self.rank[1:] < self.rank[:-1]).any():
            upwards = ascending(self.rank.take(region))
            owner[segment.take(upwards)] = region.take(upwards)
        else:
            owner[segment] = region
        start = cuts[:-1]
        return Segments(start, cuts[1:] - start, owner, segment, self.region_class.take(region))

    def _halved(self, runs: Runs, places: tuple[int, int, int]) -> Segments:
        begin, middle, end = places
        a, b = (
            _distinct(self.between(_clip(runs, x, y), x, y))
            for x, y in ((begin, middle), (middle, end))
        )
        if len(a.pair_segment) + len(b.pair_segment) > MAX_KEPT:
            raise GeometryError(
                "the regions of one image must not overlap so often in so many places",
                code="too-large",
                cure="remove regions that lie on top of each other",
            )
        return Segments(
            np.concatenate([a.start, b.start]),
            np.concatenate([a.length, b.length]),
            np.concatenate([a.owner, b.owner]),
            np.concatenate([a.pair_segment, b.pair_segment + len(a.start)]),
            np.concatenate([a.pair_class, b.pair_class]),
        )


def _distinct(segments: Segments) -> Segments:
    """Return ``segments`` with each pair once."""
    pair, kind = segments.pair_segment, segments.pair_class
    count = len(segments.start)
    keep = once(kind * count + pair, below=(int(kind.max(initial=0)) + 1) * count)
    return replace(segments, pair_segment=pair[keep], pair_class=kind[keep])


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


def erased(runs: Runs, eraser: NDArray[np.bool_]) -> Runs:
    """Return ``runs`` less what a later eraser covers, without the erasers: see :func:`resolve`.

    Raises GeometryError (code ``too-large``) beyond :data:`MAX_KEPT` runs to take away.
    """
    if not eraser.any():
        return runs
    first = np.searchsorted(runs.region, np.arange(len(eraser) + 1))
    has = first[1:] > first[:-1]
    begin, end = np.zeros(len(eraser), np.int64), np.zeros(len(eraser), np.int64)
    begin[has] = runs.start[first[:-1][has]]
    end[has] = runs.stop[first[1:][has] - 1]
    less: list[tuple[int, Ints, Ints]] = []
    total = 0
    for number in np.flatnonzero(eraser & has).tolist():
        mine = slice(first[number], first[number + 1])
        start, stop = runs.start[mine], runs.stop[mine]
        below = has[:number] & ~eraser[:number]
        below &= (begin[:number] < end[number]) & (end[:number] > begin[number])
        for region in np.flatnonzero(below).tolist():
            total += len(start)
            less.append((region, start, stop))
        if total > MAX_KEPT:
            raise GeometryError(
                "the regions of one image must not be erased so often in so many places",
                code="too-large",
                cure="remove regions of the background that lie on top of each other",
            )
    stays = ~eraser[runs.region]
    kept = Runs(runs.region[stays], runs.start[stays], runs.stop[stays])
    return subtract(kept, gather(less)) if less else kept
