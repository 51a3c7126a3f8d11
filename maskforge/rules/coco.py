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

import math
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter

import numpy as np

from maskforge.geometry import Bitmap, Box, Ellipse, Geometry, Polygon, Polyline, Ring
from maskforge.rules._lines import band
from maskforge.rules._parity import crossings_of, ellipse_ring
from maskforge.rules._scratch import Scratch, Window
from maskforge.runs import Ints, Runs

TILES = False
"""Vertices are rounded, so shapes that share a part of an edge may contest pixels or leave some."""


def cover(regions: Sequence[tuple[Geometry, ...]], *, height: int, width: int) -> Runs:
    """Return the pixels of each region: the union of its geometries, clipped to the image."""
    pieces: list[tuple[int, Polygon | Bitmap]] = []
    for number, region in enumerate(regions):
        for geometry in region:
            pieces += [(number, piece) for piece in _pieces(geometry)]
    scratch, holes = (Scratch(height=height, width=width) for _ in range(2))
    rings = [
        ring for _, p in pieces if isinstance(p, Polygon) for ring in (p.exterior, *p.interiors)
    ]
    crossings = groupby(crossings_of(rings, scratch), key=itemgetter(0))
    for number, piece in pieces:
        if isinstance(piece, Bitmap):
            x, y = math.ceil(piece.x - 0.5), math.ceil(piece.y - 0.5)
            scratch.paste(number, piece.mask, x=x, y=y)
            continue
        window = _draw(scratch, piece.exterior, next(crossings)[1])
        for interior in piece.interiors:
            hole = _draw(holes, interior, next(crossings)[1])
            if hole is not None:
                scratch.erase(holes, hole)
        if window is not None:
            scratch.take(number, window)
    return scratch.runs()


def _draw(scratch: Scratch, ring: Ring, crossings: Iterable[tuple[int, Ints]]) -> Window | None:
    """Draw the inside of ``ring``; return its window, None if it lies outside the image."""
    window = scratch.window(*ring.min(axis=0).tolist(), *ring.max(axis=0).tolist())
    if window is not None:
        for _, places in crossings:
            scratch.toggle(places)
        scratch.fill_down(window)
    return window


def _pieces(geometry: Geometry) -> Sequence[Polygon | Bitmap]:
    match geometry:
        case Polygon() | Bitmap():
            return [geometry]
        case Box(x0, y0, x1, y1):
            return [Polygon(np.array([[x0, y0], [x0, y1], [x1, y1], [x1, y0]], dtype=np.float64))]
        case Ellipse():
            return [Polygon(ellipse_ring(geometry))]
        case Polyline():
            return [Polygon(ring) for ring in band(geometry)]
