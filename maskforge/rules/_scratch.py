"""A canvas on which regions are drawn one after the other, and what was drawn there as runs."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from maskforge.raster import runs
from maskforge.raster.runs import Ints, Runs

Window: TypeAlias = tuple[int, int, int, int]
"""x0, y0, x1, y1: columns x0 … x1-1 and rows y0 … y1-1, wholly inside the image."""

_MARGIN = 2
"""Pixels that a drawing may reach beyond its bounds: rounding, and edges that belong to it."""

_PAD = 8
"""Columns left of the image that stay 0; a whole word, so that windows can be taken as words."""

_LOW_BITS = np.uint64(0x0101010101010101)


class Scratch:
    """One byte for each pixel of an image, all 0 between two drawings.

    Draw 0s and 1s on ``pixels``, uint8 (height, width), within a window, then :meth:`take` it.
    Pixel (r, c) is ``memory[r * stride + c]``, too. One canvas of full size serves all regions,
    because a rasterizer's rounding may depend on where it draws; only the window of each region is
    ever looked at.
    """

    def __init__(self, *, height: int, width: int) -> None:
        self.height, self.width = height, width
        # A column of 0 on either side of the image ends each run with its row.
        self.stride = _PAD + -(-(width + 1) // 8) * 8
        # One row more, as Pillow wants whole rows, counted from the first pixel.
        memory = np.zeros((height + 1) * self.stride, dtype=np.uint8)
        self.memory = memory[_PAD:]
        self._rows = memory.reshape(height + 1, -1)
        self.pixels = self._rows[:height, _PAD : _PAD + width]
        self._words = memory.view(np.uint64).reshape(height + 1, -1)
        self._numbers: list[int] = []
        self._windows: list[Window] = []
        self._changes: list[Ints] = []

    def window(self, x_min: float, y_min: float, x_max: float, y_max: float) -> Window | None:
        """Return where a drawing with these bounds can leave a mark; None if outside the image."""
        x0, y0 = max(int(x_min) - _MARGIN, 0), max(int(y_min) - _MARGIN, 0)
        x1 = min(int(x_max) + _MARGIN + 1, self.width)
        y1 = min(int(y_max) + _MARGIN + 1, self.height)
        return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None

    def take(self, number: int, window: Window) -> None:
        """Note what is drawn in ``window`` as pixels of region ``number``, and wipe it.

        Numbers must come in ascending order; what comes under one number is united.
        """
        x0, y0, x1, y1 = window
        part = self._rows[y0:y1, x0 + _PAD - 1 : x1 + _PAD + 1]
        # Every row begins and ends with a 0: changes come in pairs.
        changes = (part[:, 1:] != part[:, :-1]).ravel().nonzero()[0]
        part.fill(0)
        if len(changes):
            self._numbers.append(number)
            self._windows.append(window)
            self._changes.append(changes)

    def paste(self, number: int, mask: NDArray[np.bool_], *, x: int, y: int) -> None:
        """Note ``mask`` (h, w), its top left corner at column ``x``, row ``y``; clipped."""
        h, w = mask.shape
        x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + w, self.width), min(y + h, self.height)
        if x0 < x1 and y0 < y1:
            self.pixels[y0:y1, x0:x1] = mask[y0 - y : y1 - y, x0 - x : x1 - x]
            self.take(number, (x0, y0, x1, y1))

    def toggle(self, places: Ints) -> None:
        """Add 1, modulo 256, to the pixels at these indices of ``memory``."""
        np.add.at(self.memory, places, np.uint8(1))

    def fill_down(self, window: Window) -> None:
        """Set each pixel of ``window`` to the parity of the pixels from its top down to it."""
        x0, y0, x1, y1 = window
        words = self._words[y0:y1, (_PAD + x0) // 8 : -(-(_PAD + x1) // 8)]  # 8 columns in one
        np.bitwise_xor.accumulate(words, axis=0, out=words)
        np.bitwise_and(words, _LOW_BITS, out=words)

    def runs(self) -> Runs:
        """Return the runs of all regions taken so far."""
        if not self._changes:
            return runs.empty()
        counts = np.array([len(changes) // 2 for changes in self._changes])
        x0, y0, x1, _ = np.array(self._windows).T
        columns = np.repeat(x1 - x0 + 1, counts)  # at whose left borders something may change
        origin = np.repeat(y0 * self.width + x0, counts)
        changes = np.concatenate(self._changes)
        start, stop = changes[0::2], changes[1::2]
        shift = start // columns * (self.width - columns) + origin  # both are in one row
        start, stop = start + shift, stop + shift
        numbers = np.array(self._numbers)
        drawn = Runs(np.repeat(numbers, counts), start, stop)
        return runs.union(drawn) if (numbers[1:] == numbers[:-1]).any() else drawn
