"""Bit for bit the pixels that ``cv2.fillPoly`` gives on vertices that lose their fraction.

Source: the VIA book's script, which casts vertices to int32 and calls ``fillPoly``. In words: a
vertex is the center of a pixel, and edges belong to the shape, those of interiors too.

Polygon: one ``fillPoly`` of the exterior with its interiors, even-odd. Box: ``fillPoly`` of its
four corners. Circle: ``circle``; Ellipse: ``ellipse`` by whole half axes, the angle in degrees;
Polyline: ``polylines`` of round(width), 1 to 32767; Bitmap: laid on (int(x), int(y)), clipped.
The geometries of one region are united. Where OpenCV does not end in reasonable time (a polygon
whose edges lie in their thousands over one another, on purpose), it is filled by the even-odd rule
of ``coco`` around the pixel centers, and its edges are drawn by ``polylines``: a few pixels differ.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from maskforge.raster.geometry import Bitmap, Box, Ellipse, Geometry, Polygon, Polyline, Ring
from maskforge.raster.runs import Runs
from maskforge.rules._parity import fill
from maskforge.rules._scratch import Scratch

TILES = False
"""Edges belong to the shape, so shapes that share an edge contest its pixels."""

_FEW = 500
_FAR = 32768
_MAX_EFFORT = 1e9
_MAX_THICKNESS = 32767


def cover(regions: Sequence[tuple[Geometry, ...]], *, height: int, width: int) -> Runs:
    """Return the pixels of each region: the union of its geometries, clipped to the image."""
    scratch = Scratch(height=height, width=width)
    for number, region in enumerate(regions):
        for geometry in region:
            match geometry:
                case Polygon(exterior, interiors):
                    _rings(scratch, number, [exterior, *interiors])
                case Box():
                    _rings(scratch, number, [_corners(geometry)])
                case Ellipse():
                    _ellipse(scratch, number, geometry)
                case Polyline():
                    _polyline(scratch, number, geometry)
                case Bitmap():
                    scratch.paste(number, geometry.mask, x=int(geometry.x), y=int(geometry.y))
    return scratch.runs()


def _rings(scratch: Scratch, number: int, rings: Sequence[Ring]) -> None:
    whole = [ring.astype(np.int32) for ring in rings]
    x, y, w, h = cv2.boundingRect(whole[0] if len(whole) == 1 else np.concatenate(whole))
    window = scratch.window(x, y, x + w, y + h)
    if window is None:
        return
    if (sum(map(len, whole)) > _FEW or y < -_FAR) and _is_slow(whole, scratch.height):
        window = fill(scratch, [np.trunc(ring) + 0.5 for ring in rings])
        cv2.polylines(scratch.pixels, whole, isClosed=True, color=1)
    else:
        cv2.fillPoly(scratch.pixels, whole, 1)
    if window is not None:
        scratch.take(number, window)


def _corners(box: Box) -> Ring:
    x0, y0, x1, y1 = box.x_min, box.y_min, box.x_max, box.y_max
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], dtype=np.float64)


def _is_slow(rings: list[NDArray[np.int32]], height: int) -> bool:
    """Say whether fillPoly would take long.

    On each row from the first vertex down, above the image too, it sorts the edges it finds there,
    in a time that can grow with the square of their number.
    """
    ys = [np.minimum(ring[:, 1], height).astype(np.int64) for ring in rings]
    rows = height - min(int(y.min()) for y in ys)
    crossed = sum(int(np.abs(np.diff(y, append=y[:1])).sum()) for y in ys)
    return crossed**2 > _MAX_EFFORT * rows


def _ellipse(scratch: Scratch, number: int, ellipse: Ellipse) -> None:
    cx, cy, rx, ry = (int(v) for v in (ellipse.cx, ellipse.cy, ellipse.rx, ellipse.ry))
    reach = max(rx, ry) + 1
    window = scratch.window(cx - reach, cy - reach, cx + reach, cy + reach)
    if window is None:
        return
    if ellipse.rx == ellipse.ry:
        cv2.circle(scratch.pixels, (cx, cy), rx, 1, cv2.FILLED)
    else:
        angle = math.degrees(ellipse.theta)
        cv2.ellipse(scratch.pixels, (cx, cy), (rx, ry), angle, 0, 360, 1, cv2.FILLED)
    scratch.take(number, window)


def _polyline(scratch: Scratch, number: int, line: Polyline) -> None:
    thickness = min(max(round(line.width), 1), _MAX_THICKNESS)
    points = line.points.astype(np.int32)
    x, y, w, h = cv2.boundingRect(points)
    window = scratch.window(x - thickness, y - thickness, x + w + thickness, y + h + thickness)
    if window is not None:
        cv2.polylines(scratch.pixels, [points], isClosed=False, color=1, thickness=thickness)
        scratch.take(number, window)
