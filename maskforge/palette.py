"""Colours of classes: the PASCAL VOC palette, and text to colours."""

from __future__ import annotations

import colorsys
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


_DISPLAY = bytes.fromhex(
    "ff4d5e 1fc7b6 ffb31a 4d86ff b45cff 86d12c ff5cc8 19bfff ff8330 12b06f "
    "9b8cff f5e23d d92b6a 78f5f0 b98045 6f9e2f ffa6c9 3f57c4 d7f582 a8428b "
    "555000 8c2800 006950 058c9b f5c3af 694146 beb48c a57d8c 37ffaa 005564 "
    "7800b9 6e7855 d7c8ff 7d5f46 e13700 0a7800 aa9600 c8e6c8 50466e 7d73a5 "
    "a0002d 0073a5 b9e6ff aa5a50 8caa91 8c6900 d28773 fff0be 78afb9 a55500 "
    "be91cd 468c78 96b9ff 6e7800 415032 6e4100 968769 960055 e17391 be00d2 "
    "7d5f78 8ccd8c 783cff 969bbe e1aa73 dc0037 ffd7f0 7d50aa 00ff3c 00507d "
    "b9be55 19dcfa 3c96c3 ffa5ff b964b9 733273 ff6441 a07864 4b8c50 ff9b9b "
    "005a1e 9b4b5f 0028e6 eb00a0 ebc878 8c9664 00b928 057373 505f7d 87e6c3 "
    "736edc f500f0 6e412d d2640f 645a3c cda0aa 4b641e cd910f e178fa c3a08c"
)
"""A hundred colours, each two of them at least 10 apart by CIE76 and CIEDE2000, as is each from the
greys of ignored pixels and the panel, from black and from white."""

DISPLAYED = 250
"""Classes that are shown in a colour of their own."""


@cache
def display_palette() -> NDArray[np.uint8]:
    """Return the colours that classes are shown in, uint8 (251, 3) in RGB, read-only.

    Bright and far apart, for previews and tables; what masks hold is the VOC palette or a style.
    Row 0, the background, is black; all others have the row that :func:`display_index` says.
    """
    chosen = np.frombuffer(_DISPLAY, dtype=np.uint8).reshape(-1, 3)
    table = np.zeros((DISPLAYED + 1, 3), dtype=np.uint8)
    table[1 : len(chosen) + 1] = chosen
    for index in range(len(chosen) + 1, DISPLAYED + 1):
        # The golden angle keeps neighbours in the class table far apart in hue.
        hue, level = index * 0.618034 % 1, index % 3
        rgb = colorsys.hsv_to_rgb(hue, (0.85, 0.55, 0.7)[level], (0.95, 1.0, 0.72)[level])
        table[index] = [round(255 * part) for part in rgb]
    table.setflags(write=False)
    return table


def display_index(class_id: int, background: int | None = 0) -> int:
    """Return the row of :func:`display_palette` for a class id; after 250 ids they repeat."""
    return 0 if class_id == background else (class_id - 1) % DISPLAYED + 1


def parse_color(text: str) -> tuple[int, int, int]:
    """Return the (red, green, blue) that ``#rrggbb`` says. Raises UsageError."""
    match = re.fullmatch(r"#?([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})", text.strip())
    if match is None:
        raise UsageError(f"a colour must be written #rrggbb, but got {text!r}")
    red, green, blue = (int(part, 16) for part in match.groups())
    return red, green, blue
