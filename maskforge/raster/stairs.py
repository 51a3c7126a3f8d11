"""Flights of stairs, as outlines on pixel edges are, and which points of them are kept.

What is simplified is the line through the middles of the steps of an arc. It departs from the arc
by less than half a pixel and covers the same pixels, it is straight where the arc is the image of a
straight line, and it has the corners of the arc where both sides are longer than a step. Points are
kept by their distance from the chord between others (Douglas and Peucker, "Algorithms for the
reduction of the number of points required to represent a digitized line", 1973).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskforge.raster.arcs import Arcs, Floats, spread
from maskforge.raster.runs import Ints, changes

EXACT = 0.36
"""Pixels: an arc that may depart less than this keeps its pixel edges."""

_SHALLOW = 0.25
"""Pixels: what departs less from its chord has no room for another line."""

_GRID = 64
"""Points that are moved lie on so many places a pixel: rules decide exactly on that grid."""

_REACH = 1.0
_LEAST_TURN = 0.05
"""Pixels that a point may be moved, and the sine of the least angle of lines that meet."""

_DEPTH = 1000
"""As often lines are halved; what is not reached then, made by hand, is kept whole."""


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """The points that an arc may keep: those of the line through its steps, then its own corners.

    points: (C, 2), arc after arc. arc: (C,). exact: (C,) whether it is a corner of the arc on pixel
    edges. weight: (C,) the tolerance below which the line keeps it, infinite for ends. closed: (A,)
    whether an arc goes all around, so that its ends are a point like others. size: width and height
    of the image.
    """

    points: Floats
    arc: Ints
    exact: NDArray[np.bool_]
    weight: Floats
    closed: NDArray[np.bool_]
    size: tuple[int, int]

    @classmethod
    def of(cls, arcs: Arcs) -> Lines:
        """Return the lines of ``arcs``."""
        points, start = _middles(arcs)
        sizes = np.diff(start), np.diff(arcs.start)
        arc = np.concatenate([np.arange(len(size)).repeat(size) for size in sizes])
        order = np.argsort(arc, kind="stable")
        exact = order >= len(points)
        weight = np.append(_weights(points, start), np.full(len(arcs.points), np.inf))[order]
        points = np.concatenate([points, arcs.points])[order]
        return cls(points, arc[order], exact, weight, arcs.closed, (arcs.width, arcs.height))

    def chosen(self, allowed: Floats, forced: NDArray[np.bool_]) -> Ints:
        """Return the points kept, (K,), ascending.

        allowed: (A,) the tolerance of each arc. forced: (C,) points that a line keeps in any case.
        An arc keeps its own corners where they are no more than what its line would keep.
        """
        line = ~self.exact & ((self.weight > allowed[self.arc]) | forced)
        corners, points = (
            np.bincount(self.arc[k], minlength=len(allowed)) for k in (self.exact, line)
        )
        whole = (allowed < EXACT) | (points >= corners)
        return np.where(whole[self.arc], self.exact, line).nonzero()[0]

    def placed(self, kept: Ints, allowed: Floats, forced: NDArray[np.bool_]) -> Floats:
        """Return where the points kept go, (K, 2), so that chords run amid what they stand for.

        A point goes to where the lines of best fit on both sides meet, if that is near. The ends of
        arcs and what is ``forced`` stay, and so do the ends of chords that would then be farther
        than ``allowed`` from a point of the line.
        """
        places = self.points[kept]
        first, last = self._chords(kept)
        here, there = np.searchsorted(kept, first), np.searchsorted(kept, last)
        into, out = np.full((2, len(kept)), -1)
        into[there] = out[here] = np.arange(len(first))
        around = self.closed[self.arc[kept]]
        begin, end = (around & (into < 0)).nonzero()[0], (around & (out < 0)).nonzero()[0]
        into[begin] = into[end]
        held = self.exact[kept] | forced[kept]
        held[begin] |= held[end]
        free = (~held & (into >= 0) & (out >= 0)).nonzero()[0]
        meet = _meeting(*_best_lines(self.points, first, last), into[free], out[free])
        near = ((meet - places[free]) ** 2).sum(axis=1) <= _REACH**2
        free, meet = free[near], np.rint(meet[near] * _GRID) / _GRID
        moved = places.copy()
        moved[free] = np.clip(meet, 0, self.size)
        index, inner = _between(first - 1, last + 1)
        while True:
            moved[end] = moved[begin]
            away = _distance(self.points[inner], moved[here][index], moved[there][index])
            far = index[away > allowed[self.arc[inner]]]
            back = np.zeros(len(kept), dtype=np.bool_)
            back[here[far]] = back[there[far]] = True
            back[begin] |= back[end]
            back &= (moved != places).any(axis=1)
            if not back.any():
                return moved
            moved[back] = places[back]

    def missing(self, kept: Ints, places: Floats) -> NDArray[np.bool_]:
        """Return points, (C,), to force, so that no arcs cross, touch, or change sides.

        places: (K, 2) where the points kept are. The ends of a chord that does so go back to where
        they were; if they are there, it gets back its farthest point. All lines whole do not.
        """
        forced = np.zeros(len(self.points), dtype=np.bool_)
        first, last = self._chords(kept)
        a, b = places[np.searchsorted(kept, first)], places[np.searchsorted(kept, last)]
        start, end = self.points[first], self.points[last]
        wrong = _touching(a, b, start, end)
        moved = ((a != start) | (b != end)).any(axis=1)
        index, inner = _between(first, last)
        farthest = np.zeros(len(first))
        np.maximum.at(farthest, index, self.weight[inner])
        deep = (moved | (farthest >= _SHALLOW)).nonzero()[0]
        whose, step = spread(last[deep] - first[deep] + 3)
        # The line from the first point kept to the last one, then both where they are now.
        size = (last - first + 1)[deep][whose]
        cut_off = self.points[np.minimum(first[deep][whose] + step, len(self.points) - 1)]
        cut_off[step == size] = b[deep]
        cut_off[step == size + 1] = a[deep]
        wrong[deep] |= _holding(cut_off, whose, places)
        forced[first[wrong & moved]] = forced[last[wrong & moved]] = True
        back = (wrong & ~moved)[index] & (self.weight[inner] == farthest[index])
        forced[inner[back][changes(index[back])]] = True
        return forced

    def _chords(self, kept: Ints) -> tuple[Ints, Ints]:
        """Return the points that chords begin and end at."""
        same = self.arc[kept[1:]] == self.arc[kept[:-1]]
        return kept[:-1][same], kept[1:][same]


def _best_lines(points: Floats, first: Ints, last: Ints) -> tuple[Floats, Floats]:
    """Return a point and the direction of the line nearest to the points first … last, for each."""
    x, y = points.T
    sums = np.cumsum(np.stack([x, y, x * x, y * y, x * y]), axis=1)
    sums = np.concatenate([np.zeros((5, 1)), sums], axis=1)
    x, y, xx, yy, xy = (sums[:, last + 1] - sums[:, first]) / (last - first + 1)
    angle = np.arctan2(2 * (xy - x * y), xx - x * x - yy + y * y) / 2
    return np.stack([x, y], axis=1), np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _meeting(middle: Floats, along: Floats, one: Ints, other: Ints) -> Floats:
    """Return where lines meet, far away where they are almost parallel.

    middle, along: a point and the direction of each line. one, other: (M,) lines.
    """
    turn = along[one, 0] * along[other, 1] - along[one, 1] * along[other, 0]
    gap = middle[other] - middle[one]
    steps = gap[:, 0] * along[other, 1] - gap[:, 1] * along[other, 0]
    sharp = np.abs(turn) > _LEAST_TURN
    steps /= np.where(sharp, turn, 1)
    meet: Floats = middle[one] + steps[:, None] * along[one]
    meet[~sharp] = np.inf
    return meet


def _distance(points: Floats, a: Floats, b: Floats) -> Floats:
    """Return the distance of each point from the chord from a to b."""
    chord = b - a
    size = (chord**2).sum(axis=1)
    away = points - a
    along = (away * chord).sum(axis=1) / np.where(size > 0, size, 1)
    away -= np.clip(along, 0, 1)[:, None] * chord
    distance: Floats = np.sqrt((away**2).sum(axis=1))
    return distance


def _touching(a: Floats, b: Floats, start: Floats, end: Floats) -> NDArray[np.bool_]:
    """Return which chords from a to b, (N, 2), meet others elsewhere than at an end of both.

    start, end: the points they come from, by which ends are known. Coordinates are whole numbers of
    a fine grid, with which GEOS decides exactly.
    """
    import shapely  # takes long to import

    chords = shapely.linestrings(np.stack([a, b], axis=1))
    one, other = shapely.STRtree(chords).query(chords, predicate="intersects")
    one, other = one[one < other], other[one < other]
    meet, overlap = np.zeros((2, len(one)), dtype=np.bool_)
    for here, from_, to in ((start, a, b), (end, b, a)):
        for there, back_from, back_to in ((start, a, b), (end, b, a)):
            common = (here[one] == there[other]).all(axis=1)
            u, v = (to - from_)[one], (back_to - back_from)[other]
            along = (u[:, 0] * v[:, 1] == u[:, 1] * v[:, 0]) & ((u * v).sum(axis=1) > 0)
            meet |= common
            overlap |= common & along
    wrong = np.zeros(len(a), dtype=np.bool_)
    bad = overlap | ~meet
    wrong[one[bad]] = wrong[other[bad]] = True
    return wrong


def _holding(cut_off: Floats, whose: Ints, points: Floats) -> NDArray[np.bool_]:
    """Return which pieces hold a point. cut_off: ring after ring; whose: (N,) the piece of each."""
    import shapely  # takes long to import

    pieces = shapely.polygons(shapely.linearrings(cut_off, indices=whose))
    found, _ = shapely.STRtree(shapely.points(points)).query(pieces, predicate="contains")
    wrong = np.zeros(len(pieces), dtype=np.bool_)
    wrong[found] = True
    return wrong


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

    A line that ends where it begins keeps two points more, so that it goes around something.
    """
    weight = np.zeros(len(points))
    low, high = start[:-1], start[1:] - 1
    weight[low] = weight[high] = np.inf
    arc = np.arange(len(low))
    above = np.full(len(low), np.inf)
    around = (points[low] == points[high]).all(axis=1)
    for depth in range(_DEPTH):
        inside = high - low > 1
        low, high, arc, above = low[inside], high[inside], arc[inside], above[inside]
        if not len(low):
            break
        split, distance = _farthest(points, low, high)
        if depth < 2:
            most = np.zeros(len(around))
            np.maximum.at(most, arc, distance)
            distance[around[arc] & (distance == most[arc])] = np.inf
        above = np.minimum(distance, above)
        weight[split] = above
        low, high = np.concatenate([low, split]), np.concatenate([split, high])
        arc, above = np.tile(arc, 2), np.tile(above, 2)
    else:
        index, inner = _between(low, high)
        weight[inner] = above[index]
    return weight


def _between(low: Ints, high: Ints) -> tuple[Ints, Ints]:
    """Return, for each pair, the numbers between low and high: of which pair it is, and each."""
    index, step = spread(np.maximum(high - low - 1, 0))
    return index, low[index] + 1 + step


def _farthest(points: Floats, low: Ints, high: Ints) -> tuple[Ints, Floats]:
    """Return the point farthest from the chord between two others, for each pair, and how far.

    high is at least low + 2. Of equal ones the nearest to the middle, so that halving ends soon.
    """
    index, inner = _between(low, high)
    begin = changes(index).nonzero()[0]
    distance = _distance(points[inner], points[low][index], points[high][index])
    most = np.maximum.reduceat(distance, begin)
    middle = np.abs(2 * inner - low[index] - high[index])
    middle[distance < most[index]] = 2 * len(points)
    best = (middle == np.minimum.reduceat(middle, begin)[index]).nonzero()[0]
    return inner[best[changes(index[best])]], most
