"""Tiling: large images in overlapping windows, put together so that no seam shows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Tile(NamedTuple):
    """Rows ``top`` to ``bottom`` and columns ``left`` to ``right`` of an image, half open."""

    top: int
    left: int
    bottom: int
    right: int


def cut(height: int, width: int, *, tile: int, overlap: float) -> list[Tile]:
    """Return tiles of at most ``tile`` pixels a side that cover an image, evenly spread.

    Neighbours share at least the fraction ``overlap`` of a tile. Raises ValueError for a tile
    below 1 or an overlap outside 0 … 0.9.
    """
    if tile < 1 or not 0 <= overlap <= 0.9:
        raise ValueError(f"tile must be >= 1, overlap 0 … 0.9, but got {tile} and {overlap}")
    return [
        Tile(top, left, min(top + tile, height), min(left + tile, width))
        for top in _starts(height, tile, overlap)
        for left in _starts(width, tile, overlap)
    ]


def _starts(length: int, tile: int, overlap: float) -> list[int]:
    if length <= tile:
        return [0]
    step = max(1, int(tile * (1 - overlap)))
    count = 1 + -(-(length - tile) // step)
    return [(length - tile) * at // (count - 1) for at in range(count)]


class Mosaic:
    """Probabilities of tiles, averaged where these overlap; the middle of a tile counts most.

    At its border a network sees less around a pixel, so what it says there has less weight.
    """

    def __init__(self, channels: int, height: int, width: int) -> None:
        self._sum = np.zeros((channels, height, width), np.float32)
        self._weight = np.zeros((height, width), np.float32)

    def add(self, tile: Tile, values: NDArray[np.float32]) -> None:
        """Take in ``values``, (channels, H, W), of ``tile``."""
        weight = np.outer(_ramp(values.shape[1]), _ramp(values.shape[2]))
        area = np.s_[tile.top : tile.bottom, tile.left : tile.right]
        self._sum[:, *area] += values * weight
        self._weight[area] += weight

    def result(self) -> NDArray[np.float32]:
        """Return the averages, (channels, height, width); every pixel must be in a tile.

        They take the place of the sums: call it once, at the end.
        """
        self._sum /= self._weight
        return self._sum


def _ramp(length: int) -> NDArray[np.float32]:
    place = np.arange(length, dtype=np.float32) + 0.5
    ramp: NDArray[np.float32] = np.minimum(place, length - place)
    return ramp
