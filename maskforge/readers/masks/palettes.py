"""Palette images whose numbers are no class ids: one colour, several numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from maskforge.errors import Problem
from maskforge.palette import voc_palette
from maskforge.raster.annotation import MaskFile
from maskforge.readers.masks.decoding import pack

Shown = tuple[tuple[int, int], ...]
"""Number and colour, 0xrrggbb, of what a palette image shows."""


def own(values: NDArray[np.uint8], palette: NDArray[np.uint8]) -> Shown:
    """Return number and colour of what a palette image shows, unless VOC's colours say the ids."""
    used = np.flatnonzero(np.bincount(values.reshape(-1), minlength=256))
    used = used[used < len(palette)]
    if (palette[used] == voc_palette()[used]).all():
        return ()
    return tuple(zip(used.tolist(), pack(palette[used]).tolist(), strict=True))


def mixed(masks: Iterable[tuple[MaskFile, Shown]]) -> Iterator[Problem]:
    """Find palettes in which one colour has another number than in an earlier one."""
    numbers: dict[int, tuple[int, str]] = {}
    for label, shown in masks:
        for number, color in shown:
            earlier, name = numbers.setdefault(color, (number, label.path.name))
            if earlier != number and dict(shown).get(earlier) != color:
                yield Problem(
                    "bad-image",
                    str(label),
                    f"the colour #{color:06x} is number {number} of this palette, "
                    f"but {earlier} in {name!r}: the numbers are no class ids",
                    cure="save the masks as RGB and give the colours with --style",
                )
                break
