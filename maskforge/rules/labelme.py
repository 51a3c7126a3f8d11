"""Bit for bit the pixels that labelme 6.3.1 gives, with the installed Pillow.

Source: ``labelme/utils/shape.py`` of labelme 6.3.1, which draws with ``PIL.ImageDraw``. In words:
coordinates lose their fraction, a vertex is the center of a pixel, and edges belong to the shape.

Polygon: ``polygon(outline, fill)``, even-odd. Box: ``rectangle``, both corners included. Ellipse
with its axes upright, so each circle and point: ``ellipse`` in its bounding box. Polyline:
``line`` of int(width), at least 1, without joints. Bitmap: laid on (int(x), int(y)), clipped.

What labelme cannot do: interiors are drawn in the same way to erase; a slanted ellipse is a
polygon of 2π√r vertices on it (at least 32; r the longer half axis); the geometries of one region
are united. Where Pillow overflows or does not end in reasonable time, labelme is not followed: a
circle or ellipse more than 32768 pixels across is such a polygon too, a polygon of more than
20,000 vertices is filled by the even-odd rule of ``coco`` around the pixel centers and its edges
are drawn as lines, and a line of width 1 with a coordinate beyond ±32768 is clipped before it is
drawn: a few pixels along the edges differ.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from maskforge.raster.geometry import Bitmap, Box, Ellipse, Geometry, Polygon, Polyline
from maskforge.raster.runs import Runs
from maskforge.rules._parity import ellipse_ring, fill
from maskforge.rules._scratch import Scratch

TILES = False
"""Edges belong to the shape, so shapes that share an edge contest its pixels."""

_FAR = 32768
_MAX_VERTICES = 20_000


def cover(regions: Sequence[tuple[Geometry, ...]], *, height: int, width: int) -> Runs:
    """Return the pixels of each region: the union of its geometries, clipped to the image."""
    scratch = Scratch(height=height, width=width)
    pen = _pen(scratch)
    for number, region in enumerate(regions):
        for geometry in region:
            match geometry:
                case Polygon():
                    _polygon(scratch, pen, number, geometry)
                case Box(x0, y0, x1, y1):
                    window = scratch.window(x0, y0, x1, y1)
                    if window is not None:
                        pen.rectangle([x0, y0, x1, y1], fill=1, outline=1)
                        scratch.take(number, window)
                case Ellipse():
                    _ellipse(scratch, pen, number, geometry)
                case Polyline():
                    _polyline(scratch, pen, number, geometry)
                case Bitmap():
                    scratch.paste(number, geometry.mask, x=int(geometry.x), y=int(geometry.y))
    return scratch.runs()


def _pen(scratch: Scratch) -> ImageDraw.ImageDraw:
    """Return a Pillow pen that draws straight into the memory of ``scratch``."""
    size = (scratch.width, scratch.height)
    image = Image.frombuffer("L", size, scratch.memory, "raw", "L", scratch.stride, 1)
    image.readonly = 0  # else drawing begins with a copy
    pen = ImageDraw.Draw(image)
    pen.point([0, 0], fill=1)
    if not scratch.pixels[0, 0]:
        raise RuntimeError("Pillow must draw into shared memory, but this version draws on a copy")
    scratch.pixels[0, 0] = 0
    return pen


def _polygon(scratch: Scratch, pen: ImageDraw.ImageDraw, number: int, polygon: Polygon) -> None:
    xy = polygon.exterior.ravel().tolist()
    xs, ys = xy[0::2], xy[1::2]
    window = scratch.window(min(xs), min(ys), max(xs), max(ys))
    if window is None:
        return
    rings = (polygon.exterior, *polygon.interiors)
    if max(map(len, rings)) > _MAX_VERTICES:  # Pillow's time grows with the square
        window = fill(scratch, [np.trunc(ring) + 0.5 for ring in rings])
        for ring in rings:
            closed = np.concatenate([ring, ring[:1]])
            _thin_line(scratch, pen, closed, ink=int(ring is polygon.exterior))
    else:
        pen.polygon(xy, fill=1, outline=1)
        for interior in polygon.interiors:
            pen.polygon(interior.ravel().tolist(), fill=0, outline=0)
    if window is not None:
        scratch.take(number, window)


def _ellipse(scratch: Scratch, pen: ImageDraw.ImageDraw, number: int, ellipse: Ellipse) -> None:
    cx, cy, rx, ry = ellipse.cx, ellipse.cy, ellipse.rx, ellipse.ry
    upright = ellipse.theta == 0 or rx == ry
    if not upright or 2 * max(rx, ry) > _FAR:  # Pillow overflows
        _polygon(scratch, pen, number, Polygon(ellipse_ring(ellipse)))
        return
    box = (cx - rx, cy - ry, cx + rx, cy + ry)
    window = scratch.window(*box)
    if window is not None:
        pen.ellipse(box, fill=1, outline=1)
        scratch.take(number, window)


def _polyline(scratch: Scratch, pen: ImageDraw.ImageDraw, number: int, line: Polyline) -> None:
    width = max(int(line.width), 1)
    (x0, y0), (x1, y1) = line.points.min(axis=0).tolist(), line.points.max(axis=0).tolist()
    window = scratch.window(x0 - width, y0 - width, x1 + width, y1 + width)
    if window is None:
        return
    if width == 1:
        _thin_line(scratch, pen, line.points, ink=1)
    else:
        pen.line(line.points.ravel().tolist(), fill=1, width=width)
    scratch.take(number, window)


def _thin_line(
    scratch: Scratch, pen: ImageDraw.ImageDraw, points: NDArray[np.float64], *, ink: int
) -> None:
    parts = [points.ravel().tolist()]
    if np.abs(points).max() > _FAR:  # Pillow would walk each pixel on the way
        parts = _clipped(points, height=scratch.height, width=scratch.width)
    for part in parts:
        pen.line(part, fill=ink, width=1)


def _clipped(points: NDArray[np.float64], *, height: int, width: int) -> list[list[float]]:
    """Return the parts of the line through ``points`` in and around the image, flat lists."""
    import shapely  # takes long to import and is hardly ever needed here

    line = shapely.LineString(points)
    clipped = shapely.clip_by_rect(line, -width, -height, 2 * width, 2 * height)
    parts = shapely.get_parts(clipped)
    return [shapely.get_coordinates(p).ravel().tolist() for p in parts if not p.is_empty]
