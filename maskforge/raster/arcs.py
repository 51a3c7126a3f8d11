"""The outlines of many regions as arcs between junctions, so that neighbours share what is common.

A junction is a pixel corner where outlines part or cross, a corner of the image, or a place where
an outline leaves its border. An arc runs from one junction to the next, or all around where there
is none; it is kept once, whichever regions lie beside it (as in TopoJSON). Whatever becomes of an
arc, neighbours leave no gap and do not overlap, since both have the same one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskforge.raster.runs import Ints, changes
from maskforge.raster.trace import Outlines


@dataclass(frozen=True, slots=True, eq=False)
class Arcs:
    """A arcs, and of which ones K rings consist.

    points: (V, 2) float64 columns x, y on pixel corners, arc after arc, both ends included. start:
    (A + 1,) where each begins. closed: (A,) whether it goes all around without a junction; its
    first point is also its last. use: (U,) arcs by ring, in order; forward: (U,) whether the ring
    runs along it. ring: (K + 1,) where the use of each ring begins.
    """

    points: NDArray[np.float64]
    start: Ints
    closed: NDArray[np.bool_]
    use: Ints
    forward: NDArray[np.bool_]
    ring: Ints


def of_outlines(found: Outlines, *, height: int, width: int) -> Arcs:
    """Return the arcs of outlines on pixel edges, of regions that do not overlap."""
    x, y = found.points.astype(np.int64).T
    size = np.diff(np.append(found.start, len(x)))
    ring = np.arange(len(size)).repeat(size)
    after = np.arange(1, len(x) + 1)
    after[found.start + size - 1] = found.start
    junctions = _junctions(x, y, after, height=height, width=width)
    x, y, ring = _with_junctions(x, y, ring, after, junctions, height=height, width=width)
    at_junction = np.isin(y * (width + 1) + x, junctions)
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
    ahead = _edge(x, y, begin, second, width=width)
    back = _edge(x, y, end, stop - 1, width=width)
    forward = ahead <= back
    _, one, use = np.unique(np.minimum(ahead, back), return_index=True, return_inverse=True)
    count = stop[one] - begin[one] + 1
    start = np.append(0, count.cumsum())
    step = np.arange(start[-1]) - start[:-1].repeat(count)
    step = np.where(forward[one].repeat(count), step, count.repeat(count) - 1 - step)
    index = begin[one].repeat(count) + step
    index = np.where(index == stop[one].repeat(count), end[one].repeat(count), index)
    points = np.stack([x[index], y[index]], axis=1).astype(np.float64)
    rings = np.append(of_ring.nonzero()[0], len(use))
    return Arcs(points, start, free[owner[one]], use, forward, rings)


def _edge(x: Ints, y: Ints, start: Ints, end: Ints, *, width: int) -> Ints:
    """Return a number for the first edge of a pixel on the way from vertices to others."""
    dx, dy = np.sign(x[end] - x[start]), np.sign(y[end] - y[start])
    return (y[start] * (width + 1) + x[start]) * 4 + np.abs(dx) * (1 - dx) + np.abs(dy) * (2 - dy)


def _junctions(x: Ints, y: Ints, after: Ints, *, height: int, width: int) -> Ints:
    """Return the junctions, as y * (width + 1) + x, ascending."""
    level = y == y[after]
    ends = np.sort(np.stack([y * (width + 1) + x, (y * (width + 1) + x)[after]])[:, level], axis=0)
    corner = np.unique(y * (width + 1) + x)
    row, column = np.divmod(corner, width + 1)
    right, left = _edges_at(corner, ends)
    ends = np.sort(
        np.stack([x * (height + 1) + y, (x * (height + 1) + y)[after]])[:, ~level], axis=0
    )
    down, up = _edges_at(column * (height + 1) + row, ends)
    many = right.astype(np.int64) + left + down + up > 2
    at_side, at_end = (column == 0) | (column == width), (row == 0) | (row == height)
    return corner[many | at_side & (left | right) | at_end & (up | down)]


def _edges_at(place: Ints, ends: Ints) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return whether edges go on from each place, and whether they come up to it.

    ends: (2, E), first and last place of each edge; places of one line follow each other.
    """
    first, last = np.sort(ends, axis=1)
    on, up_to = (
        np.searchsorted(first, place, side) > np.searchsorted(last, place, side)
        for side in ("right", "left")
    )
    return on, up_to


def _with_junctions(
    x: Ints, y: Ints, ring: Ints, after: Ints, junctions: Ints, *, height: int, width: int
) -> tuple[Ints, Ints, Ints]:
    """Return x, y and ring of all vertices and of the junctions on the edges between them."""
    row, column = np.divmod(junctions, width + 1)
    order = np.lexsort((row, column))
    down = column[order] * (height + 1) + row[order]
    level = y == y[after]
    here = np.where(level, y * (width + 1) + x, x * (height + 1) + y)
    there = here[after]
    there = np.where(level, (y * (width + 1) + x)[after], (x * (height + 1) + y)[after])
    low, high = np.minimum(here, there), np.maximum(here, there)
    first, last = (
        np.where(level, np.searchsorted(junctions, ends, side), np.searchsorted(down, ends, side))
        for ends, side in ((low, "right"), (high, "left"))
    )
    count = last - first
    index = np.arange(len(x)).repeat(count + 1)
    step = np.arange(len(index)) - (np.arange(len(x)) + count.cumsum() - count)[index]
    found = (
        np.where(here < there, first - 1, last)[index] + np.where(here < there, 1, -1)[index] * step
    )
    is_new = step > 0
    x, y, ring = x[index], y[index], ring[index]
    found = np.where(is_new, found, 0)
    new = np.where(level[index], found, order[found] if len(order) else found)
    x[is_new], y[is_new] = column[new[is_new]], row[new[is_new]]
    return x, y, ring
