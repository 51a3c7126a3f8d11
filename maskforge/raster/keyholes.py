"""Polygons with holes, and several of them, as one ring, for formats that have nothing else.

Rings are tied together by slits without width: a way there and the same way back. By the even-odd
rule, sampled at pixel centers, such a ring covers what the polygons cover, since every edge of a
slit counts twice. A program that draws the outline of a polygon as well shows a slit between two
parts as a thin line; one to a hole runs within the polygon, where its edges are those of pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskforge.raster.geometry import Polygon, Ring
from maskforge.raster.runs import Ints, changes

Points = NDArray[np.float64]


def ring(polygons: Sequence[Polygon]) -> Ring:
    """Return one ring, float64 (N, 2), that covers by the even-odd rule what ``polygons`` cover.

    polygons: one or more, which do not overlap. A hole is tied to the ring at its left, a polygon
    to the one before it.
    """
    if len(polygons) == 1:
        return rings(polygons)[0]
    found = _Rings.of(polygons)
    (whole,) = _tied(found, _ties_of_parts(found), np.zeros(1, dtype=np.int64))
    return whole


def rings(polygons: Sequence[Polygon]) -> list[Ring]:
    """Return what :func:`ring` does of each of ``polygons``, which may overlap.

    All in one go takes a fraction of the time.
    """
    with_holes = [polygon for polygon in polygons if polygon.interiors]
    if not with_holes:
        return [polygon.exterior for polygon in polygons]
    found = _Rings.of(with_holes)
    tied = iter(_tied(found, [], found.first[found.exterior]))
    return [next(tied) if polygon.interiors else polygon.exterior for polygon in polygons]


def _tied(rings: _Rings, ties: Sequence[tuple[int, int]], begins: Ints) -> list[Ring]:
    """Return the rings that ``ties`` and those of all holes make, each from its first vertex on.

    begins: (N,) the first vertex of each.
    """
    child, edge, place = _ties_of_holes(rings)
    points, after, parent = _inserted(rings, edge, place)
    all_ties = [*zip(child.tolist(), parent.tolist(), strict=True), *ties]
    found = []
    for order in _walk(after.tolist(), all_ties, begins.tolist()):
        ring = points[order]
        found.append(ring[(ring != np.roll(ring, 1, axis=0)).any(axis=1)])
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Rings:
    """points: (V, 2), ring after ring. number: (V,) the ring of each. first, last: (K,) vertices.

    polygon: (K,) the polygon of each ring; exterior: (P,) the ring of each polygon.
    """

    points: Points
    number: Ints
    first: Ints
    last: Ints
    polygon: Ints
    exterior: Ints

    @classmethod
    def of(cls, polygons: Sequence[Polygon]) -> _Rings:
        rings = [ring for part in polygons for ring in (part.exterior, *part.interiors)]
        polygon = np.arange(len(polygons)).repeat([1 + len(part.interiors) for part in polygons])
        size = np.array([len(ring) for ring in rings])
        last = size.cumsum() - 1
        number = np.arange(len(rings)).repeat(size)
        exterior = changes(polygon).nonzero()[0]
        return cls(np.concatenate(rings), number, last - size + 1, last, polygon, exterior)

    @property
    def after(self) -> Ints:
        """The vertex that follows each, (V,)."""
        after = np.arange(1, len(self.points) + 1)
        after[self.last] = self.first
        return after


def _ties_of_holes(rings: _Rings) -> tuple[Ints, Ints, Points]:
    """Return for each hole a vertex of it, the edge that it is tied to, and the place on that.

    An edge has the number of the vertex that it begins at.
    """
    is_hole = np.ones(len(rings.first), dtype=np.bool_)
    is_hole[rings.exterior] = False
    holes = is_hole.nonzero()[0]
    points, after = rings.points, rings.after
    with_holes = np.isin(rings.polygon, rings.polygon[holes])
    edge, row, x = _crossings(points, after, with_holes[rings.number].nonzero()[0])
    number = rings.number[edge]
    order = np.lexsort((x, row, rings.polygon[number]))
    edge, row, x, number = edge[order], row[order], x[order], number[order]
    # Where a hole comes farthest left on the center line of a row, nothing is between it and what
    # crosses the line before it, and that comes still farther left: so all lead to the exterior.
    leftmost = np.lexsort((row, x, number))
    leftmost = leftmost[changes(number[leftmost])]
    crossing = np.full(len(rings.first), -1)
    crossing[number[leftmost]] = leftmost
    here = crossing[holes]
    outer = rings.first[rings.exterior][rings.polygon[holes]]
    child, parent = rings.first[holes], outer
    found = here >= 0
    if found.any():
        start, end = edge[here], after[edge[here]]
        (ax, ay), (bx, by) = points[start].T, points[end].T
        nearer = np.where((ax < bx) | ((ax == bx) & (ay < by)), start, end)
        child = np.where(found, nearer, child)
        before = np.maximum(here, 1) - 1
        found &= (here > 0) & (row[before] == row[here])
        found &= rings.polygon[number[before]] == rings.polygon[holes]
        parent = np.where(found, edge[before], outer)
    hole = points[child]
    a, b = points[parent], points[after[parent]]
    near = ((hole - a) ** 2).sum(axis=1) <= ((hole - b) ** 2).sum(axis=1)
    place = np.where((near | ~found)[:, None], a, b)
    beside = found & (a[:, 0] == b[:, 0]) & ((hole[:, 1] < a[:, 1]) != (hole[:, 1] < b[:, 1]))
    place[beside, 1] = hole[beside, 1]  # exact on a vertical edge only
    return child, parent, place


def _crossings(points: Points, after: Ints, edges: Ints) -> tuple[Ints, Ints, NDArray[np.float64]]:
    """Return edge, row and x of each crossing of ``edges`` with the center line of a row."""
    (ax, ay), (bx, by) = points[edges].T, points[after[edges]].T
    first = np.ceil(np.minimum(ay, by) - 0.5)
    count = (np.ceil(np.maximum(ay, by) - 0.5) - first).astype(np.int64)
    which = np.arange(len(edges)).repeat(count)
    row = first.astype(np.int64)[which] + np.arange(len(which)) - (count.cumsum() - count)[which]
    slope = (bx - ax) / np.where(by == ay, 1, by - ay)
    return edges[which], row, ax[which] + (row + 0.5 - ay[which]) * slope[which]


def _inserted(rings: _Rings, edge: Ints, place: Points) -> tuple[Points, Ints, Ints]:
    """Return all vertices, what follows each, and the one that is at each place on its edge.

    Each place gets a vertex, though one may be there already.
    """
    points, after = rings.points, rings.after
    away = np.abs(place - points[edge]).sum(axis=1)
    order = np.lexsort((away, edge))
    edge, place = edge[order], place[order]
    vertex = np.arange(len(points), len(points) + len(order))
    begins = changes(edge)
    follows = np.append(vertex[1:], 0)[: len(vertex)]
    ends = np.append(begins[1:], True)[: len(vertex)]
    follows[ends] = after[edge[ends]]
    after[edge[begins]] = vertex[begins]
    at = np.empty_like(vertex)
    at[order] = vertex
    return np.concatenate([points, place]), np.append(after, follows), at


def _ties_of_parts(rings: _Rings) -> list[tuple[int, int]]:
    """Return for each polygon from the second on a vertex of it, and a near one of that before."""
    ties = []
    first, last = (ends[rings.exterior].tolist() for ends in (rings.first, rings.last))
    for number in range(1, len(first)):
        here, there = (rings.points[first[k] : last[k] + 1] for k in (number, number - 1))
        near = _nearest(there, here[0])
        index = _nearest(here, there[near])
        near = _nearest(there, here[index])
        ties.append((first[number] + index, first[number - 1] + near))
    return ties


def _nearest(points: Points, to: NDArray[np.float64]) -> int:
    return int(((points - to) ** 2).sum(axis=1).argmin())


def _walk(after: list[int], ties: Sequence[tuple[int, int]], begins: list[int]) -> list[list[int]]:
    """Return the vertices of each ring that ``ties`` make, in order; each has one of ``begins``."""
    same = list(range(len(after)))  # both ends of a slit are there twice
    before = [0] * len(after)
    for vertex, following in enumerate(after):
        before[following] = vertex
    for child, parent in ties:
        again = len(same)
        same += [same[child], same[parent]]
        after += [again + 1, after[parent]]
        before += [before[child], again]
        after[before[child]] = again
        before[after[parent]] = again + 1
        after[parent], before[child] = child, parent
    orders = []
    for begin in begins:
        order = [begin]
        vertex = after[begin]
        while vertex != begin:
            order.append(same[vertex])
            vertex = after[vertex]
        orders.append(order)
    return orders
