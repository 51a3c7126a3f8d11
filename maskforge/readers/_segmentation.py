"""What COCO calls a segmentation, in whichever file it stands, to regions.

A list of polygons, one polygon, or run lengths, as numbers or compressed to a text. The plane is
maskforge's: pixel (0, 0) covers [0, 1) x [0, 1).
https://cocodataset.org/#format-data and ``PythonAPI/pycocotools`` of
https://github.com/cocodataset/cocoapi say what they mean.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np

from maskforge.errors import GeometryError, Problem, ReadError
from maskforge.labels import clean
from maskforge.raster import geometry, rle, runs
from maskforge.raster.annotation import Region
from maskforge.raster.geometry import MAX_PIXELS, Bitmap, Box, Geometry, Polygon, Ring
from maskforge.readers import _json

MAX_BITMAP_PIXELS = 2**28
"""All bitmaps of one image together; run lengths of a few bytes can stand for gigabytes."""

_NOTHING = re.compile(rb"null|\[\s*\]|\{\s*\}|\"\"|")
_HOLLOW = re.compile(rb"\[[\s\[\],]*\]")
_FLAT = re.compile(rb"\[\s*[-0-9]")


class _Rle(msgspec.Struct):
    size: tuple[int, int]
    counts: str | list[int]


@dataclass(frozen=True, slots=True)
class Thing:
    """One annotation. ``shape`` makes its geometry when it is needed; None is one without a mask.

    place: where in the file it stands.
    """

    place: str
    label: str
    shape: Callable[[], tuple[Geometry, ...]] | None
    crowd: bool = False


def is_nothing(raw: msgspec.Raw) -> bool:
    """Whether a field is missing, null or empty."""
    view = memoryview(raw)
    return len(view) < 64 and _NOTHING.fullmatch(raw) is not None


def is_empty(raw: msgspec.Raw) -> bool:
    """Whether a field is nothing, or lists of nothing: some tools write ``[[]]`` for no mask."""
    return is_nothing(raw) or (len(memoryview(raw)) < 64 and _HOLLOW.fullmatch(raw) is not None)


def is_rle(raw: msgspec.Raw) -> bool:
    """Whether a segmentation is one of run lengths."""
    return bytes(memoryview(raw)[:1]) == b"{"


def shape(
    raw: msgspec.Raw, height: int | None, width: int | None, *, file: str, place: str
) -> tuple[Geometry, ...]:
    """Return what a segmentation covers; the size is the image's. Raises GeometryError, ReadError.

    Several polygons are parts of one thing. One of two points, which some tools write for a box or
    a line, covers nothing, as pycocotools has it.
    """
    if is_rle(raw):
        return _bitmap(_json.load(raw, _Rle, file=file, place=place), height, width, place=place)
    if _FLAT.match(raw):
        polygons = [_json.load(raw, list[float], file=file, place=place)]
    else:
        polygons = _json.load(raw, list[list[float]], file=file, place=place)
    rings = [ring(values, place=f"{place}[{i}]") for i, values in enumerate(polygons)]
    parts = tuple(Polygon(r) for r in rings if r is not None)
    if not parts:
        raise GeometryError(
            "a mask must have a polygon with at least 3 points, but has none",
            code="empty-shape",
            place=place,
        )
    return parts


def box(raw: msgspec.Raw, *, file: str, place: str) -> tuple[Geometry, ...]:
    """Return the box ``x, y, width, height``. Raises GeometryError, ReadError."""
    x, y, width, height = _json.load(raw, tuple[float, float, float, float], file=file, place=place)
    corners = geometry.points([(x, y), (x + width, y + height)])
    if width <= 0 or height <= 0:
        raise GeometryError(
            f"a box must be wider and higher than 0, but is {width} x {height}",
            code="empty-shape",
            place=place,
        )
    (left, top), (right, bottom) = corners.tolist()
    return (Box(left, top, right, bottom),)


def ring(values: Sequence[float], *, place: str) -> Ring | None:
    """Return the ring of ``x, y, x, y, …``, None when it has fewer than 3 points.

    Raises GeometryError.
    """
    if len(values) % 2:
        raise GeometryError(
            f"a polygon must be x, y by turns, but has {len(values)} numbers",
            code="bad-field",
            place=place,
        )
    try:
        return geometry.ring(np.array(values, dtype=np.float64).reshape(-1, 2))
    except GeometryError as error:
        if error.code == "empty-shape":
            return None
        raise GeometryError(error.message, code=error.code, place=place) from error


def regions(
    things: Iterable[Thing], *, file: str
) -> tuple[tuple[Region, ...], tuple[Problem, ...]]:
    """Return the regions of an image, and a problem for each thing that has or makes none.

    It is a warning where a thing covers nothing, an error where that cannot be made out.
    Raises GeometryError (code ``too-large``) for more than the limits allow.
    """
    found: list[Region] = []
    problems: list[Problem] = []
    pixels = many = 0
    for thing in things:
        try:
            if thing.shape is None:
                raise GeometryError("it has no mask and becomes background", code="no-mask")
            parts = thing.shape()
        except (GeometryError, ReadError) as error:
            problem = error.problem(file=file, place=thing.place)
            is_empty = error.code in ("empty-shape", "no-mask")
            problems.append(replace(problem, severity="warning") if is_empty else problem)
            continue
        bitmaps = [part for part in parts if isinstance(part, Bitmap)]
        pixels += sum(bitmap.height * bitmap.width for bitmap in bitmaps)
        many += sum(len(bitmap.start) for bitmap in bitmaps)
        if pixels > MAX_BITMAP_PIXELS:
            raise GeometryError(
                f"the masks of one image must have at most {MAX_BITMAP_PIXELS} pixels",
                code="too-large",
                place=thing.place,
            )
        runs.check(many)
        found.append(Region(clean(thing.label), parts, crowd=thing.crowd, place=thing.place))
    return tuple(found), tuple(problems)


def _bitmap(
    run_lengths: _Rle, height: int | None, width: int | None, *, place: str
) -> tuple[Geometry, ...]:
    rows, columns = run_lengths.size
    if rows < 1 or columns < 1 or rows * columns > MAX_PIXELS:
        raise GeometryError(
            f"a mask must have 1 to {MAX_PIXELS} pixels, but its size is {columns}x{rows}",
            code="bad-field" if rows < 1 or columns < 1 else "too-large",
            place=place,
        )
    if height not in (None, rows) or width not in (None, columns):
        raise GeometryError(
            f"the size must be that of the image, {width}x{height}, but is {columns}x{rows}",
            code="size-mismatch",
            place=place,
        )
    try:
        bitmap = rle.bitmap(run_lengths.counts, height=rows, width=columns)
    except GeometryError as error:
        raise GeometryError(error.message, code=error.code, place=f"{place}.counts") from error
    if not len(bitmap.start):
        raise GeometryError("a mask must have a pixel that is set", code="empty-shape", place=place)
    return (bitmap,)
