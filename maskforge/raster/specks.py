"""Specks and pin holes removed from a label image: parts too small to be meant.

A part is 4-connected, of one value and one instance. The background has parts as well: a hole of a
few pixels is a part of what shows through it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskforge.raster.regions import below, connected, uniform_runs, united
from maskforge.raster.runs import Ints, Runs


@dataclass(frozen=True, slots=True, eq=False)
class Removed:
    """A label image without specks, and its instances; how many parts and pixels became others."""

    label_image: NDArray[np.integer[Any]]
    instances: NDArray[np.integer[Any]] | None
    parts: int
    pixels: int


def removed(
    label_image: NDArray[np.integer[Any]],
    instances: NDArray[np.integer[Any]] | None = None,
    *,
    area: int,
    keep: Collection[int] = (),
) -> Removed:
    """Return ``label_image`` (H, W) without parts of fewer than ``area`` pixels.

    Such a part becomes what its neighbour with the longest common border is, counted in edges of
    pixels; of equal ones the largest neighbour, then the one of the lowest instance and value. What
    specks join grows by them, and may be large enough then. Parts with a value of ``keep``, such as
    the ignore index, stay as they are, and so does one that is the whole image.
    """
    height, width = label_image.shape
    start, stop, value, instance = uniform_runs(label_image, instances)
    kinds, kind = np.unique(instance << 16 | value, return_inverse=True)
    order = np.argsort(kind, kind="stable")
    part = np.empty_like(kind)
    part[order] = connected(Runs(kind[order], start[order], stop[order]), width=width)
    count = int(part.max()) + 1
    kind_of = np.empty(count, dtype=np.int64)
    kind_of[part] = kind
    areas = np.bincount(part, weights=stop - start).astype(np.int64)
    stays = np.isin(kinds & 0xFFFF, list(keep))[kind_of]
    borders = _borders(start, stop, part, count, width=width)
    home = _homes(borders, kind_of, areas, stays, area)
    became = kinds[kind_of[home]][part]
    other = became != kinds[kind]
    lengths = stop - start

    def image(like: NDArray[np.integer[Any]], values: Ints) -> NDArray[np.integer[Any]]:
        return values.astype(like.dtype).repeat(lengths).reshape(height, width)

    return Removed(
        image(label_image, became & 0xFFFF),
        None if instances is None else image(instances, became >> 16),
        int((kind_of[home] != kind_of).sum()),
        int(lengths[other].sum()),
    )


def _borders(
    start: Ints, stop: Ints, part: Ints, count: int, *, width: int
) -> tuple[Ints, Ints, Ints]:
    """Return which parts border on which, both ways round, and the length of each border."""
    beside = (start[1:] % width > 0).nonzero()[0]
    upper, lower = below(start, stop, width=width)
    common = np.minimum(stop[upper] + width, stop[lower])
    common -= np.maximum(start[upper] + width, start[lower])
    a = part[np.concatenate([beside, upper])]
    b = part[np.concatenate([beside + 1, lower])]
    length = np.concatenate([np.ones_like(beside), common])
    apart = a != b
    a, b, length = a[apart], b[apart], length[apart]
    length = np.tile(length, 2)
    return _summed(np.concatenate([a, b]), np.concatenate([b, a]), length, count)


def _summed(a: Ints, b: Ints, length: Ints, count: int) -> tuple[Ints, Ints, Ints]:
    key, index = np.unique(a * count + b, return_inverse=True)
    length = np.bincount(index, weights=length, minlength=len(key)).astype(np.int64)
    return key // count, key % count, length


def _homes(
    borders: tuple[Ints, Ints, Ints], kind: Ints, areas: Ints, stays: NDArray[np.bool_], area: int
) -> Ints:
    """Return the part that each part becomes one with, itself where it stays."""
    number = np.arange(len(areas))
    home = number
    a, b, length = borders
    while True:
        # Each part looks for its longest border. Where that leads to a smaller one it waits until
        # that has joined another; the smallest of all never waits, nor one beside what stays.
        order = np.lexsort((-b, areas[b], length, a))
        order = order[(areas < area)[a[order]] & ~stays[a[order]]]
        best = order[np.append(a[order][1:] != a[order][:-1], True)[: len(order)]]
        speck, other = a[best], b[best]
        grows = (areas[other] > areas[speck]) | ((areas[other] == areas[speck]) & (other < speck))
        grows |= stays[other]
        if not grows.any():
            return home
        joined = number.copy()
        joined[speck[grows]] = other[grows]
        while (joined[joined] != joined).any():
            joined = joined[joined]
        a, b = joined[a], joined[b]
        alike = kind[a] == kind[b]  # what a speck kept apart is one part now
        joined = united(a[alike], b[alike], len(number))[joined]
        home = joined[home]
        areas = np.bincount(joined, weights=areas, minlength=len(number)).astype(np.int64)
        a, b = joined[a], joined[b]
        a, b, length = _summed(a[a != b], b[a != b], length[a != b], len(number))
