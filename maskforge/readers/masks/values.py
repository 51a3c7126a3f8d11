"""The values that the pixels of a mask hold, counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskforge.classes import ClassTable
from maskforge.errors import Problem
from maskforge.labels import name_of_class
from maskforge.raster.runs import Ints

SHOWN = 40
"""Values listed at most."""

_SHOWN_OF_MANY = 10
_CHUNK = 1 << 22


def wrong(code: str, message: str, cure: str = "") -> Problem:
    """Return what is probably wrong with a mask; its file is named where it is known."""
    return Problem(code, "", message, cure=cure, severity="warning")


def note(code: str, message: str, cure: str = "") -> Problem:
    """Return what is worth knowing of a mask."""
    return Problem(code, "", message, cure=cure, severity="note")


@dataclass(frozen=True, slots=True)
class Value:
    """One value that occurs: an id, or a colour ``#rrggbb``; its pixels; its class's name."""

    value: str
    pixels: int
    share: float
    name: str = ""


class Counts(NamedTuple):
    """The values that occur, ascending, and their pixels, (N,) each; colours as 0xrrggbb."""

    values: NDArray[np.generic]
    pixels: Ints
    colored: bool


def count(data: NDArray[np.generic]) -> Counts:
    """Return the values of pixels (H, W), or (H, W, 3), and how often each occurs."""
    colored = data.ndim == 3
    flat = data.reshape(-1, 3) if colored else data.reshape(-1)
    values: list[NDArray[np.generic]] = []
    pixels: list[Ints] = []
    for start in range(0, len(flat), _CHUNK):
        part = flat[start : start + _CHUNK]
        if colored:
            part = packed(part)
        one, many = np.unique(part, return_counts=True)
        values.append(one)
        pixels.append(many)
    found, place = np.unique(np.concatenate(values), return_inverse=True)
    totals = np.bincount(place, weights=np.concatenate(pixels), minlength=len(found))
    return Counts(found, totals.astype(np.int64), colored)


def listed(
    counts: Counts, classes: ClassTable | None, colors: Mapping[int, str] | None = None
) -> tuple[Value, ...]:
    """Return the values, ascending, with the names that ``classes`` or ``colors`` give.

    Of more than :data:`SHOWN` values only the few most frequent ones are listed.
    """
    most = SHOWN if len(counts.values) <= SHOWN else _SHOWN_OF_MANY
    total = int(counts.pixels.sum())
    chosen = np.sort(np.argsort(-counts.pixels, kind="stable")[:most])
    return tuple(
        Value(
            f"#{value:06x}" if counts.colored else str(value),
            int(pixels),
            int(pixels) / total,
            (colors or {}).get(value, "") if counts.colored else _name(value, classes),
        )
        for value, pixels in zip(counts.values[chosen].tolist(), counts.pixels[chosen], strict=True)
    )


def _name(value: int, classes: ClassTable | None) -> str:
    if classes is None:
        return ""
    if value in (classes.ignore_index, -1):
        return "ignore"
    known = value in classes.ids
    return name_of_class(classes.name_of(value)) if known else "(not in the class table)"


def packed(pixels: NDArray[np.generic]) -> Ints:
    """Return 0xrrggbb for the RGB triples of the last axis."""
    values: Ints = pixels.astype(np.int64) @ np.array([65536, 256, 1])
    return values
