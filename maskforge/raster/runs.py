"""Sets of pixels as runs: half-open intervals of row-major flat pixel indices.

Pixel (r, c) of an image W wide has the flat index r * W + c. A region of 50,000 pixels has some
300 runs, so painting, counting and comparing regions in this form costs a fraction of what it
costs pixel by pixel, and memory does not grow with the area.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from maskforge.errors import GeometryError

Ints: TypeAlias = NDArray[np.int64]

MAX_RUNS = 1 << 22
"""Runs of all bitmaps of one image; a person has hundreds."""

MAX_TABLE = 1 << 23
"""Different values that are told apart by a table of them; of more they are sorted."""


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """The runs of many regions at once, three arrays of one length N.

    region: (N,) int64, the number of the region, non-decreasing.
    start, stop: (N,) int64 flat indices, start < stop; within a region sorted and disjoint.
    A run may go on from the end of a row into the next one.
    """

    region: Ints
    start: Ints
    stop: Ints

    def __len__(self) -> int:
        return len(self.start)

    def areas(self, count: int) -> Ints:
        """Return the number of pixels of the regions 0 … count-1, (count,) int64."""
        lengths = self.stop - self.start
        return np.bincount(self.region, weights=lengths, minlength=count).astype(np.int64)

    def mask(self, region: int, *, height: int, width: int) -> NDArray[np.bool_]:
        """Return the mask (height, width) of one region."""
        flat = np.zeros(height * width, dtype=np.bool_)
        mine = self.region == region
        for start, stop in zip(self.start[mine].tolist(), self.stop[mine].tolist(), strict=True):
            flat[start:stop] = True
        return flat.reshape(height, width)


def check(count: int) -> None:
    """Raise GeometryError (code ``too-large``) for more runs than :data:`MAX_RUNS`."""
    if count > MAX_RUNS:
        raise GeometryError(
            f"masks must have at most {MAX_RUNS} runs of pixels in their rows, but have {count}",
            code="too-large",
            cure="simplify the polygons, or remove single pixels from the masks",
        )


def changes(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Return where a value differs from the one before it, bool (N,); the first one does."""
    changed = np.ones(len(values), dtype=np.bool_)
    np.not_equal(values[1:], values[:-1], out=changed[1:])
    return changed


def ascending(values: Ints) -> Ints:
    """Return the places of ``values`` from the least to the greatest, (N,), equals as they come.

    values: (N,) from 0 on. NumPy's stable sort of 16 bits is a radix sort, and costs the same on
    every processor; that of 64 bits is five times as slow on some as on others. What is nearly in
    order, such as the crossings of rings, is better sorted by ``kind="stable"`` as it is.
    """
    places = values.astype(np.uint16).argsort(kind="stable")
    for shift in range(16, int(values.max(initial=0)).bit_length(), 16):
        digit = (values >> shift).astype(np.uint16)
        places = places.take(digit.take(places).argsort(kind="stable"))
    return places


def ranked(values: Ints) -> tuple[Ints, Ints]:
    """Return the sorted distinct values, and for each value its index among them.

    values: (N,) from 0 on.
    """
    most = int(values.max(initial=-1))
    if most < len(values):  # so few that they are counted
        occurs = np.zeros(most + 1, dtype=np.bool_)
        occurs[values] = True
        found = occurs.nonzero()[0]
        number = np.empty(most + 1, dtype=np.int64)
        number[found] = np.arange(len(found))
        return found, number.take(values)
    places = ascending(values)
    ordered = values.take(places)
    first = changes(ordered)
    number = first.cumsum()
    number -= 1
    index = np.empty_like(number)
    index[places] = number
    return ordered[first], index


def once(values: Ints, *, below: int) -> NDArray[np.bool_]:
    """Return which values to keep so that each distinct one is there once, bool (N,).

    values: (N,) from 0 to less than ``below``.
    """
    if below > MAX_TABLE:
        places = ascending(values)
        keep = np.empty(len(values), dtype=np.bool_)
        keep[places] = changes(values.take(places))
        return keep
    # Of several places for one value the last one stays in the table, which needs no beginning.
    place = np.arange(len(values), dtype=np.int32)
    table = np.empty(below, dtype=np.int32)
    table[values] = place
    is_last: NDArray[np.bool_] = table.take(values) == place
    return is_last


def empty() -> Runs:
    """Return no runs."""
    none = np.zeros(0, dtype=np.int64)
    return Runs(none, none, none)


def of_mask(mask: NDArray[np.bool_] | NDArray[np.uint8]) -> tuple[Ints, Ints]:
    """Return start and stop of the non-zero pixels of ``mask`` (h, w); each run within one row."""
    inside = np.ascontiguousarray(mask, dtype=np.bool_)
    rows = np.flatnonzero(inside.any(axis=1))  # most masks are small in their image
    if not len(rows):
        return empty().start, empty().stop
    top, width = int(rows[0]), mask.shape[1]
    inside = inside[top : int(rows[-1]) + 1]
    flat = inside.reshape(-1)
    within = (flat[1:] != flat[:-1]).nonzero()[0]
    within += 1
    edges = np.concatenate([flat[:1].nonzero()[0], within, flat[-1:].nonzero()[0] + flat.size])
    # Rows that begin inside as the one above ended: there a run stops and another one starts.
    meets = (inside[:-1, -1] & inside[1:, 0]).nonzero()[0] + 1
    if len(meets):
        edges = np.concatenate([edges, meets * width, meets * width])
        edges.sort(kind="stable")  # three ascending stretches, which it merges
    edges += top * width
    return edges[0::2], edges[1::2]


