"""From pixels back to polygons: outlines and holes on pixel edges, which cover the same pixels.

Vertices lie on pixel corners, edges run between pixels, and collinear vertices are left out. A
4-connected part of a region gives one polygon, its holes as interiors, so that no ring touches
itself; two rings of one polygon may meet in a corner. Drawn again by the rule ``pixel-center``
every region covers the pixels it was traced from, and no others.

The corners of a region determine its outline: those on one line pair up, from left to right, as
the ends of horizontal edges, and those in one column as the ends of vertical ones (O'Rourke,
"Uniqueness of orthogonal connect-the-dots", 1988).
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, pairwise, starmap

import numpy as np
from numpy.typing import NDArray

from maskforge.classes import ClassTable
from maskforge.raster.annotation import Region
from maskforge.raster.geometry import Polygon
from maskforge.raster.regions import Regions, connected, in_rows
from maskforge.raster.runs import Ints, Runs, ascending, changes

BATCH = 1 << 16
"""Runs traced at once, if no part has more; bounds memory."""


def polygons(runs: Runs, count: int, *, width: int) -> Iterator[tuple[Polygon, ...]]:
    """Return the geometry of the regions 0 … count-1: one polygon for each 4-connected part.

    runs: regions may overlap each other, as those of an annotation do. width: of the image, pixels.
    Parts come by their first pixel in reading order, and so do interiors; exteriors begin at the
    left end of their topmost edge and run clockwise on the screen, interiors the other way round. A
    region without pixels has no polygon.
    """
    found = batches(runs, width=width)
    return grouped(chain.from_iterable(starmap(parts, found)), count)


def grouped(found: Iterable[tuple[int, Polygon]], count: int) -> Iterator[tuple[Polygon, ...]]:
    """Yield the polygons of the regions 0 … count-1. found: region and polygon of each part."""
    number = 0
    parts: list[Polygon] = []
    for region, polygon in found:
        while number < region:
            yield tuple(parts)
            number, parts = number + 1, []
        parts.append(polygon)
    while number < count:
        yield tuple(parts)
        number, parts = number + 1, []


def batches(runs: Runs, *, width: int) -> Iterator[tuple[Outlines, Ints]]:
    """Yield the outlines of the 4-connected parts of ``runs``, and the region of each part."""
    runs = in_rows(runs, width=width)
    part = connected(runs, width=width)
    order = ascending(part)
    part, region, start, stop = (a[order] for a in (part, runs.region, runs.start, runs.stop))
    cuts = [*changes(part).nonzero()[0].tolist(), len(part)]
    first = 0
    while first < len(cuts) - 1:
        last = max(first + 1, bisect_right(cuts, cuts[first] + BATCH) - 1)
        here = slice(cuts[first], cuts[last])
        found = outlines(Runs(part[here] - first, start[here], stop[here]), width=width)
        yield found, region[cuts[first:last]]
        first = last


def regions(found: Regions, classes: ClassTable) -> Iterator[Region]:
    """Yield ``found`` as regions with polygons, labels being the names that ``classes`` has.

    An object has its instance id as its group.
    """
    geometries = polygons(found.runs, len(found), width=found.width)
    return as_regions(found, classes, geometries)


def as_regions(
    found: Regions, classes: ClassTable, geometries: Iterable[tuple[Polygon, ...]]
) -> Iterator[Region]:
    """Yield ``found`` as regions that have the given ``geometries``, such as simplified ones."""
    for value, instance, geometry in zip(
        found.value.tolist(), found.instance.tolist(), geometries, strict=True
    ):
        yield Region(classes.name_of(value), geometry, group=instance or None)


@dataclass(frozen=True, slots=True, eq=False)
class Outlines:
    """The rings of many parts, K of them.

    points: (V, 2) float64 columns x, y, ring after ring. start: (K,) where each begins. part: (K,)
    the part it belongs to, ascending; the first ring of a part is its exterior.
    """

    points: NDArray[np.float64]
    start: Ints
    part: Ints


def outlines(runs: Runs, *, width: int) -> Outlines:
    """Return the rings around 4-connected parts, the regions of ``runs``, each within one row."""
    row = runs.start // width
    left, right = runs.start - row * width, runs.stop - row * width
    # The line above a row is numbered as the row. A run has an end on both lines, on each side; the
    # codes let two ends in one place come in the order of the horizontal edges that they bound.
    x_bits, y_bits = (int(a.max(initial=0) + 1).bit_length() for a in (right, row))
    line = runs.region << y_bits
    line += row
    upper, lower = line << x_bits, (line + 1) << x_bits
    key = np.concatenate([lower + left, lower + right, upper + left, upper + right]) << 2
    codes = (_ABOVE_LEFT, _ABOVE_RIGHT, _BELOW_LEFT, _BELOW_RIGHT)
    key |= np.array(codes).repeat(len(runs))
    key.sort(kind="stable")  # four ascending stretches, which it merges
    # No corner is where the runs above and below end on the same side.
    twin = (key[1:] ^ key[:-1]) == 2
    corner = np.ones(len(key), dtype=np.bool_)
    corner[1:] &= ~twin
    corner[:-1] &= ~twin
    key = key[corner]
    code = key & 3
    x = key >> 2 & (1 << x_bits) - 1
    y = key >> 2 + x_bits & (1 << y_bits) - 1
    part = key >> 2 + x_bits + y_bits
    # The inside is at the right hand of every edge.
    inside_below = code[0::2] >= _BELOW_LEFT
    begin = np.arange(0, len(key), 2)
    begin += ~inside_below
    end = begin ^ 1
    # Two in one place come as the vertical edges have them: the lower end of one, the upper end of
    # the next.
    down = np.arange(len(key))
    turned = (((key[1:] ^ key[:-1]) == 1) & (code[:-1] == _BELOW_LEFT)).nonzero()[0]
    down[turned] += 1
    down[turned + 1] -= 1
    down = down[ascending(x)]  # column by column, and there part by part
    first, second = down[0::2], down[1::2]
    inside_right = code[first] == _BELOW_LEFT
    after = np.empty(len(key), dtype=np.int64)
    after[np.where(inside_right, second, first)] = np.where(inside_right, first, second)
    order, start = cycles(after[end] >> 1)  # of horizontal edges
    corners = np.stack([begin[order], end[order]], axis=1).reshape(-1)
    # The topmost edge of a hole ends where its ring begins.
    is_hole = ~inside_below[order[start]]
    start *= 2
    place = np.arange(1, len(corners) + 1)
    place[np.append(start[1:], len(corners)) - 1] = start
    hole = is_hole.repeat(np.diff(np.append(start, len(corners))))
    corners[hole] = corners[place[hole]]
    points = np.empty((len(key), 2), dtype=np.float64)
    points[:, 0] = x[corners]
    points[:, 1] = y[corners]
    return Outlines(points, start, part[corners[start]])


_ABOVE_LEFT, _BELOW_RIGHT, _BELOW_LEFT, _ABOVE_RIGHT = range(4)
"""Ends of runs on a line: whether the run is above or below it, and at which side of the run."""


def cycles(after: Ints) -> tuple[Ints, Ints]:
    """Return the numbers cycle by cycle, each from its lowest one on, and where each cycle begins.

    after: (N,) a permutation. Cycles come by their lowest numbers.
    """
    # Step by step is a quarter of the time that NumPy takes to look twice as far ahead each time.
    following = after.tolist()
    order, begin = array("q"), array("q")
    for lowest in range(len(following)):
        if following[lowest] < 0:
            continue
        begin.append(len(order))
        here = lowest
        while (there := following[here]) >= 0:
            following[here] = -1  # seen
            order.append(here)
            here = there
    return np.array(order), np.array(begin)


def parts(found: Outlines, region: Ints) -> Iterator[tuple[int, Polygon]]:
    """Yield region and polygon of each part. region: (P,) that of the parts 0 … P-1."""
    cuts = [*found.start.tolist(), len(found.points)]
    begins = [*changes(found.part).nonzero()[0].tolist(), len(found.start)]
    for number, (first, last) in enumerate(pairwise(begins)):
        rings = [found.points[i:j] for i, j in pairwise(cuts[first : last + 1])]
        yield int(region[number]), Polygon(rings[0], tuple(rings[1:]))
