"""What a COCO panoptic file says, and where its PNGs lie."""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec

from maskforge.errors import ReadError
from maskforge.io.files import safe_name
from maskforge.readers import _json

_SEGMENTS = re.compile(rb'"segments_info"\s*:')


class Segment(msgspec.Struct, gc=False):
    """A segment of an image."""

    id: int
    category_id: int | str
    iscrowd: int = 0


class Told(msgspec.Struct):
    """What the file says of an image's segments: an annotation."""

    image_id: int | str
    file_name: str
    segments_info: list[Segment]


class Image(msgspec.Struct, gc=False):
    """An image."""

    id: int | str
    file_name: str


class Category(msgspec.Struct, gc=False):
    """A class."""

    id: int | str
    name: str


class Whose(msgspec.Struct):
    """Which image an annotation is of that is otherwise damaged."""

    image_id: int | str


class _Info(msgspec.Struct):
    void: str | None = None


class File(msgspec.Struct):
    """A whole file. annotations: each a :class:`Told`, so that one that is not costs its image."""

    images: list[Image]
    annotations: list[msgspec.Raw]
    categories: list[Category]
    info: _Info | None = None


def load(path: Path) -> File:
    """Read a file. Raises ReadError."""
    return _json.load(_json.read_bytes(path), File, file=str(path))


def is_panoptic(path: Path, head: bytes) -> bool:
    """Tell whether a JSON file is one: by its beginning, or by the PNGs beside it."""
    if _SEGMENTS.search(head):
        return True
    return b'"images"' in head and b'"segmentation"' not in head and _has_pictures(path)


def _has_pictures(path: Path) -> bool:
    try:
        with os.scandir(path.with_suffix("")) as entries:
            return any(entry.name.lower().endswith(".png") for entry in entries)
    except OSError:
        return False


def picture(path: Path, name: str) -> Path:
    """Return the PNG that a file calls ``name``. Raises ReadError where it is not there."""
    inside = safe_name(name)
    places = (path.with_suffix(""), path.parent, path.parent.parent / path.stem)
    for folder in places:
        if os.path.isfile(folder / inside):
            return folder / inside
    raise ReadError(
        f"the PNG {name!r} must lie in {path.stem!r} beside the file, but does not",
        code="no-mask",
        file=str(path),
    )
