"""Labelme JSON, every generation from 2.x to 7.x: one file describes one image.

https://github.com/wkentaro/labelme (``labelme/_label_file.py`` and ``labelme/_utils/shape.py`` of
7.1.0, ``labelme/label_file.py`` of older ones say what the files hold).

Kept: every shape with its label (``person-1`` of 3.x stays as it is) and group, the embedded image
as it stands, not decoded. Dropped: flags, descriptions, colors, keys of other tools.
A shape that covers nothing, which the drawing window can make by accident, is left out with a
warning; one that cannot be drawn withholds its image (``--bad-shape``), because a mask that misses
a region in silence is worse than none.

Also read is what programs that descend from Labelme write: X-AnyLabeling's rectangle of four
corners, ``rotation``, ``quadrilateral`` and ``cuboid`` (the hull of its corners), AnyLabeling's
``line`` of three points, kinds in capitals, and ``ellipse``
(https://github.com/Angelo-scut/Labelme-improved: center and a point on each axis; two or four
points are the corners of its box).

Coordinates are not moved: Labelme's canvas has pixel (0, 0) covering [0, 1) x [0, 1), as maskforge
has. A line is ``line_width`` pixels wide, a point is a disc of radius ``point_size``: the defaults
are what Labelme's own export draws.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from maskforge.errors import Problem, ReadError, UsageError
from maskforge.io.digests import digest
from maskforge.labels import clean
from maskforge.raster.annotation import Annotation
from maskforge.readers import _json, _labelme_shapes
from maskforge.readers._labelme_shapes import Shape

TITLE = "Labelme JSON"
SUFFIXES = (".json",)
DEFAULT_OUTPUT = "label"
DEFAULT_FILE = None
REGIONS = True

_SUFFIX = re.compile(r"\.\w{1,8}")


@dataclass(frozen=True)
class Options:
    """What a user can say about Labelme files."""

    line_width: float = field(
        default=10.0,
        metadata={"help": "width of line and linestrip shapes, in pixels", "metavar": "PIXELS"},
    )
    point_size: float = field(
        default=5.0,
        metadata={"help": "radius of point and points shapes, in pixels", "metavar": "PIXELS"},
    )

    def __post_init__(self) -> None:
        for name in ("line_width", "point_size"):
            value = getattr(self, name)
            if not 0 < value <= 1e6:
                raise UsageError(f"{name} must be above 0 and at most 1000000, but got {value}")


class _Head(msgspec.Struct, rename="camel", gc=False, kw_only=True):
    image_path: str | None = None
    image_data: msgspec.Raw = msgspec.Raw(b"null")
    image_height: float | None = None
    image_width: float | None = None


class _File(_Head, gc=False, kw_only=True):
    shapes: list[Shape]


class _Loose(_Head, gc=False, kw_only=True):
    shapes: list[msgspec.Raw]


class _Label(msgspec.Struct, gc=False):
    label: str


class _Labels(msgspec.Struct, gc=False):
    shapes: list[_Label]


def sniff(path: Path, head: bytes) -> str | None:
    """Return why ``head``, the first bytes of a file, are those of a Labelme file, or None."""
    seen: set[str] = set()
    for key in _json.outline(head):
        seen.add(key)
        if key == "imageData":  # 5 MB of it may stand before the shapes
            return "top-level key 'imageData'"
        if {"shapes", "imagePath"} <= seen:
            return "top-level keys 'shapes' and 'imagePath'"
        if {"shapes[].label", "shapes[].points"} <= seen:
            return "top-level key 'shapes', with labels and points in it"
    return None


def labels(path: Path, options: Options) -> set[str]:
    """Return the labels of all shapes in ``path``. Raises ReadError."""
    file = _load(_json.read_bytes(path), _Labels, file=str(path))
    return {clean(shape.label) for shape in file.shapes} - {""}


def read(path: Path, options: Options) -> Iterator[Annotation | Problem]:
    """Yield the one annotation in ``path``; of the image, nothing is opened.

    Raises ReadError for a file that is damaged or no Labelme file.
    """
    data = _json.read_bytes(path)
    file, shapes, broken = _shapes(data, file=str(path))
    regions, problems = _labelme_shapes.regions(
        shapes,
        line_width=options.line_width,
        point_size=options.point_size,
        file=str(path),
    )
    image, suffix = _image(path, file.image_path)
    yield Annotation(
        name=path.stem + suffix,
        source=path,
        digest=digest(data),
        regions=regions,
        image=image,
        height=_json.pixels(file.image_height, file=str(path), place="imageHeight"),
        width=_json.pixels(file.image_width, file=str(path), place="imageWidth"),
        embedded=_embedded(file.image_data, file=str(path)),
        problems=(*broken, *problems),
    )


def _shapes(data: bytes, *, file: str) -> tuple[_Head, dict[int, Shape], list[Problem]]:
    """Return what the file says, its shapes by number, and what is wrong with the other ones."""
    try:
        found = _load(data, _File, file=file)
        return found, dict(enumerate(found.shapes)), []
    except ReadError as error:
        if error.code != "bad-field" or not error.place.startswith("shapes["):
            raise
    loose = _load(data, _Loose, file=file)
    shapes, problems = {}, []
    for index, raw in enumerate(loose.shapes):
        try:
            shapes[index] = _json.load(raw, Shape, file=file, place=f"shapes[{index}]")
        except ReadError as error:
            problems.append(error.problem())
    return loose, shapes, problems


def _load(data: bytes, into: type[_json.T], *, file: str) -> _json.T:
    try:
        return _json.load(data, into, file=file)
    except ReadError as error:
        if error.code != "bad-field" or error.place:
            raise
        raise ReadError(
            f"a Labelme file {error.message}", code="wrong-format", file=file
        ) from error


def _image(path: Path, image_path: str | None) -> tuple[Path | None, str]:
    """Return where the image should be, and the suffix of its name.

    Labelme itself reads ``imagePath`` as a Windows path, whoever wrote it. Files that name
    themselves exist: Labelme's own tutorial has one.
    """
    text = (image_path or "").replace("\\", "/").rstrip("/")
    suffix = os.path.splitext(text)[1]
    if not text or suffix.lower() == ".json":
        return None, ".png"
    elsewhere = text[1:2] == ":" or text.startswith("//") or "://" in text
    image = Path(text) if elsewhere else path.parent / text
    return image, suffix if _SUFFIX.fullmatch(suffix) else ".png"


def _embedded(raw: msgspec.Raw, *, file: str) -> memoryview | None:
    view = memoryview(raw)
    start = bytes(view[:5])
    if start.startswith(b'"'):
        return view[1:-1] if len(view) > 2 else None
    if start == b"null":
        return None
    raise ReadError("must be base64 text or null", file=file, place="imageData")
