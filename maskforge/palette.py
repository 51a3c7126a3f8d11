"""Colours of classes: the PASCAL VOC palette, and text to colours."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
from numpy.typing import NDArray

from maskforge.errors import UsageError


@cache
def voc_palette(size: int = 256) -> NDArray[np.uint8]:
    """Return the VOC palette, uint8 (size, 3) in RGB, read-only.

    The bits of the id, three at a time from the lowest, become the highest bits of R, G and B
    (VOC development kit, ``VOClabelcolormap``). It repeats after 256.
    """
    ids = np.arange(size, dtype=np.int64) % 256
    palette = np.zeros((size, 3), dtype=np.uint8)
    for bit in range(8):
        for channel in range(3):
            palette[:, channel] |= ((ids >> channel & 1) << (7 - bit)).astype(np.uint8)
        ids >>= 3
    palette.setflags(write=False)
    return palette


def parse_color(text: str) -> tuple[int, int, int]:
    """Return the (red, green, blue) that ``#rrggbb`` says. Raises UsageError."""
    match = re.fullmatch(r"#?([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})", text.strip())
    if match is None:
        raise UsageError(f"a colour must be written #rrggbb, but got {text!r}")
    red, green, blue = (int(part, 16) for part in match.groups())
    return red, green, blue
