"""Even-odd fill of rings as the COCO tools do it, and rings for shapes that have none.

The COCO tools walk each edge on a grid of a fifth of a pixel, in whole steps along its longer
axis, and note where the walk goes through the center line of a pixel column; the pixels below an
odd number of such crossings are in (``rleFrPoly`` in ``common/maskApi.c``, pycocotools). Here the
step that crosses a column is computed and not walked to, with the same arithmetic in the same
order, so that time and memory depend on the columns crossed and not on the length of the edges.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from maskforge.raster import runs
from maskforge.raster.geometry import Ellipse, Ring
from maskforge.raster.runs import Ints, Runs
from maskforge.rules._scratch import Scratch, Window

_SCALE = 5
_BATCH = 1 << 20
"""Crossings computed at a time."""


def ring_runs(rings: Sequence[Ring], *, height: int, width: int) -> Runs:
    """Return the runs inside each ring, clipped to the image."""
    found = list(_crossings(rings, width=width)) if rings else []
    if not found:
        return runs.empty()
    number, row, column = (np.concatenate(parts) for parts in zip(*found, strict=True))
    edges = column * height + np.minimum(row, height)
    return runs.of_columns(edges, height=height, width=width, region=number)


def fill(scratch: Scratch, rings: Sequence[Ring]) -> Window | None:
    """Draw the pixels inside an odd number of ``rings``; return their window, None if outside."""
    vertices = np.concatenate(rings)
    window = scratch.window(*vertices.min(axis=0).tolist(), *vertices.max(axis=0).tolist())
    if window is not None:
        for _, row, column in _crossings(rings, width=scratch.width):
            scratch.toggle((row * scratch.stride + column)[row < scratch.height])
        scratch.fill_down(window)
    return window


def ellipse_ring(ellipse: Ellipse) -> Ring:
    """Return a ring of 2π√r vertices on the ellipse, at least 32, r its longer half axis.

    It departs from the ellipse by less than 1/8 pixel.
    """
    count = max(32, math.ceil(2 * math.pi * math.sqrt(max(ellipse.rx, ellipse.ry, 0))))
    angle = np.arange(count) * (2 * math.pi / count)
    along, across = ellipse.rx * np.cos(angle), ellipse.ry * np.sin(angle)
    cos, sin = math.cos(ellipse.theta), math.sin(ellipse.theta)
    return np.stack(
        [ellipse.cx + along * cos - across * sin, ellipse.cy + along * sin + across * cos], axis=1
    )


def _crossings(rings: Sequence[Ring], *, width: int) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Yield numbers of rings, rows and columns where their edges cross column center lines.

    The center line of column c lies between the grid columns 5c+2 and 5c+3. A row is the first
    one, from 0, whose center is at or below the crossing; it may be below the image.
    """
    lengths = np.array([len(ring) for ring in rings])
    ends = lengths.cumsum()
    # A C cast drops the fraction, below zero too, and so does astype.
    grid = (_SCALE * np.concatenate(rings) + 0.5).astype(np.int64).T.copy()
    after = np.empty_like(grid)
    after[:, :-1] = grid[:, 1:]
    after[:, ends - 1] = grid[:, ends - lengths]
    size = np.abs(after - grid)
    wide = size[0] >= size[1]
    # The walk goes up the longer axis: an edge and its reverse take the same steps.
    back = np.where(wide, grid[0] > after[0], grid[1] > after[1])
    (x, y), (dx, dy) = np.where(back, after, grid), np.where(back, grid - after, after - grid)
    slope = np.where(wide, dy, dx) / np.maximum(size.max(axis=0), 1)
    first = np.maximum((np.minimum(grid[0], after[0]) + 2) // _SCALE, 0)
    last = np.minimum((np.maximum(grid[0], after[0]) - 3) // _SCALE, width - 1)
    count = np.maximum(last - first + 1, 0)
    ring = np.repeat(np.arange(len(rings)), lengths)
    for kind, rows in ((wide, _wide_rows), (~wide, _steep_rows)):
        for part in _batches((kind & (count > 0)).nonzero()[0], count):
            many = count[part]
            column = np.repeat(first[part] - many.cumsum() + many, many)
            column += np.arange(len(column))
            v = rows(_SCALE * column + 2, *(np.repeat(a[part], many) for a in (x, y, slope)))
            yield np.repeat(ring[part], many), np.maximum((v + 2) // _SCALE, 0), column


def _batches(edges: Ints, count: Ints) -> list[Ints]:
    total = count[edges].cumsum()
    if not len(total):
        return []
    cuts = np.searchsorted(total, np.arange(_BATCH, total[-1] + 1, _BATCH)).tolist()
    return [edges[i:j] for i, j in itertools.pairwise([0, *cuts, len(edges)])]


def _wide_rows(u: Ints, x: Ints, y: Ints, slope: NDArray[np.float64]) -> Ints:
    """Return the upper of the grid rows at grid columns ``u`` and ``u`` + 1."""
    rows: Ints = (y + slope * (u - x + (slope < 0)) + 0.5).astype(np.int64)
    return rows


def _steep_rows(u: Ints, x: Ints, y: Ints, slope: NDArray[np.float64]) -> Ints:
    """Return the last grid row before the walk, one row a step, changes between u and u + 1."""
    right = slope > 0
    exact = (u + 0.5 - x) / slope
    step = np.where(right, np.ceil(exact), np.floor(exact) + 1) - 1
    for _ in range(2):  # the quotient is rounded: the first step beyond may be one off
        step += (x + slope * step + 0.5 >= u + 1) != right
    rows: Ints = y + step.astype(np.int64) - 1
    return rows
