"""A pixel is in when its center is inside; the default, exact and unbiased.

Inside is decided by the even-odd rule of each ring: a pixel center is inside when an odd number of
edges lies at or left of it on its row. Edges are half-open in both directions, so two shapes that
share an edge, however they list it, neither contest a pixel nor leave a gap, and areas are
unbiased. The rule is that of scan conversion with sampling at pixel centers (Foley, van Dam,
Feiner, Hughes: Computer Graphics, section 3.6). Ties are decided exactly, see ``_ties``.

An ellipse is tested by its equation, a box as its four corners, a polyline as the band of its
width around it (flat ends, round joints); a bitmap is laid on the nearest whole pixel.
Interiors are taken out; the geometries of one region are united.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from maskforge.raster import runs
from maskforge.raster.geometry import Bitmap, Box, Ellipse, Geometry, Polygon, Polyline, Ring
from maskforge.raster.runs import Ints, Runs
from maskforge.rules import _pieces
from maskforge.rules._lines import band
from maskforge.rules._pieces import Lowered
from maskforge.rules._ties import settle

TILES = True
"""Shapes that share an edge never overlap and leave no gap."""


def cover(regions: Sequence[tuple[Geometry, ...]], *, height: int, width: int) -> Runs:
    """Return the pixels of each region: the union of its geometries, clipped to the image."""
    return _pieces.cover(
        regions,
        lower=partial(_lower, height=height, width=width),
        ring_runs=partial(ring_runs, height=height, width=width),
    )


def _lower(geometry: Geometry, *, height: int, width: int) -> Lowered:
    match geometry:
        case Polygon():
            return [geometry]
        case Box(x0, y0, x1, y1):
            return [Polygon(np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float64))]
        case Polyline():
            return [Polygon(ring) for ring in band(geometry)]
        case Ellipse():
            return _ellipse(geometry, height=height, width=width)
        case Bitmap():
            return _pieces.bitmap(geometry, height=height, width=width)


def ring_runs(rings: Sequence[Ring], *, height: int, width: int) -> Runs:
    """Return the runs inside each ring by the even-odd rule, clipped to the image.

    rings: float64 (N, 2) arrays of x, y. One pass over all edges of all rings.
    """
    if not rings:
        return runs.empty()
    vertices = np.concatenate(rings).T.copy()  # (2, E): one after the other is read twice as fast
    lengths = np.array([len(ring) for ring in rings])
    following = np.arange(1, vertices.shape[1] + 1)
    ends = lengths.cumsum()
    following[ends - 1] = ends - lengths
    after = vertices[:, following]
    # Every edge is taken from its upper end, so that two shapes that share it compute the same.
    down = vertices[1] <= after[1]
    upper = np.where(down, vertices, after)
    lower = np.where(down, after, vertices)
    # One crossing for each row whose center line the edge meets, in [upper, lower).
    rows = _rows(vertices[1], height)
    rows_after = rows[following]
    count = np.abs(rows_after - rows)
    crossings = count.cumsum()
    before = np.minimum(rows, rows_after) - crossings + count
    row = before.repeat(count)
    row += np.arange(len(row))
    column = _columns(upper, lower, count, row, width)
    # Sorted by ring, row, column, crossings pair up. A column right of the last pixel has a place
    # of its own, so that it does not fall into the next row; powers of two unpack without division.
    low, high = width.bit_length(), height.bit_length()
    ring = np.arange(len(rings)).repeat(lengths) << low + high
    key = ring.repeat(count) + (row << low) + column
    key.sort(kind="stable")  # rows go up and down along a ring: stretches, which it merges
    size = key[1::2] - key[0::2]
    full = size.nonzero()[0]
    begin = key[0::2].take(full)
    row = begin >> low
    start = (row & (1 << high) - 1) * width + (begin & (1 << low) - 1)
    return Runs(row >> high, start, start + size.take(full))


def _rows(y: NDArray[np.float64], height: int) -> Ints:
    """Return the first row whose center is at or below ``y``, within 0 … height."""
    return _within(np.ceil(y - 0.5), height)


def _columns(
    upper: NDArray[np.float64], lower: NDArray[np.float64], count: Ints, row: Ints, width: int
) -> Ints:
    """Return the first column whose center is at or right of each crossing, within 0 … width."""
    x0, y0, dx, dy = np.concatenate([upper, lower - upper]).repeat(count, axis=1)
    x = row.astype(np.float64)
    x += 0.5
    x -= y0
    x *= dx
    x /= dy
    x += x0
    x -= 0.5
    column = np.ceil(x)
    settle(column, x, upper, lower, count, row)
    return _within(column, width)


def _within(values: NDArray[np.float64], size: int) -> Ints:
    """Return ``values``, cut in place, as integers within 0 … size; numpy.clip is much slower."""
    np.maximum(values, 0, out=values)
    np.minimum(values, size, out=values)
    return values.astype(np.int64)


def _ellipse(ellipse: Ellipse, *, height: int, width: int) -> tuple[Ints, Ints]:
    """Return the runs of the pixel centers inside the ellipse.

    With u, v along the axes the ellipse is (u/rx)² + (v/ry)² < 1; on one row that is a quadratic
    in x, whose two roots are the ends.
    """
    none = np.zeros(0, dtype=np.int64)
    if not min(ellipse.rx, ellipse.ry) > 1e-9:
        return none, none
    cos, sin = np.cos(ellipse.theta), np.sin(ellipse.theta)
    a = (cos / ellipse.rx) ** 2 + (sin / ellipse.ry) ** 2
    b = cos * sin * (1 / ellipse.rx**2 - 1 / ellipse.ry**2)
    c = (sin / ellipse.rx) ** 2 + (cos / ellipse.ry) ** 2
    reach = np.hypot(ellipse.rx * sin, ellipse.ry * cos)  # half the height of the ellipse
    top, bottom = _rows(np.array([ellipse.cy - reach, ellipse.cy + reach]), height).tolist()
    row = np.arange(top, bottom)
    dy = row + 0.5 - ellipse.cy
    root = np.sqrt(np.maximum((b * dy) ** 2 - a * (c * dy**2 - 1), 0))
    middle = ellipse.cx - b * dy / a
    start, stop = (
        row * width + _within(np.ceil(middle + sign * root / a - 0.5), width) for sign in (-1, 1)
    )
    full = start < stop
    return start[full], stop[full]
