"""OCHuman's COCO style files: images, annotations and categories side by side."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from hashlib import sha256

import msgspec

from maskforge import rle
from maskforge.errors import GeometryError, Problem, ReadError
from maskforge.geometry import Bitmap, Geometry, Polygon
from maskforge.rasterize import MAX_PIXELS
from maskforge.readers import _json
from maskforge.readers._ochuman_image import Person, Record, ring

_EMPTY = re.compile(rb"null|\[\s*\]")
_FLAT = re.compile(rb"\[\s*[-0-9]")


class Category(msgspec.Struct):
    """A category as it stands in the file."""

    id: int | str
    name: str


class _Image(msgspec.Struct):
    id: int | str
    file_name: str
    height: float | None = None
    width: float | None = None


class _Link(msgspec.Struct):
    image_id: int | str


class _Annotation(msgspec.Struct):
    category_id: int | str | None = None
    segmentation: msgspec.Raw = msgspec.Raw(b"null")
    iscrowd: int | bool = 0
    num_keypoints: int | None = None
    keypoints: list[object] | None = None


class _Rle(msgspec.Struct):
    size: tuple[int, int]
    counts: str | list[int]


def records(
    images: Sequence[msgspec.Raw],
    annotations: Sequence[msgspec.Raw],
    categories: Sequence[Category],
    *,
    file: str,
    split: str | None,
) -> Iterator[Record | Problem]:
    """Yield what the file says about each image, a Problem where that cannot be made out."""
    names = {category.id: category.name for category in categories}
    by_image: dict[int | str, list[int]] = {}
    for index, raw in enumerate(annotations):
        try:
            by_image.setdefault(_json.load(raw, _Link, file=file).image_id, []).append(index)
        except ReadError as error:
            yield _json.within(error, f"annotations[{index}]").problem()
    seen: set[int | str] = set()
    for index, raw in enumerate(images):
        place = f"images[{index}]"
        try:
            image = _json.load(raw, _Image, file=file)
            if image.id in seen:
                raise ReadError(f"must have an id of its own, but {image.id!r} is taken", file=file)
            seen.add(image.id)
            own = {i: annotations[i] for i in by_image.get(image.id, ())}
            yield _record(image, own, names, file=file, place=place, split=split)
        except ReadError as error:
            if error.place.startswith("annotations["):
                yield error.problem()
            else:
                yield _json.within(error, place).problem()
    for stranger in by_image.keys() - seen:
        pass
