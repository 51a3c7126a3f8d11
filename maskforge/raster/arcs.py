"""The outlines of many regions as arcs between junctions, so that neighbours share what is common.

A junction is a pixel corner where outlines part or cross, a corner of the image, or a place where
an outline leaves its border. An arc runs from one junction to the next, or all around where there
is none; it is kept once, whichever regions lie beside it (as in TopoJSON). Whatever becomes of an
arc, neighbours leave no gap and do not overlap, since both have the same one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from maskforge.raster.runs import Ints, changes
from maskforge.raster.trace import Outlines

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Arcs:
    """A arcs in an image (height, width), and of which ones K rings consist.

    points: (V, 2) float64 columns x, y on pixel corners, arc after arc, both ends included. start:
    (A + 1,) where each begins. closed: (A,) whether it goes all around without a junction; its
    first point is also its last. use: (U,) arcs by ring, in order; forward: (U,) whether the ring
    runs along it. ring: (K + 1,) where the use of each ring begins.
    """

    height: int
    width: int
    points: Floats
    start: Ints
    closed: NDArray[np.bool_]
    use: Ints
    forward: NDArray[np.bool_]
    ring: Ints


@dataclass(frozen=True, slots=True)
class _Grid:
    """Pixel corners numbered row by row, and all of them again column by column.

    In one of both ways the corners along an edge follow each other.
    """

    height: int
    width: int

    def by_row(self, x: Ints, y: Ints) -> Ints:
        return y * (self.width + 1) + x

    def by_column(self, x: Ints, y: Ints) -> Ints:
        return (x + self.width + 1) * (self.height + 1) + y

    def edges(self, x: Ints, y: Ints, after: Ints) -> tuple[Ints, Ints]:
        """Return the numbers of the ends of the edge from each vertex to the one after it."""
        level = y == y[after]
        here = np.where(level, self.by_row(x, y), self.by_column(x, y))
        there = np.where(level, self.by_row(x, y)[after], self.by_column(x, y)[after])
        return here, there


def of_outlines(found: Outlines, *, height: int, width: int) -> Arcs:
    """Return the arcs of outlines on pixel edges, of regions that do not overlap."""
    grid = _Grid(height, width)
    x, y = found.points.astype(np.int64).T
    size = np.diff(np.append(found.start, len(x)))
    ring = np.arange(len(size)).repeat(size)
    after = np.arange(1, len(x) + 1)
    after[found.start + size - 1] = found.start
    here, there = grid.edges(x, y, after)
    junctions = _junctions(x, y, np.minimum(here, there), np.maximum(here, there), grid)
    x, y, ring = _with_junctions(x, y, ring, here, there, junctions, grid)
    at_junction = np.isin(grid.by_row(x, y), grid.by_row(*junctions))
    # Each ring begins at a junction, if it has one; otherwise where it begins already, at its
    # topmost corner on the left, which is the same one whichever side it is seen from.
    first = changes(ring).nonzero()[0]
    size = np.diff(np.append(first, len(ring)))
    free = np.bincount(ring, weights=at_junction, minlength=len(size)) == 0
    at_junction[first[free]] = True
    begin = at_junction.nonzero()[0]
    shift = begin[changes(ring[begin])] - first
    turned = first[ring] + (np.arange(len(ring)) - first[ring] + shift[ring]) % size[ring]
    x, y, at_junction = x[turned], y[turned], at_junction[turned]
    begin = at_junction.nonzero()[0]
    stop = np.append(begin[1:], len(ring))  # behind the last vertex but one
    owner = ring[begin]
    of_ring = changes(owner)
    end = np.where(stop == first[owner] + size[owner], first[owner], stop)
    second = np.where(stop == begin + 1, end, begin + 1)
    # An arc is known by its first edge, from whichever end: edges of pixels belong to one arc only.
    ahead = _edge(x, y, begin, second, grid)
    back = _edge(x, y, end, stop - 1, grid)
    forward = ahead <= back
    _, one, use = np.unique(np.minimum(ahead, back), return_index=True, return_inverse=True)
    count = stop[one] - begin[one] + 1
    which, step = spread(count)
    step = np.where(forward[one][which], step, count[which] - 1 - step)
    vertex = begin[one][which] + step
    vertex = np.where(vertex == stop[one][which], end[one][which], vertex)
    points = np.stack([x[vertex], y[vertex]], axis=1).astype(np.float64)
    start = np.append(0, count.cumsum())
    rings = np.append(of_ring.nonzero()[0], len(use))
    return Arcs(height, width, points, start, free[owner[one]], use, forward, rings)


def _edge(x: Ints, y: Ints, start: Ints, end: Ints, grid: _Grid) -> Ints:
    """Return a number for the first pixel edge on the way from vertices to others."""
    dx, dy = np.sign(x[end] - x[start]), np.sign(y[end] - y[start])
    turn: Ints = np.abs(dx) * (1 - dx) + np.abs(dy) * (2 - dy)
    return grid.by_row(x[start], y[start]) * 4 + turn


def _junctions(x: Ints, y: Ints, low: Ints, high: Ints, grid: _Grid) -> tuple[Ints, Ints]:
    """Return x and y of the junctions, row by row. low, high: the ends of all edges."""
    y, x = np.divmod(np.unique(grid.by_row(x, y)), grid.width + 1)
    low, high = np.sort(low), np.sort(high)
    # An edge goes on from a corner if more have begun up to there than ended, and comes up to it
    # if more have begun before.
    right, down, left, up = (
        np.searchsorted(low, place, side) > np.searchsorted(high, place, side)
        for side in ("right", "left")
        for place in (grid.by_row(x, y), grid.by_column(x, y))
    )
    found = right.astype(np.int64) + down + left + up > 2
    found |= ((x == 0) | (x == grid.width)) & (right | left)
    found |= ((y == 0) | (y == grid.height)) & (down | up)
    return x[found], y[found]


def _with_junctions(
    x: Ints, y: Ints, ring: Ints, here: Ints, there: Ints, junctions: tuple[Ints, Ints], grid: _Grid
) -> tuple[Ints, Ints, Ints]:
    """Return x, y and ring of all vertices, and of the junctions on the edges between them.

    here, there: the ends of the edge that begins at each vertex.
    """
    order = np.argsort(grid.by_column(*junctions))
    both = np.concatenate([np.arange(len(order)), order])  # row by row, then column by column
    places = np.concatenate([grid.by_row(*junctions), grid.by_column(*junctions)[order]])
    first = np.searchsorted(places, np.minimum(here, there), "right")
    stop = np.searchsorted(places, np.maximum(here, there), "left")
    index, step = spread(stop - first + 1)  # each vertex, and what comes behind it
    new = step > 0
    edge, step = index[new], step[new]
    place = np.where(here[edge] < there[edge], first[edge] + step - 1, stop[edge] - step)
    x, y, ring = x[index], y[index], ring[index]
    x[new], y[new] = (along[both[place]] for along in junctions)
    return x, y, ring


def joined(arcs: Arcs, points: Floats, size: Ints) -> tuple[Floats, Ints]:
    """Return the points of all rings, (V, 2), and where each ring begins, (K,).

    points: those that the arcs have now, arc after arc, both ends included. size: (A,) of each.
    """
    first = size.cumsum() - size
    count = size[arcs.use] - 1  # the last point of an arc is the first one of the next
    index, step = spread(count)
    step = np.where(arcs.forward[index], step, count[index] - step)
    points = points[first[arcs.use][index] + step]
    ring = np.arange(len(arcs.ring) - 1).repeat(np.diff(arcs.ring))[index]
    # A junction on a straight edge of pixels is no corner; without it the edge is exactly the same.
    before, after = np.arange(-1, len(points) - 1), np.arange(1, len(points) + 1)
    begin = changes(ring).nonzero()[0]
    end = np.append(begin[1:], len(points)) - 1
    before[begin], after[end] = end, begin
    corner = ((points != points[before]) | (points != points[after])).all(axis=1)
    return points[corner], changes(ring[corner]).nonzero()[0]


def spread(count: Ints) -> tuple[Ints, Ints]:
    """Return, for so many of each thing, one after the other, whose each is, and 0, 1, 2 …"""
    index = np.arange(len(count)).repeat(count)
    return index, np.arange(len(index)) - (count.cumsum() - count)[index]
