"""Fewer points: outlines simplified so that neighbours still share their borders.

The outlines are cut into arcs (``arcs``), and each arc is simplified once, whichever regions lie
beside it, so that no gap and no overlap comes between neighbours. An arc on pixel edges is a flight
of stairs; what is simplified is the line through the middles of its steps, which departs from it by
less than half a pixel, covers the same pixels and has the same corners where both sides are longer
than a step. Points are chosen by their distance (Douglas and Peucker, "Algorithms for the reduction
of the number of points", 1973); where arcs would then cross, touch, or pass over each other, points
are put back until they do not, and so they are where a region would vanish.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskforge.errors import UsageError
from maskforge.raster import arcs as arcs_
from maskforge.raster import runs as runs_
from maskforge.raster import trace
from maskforge.raster.arcs import Arcs
from maskforge.raster.geometry import Polygon
from maskforge.raster.raster import Cover
from maskforge.raster.regions import Regions
from maskforge.raster.runs import Ints, Runs, changes
from maskforge.raster.trace import Outlines

Floats = NDArray[np.float64]

HELD = 100
"""Regions of more pixels keep their IoU one by one, smaller ones as a part of their class."""

_EXACT = 0.36
"""Pixels: an arc that may depart less than this keeps its pixel edges."""

_STEP = 0.75
"""By as much the tolerance is lowered where too much is lost."""


@dataclass(frozen=True, slots=True, eq=False)
class Simplified:
    """Simplified regions, and what they lost.

    geometries: by region. points_before, points_after: vertices of all rings. region_iou: (R,) the
    pixels that each region covers, by the rule it was simplified for, against those it had.
    class_iou: the same by value, of all regions that have it.
    """

    geometries: tuple[tuple[Polygon, ...], ...]
    points_before: int
    points_after: int
    region_iou: Floats
    class_iou: dict[int, float]


def simplify(
    found: Regions,
    cover: Cover,
    *,
    tolerance: float | None = None,
    keep_iou: float | None = None,
) -> Simplified:
    """Return the polygons of ``found`` with fewer points.

    cover: the rule by which pixels are counted. tolerance: how far, in pixels, outlines may depart
    from the line through the middles of pixel edges. keep_iou: instead of it, at least how much,
    0 … 1, of each class and of each region of more than :data:`HELD` pixels must stay:
    intersection over union of the pixels before and after. One of the two must be given. Raises
    UsageError.
    """
    if (tolerance is None) == (keep_iou is None):
        raise UsageError("either a tolerance or an IoU to keep must be given")
    if tolerance is not None and not tolerance >= 0:
        raise UsageError(f"a tolerance must be 0 or more pixels, but got {tolerance}")
    if keep_iou is not None and not 0 <= keep_iou <= 1:
        raise UsageError(f"an IoU to keep must be 0 to 1, but got {keep_iou}")
    outlines, region = _whole(found)
    arcs = arcs_.of_outlines(outlines, height=found.height, width=found.width)
    lines = _Lines.of(arcs)
    of_ring = region[outlines.part]
    region_of_use = of_ring.repeat(np.diff(arcs.ring))
    if tolerance is not None:
        allowed = np.full(len(arcs.closed), float(tolerance))
    else:
        allowed = _first_guess(found, arcs, region_of_use, keep_iou)
    forced = np.zeros(len(lines.points), dtype=np.bool_)
    while True:
        kept = lines.chosen(allowed, forced)
        crossing = lines.crossing(kept)
        if crossing.any():
            forced |= crossing
            continue
        result = _assembled(outlines, arcs, lines, kept)
        geometries = tuple(trace.grouped(trace.parts(result, region), len(found)))
        loss = _loss(found, cover(geometries, height=found.height, width=found.width))
        wrong = _wrong(found, loss, keep_iou)
        allowed = allowed.copy()
        touched = np.unique(arcs.use[wrong[region_of_use]])
        touched = touched[allowed[touched] >= _EXACT]
        if not len(touched):
            return Simplified(geometries, len(outlines.points), len(result.points), *loss)
        allowed[touched] *= _STEP


def _whole(found: Regions) -> tuple[Outlines, Ints]:
    """Return the outlines of all parts of all regions, and the region of each part."""
    points, start, part, regions = [np.zeros((0, 2))], [], [], []
    vertices = parts = 0
    for outlines, region in trace.batches(found.runs, width=found.width):
        points.append(outlines.points)
        start.append(outlines.start + vertices)
        part.append(outlines.part + parts)
        regions.append(region)
        vertices += len(outlines.points)
        parts += len(region)
    none = np.zeros(0, dtype=np.int64)
    return (
        Outlines(np.concatenate(points), *(np.concatenate([none, *a]) for a in (start, part))),
        np.concatenate([none, *regions]),
    )


def _loss(found: Regions, covered: Runs) -> tuple[Floats, dict[int, float]]:
    """Return the IoU of each region and of each value."""
    iou = _iou(found.runs, covered, len(found))
    values, kind = np.unique(found.value, return_inverse=True)
    of_class = _iou(_of(found.runs, kind), _of(covered, kind), len(values))
    return iou, dict(zip(values.tolist(), of_class.tolist(), strict=True))


def _of(runs: Runs, kind: Ints) -> Runs:
    return runs_.relabel(runs, kind)


def _iou(before: Runs, after: Runs, count: int) -> Floats:
    both = Runs(
        np.concatenate([before.region, after.region]),
        np.concatenate([before.start, after.start]),
        np.concatenate([before.stop, after.stop]),
    )
    union = runs_.union(both).areas(count)
    common = before.areas(count) + after.areas(count) - union
    return common / np.maximum(union, 1)


def _wrong(
    found: Regions, loss: tuple[Floats, dict[int, float]], keep_iou: float | None
) -> NDArray[np.bool_]:
    """Return the regions that lost too much: all of their pixels, or more than is allowed."""
    iou, of_class = loss
    wrong: NDArray[np.bool_] = iou == 0
    if keep_iou is None:
        return wrong
    held = found.areas > HELD
    low = iou < keep_iou
    wrong |= low & held
    for value, kept in of_class.items():
        if kept < keep_iou:
            mine = found.value == value
            small = mine & low & ~held
            wrong |= small if small.any() else mine
    return wrong


def _first_guess(found: Regions, arcs: Arcs, region_of_use: Ints, keep_iou: float) -> Floats:
    """Return for each arc a tolerance that is too large, by the area and the outline of regions."""
    steps = np.abs(np.diff(arcs.points, axis=0)).sum(axis=1)
    steps[arcs.start[1:-1] - 1] = 0
    length = np.add.reduceat(np.append(steps, 0), arcs.start[:-1]) if len(arcs.closed) else steps
    around = np.bincount(region_of_use, weights=length[arcs.use], minlength=len(found))
    guess = _GUESS * (1 - keep_iou) * found.areas / np.maximum(around, 1)
    allowed = np.full(len(arcs.closed), np.inf)
    np.minimum.at(allowed, arcs.use, np.maximum(guess[region_of_use], 2 * _EXACT))
    return allowed


_GUESS = 12.0


@dataclass(frozen=True, slots=True, eq=False)
class _Lines:
    """The points that an arc may keep: those of the line through its steps, then its own corners.

    points: (C, 2), arc after arc. arc: (C,). exact: (C,) whether it is a corner of the arc on pixel
    edges. weight: (C,) the tolerance below which the line keeps it, infinite for ends.
    """

    points: Floats
    arc: Ints
    exact: NDArray[np.bool_]
    weight: Floats

    @classmethod
    def of(cls, arcs: Arcs) -> _Lines:
        points, start = _middles(arcs)
        count = np.diff(start)
        weight = _weights(points, start)
        corners = np.diff(arcs.start)
        arc = np.concatenate([np.arange(len(n)).repeat(n) for n in (count, corners)])
        order = np.argsort(arc, kind="stable")
        exact = order >= len(points)
        weight = np.append(weight, np.full(len(arcs.points), np.inf))
        return cls(np.concatenate([points, arcs.points])[order], arc[order], exact, weight[order])

    def chosen(self, allowed: Floats, forced: NDArray[np.bool_]) -> Ints:
        """Return the points kept. allowed: the tolerance of each arc; forced: kept in any case."""
        line = ~self.exact & ((self.weight > allowed[self.arc]) | forced)
        corners = np.bincount(self.arc[self.exact], minlength=len(allowed))
        whole = np.bincount(self.arc[line], minlength=len(allowed)) >= corners
        whole |= allowed < _EXACT
        return np.where(whole[self.arc], self.exact, line).nonzero()[0]

    def crossing(self, kept: Ints) -> NDArray[np.bool_]:
        """Return points that must be kept as well, for arcs not to cross, touch or pass a point."""
        import shapely  # takes long to import

        forced = np.zeros(len(self.points), dtype=np.bool_)
        joined = self.arc[kept[1:]] == self.arc[kept[:-1]]
        first, last = kept[:-1][joined], kept[1:][joined]
        a, b = self.points[first], self.points[last]
        lines = shapely.linestrings(np.stack([a, b], axis=1))
        one, other = shapely.STRtree(lines).query(lines, predicate="intersects")
        one, other = one[one < other], other[one < other]
        apart = np.ones(len(one), dtype=np.bool_)
        folded = np.zeros(len(one), dtype=np.bool_)
        for here, away in ((a, b), (b, a)):
            for there, beyond in ((a, b), (b, a)):
                meets = (here[one] == there[other]).all(axis=1)
                u, v = away[one] - here[one], beyond[other] - there[other]
                along = (u[:, 0] * v[:, 1] == u[:, 1] * v[:, 0]) & ((u * v).sum(axis=1) > 0)
                folded |= meets & along
                apart &= ~meets
        bad = apart | folded
        wrong = np.zeros(len(first), dtype=np.bool_)
        wrong[one[bad]] = wrong[other[bad]] = True
        # What a chord cuts off must hold no point that is kept.
        inner = last - first - 1
        index = np.arange(len(first)).repeat(inner)
        place = first[index] + 1 + np.arange(len(index)) - (inner.cumsum() - inner)[index]
        deepest = np.zeros(len(first))
        np.maximum.at(deepest, index, self.weight[place])
        deep = (deepest >= _SHALLOW).nonzero()[0]
        size = inner[deep] + 2
        ring = np.arange(len(deep)).repeat(size)
        of = first[deep][ring] + np.arange(len(ring)) - (size.cumsum() - size)[ring]
        cut = shapely.polygons(shapely.linearrings(self.points[of], indices=ring))
        points = shapely.points(self.points[kept])
        found, _ = shapely.STRtree(points).query(cut, predicate="contains")
        wrong[deep[found]] = True
        # Where there is nothing between both ends the other line gives way.
        at = wrong[index] & (self.weight[place] == deepest[index])
        forced[place[at][changes(index[at])]] = True
        return forced


_SHALLOW = 0.25
"""Pixels: what departs less from its chord has no room for another line."""


def _middles(arcs: Arcs) -> tuple[Floats, Ints]:
    """Return the line through the middles of the steps of each arc, and where each begins."""
    here = arcs.points
    index = np.arange(len(here))
    first, last = arcs.start[:-1], arcs.start[1:] - 1
    before, after = index - 1, index + 1
    before[first] = np.where(arcs.closed, last - 1, first)
    after[last] = last
    into, out = here - here[before], here[after] - here
    into_size, out_size = np.abs(into).sum(axis=1), np.abs(out).sum(axis=1)
    fixed = np.minimum(into_size, out_size) >= 2  # no flight of stairs turns so
    fixed[first[~arcs.closed]] = fixed[last[~arcs.closed]] = True
    again = np.zeros(len(here), dtype=np.bool_)
    again[last[arcs.closed]] = True
    ahead = ~fixed & ~again
    behind = ahead & ~((into_size == 1) & ~fixed[before])  # else it is the same as that ahead
    emitted = np.stack([behind, fixed & ~again, ahead], axis=1)
    places = np.stack([here - np.sign(into) / 2, here, here + np.sign(out) / 2], axis=1)
    arc = np.arange(len(first)).repeat(np.diff(arcs.start))
    points, arc = places[emitted], np.stack([arc] * 3, axis=1)[emitted]
    begin = changes(arc).nonzero()[0]
    repeated = begin[arcs.closed]  # each arc ends where it began
    points = np.concatenate([points, points[repeated]])
    arc = np.concatenate([arc, arc[repeated]])
    order = np.argsort(arc, kind="stable")
    start = np.append(0, np.bincount(arc, minlength=len(first)).cumsum())
    return points[order], start


def _weights(points: Floats, start: Ints) -> Floats:
    """Return the tolerance below which each point of each line is kept, infinite for the ends.

    A line all around keeps two points more, or all if it has four.
    """
    weight = np.zeros(len(points))
    first, last = start[:-1], start[1:] - 1
    weight[first] = weight[last] = np.inf
    around = (points[first] == points[last]).all(axis=1) if len(first) else np.zeros(0, np.bool_)
    chord, place = first[around], last[around]
    small = place - chord <= 4
    _, inner = _between(chord[small], place[small])
    weight[inner] = np.inf
    chord, place = chord[~small], place[~small]
    middle, _ = _farthest(points, chord, place)
    weight[middle] = np.inf
    low, high = np.stack([chord, middle], axis=1).ravel(), np.stack([middle, place], axis=1).ravel()
    third, distance = _farthest(points, low, high)
    further = np.where(distance[0::2] >= distance[1::2], third[0::2], third[1::2])
    weight[further] = np.inf
    upper = further > middle
    (open_,) = (~around).nonzero()
    low = np.concatenate(
        [first[open_], chord, np.where(upper, middle, further), np.where(upper, further, middle)]
    )
    high = np.concatenate(
        [last[open_], np.where(upper, middle, further), np.where(upper, further, middle), place]
    )
    above = np.full(len(low), np.inf)
    while True:
        open_ = high - low > 1
        low, high, above = low[open_], high[open_], above[open_]
        if not len(low):
            return weight
        split, distance = _farthest(points, low, high)
        above = np.minimum(distance, above)
        weight[split] = above
        goes_on = above > 0
        low, high, split, above = low[goes_on], high[goes_on], split[goes_on], above[goes_on]
        low, high = np.concatenate([low, split]), np.concatenate([split, high])
        above = np.concatenate([above, above])


def _between(low: Ints, high: Ints) -> tuple[Ints, Ints]:
    """Return for each number between low and high, ends excluded, of which pair it is, and it."""
    count = np.maximum(high - low - 1, 0)
    index = np.arange(len(low)).repeat(count)
    return index, low[index] + 1 + np.arange(len(index)) - (count.cumsum() - count)[index]


def _farthest(points: Floats, low: Ints, high: Ints) -> tuple[Ints, Floats]:
    """Return the point farthest from each chord between two others, and its distance.

    Of equal ones the one nearest to the middle, so that halving goes on quickly.
    """
    index, place = _between(low, high)
    a, b = points[low], points[high]
    u = b - a
    size = (u**2).sum(axis=1)
    v = points[place] - a[index]
    along = (v * u[index]).sum(axis=1) / np.where(size == 0, 1, size)[index]
    away = v - np.clip(along, 0, 1)[:, None] * u[index]
    distance = np.sqrt((away**2).sum(axis=1))
    begin = changes(index).nonzero()[0]
    most = np.maximum.reduceat(distance, begin) if len(begin) else distance
    middle = np.abs(2 * place - low[index] - high[index])
    middle[distance < most[index]] = len(points) * 2 + 2
    nearest = np.minimum.reduceat(middle, begin) if len(begin) else middle
    best = (middle == nearest[index]).nonzero()[0]
    return place[best[changes(index[best])]], most


def _assembled(outlines: Outlines, arcs: Arcs, lines: _Lines, kept: Ints) -> Outlines:
    """Return the rings that the points kept of all arcs make."""
    size = np.bincount(lines.arc[kept], minlength=len(arcs.closed))
    first = size.cumsum() - size
    count = size[arcs.use] - 1  # the last point of an arc is the first one of the next
    index = np.arange(len(arcs.use)).repeat(count)
    step = np.arange(len(index)) - (count.cumsum() - count)[index]
    place = first[arcs.use][index]
    place += np.where(arcs.forward[index], step, count[index] - step)
    points = lines.points[kept[place]]
    ring = np.arange(len(outlines.part)).repeat(np.diff(arcs.ring))[index]
    # A junction on a straight edge of pixels is no corner; without it the edge is the same.
    after = np.arange(1, len(points) + 1)
    before = np.arange(-1, len(points) - 1)
    begin = changes(ring).nonzero()[0]
    end = np.append(begin[1:], len(points)) - 1
    after[end], before[begin] = begin, end
    straight = ((points == points[before]) & (points == points[after])).any(axis=1)
    points, ring = points[~straight], ring[~straight]
    return Outlines(points, changes(ring).nonzero()[0], outlines.part)
