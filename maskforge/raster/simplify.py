"""Fewer points: outlines simplified so that neighbours still share their borders.

The outlines are cut into ``arcs``, and each arc is simplified once, whichever regions lie beside
it, so that no gap and no overlap comes between neighbours. ``stairs`` tells which points an arc
keeps. Where arcs would then cross, touch, or change sides, points are put back until they do not,
and so they are where a region would vanish or lose too much.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskforge.errors import UsageError
from maskforge.raster import arcs as arcs_
from maskforge.raster import runs as runs_
from maskforge.raster import stairs, trace
from maskforge.raster.arcs import Arcs, Floats
from maskforge.raster.geometry import Polygon
from maskforge.raster.raster import Cover
from maskforge.raster.regions import Regions
from maskforge.raster.runs import Ints, Runs
from maskforge.raster.trace import Outlines

HELD = 100
"""Regions of more pixels keep their IoU one by one, smaller ones as parts of their class."""

_GUESS = 12.0
_STEP = 0.85
"""The first tolerance tried for an IoU to keep is so many times the width of the strip along the
whole outline that may be lost; where that is too much it is lowered by this factor."""


@dataclass(frozen=True, slots=True, eq=False)
class Simplified:
    """Simplified regions, and what they lost.

    geometries: by region. points_before, points_after: vertices of all rings. region_iou: (R,) the
    pixels that each region covers, by the rule it was simplified for, against those it had.
    class_iou: the same by value, of all regions that have it.
    """

    geometries: tuple[tuple[Polygon, ...], ...]
    points_before: int
    points_after: int
    region_iou: Floats
    class_iou: dict[int, float]


def simplify(
    found: Regions,
    cover: Cover,
    *,
    tolerance: float | None = None,
    keep_iou: float | None = None,
) -> Simplified:
    """Return the polygons of ``found`` with fewer points.

    cover: the rule by which pixels are counted. tolerance: how far, in pixels, outlines may depart
    from the line through the middles of pixel edges. keep_iou: instead of it, at least how much,
    0 … 1, of each class and of each region of more than :data:`HELD` pixels must stay:
    intersection over union of the pixels before and after. One of the two must be given. Raises
    UsageError.
    """
    if (tolerance is None) == (keep_iou is None):
        raise UsageError("either a tolerance or an IoU to keep must be given")
    if tolerance is not None and not tolerance >= 0:
        raise UsageError(f"a tolerance must be 0 or more pixels, but got {tolerance}")
    if keep_iou is not None and not 0 <= keep_iou <= 1:
        raise UsageError(f"an IoU to keep must be from 0 to 1, but got {keep_iou}")
    if not len(found):
        return Simplified((), 0, 0, np.zeros(0), {})
    outlines, region = _whole(found)
    arcs = arcs_.of_outlines(outlines, height=found.height, width=found.width)
    beside = region[outlines.part].repeat(np.diff(arcs.ring))  # the region of each use of an arc
    allowed = np.full(len(arcs.closed), np.inf)
    if keep_iou is None:
        allowed[:] = min(float(tolerance or 0), found.height + found.width)
    else:
        np.minimum.at(allowed, arcs.use, _first_try(found, arcs, beside, 1 - keep_iou)[beside])
    lines = stairs.Lines.of(arcs)
    forced = np.zeros(len(lines.points), dtype=np.bool_)
    while True:
        kept = lines.chosen(allowed, forced)
        places = lines.placed(kept, allowed, forced)
        missing = lines.missing(kept, places)
        if missing.any():
            forced |= missing
            continue
        size = np.bincount(lines.arc[kept], minlength=len(arcs.closed))
        points, start = arcs_.joined(arcs, places, size)
        parts = trace.parts(Outlines(points, start, outlines.part), region)
        geometries = tuple(trace.grouped(parts, len(found)))
        covered = cover(geometries, height=found.height, width=found.width)
        iou, class_iou = _iou(found.runs, covered, len(found)), _class_iou(found, covered)
        again = arcs.use[_lost(found, iou, class_iou, keep_iou)[beside]]
        again = np.unique(again[allowed[again] >= stairs.EXACT])
        if not len(again):
            return Simplified(geometries, len(outlines.points), len(points), iou, class_iou)
        allowed[again] *= _STEP


def _whole(found: Regions) -> tuple[Outlines, Ints]:
    """Return the outlines of all parts of all regions, and the region of each part."""
    points: list[Floats] = []
    start: list[Ints] = []
    part: list[Ints] = []
    region: list[Ints] = []
    vertices = parts = 0
    for outlines, owner in trace.batches(found.runs, width=found.width):
        points.append(outlines.points)
        start.append(outlines.start + vertices)
        part.append(outlines.part + parts)
        region.append(owner)
        vertices += len(outlines.points)
        parts += len(owner)
    whole = Outlines(np.concatenate(points), np.concatenate(start), np.concatenate(part))
    return whole, np.concatenate(region)


def _first_try(found: Regions, arcs: Arcs, beside: Ints, lost: float) -> Floats:
    """Return for each region a tolerance by which it loses more than the part ``lost``."""
    steps = np.abs(np.diff(arcs.points, axis=0)).sum(axis=1)
    arc = np.arange(len(arcs.closed)).repeat(np.diff(arcs.start))
    within = arc[1:] == arc[:-1]
    length = np.bincount(arc[1:][within], weights=steps[within], minlength=len(arcs.closed))
    around = np.bincount(beside, weights=length[arcs.use], minlength=len(found))
    return np.maximum(_GUESS * lost * found.areas / np.maximum(around, 1), 2 * stairs.EXACT)


def _class_iou(found: Regions, covered: Runs) -> dict[int, float]:
    values, kind = np.unique(found.value, return_inverse=True)
    before, after = runs_.relabel(found.runs, kind), runs_.relabel(covered, kind)
    iou = _iou(before, after, len(values))
    return dict(zip(values.tolist(), iou.tolist(), strict=True))


def _iou(before: Runs, after: Runs, count: int) -> Floats:
    """Return the IoU of the regions 0 … count-1, (count,)."""
    both = Runs(
        np.concatenate([before.region, after.region]),
        np.concatenate([before.start, after.start]),
        np.concatenate([before.stop, after.stop]),
    )
    union = runs_.union(both).areas(count)
    common: Ints = before.areas(count) + after.areas(count) - union
    return common / np.maximum(union, 1)


def _lost(
    found: Regions, iou: Floats, class_iou: dict[int, float], keep_iou: float | None
) -> NDArray[np.bool_]:
    """Return the regions that lost too much, all of their pixels or more than is allowed, (R,)."""
    lost: NDArray[np.bool_] = iou == 0
    if keep_iou is None:
        return lost
    low, held = iou < keep_iou, found.areas > HELD
    lost |= low & held
    for value, kept in class_iou.items():
        if kept < keep_iou:
            mine = found.value == value
            small = mine & low & ~held
            lost |= small if small.any() else mine
    return lost
