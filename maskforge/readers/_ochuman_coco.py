"""OCHuman's COCO style files: images, annotations and categories side by side."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from hashlib import sha256

import msgspec

from maskforge.errors import GeometryError, Problem, ReadError
from maskforge.raster import rle
from maskforge.raster.geometry import MAX_PIXELS, Geometry, Polygon
from maskforge.readers import _json
from maskforge.readers._ochuman_image import Person, Record, is_nothing, ring

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
    segmentation: msgspec.Raw = msgspec.Raw()
    iscrowd: int | bool = 0
    num_keypoints: int | None = None
    keypoints: msgspec.Raw = msgspec.Raw()


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
            link = _json.load(raw, _Link, file=file, place=f"annotations[{index}]")
            by_image.setdefault(link.image_id, []).append(index)
        except ReadError as error:
            yield error.problem()
    for index, raw in enumerate(images):
        place = f"images[{index}]"
        try:
            image = _json.load(raw, _Image, file=file, place=place)
            own = {i: annotations[i] for i in by_image.pop(image.id, ())}
            yield _record(image, own, names, file=file, place=place, split=split)
        except ReadError as error:
            yield error.problem()
    for image_id, indices in by_image.items():
        yield Problem(
            "bad-field",
            file,
            f"must be the id of an image in the file, but got {image_id!r}",
            f"annotations[{indices[0]}].image_id",
        )


def _record(
    image: _Image,
    annotations: Mapping[int, msgspec.Raw],
    names: Mapping[int | str, str],
    *,
    file: str,
    place: str,
    split: str | None,
) -> Record:
    # In COCO files a size of 0 says as much as no size.
    height = _json.pixels(image.height or None, file=file, place=f"{place}.height")
    width = _json.pixels(image.width or None, file=file, place=f"{place}.width")
    people = []
    digest = sha256(msgspec.json.encode((image, names)))
    for index, raw in annotations.items():
        here = f"annotations[{index}]"
        item = _json.load(raw, _Annotation, file=file, place=here)
        shape = None
        if not is_nothing(item.segmentation):
            shape = partial(
                _shape, item.segmentation, height, width, file=file, place=f"{here}.segmentation"
            )
        if item.num_keypoints is None:
            keypoints = not is_nothing(item.keypoints)
        else:
            keypoints = item.num_keypoints > 0
        label = "person" if item.category_id is None else names.get(item.category_id, "person")
        people.append(Person(here, shape, keypoints, label, crowd=bool(item.iscrowd)))
        digest.update(msgspec.json.encode(item))
    return Record(place, image.file_name, height, width, digest.hexdigest(), people, split)


def _shape(
    raw: msgspec.Raw, height: int | None, width: int | None, *, file: str, place: str
) -> tuple[Geometry, ...]:
    if bytes(memoryview(raw)[:1]) == b"{":
        return _bitmap(_json.load(raw, _Rle, file=file, place=place), height, width, place=place)
    if _FLAT.match(raw):
        polygons = [_json.load(raw, list[float], file=file, place=place)]
    else:
        polygons = _json.load(raw, list[list[float]], file=file, place=place)
    rings = [ring(values, place=f"{place}[{i}]") for i, values in enumerate(polygons)]
    shape = tuple(Polygon(r) for r in rings if r is not None)
    if not shape:
        raise GeometryError(
            "a mask must have a polygon with at least 3 points, but has none",
            code="empty-shape",
            place=place,
        )
    return shape


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
