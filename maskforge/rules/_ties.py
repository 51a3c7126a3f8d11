"""Pixel centers that lie on an edge, or so near that doubles cannot tell, decided exactly."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

NEAR = 1e-8
"""Pixels: four times the largest error of a crossing computed in doubles up to 1e6."""

MAX_EXACT = 100_000
"""Beyond so many near ties in one call (only made by hand) doubles decide, so that no file hangs."""

_GRID = 64.0
_FINE = 2.0**20


def settle(
    column: NDArray[np.float64],
    x: NDArray[np.float64],
    upper: NDArray[np.float64],
    lower: NDArray[np.float64],
    row: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return ``column`` = ceil(x - 0.5), put right where rounding in ``x`` may have changed it.

    x (N,) is where the edge ``upper`` → ``lower``, both (N, 2) x, y, crosses the row center.
    Vertical edges and vertices on a grid of 1/64 pixel (whole numbers among them) are exact in
    doubles as they are; the few others within NEAR of a tie are computed as fractions.
    """
    offset = x - 0.5
    near = np.flatnonzero(np.abs(offset - np.rint(offset)) < NEAR)
    if not len(near):
        return column
    ends = np.concatenate([upper[near], lower[near]], axis=1)
    exact = ((ends * _GRID == np.rint(ends * _GRID)) & (np.abs(ends) < _FINE / _GRID)).all(axis=1)
    exact |= ends[:, 0] == ends[:, 2]
    for index in near[~exact][:MAX_EXACT].tolist():
        (xa, ya), (xb, yb) = (tuple(map(Fraction, p[index].tolist())) for p in (upper, lower))
        center = int(row[index]) + Fraction(1, 2)
        crossing = xa + (center - ya) * (xb - xa) / (yb - ya)
        column[index] = -((Fraction(1, 2) - crossing) // 1)  # the ceiling of crossing - 1/2
    return column
