"""The regions that a label image consists of, as runs: what each is, its pixels, area and box.

Without instance ids a region is a 4-connected part of one class. With them an object is one region,
of as many parts as it has. Time and memory go with the runs; no mask of a region is ever made.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskforge.raster import runs as runs_
from maskforge.raster.raster import Raster
from maskforge.raster.runs import Ints, Runs


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """The regions of one image (height, width), R of them.

    runs: their pixels, each run within one row. value: (R,) int64, what the label image holds
    there. instance: (R,) int64, the id of the object that the region is, 0 for none. Regions that
    are no objects come first, by value and then by first pixel in reading order; then objects by
    instance id.
    """

    height: int
    width: int
    runs: Runs
    value: Ints
    instance: Ints

    def __len__(self) -> int:
        return len(self.value)

    @property
    def areas(self) -> Ints:
        """The pixels of each region, (R,) int64."""
        return self.runs.areas(len(self))

    @property
    def boxes(self) -> Ints:
        """x, y, width and height of the smallest box of whole pixels around each region, (R, 4)."""
        return boxes(self.runs, len(self), width=self.width)


def of_label_image(
    label_image: NDArray[np.integer[Any]],
    instances: NDArray[np.integer[Any]] | None = None,
    *,
    skip: Collection[int] = (),
) -> Regions:
    """Return the regions of ``label_image``, integers (H, W) from 0 to 65535.

    instances: (H, W), ids from 1, 0 where there is none. skip: values that are no regions, such as
    the background and the ignore index.
    """
    height, width = label_image.shape
    return _grouped(*uniform_runs(label_image, instances), skip, height=height, width=width)


def uniform_runs(
    label_image: NDArray[np.integer[Any]], instances: NDArray[np.integer[Any]] | None = None
) -> tuple[Ints, Ints, Ints, Ints]:
    """Return start, stop, value and instance of the runs of one value and instance in each row.

    They cover the image, in order.
    """
    flat = np.ascontiguousarray(label_image).reshape(-1)
    new = np.ones(flat.size, dtype=np.bool_)
    np.not_equal(flat[1:], flat[:-1], out=new[1:])
    if instances is not None:
        objects = np.ascontiguousarray(instances).reshape(-1)
        new[1:] |= objects[1:] != objects[:-1]
    new[:: label_image.shape[1]] = True
    start = new.nonzero()[0]
    value = flat[start].astype(np.int64)
    instance = np.zeros_like(value) if instances is None else objects[start].astype(np.int64)
    return start, np.append(start[1:], flat.size), value, instance


def of_raster(raster: Raster) -> Regions:
    """Return the regions that show in ``raster``: all but the background and what is ignored.

    Without instances in it, as in one of a label image, they are 4-connected parts of classes.
    """
    new = runs_.changes(raster.segment_class) | runs_.changes(raster.segment_instance)
    first = new.nonzero()[0]
    start = raster.segments.start[first]
    whole = Runs(first, start, np.append(start[1:], raster.height * raster.width))
    whole = in_rows(whole, width=raster.width)
    value, instance = (
        values[whole.region] for values in (raster.segment_class, raster.segment_instance)
    )
    classes = raster.classes
    skip = [classes.ignore_index, classes.uncovered]  # that is the background, if there is one
    return _grouped(
        *(whole.start, whole.stop, value, instance, skip), height=raster.height, width=raster.width
    )


def _grouped(
    start: Ints,
    stop: Ints,
    value: Ints,
    instance: Ints,
    skip: Collection[int],
    *,
    height: int,
    width: int,
) -> Regions:
    """Return the regions of runs of one value and one instance each, sorted, each in one row."""
    if skip:
        kept = np.ones(len(value), dtype=np.bool_)
        for skipped in skip:  # few; numpy.isin takes longer than all the rest
            kept &= value != skipped
        start, stop, value, instance = (a[kept] for a in (start, stop, value, instance))
    kinds, kind = runs_.ranked(instance << 16 | value)
    order = runs_.ascending(kind)
    kind, start, stop = kind[order], start[order], stop[order]
    # Those without an instance come first; each part of them is a region. The others are one by
    # one, whatever parts they have.
    loose = int(np.searchsorted(kinds, 1 << 16))
    end = int(np.searchsorted(kind, loose))
    part = connected(Runs(kind[:end], start[:end], stop[:end]), width=width)
    of_part = kind[:end][runs_.changes(np.maximum.accumulate(part))]
    order = np.append(runs_.ascending(part), np.arange(end, len(kind)))
    number = np.append(part, kind[end:] + (len(of_part) - loose))
    what = np.append(kinds[of_part], kinds[loose:])
    runs = Runs(number[order], start[order], stop[order])
    return Regions(height, width, runs, what & 0xFFFF, what >> 16)


def in_rows(runs: Runs, *, width: int) -> Runs:
    """Return ``runs`` cut where rows end, and merged where they meet within a row."""
    meets = (runs.region[1:] == runs.region[:-1]) & (runs.start[1:] == runs.stop[:-1])
    if meets.any():
        first = np.append(True, ~meets)[: len(runs)]
        last = np.append(~meets, True)[-len(runs) :]
        runs = Runs(runs.region[first], runs.start[first], runs.stop[last])
    row = runs.start // width
    count = (runs.stop - 1) // width - row + 1
    if (count == 1).all():
        return runs
    index = np.arange(len(runs)).repeat(count)
    row = row[index] + np.arange(len(index)) - (count.cumsum() - count)[index]
    start = np.maximum(runs.start[index], row * width)
    stop = np.minimum(runs.stop[index], (row + 1) * width)
    return Runs(runs.region[index], start, stop)


def connected(runs: Runs, *, width: int) -> Ints:
    """Return the number of the 4-connected part that each run belongs to, (N,) int64 from 0.

    runs: each within one row, none meeting another of its region. Parts belong to one region and
    are numbered as their first runs come.
    """
    # As if the images of all regions lay below each other, with an empty row between two.
    base = runs.region * (int(runs.stop.max(initial=0)) + 2 * width)
    start, stop = runs.start + base, runs.stop + base
    upper, lower = below(start, stop, width=width)
    root = united(upper, lower, len(runs))
    is_root = root == np.arange(len(runs))
    number: Ints = is_root.cumsum()[root] - 1
    return number


def below(start: Ints, stop: Ints, *, width: int) -> tuple[Ints, Ints]:
    """Return pairs of runs, by number, of which the second one is right below the first.

    start, stop: (N,) sorted and disjoint, each within one row.
    """
    first = np.searchsorted(stop, start + width, side="right")
    count = np.searchsorted(start, stop + width) - first
    lower = (first - count.cumsum() + count).repeat(count)
    lower += np.arange(len(lower))
    return np.arange(len(start)).repeat(count), lower


def united(a: Ints, b: Ints, count: int) -> Ints:
    """Return for each of ``count`` things the lowest number that pairs (a[k], b[k]) tie it to."""
    # In each round every root hooks on to its lowest neighbour, which at least halves their number.
    root = np.arange(count)
    while True:
        a, b = root[a], root[b]
        apart = a != b
        a, b = a[apart], b[apart]
        if not len(a):
            return root
        np.minimum.at(root, np.maximum(a, b), np.minimum(a, b))
        while True:
            higher = root[root]
            if np.array_equal(higher, root):
                break
            root = higher


def boxes(runs: Runs, count: int, *, width: int) -> Ints:
    """Return x, y, width and height of the pixels of the regions 0 … count-1, (count, 4) int64.

    All four are 0 for a region without pixels.
    """
    found = np.zeros((count, 4), dtype=np.int64)
    runs = in_rows(runs, width=width)
    if not len(runs):
        return found
    first = runs_.changes(runs.region).nonzero()[0]
    row = runs.start // width
    left = np.minimum.reduceat(runs.start - row * width, first)
    right = np.maximum.reduceat(runs.stop - row * width, first)
    top, bottom = np.minimum.reduceat(row, first), np.maximum.reduceat(row, first) + 1
    found[runs.region[first]] = np.stack([left, top, right - left, bottom - top], axis=1)
    return found
