"""The values that occur in a set of masks, and the file where each was met first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from maskforge.errors import ClassError, ReadError
from maskforge.readers.masks import pixels as _pixels
from maskforge.readers.masks.decoding import likely_cause, pack

MAX_COLORS = 256
"""A set of masks with more colours than this was not painted one colour a class."""

LOOKED_AT = 20
"""Masks that are looked at to tell colours from ids."""

Scan: TypeAlias = dict[int, Path]
"""The values, or colours as 0xrrggbb, each with the file where it was met first."""


def are_colored(masks: Sequence[Path]) -> bool:
    """Return whether one of the first masks holds colours. Damaged files are passed over."""
    for path in masks[:LOOKED_AT]:
        try:
            if _pixels.is_colored(path):
                return True
        except ReadError:
            continue  # the check names it
    return False


def scan(masks: Sequence[Path], *, colors: bool) -> Scan:
    """Look at every mask; those that cannot be read are left to the check, unless all are."""
    found: Scan = {}
    failed: list[ReadError] = []
    for path in masks:
        try:
            pixels = _pixels.read_mask(path, colors=colors).values
        except ReadError as error:
            failed.append(error)
            continue
        if colors:
            pixels = pack(pixels)
        elif pixels.ndim == 3:
            continue  # a lone colour mask among numbers: decoding refuses it
        for value in distinct(pixels):
            found.setdefault(value, path)
        if len(found) > MAX_COLORS and colors:
            cause = likely_cause(path)
            raise ClassError(
                f"masks must be painted in one colour a class, but there are over {MAX_COLORS}",
                file=str(path),
                cure=cause,
            )
    if not found and failed:
        raise failed[0]
    return found


def distinct(values: NDArray[np.generic]) -> list[int]:
    """Return the values that occur, ascending."""
    flat = values.reshape(-1)
    if flat.dtype == np.uint8:
        found: list[int] = np.flatnonzero(np.bincount(flat, minlength=256)).tolist()
        return found
    change = np.append(0, np.flatnonzero(flat[1:] != flat[:-1]) + 1)
    several: list[int] = np.unique(flat[change])[: 1 << 16].tolist()
    return several


def listed(values: Scan) -> str:
    """Return the values as text, the first of them where there are many."""
    shown = sorted(values)
    return ", ".join(map(str, shown[:12])) + (" …" if len(shown) > 12 else "")
