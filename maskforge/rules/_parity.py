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

from maskforge.geometry import Ellipse, Ring
from maskforge.rules._scratch import Scratch, Window
from maskforge.runs import Ints

_SCALE = 5
_BATCH = 1 << 20
"""Crossings computed at a time."""


def fill(scratch: Scratch, rings: Sequence[Ring]) -> Window | None:
    """Draw the pixels inside an odd number of ``rings``; return their window, None if outside."""
    vertices = np.concatenate(rings)
    window = scratch.window(*vertices.min(axis=0).tolist(), *vertices.max(axis=0).tolist())
    if window is not None:
        for _, crossings in crossings_of(rings, scratch):
            scratch.toggle(crossings)
        scratch.fill_down(window)
    return window


def crossings_of(rings: Sequence[Ring], scratch: Scratch) -> Iterator[tuple[int, Ints]]:
    """Yield the number of a ring and places to toggle, ring after ring, each at least once.

    A place is the index in ``scratch.memory`` of the pixel at or below which a ring crosses the
    center line of a column. Filling downwards from there (``fill_down``) gives the inside.
    """
    if not rings:
        return
    vertices = rings[0] if len(rings) == 1 else np.concatenate(rings)
    lengths = np.array([len(ring) for ring in rings])
    ends = np.cumsum(lengths)
    following = np.arange(1, len(vertices) + 1)
    following[ends - 1] = ends - lengths
    # A C cast drops the fraction, below zero too, and so does astype.
    grid = (_SCALE * vertices + 0.5).astype(np.int64)
    ring_of = np.repeat(np.arange(len(rings)), lengths)
    done = 0
    for edge, row, column in _crossings(grid, grid[following], scratch.width):
        inside = row < scratch.height
        place = (row * scratch.stride + column)[inside]
        number = ring_of[edge[inside]]
        last = int(ring_of[edge[-1]]) if len(edge) else done
        bounds = np.searchsorted(number, np.arange(done, last + 2)).tolist()
        for ring, (begin, end) in enumerate(itertools.pairwise(bounds), start=done):
            yield ring, place[begin:end]
        done = last
    for ring in range(done + 1, len(rings)):
        yield ring, place[:0]


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


def _crossings(start: Ints, end: Ints, width: int) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Yield edge numbers, rows and columns where edges (N, 2) cross column center lines.

    The center line of column c lies between the grid columns 5c+2 and 5c+3. A row is the first
    one, from 0, whose center is at or below the crossing.
    """
    size = np.abs(end - start)
    wide = size[:, 0] >= size[:, 1]
    # The walk goes up the longer axis: an edge and its reverse take the same steps.
    back = np.where(wide, start[:, 0] > end[:, 0], start[:, 1] > end[:, 1])
    start, end = np.where(back[:, None], end, start), np.where(back[:, None], start, end)
    run = end - start
    slope = np.where(wide, run[:, 1], run[:, 0]) / np.maximum(size.max(axis=1), 1)
    left, right = np.minimum(start[:, 0], end[:, 0]), np.maximum(start[:, 0], end[:, 0])
    first = np.maximum((left + 2) // _SCALE, 0)
    count = np.maximum(np.minimum((right - 3) // _SCALE, width - 1) - first + 1, 0)
    total = np.cumsum(count)
    cuts = np.searchsorted(total, np.arange(_BATCH, total[-1] + 1, _BATCH)).tolist()
    for begin, stop in zip([0, *cuts], [*cuts, len(count)], strict=True):
        edge = np.repeat(np.arange(begin, stop), count[begin:stop])
        place = np.arange(len(edge)) + (total[begin] - count[begin])
        column = place - (total - count - first)[edge]
        u = _SCALE * column + 2
        v = np.empty(len(edge), dtype=np.int64)
        for part, rows in (
            (np.flatnonzero(wide[edge]), _wide_rows),
            (np.flatnonzero(~wide[edge]), _steep_rows),
        ):
            e = edge[part]
            v[part] = rows(u[part], start[e, 0], start[e, 1], slope[e])
        yield edge, np.maximum((v + 2) // _SCALE, 0), column


def _wide_rows(u: Ints, x: Ints, y: Ints, slope: NDArray[np.float64]) -> Ints:
    """Return the upper of the grid rows at grid columns ``u`` and ``u`` + 1."""
    step = u - x
    rows: Ints = np.minimum(y + slope * step + 0.5, y + slope * (step + 1) + 0.5).astype(np.int64)
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
