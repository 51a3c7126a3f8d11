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
    slants = (rings.points != rings.points[rings.after]).all(axis=1)
    is_slanted = np.zeros(len(rings.exterior), dtype=np.bool_)
    is_slanted[rings.polygon[rings.number[slants]]] = True
    other = is_slanted[rings.polygon[holes]]
    both = []
    if not other.all():
        both.append(_ties_to_edges(rings, holes[~other]))
    if other.any():
        both.append(_ties_to_vertices(rings, holes[other]))
    child, edge, place = map(np.concatenate, zip(*both, strict=True)) if both else _NO_TIES
    return child, edge, place


_TOUCH = 1e-9
"""Pixels; a vertex that is nearer to an edge lies on it."""

_NO_TIES = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 2)))


def _ties_to_edges(rings: _Rings, holes: Ints) -> tuple[Ints, Ints, Points]:
    """Return the ties of holes in polygons of upright and level edges, such as those of pixels.

    Where a hole comes farthest left on the center line of a row, nothing is between it and what
    crosses the line before it, and that comes still farther left: so all lead to the exterior.
    """
    points, after = rings.points, rings.after
    edges = np.isin(rings.polygon, rings.polygon[holes])[rings.number].nonzero()[0]
    ends = points[edges, 1], points[after[edges], 1]
    first, last = (np.ceil(f(*ends) - 0.5).astype(np.int64) for f in (np.minimum, np.maximum))
    which, row = _crossings(first, last)
    edge = edges[which]
    order = np.lexsort((points[edge, 0], row, rings.polygon[rings.number[edge]]))
    edge, row = edge[order], row[order]
    x, number = points[edge, 0], rings.number[edge]
    leftmost = np.lexsort((row, x, number))
    leftmost = leftmost[changes(number[leftmost])]
    crossing = np.full(len(rings.first), -1)
    crossing[number[leftmost]] = leftmost
    here = crossing[holes]
    outer = rings.first[rings.exterior][rings.polygon[holes]]
    child, parent, found = rings.first[holes], outer, here >= 0
    if found.any():
        start, end = edge[here], after[edge[here]]
        child = np.where(found, np.where(points[start, 1] < points[end, 1], start, end), child)
        before = np.maximum(here, 1) - 1
        found &= (here > 0) & (row[before] == row[here])
        found &= rings.polygon[number[before]] == rings.polygon[holes]
        parent = np.where(found, edge[before], outer)
    hole = points[child]
    a, b = points[parent], points[after[parent]]
    near = ((hole - a) ** 2).sum(axis=1) <= ((hole - b) ** 2).sum(axis=1)
    place = np.where((near | ~found)[:, None], a, b)
    beside = found & ((hole[:, 1] < a[:, 1]) != (hole[:, 1] < b[:, 1]))
    place[beside, 1] = hole[beside, 1]
    return child, parent, place


def _ties_to_vertices(rings: _Rings, holes: Ints) -> tuple[Ints, Ints, Points]:
    """Return the ties of other holes: from the leftmost vertex to one that it sees.

    That is the left end of the edge at its left or, of the vertices in the triangle between, the
    first one that is met as one turns from there (D. Eberly, "Triangulation by Ear Clipping",
    2002). It comes farther left than the hole, and so does its ring: all lead to the exterior. A
    hole that sees nothing, since it is outside, is tied to where that begins.
    """
    import shapely  # only outlines that are not those of pixels need it, and loading takes long

    points, after = rings.points, rings.after
    order = np.lexsort((points[:, 1], points[:, 0], rings.number))
    leftmost = order[changes(rings.number[order])]
    reach = points[leftmost, 0]  # how far left each ring comes
    reach[rings.exterior] = -np.inf
    child, polygon = leftmost[holes], rings.polygon[holes]
    eye = points[child]
    of = rings.polygon[rings.number]
    edge, met = _at_left(points, after, of, child)
    is_met = edge >= 0
    start, end = points[edge], points[after[edge]]
    left = np.where((start[:, 0] < end[:, 0])[:, None], start, end)
    corners = np.stack([eye, np.stack([met, eye[:, 1]], axis=1), left], axis=1)
    corners[~is_met] = eye[~is_met, None]
    near = np.isin(of, polygon).nonzero()[0]
    tree = shapely.STRtree(shapely.points(points[near]))
    # A triangle may be flat, or a point.
    around = (shapely.points(eye), shapely.linestrings(corners[:, :2]), shapely.polygons(corners))
    hole, index = np.concatenate(
        [tree.query(shapes, predicate="intersects") for shapes in around], axis=1
    )
    seen = near[index]
    away = eye[hole] - points[seen]
    fits = (
        (away[:, 0] >= 0)
        & (of[seen] == polygon[hole])
        & (reach[rings.number[seen]] < reach[holes][hole])
    )
    hole, seen, away = hole[fits], seen[fits], away[fits]
    turn = np.arctan2(np.abs(away[:, 1]), away[:, 0])
    order = np.lexsort((seen, away[:, 0], turn, hole))
    best = order[changes(hole[order])]
    parent = rings.first[rings.exterior][polygon]
    parent[hole[best]] = seen[best]
    return child, parent, points[parent]


def _at_left(
    points: Points, after: Ints, polygon: Ints, vertices: Ints
) -> tuple[Ints, NDArray[np.float64]]:
    """Return for each of some vertices the edge of its polygon next to it at its left, and where
    that is, x; -1 where there is none.

    They are the leftmost ones of their rings. polygon: (V,) that of each vertex.
    """
    lines, line = np.unique(points[vertices, 1], return_inverse=True)
    is_level = points[:, 1] == points[after, 1]
    edges = (np.isin(polygon, polygon[vertices]) & ~is_level).nonzero()[0]
    ends = points[edges, 1], points[after[edges], 1]
    first = np.searchsorted(lines, np.minimum(*ends))
    last = np.searchsorted(lines, np.maximum(*ends), side="right")
    which, crossed = _crossings(first, last)
    edge, y = edges[which], lines[crossed]
    is_own = np.zeros(len(points), dtype=np.bool_)
    is_own[vertices] = True
    is_own = is_own[edge] & (points[edge, 1] == y) | (
        is_own[after[edge]] & (points[after[edge], 1] == y)
    )
    edge, crossed, y = edge[~is_own], crossed[~is_own], y[~is_own]
    (ax, ay), (bx, by) = points[edge].T, points[after[edge]].T
    x = np.where(y == by, bx, ax + (y - ay) * ((bx - ax) / (by - ay)))  # exact at both ends
    is_edge = np.repeat([True, False], [len(edge), len(vertices)])
    x = np.append(x, points[vertices, 0] + _TOUCH)
    row = np.append(crossed, line)
    of = np.append(polygon[edge], polygon[vertices])
    order = np.lexsort((~is_edge, x, row, of))
    last_edge = np.maximum.accumulate(np.where(is_edge[order], np.arange(len(order)), -1))
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    mine = np.arange(len(edge), len(order))
    before = last_edge[place[mine]]
    found = order[before]
    is_met = (before >= 0) & (row[found] == row[mine]) & (of[found] == of[mine])
    if not len(edge):
        return np.full(len(vertices), -1), points[vertices, 0]
    return np.where(is_met, edge[np.where(is_met, found, 0)], -1), x[found]


def _crossings(first: Ints, last: Ints) -> tuple[Ints, Ints]:
    """Return edge and line of each crossing; an edge crosses the lines first … last-1."""
    count = last - first
    which = np.arange(len(first)).repeat(count)
    line = first[which] + np.arange(len(which)) - (count.cumsum() - count)[which]
    return which, line


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
