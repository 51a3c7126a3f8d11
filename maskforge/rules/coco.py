"""Bit for bit the pixels that pycocotools gives (``frPyObjects``, ``merge``, ``decode``).

Source: ``rleFrPoly`` and ``rleFrBbox`` in ``common/maskApi.c`` of the COCO API; OCHumanApi uses
the same. Vertices are rounded to a fifth of a pixel, see ``_parity``. In words: a pixel is in when
its center, so rounded, is inside by the even-odd rule.

Polygon: the exterior less each interior. Box: the polygon of its corners. The geometries of one
region are united. What the COCO tools cannot do: an ellipse is a ring of 2π√r vertices on it (at
least 32; r the longer half axis), a polyline the band of its width around it (flat ends, round
joints), and a bitmap is laid on the nearest whole pixel, halves down.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from maskforge.raster.geometry import Bitmap, Box, Ellipse, Geometry, Polygon, Polyline
from maskforge.raster.runs import Runs
from maskforge.rules import _pieces
from maskforge.rules._lines import band
from maskforge.rules._parity import ellipse_ring, ring_runs
from maskforge.rules._pieces import Lowered

TILES = False
"""Vertices are rounded, so shapes that share a part of an edge may contest pixels or leave some."""


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
            return [Polygon(np.array([[x0, y0], [x0, y1], [x1, y1], [x1, y0]], dtype=np.float64))]
        case Ellipse():
            return [Polygon(ellipse_ring(geometry))]
        case Polyline():
            return [Polygon(ring) for ring in band(geometry)]
        case Bitmap():
            return _pieces.bitmap(geometry, height=height, width=width)
