"""Regions made of rings and of runs: interiors taken out, parts united."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from maskforge.raster import runs
from maskforge.raster.geometry import Bitmap, Geometry, Polygon, Ring
from maskforge.raster.runs import Ints, Runs

Lowered: TypeAlias = Sequence[Polygon] | tuple[Ints, Ints]
"""What a rule makes of a geometry: polygons, or start and stop of its runs in the image."""


def cover(
    regions: Sequence[tuple[Geometry, ...]],
    *,
    lower: Callable[[Geometry], Lowered],
    ring_runs: Callable[[Sequence[Ring]], Runs],
) -> Runs:
    """Return the pixels of each region: the union of its geometries.

    lower: see :data:`Lowered`. ring_runs: returns the runs inside each of many rings.
    """
    rings: list[Ring] = []
    owner: list[int] = []  # of each ring: the number of its piece
    hole: list[bool] = []
    drawn: list[tuple[int, Ints, Ints]] = []
    region_of: list[int] = []  # of each piece: polygons that share their interiors, or runs
    for number, region in enumerate(regions):
        interiors = None
        for geometry in region:
            lowered = lower(geometry)
            if isinstance(lowered, tuple):
                drawn.append((len(region_of), *lowered))
                region_of.append(number)
                interiors = None
                continue
            for polygon in lowered:
                if polygon.interiors is not interiors:
                    interiors = polygon.interiors
                    region_of.append(number)
                    rings += interiors
                    hole += [True] * len(interiors)
                rings.append(polygon.exterior)
                hole.append(False)
                owner += [len(region_of) - 1] * (len(rings) - len(owner))
    pieces = _pieces(ring_runs(rings), np.array(owner, dtype=np.int64), np.array(hole, dtype=bool))
    tidy = any(hole) or len(set(owner)) == len(owner)
    if drawn:
        more = runs.gather(drawn)
        pieces = Runs(
            np.concatenate([pieces.region, more.region]),
            np.concatenate([pieces.start, more.start]),
            np.concatenate([pieces.stop, more.stop]),
        )
        tidy = not rings
    numbers = np.array(region_of, dtype=np.int64)
    if tidy and len(set(region_of)) == len(region_of):
        return Runs(numbers[pieces.region], pieces.start, pieces.stop)
    return runs.relabel(pieces, numbers)


def _pieces(drawn: Runs, owner: Ints, hole: NDArray[np.bool_]) -> Runs:
    """Return the runs of the exteriors of each piece, less those of its interiors."""
    if not hole.any():
        return Runs(owner[drawn.region], drawn.start, drawn.stop)
    inner = hole[drawn.region]
    exteriors, interiors = (
        Runs(owner[drawn.region[part]], drawn.start[part], drawn.stop[part])
        for part in (~inner, inner)
    )
    return runs.subtract(exteriors, interiors)


def bitmap(patch: Bitmap, *, height: int, width: int) -> tuple[Ints, Ints]:
    """Return start and stop of a bitmap laid on the nearest whole pixel, halves down."""
    x, y = (math.ceil(v - 0.5) for v in (patch.x, patch.y))
    start, stop = patch.start.astype(np.int64), patch.stop.astype(np.int64)
    return runs.placed(start, stop, of=patch.width, x=x, y=y, height=height, width=width)
