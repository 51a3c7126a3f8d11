"""Sets of pixels as runs: half-open intervals of row-major flat pixel indices.

Pixel (r, c) of an image W wide has the flat index r * W + c. A region of 50,000 pixels has some
300 runs, so painting, counting and comparing regions in this form costs a fraction of what it
costs pixel by pixel, and memory does not grow with the area.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]


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


def distinct(values: Ints) -> Ints:
    """Return the sorted distinct values. (``numpy.unique`` hashes first: 5 times slower.)"""
    values = np.sort(values)
    return values[np.append(True, values[1:] != values[:-1])] if len(values) else values


def ranked(values: Ints) -> tuple[Ints, Ints]:
    """Return the sorted distinct values, and for each value its index among them.

    values: (N,) from 0 to below 2**39. One sort of value and place packed together is twice as fast
    as sorting and searching; there is room for 2**24 places.
    """
    if len(values) >= 1 << 24:
        ordered, index = np.unique(values, return_inverse=True)
        return ordered, index
    packed = np.sort(values << 24 | np.arange(len(values)))
    ordered = packed >> 24
    first = np.append(True, ordered[1:] != ordered[:-1])
    index = np.empty(len(values), dtype=np.int64)
    index[packed & 0xFFFFFF] = np.cumsum(first) - 1
    return ordered[first], index


def empty() -> Runs:
    """Return no runs."""
    none = np.zeros(0, dtype=np.int64)
    return Runs(none, none, none)


def of_window(
    window: NDArray[np.bool_] | NDArray[np.uint8], *, x: int, y: int, width: int
) -> tuple[Ints, Ints]:
    """Return start and stop of the non-zero pixels of ``window`` (h, w), which lies with its top
    left corner at column ``x``, row ``y``, wholly inside an image ``width`` pixels wide.
    """
    h, w = window.shape
    padded = np.zeros((h, w + 2), dtype=np.bool_)
    np.not_equal(window, 0, out=padded[:, 1:-1])
    # Along the flattened padded window every row begins and ends with 0: changes come in pairs.
    flat = padded.reshape(-1)
    changes = np.flatnonzero(flat[1:] != flat[:-1])
    rows = changes // (w + 2)
    position = changes + rows * (width - w - 2) + y * width + x
    return position[0::2], position[1::2]


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
    return _where_deep(numbers[runs.region], runs.start, runs.stop, np.ones(len(runs), np.int64))


def union(runs: Runs) -> Runs:
    """Return ``runs`` with the runs of each region sorted, merged where they meet or overlap."""
    return _where_deep(runs.region, runs.start, runs.stop, np.ones(len(runs), np.int64))


def subtract(runs: Runs, less: Runs) -> Runs:
    """Return the pixels of each region in ``runs`` that the same region of ``less`` lacks.

    Both may overlap within a region.
    """
    if not len(less):
        return union(runs)
    whole, holes = union(runs), union(less)
    return _where_deep(
        np.concatenate([whole.region, holes.region]),
        np.concatenate([whole.start, holes.start]),
        np.concatenate([whole.stop, holes.stop]),
        # Depth 1 is inside the whole and outside the holes: one hole outweighs it.
        np.concatenate([np.ones(len(whole), np.int64), np.full(len(holes), -1, np.int64)]),
    )


def _where_deep(region: Ints, start: Ints, stop: Ints, weight: Ints) -> Runs:
    """Return where the weights of the runs that cover a pixel add up to at least 1, by region."""
    if not len(start):
        return empty()
    span = int(stop.max()) + 1
    base = region * span
    # The weights, 1 and -1, ride on the keys: sorting numbers is ten times as fast as their order.
    key = np.concatenate([(base + start) * 4 + (1 + weight), (base + stop) * 4 + (1 - weight)])
    key.sort()
    depth = np.cumsum((key & 3) - 1)
    key >>= 2
    last = np.append(key[1:] != key[:-1], True)  # the depth after all changes at one place
    key, inside = key[last], depth[last] > 0
    turns = np.flatnonzero(np.diff(inside, prepend=False))
    begin, end = key[turns[0::2]], key[turns[1::2]]
    number = begin // span
    return Runs(number, begin - number * span, end - number * span)
