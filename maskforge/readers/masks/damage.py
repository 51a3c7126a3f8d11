"""Damage to a mask: what JPEG, blending and resizing leave between and around its levels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maskforge.errors import Problem
from maskforge.readers.masks.values import Counts, packed, wrong

_PEAK = 0.01  # a value with this share of the pixels is a level, not a stray
_PIXELS = 1 << 22  # enough of a large image to judge it by
_STRAYS = 1 << 16


def find(data: NDArray[np.generic], counts: Counts, *, lossy: bool) -> Problem | None:
    """Tell whether stray values lie around or between a few levels, and how they came there."""
    if len(counts.values) < 5:
        return None
    level = counts.pixels >= _PEAK * counts.pixels.sum()
    level[int(counts.pixels.argmax())] = True
    if not _is_scattered(data, counts, level):
        return None
    values = len(counts.values)
    share = float(counts.pixels[~level].sum() / counts.pixels.sum())
    if share > 0.6:
        return wrong(
            "no-mask",
            f"{values:,} values, few of them in areas: this looks like a photograph, not a mask",
            "give the mask file",
        )
    levels = counts.values[level].tolist()
    shown = ", ".join(f"#{v:06x}" if counts.colored else str(v) for v in levels[:8])
    if lossy or _surrounds(counts, level):
        return wrong(
            "mask-damaged",
            f"probably damaged by JPEG: {values:,} values, {share:.1%} of the pixels around the "
            f"levels {shown}" + ("" if lossy else ", although this file itself is lossless"),
            "make the mask again from its annotation, without JPEG; or round to the nearest level",
        )
    return wrong(
        "mask-damaged",
        f"blended edges (anti-aliasing, or resizing that was not nearest): {values:,} values, "
        f"{share:.1%} of the pixels between the levels {shown}",
        "draw without anti-aliasing and resize with nearest; or round to the nearest level",
    )


def _is_scattered(data: NDArray[np.generic], counts: Counts, level: NDArray[np.bool_]) -> bool:
    """Return whether the pixels of rare values lie alone: areas are flat, damage is not."""
    part = data[:: -(-data.size // _PIXELS)]
    place = np.searchsorted(counts.values, packed(part) if counts.colored else part)
    stray = ~level[place][:, 1:-1]
    alone = (place[:, 1:-1] != place[:, :-2]) & (place[:, 1:-1] != place[:, 2:])
    strays = np.count_nonzero(stray)
    return bool(strays >= 8 and np.count_nonzero(stray & alone) > 0.5 * strays)


def _surrounds(counts: Counts, level: NDArray[np.bool_]) -> bool:
    """Return whether stray values keep close to the levels, or go beyond them, as JPEG's do.

    Blending makes values evenly between two levels, and none beyond.
    """
    points = counts.values.astype(np.int64)[:, None]
    if counts.colored:
        points = points >> np.array([16, 8, 0]) & 255
    frequent = np.flatnonzero(~level)[np.argsort(-counts.pixels[~level], kind="stable")[:_STRAYS]]
    levels, strays, weight = points[level][:16], points[frequent], counts.pixels[frequent]
    if len(levels) < 2:
        return True
    apart = np.abs(levels[:, None] - levels).max(axis=2)
    gap = int(apart[apart > 0].min())
    near = np.abs(strays[:, None] - levels).max(axis=2).min(axis=1)
    order = np.argsort(near, kind="stable")
    middle = np.searchsorted(np.cumsum(weight[order]), weight.sum() / 2)
    beyond = ((strays < levels.min(axis=0)) | (strays > levels.max(axis=0))).any(axis=1)
    return bool(near[order][middle] < gap / 8 or weight[beyond].sum() > 0.15 * weight.sum())
