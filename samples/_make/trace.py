"""From a silhouette to the outline that an annotator would click, and back to pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .canvas import SS, Mask

Outline = list[tuple[float, float]]


def rings(
    mask: Mask, *, tolerance: float = 0.22, smallest: float = 5.0
) -> tuple[list[Outline], list[Outline]]:
    """Return the outer and the inner outlines of a silhouette drawn SS times larger, in pixels.

    Outlines smaller than ``smallest`` square pixels are left out; none strays further than
    ``tolerance`` pixels from the edge.
    """
    outer: list[Outline] = []
    inner: list[Outline] = []
    for loop in _loops(mask):
        x, y = loop[:, 0], loop[:, 1]
        area = float(np.dot(x, np.roll(y, -1)) - np.dot(np.roll(x, -1), y)) / 2
        if abs(area) < smallest:
            continue
        ring = [(float(a), float(b)) for a, b in _simplify(loop, tolerance).round(2)]
        if len(ring) > 2:
            (outer if area > 0 else inner).append(ring)
    return outer, inner


def box(mask: Mask) -> tuple[int, int, int, int]:
    """Return x1, y1, x2, y2 of a silhouette in pixels, rounded outwards."""
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (
        int(cols[0]) // SS,
        int(rows[0]) // SS,
        int(cols[-1]) // SS + 1,
        int(rows[-1]) // SS + 1,
    )


def pixels(mask: Mask) -> Mask:
    """Return the pixels that a silhouette covers by half or more."""
    height, width = mask.shape[0] // SS, mask.shape[1] // SS
    covered = mask.reshape(height, SS, width, SS).sum(axis=(1, 3))
    return np.asarray(covered * 2 >= SS * SS)


def fill(outlines: list[Outline], *, height: int, width: int) -> Mask:
    """Return the pixels whose centers lie inside any of the outlines."""
    total = np.zeros((height, width), dtype=bool)
    for outline in outlines:
        ring = np.array(outline)
        (x1, y1), (x2, y2) = ring.T, np.roll(ring, -1, axis=0).T
        y = np.arange(height)[:, None] + 0.5
        rows, edges = np.nonzero((y1 <= y) != (y2 <= y))
        t = (rows + 0.5 - y1[edges]) / (y2[edges] - y1[edges])
        at = x1[edges] + t * (x2[edges] - x1[edges])
        crossings = np.zeros((height, width + 1), dtype=np.int32)
        np.add.at(crossings, (rows, np.clip(np.ceil(at - 0.5), 0, width).astype(int)), 1)
        total |= (crossings.cumsum(axis=1)[:, :width] % 2).astype(bool)
    return total


def _loops(mask: Mask) -> list[NDArray[np.float64]]:
    """Walk along the cracks between inside and outside, the inside on the right."""
    used_rows, used_cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(used_rows):
        return []
    top, left = used_rows[0], used_cols[0]
    grid = np.pad(mask[top : used_rows[-1] + 1, left : used_cols[-1] + 1], 1)
    stride = grid.shape[1]
    here = grid[1:-1, 1:-1]
    neighbours = (grid[:-2, 1:-1], grid[1:-1, 2:], grid[2:, 1:-1], grid[1:-1, :-2])
    # Directions 0 to 3 are east, south, west, north; the start corner of each side of a cell.
    corners, steps = ((0, 0), (0, 1), (1, 1), (1, 0)), (1, stride, -1, -stride)
    starts, directions = [], []
    for direction, neighbour in enumerate(neighbours):
        rows, cols = np.nonzero(here & ~neighbour)
        down, right = corners[direction]
        starts.append((rows + down) * stride + cols + right)
        directions.append(np.full(len(rows), direction))
    start, way = np.concatenate(starts), np.concatenate(directions)
    leaving = np.full((grid.size, 4), -1)
    leaving[start, way] = np.arange(len(start))
    end = start + np.array(steps)[way]
    following = np.full(len(start), -1)
    for turn in (1, 0, 3):
        candidate = leaving[end, (way + turn) % 4]
        following = np.where(following < 0, candidate, following)
    # The middles of the cracks lie on the edge on average; their corners lie outside of it.
    middle = np.stack([start % stride + end % stride, start // stride + end // stride], axis=1)
    middle = (middle / 2.0 + (left, top)) / SS
    return [middle[loop] for loop in _cycles(following.tolist())]


def _cycles(following: list[int]) -> list[list[int]]:
    seen = [False] * len(following)
    found = []
    for first in range(len(following)):
        loop = []
        index = first
        while not seen[index]:
            seen[index] = True
            loop.append(index)
            index = following[index]
        if loop:
            found.append(loop)
    return found


def _simplify(loop: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
    """Thin a closed line by Douglas and Peucker's rule."""
    far = int(np.argmax(((loop - loop[0]) ** 2).sum(axis=1)))
    closed = np.concatenate([loop, loop[:1]])
    keep = {0, far}
    todo = [(0, far), (far, len(loop))]
    while todo:
        a, b = todo.pop()
        if b - a < 2:
            continue
        chord = closed[b] - closed[a]
        offset = closed[a + 1 : b] - closed[a]
        length = float(np.hypot(chord[0], chord[1])) or 1.0
        distance = np.abs(chord[0] * offset[:, 1] - chord[1] * offset[:, 0]) / length
        worst = int(np.argmax(distance))
        if distance[worst] > tolerance:
            middle = a + 1 + worst
            keep.add(middle)
            todo += [(a, middle), (middle, b)]
    return closed[sorted(keep)]
