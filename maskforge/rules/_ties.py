"""Pixel centers that lie on an edge, or so near that doubles cannot tell, decided exactly."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

NEAR = 1e-8
"""Pixels: four times the largest error of a crossing computed in doubles up to 1e6."""

MAX_EXACT = 100_000
"""Beyond so many near ties in one call (made by hand) doubles decide, so that no file hangs."""

_GRID = 64.0
_FINE = 2.0**20


def settle(
    column: NDArray[np.float64],
    x: NDArray[np.float64],
    upper: NDArray[np.float64],
    lower: NDArray[np.float64],
    count: NDArray[np.int64],
    row: NDArray[np.int64],
) -> None:
    """Put ``column`` = ceil(x) right, in place, where rounding in ``x`` may have changed it.

    upper, lower: (2, E) x, y of the ends of each edge. count: (E,) how many of the crossings are
    the edge's; column, x, row: (sum of count,), x + 1/2 is where the edge meets the center line of
    row. Vertical edges and vertices on a grid of 1/64 pixel (whole numbers among them) are exact in
    doubles as they are; the few others within NEAR of a tie are computed as fractions.
    """
    near = (np.abs(x - np.rint(x)) < NEAR).nonzero()[0]
    if not len(near):
        return
    edge = np.searchsorted(np.cumsum(count), near, side="right")
    ends = np.concatenate([upper, lower])
    exact = ((ends * _GRID == np.rint(ends * _GRID)) & (np.abs(ends) < _FINE / _GRID)).all(axis=0)
    exact |= ends[0] == ends[2]
    unsure = ~exact[edge]
    pairs = zip(near[unsure].tolist(), edge[unsure].tolist(), strict=True)
    for index, number in itertools.islice(pairs, MAX_EXACT):
        xa, ya, xb, yb = (Fraction(v) for v in ends[:, number].tolist())
        center = int(row[index]) + Fraction(1, 2)
        crossing = xa + (center - ya) * (xb - xa) / (yb - ya)
        column[index] = -((Fraction(1, 2) - crossing) // 1)  # the ceiling of crossing - 1/2