def of_columns(edges: Ints, *, height: int, width: int, region: Ints | None = None) -> Runs:
    """Return the runs of pixels given column by column; each run within one row.

    edges: (2N,) in any order, places where the pixels, counted down the columns (pixel (r, c) is
    c * height + r), change from outside to inside or back; height * width is behind the last one.
    region: (2N,) int64, the region that each edge belongs to; all belong to region 0 without it.
    Raises GeometryError as :func:`check` does.
    """
    # A run begins where a pixel is inside and its left neighbour is not, and ends where it is the
    # other way round: where the pixels differ from the same pixels moved right by a column.
    if region is not None:
        edges = edges + region * ((width + 2) * height)
    edges = np.sort(edges, kind="stable")
    edges = np.concatenate([edges, edges + height])
    edges.sort(kind="stable")  # two ascending stretches, which it merges
    begin = edges[0::2]
    size = edges[1::2] - begin
    done = size.cumsum()
    check(int(done[-1]) // 2 if len(done) else 0)
    place = (begin - done + size).repeat(size)
    place += np.arange(len(place))
    column = place // height
    row = place - column * height
    if region is not None:
        number = column // (width + 2)
        column -= number * (width + 2)
        row += number * height
    by_row = ascending(row)  # columns ascend already
    row = row.take(by_row)
    flat = row * width + column.take(by_row)
    number = row[::2] // height
    if region is not None:
        flat -= (number * (height * width)).repeat(2)
    return Runs(number, flat[0::2], flat[1::2])


def placed(
    start: Ints, stop: Ints, *, of: int, x: int, y: int, height: int, width: int
) -> tuple[Ints, Ints]:
    """Return the runs of a patch ``of`` pixels wide, each within one row, as runs of an image.

    x, y: the column and row of the image (height, width) that the patch's corner lies on. What is
    outside is cut off.
    """
    row = start // of
    if len(row) and 0 <= x <= width - of and 0 <= y < height - int(row[-1]):  # wholly inside
        shift = row * (width - of) + (y * width + x)
        return start + shift, stop + shift
    home = row * of - x
    left, right = np.maximum(start - home, 0), np.minimum(stop - home, width)
    row += y
    outside = (left >= right) | (row < 0) | (row >= height)
    if outside.any():
        row, left, right = (values[~outside] for values in (row, left, right))
    row *= width
    return row + left, row + right


def gather(parts: Sequence[tuple[int, Ints, Ints]]) -> Runs:
    """Return the runs of ``parts``: (region number, start, stop), region numbers ascending."""
    if not parts:
        return empty()
    region = np.repeat(np.array([p[0] for p in parts], dtype=np.int64), [len(p[1]) for p in parts])
    return Runs(
        region, np.concatenate([p[1] for p in parts]), np.concatenate([p[2] for p in parts])
    )


def relabel(runs: Runs, numbers: Ints) -> Runs:
    """Return the union of the runs whose region k becomes ``numbers[k]``."""
    return union(Runs(numbers[runs.region], runs.start, runs.stop))


def union(runs: Runs) -> Runs:
    """Return ``runs`` with the runs of each region sorted, merged where they meet or overlap."""
    return subtract(runs, empty())


_HOLE = 1 << 32
_STEPS = np.array([1, -1, _HOLE, -_HOLE])


def subtract(runs: Runs, less: Runs) -> Runs:
    """Return the pixels of each region in ``runs`` that the same region of ``less`` lacks.

    Both may overlap within a region.
    """
    if not len(runs):
        return empty()
    span = max(int(runs.stop.max()), int(less.stop.max(initial=0))) + 1
    keys = []
    for what, part in ((0, runs), (2, less)):
        base = part.region * span
        # What happens there rides on the keys: sorting numbers is ten times as fast as their order.
        keys += [(base + part.start) * 4 + what, (base + part.stop) * 4 + (what + 1)]
    key = np.concatenate(keys)
    key.sort(kind="stable")  # a few ascending stretches, which it merges
    depth = _STEPS[key & 3].cumsum()  # of both at once: how many cover, how many take away
    key >>= 2
    last = np.append(key[1:] != key[:-1], True).nonzero()[0]  # after all changes at one place
    key, depth = key[last], depth[last]
    inside = np.zeros(len(last) + 1, dtype=np.bool_)  # outside before the first, so turns pair up
    np.logical_and(depth > 0, depth < _HOLE, out=inside[1:])
    turns = (inside[1:] != inside[:-1]).nonzero()[0]
    begin, end = key[turns[0::2]], key[turns[1::2]]
    number = begin // span
    begin -= number * span
    end -= number * span
    return Runs(number, begin, end)
