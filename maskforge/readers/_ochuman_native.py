"""``ochuman.json``: people nested in images, each person with outer and inner polygons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import msgspec

from maskforge.errors import GeometryError, Problem, ReadError
from maskforge.io.digests import digest
from maskforge.raster.geometry import Geometry, Polygon
from maskforge.readers import _json
from maskforge.readers._ochuman_image import Person, Record
from maskforge.readers._segmentation import is_nothing, ring

PUBLISHED_IMAGES = 5081
PUBLISHED_CHOSEN = 4731
"""Images with a person that has both a mask and keypoints."""
PUBLISHED_VAL = 2500

MAX_RING_PAIRS = 10_000
"""Outer times inner polygons of one person: each outer one is cut by all of the inner ones."""


class _Segms(msgspec.Struct):
    outer: list[list[float]]
    inner: list[list[float]] = []
    height: float | None = None
    width: float | None = None


class _Person(msgspec.Struct):
    segms: _Segms | None = None
    keypoints: msgspec.Raw = msgspec.Raw()
    max_iou: float | None = None


class _Image(msgspec.Struct):
    file_name: str
    annotations: list[_Person]
    height: float | None = None
    width: float | None = None


class _PersonOutline(msgspec.Struct):
    segms: msgspec.Raw = msgspec.Raw()
    keypoints: msgspec.Raw = msgspec.Raw()


class _ImageOutline(msgspec.Struct):
    annotations: list[_PersonOutline]


def records(images: Sequence[msgspec.Raw], *, file: str) -> Iterator[Record | Problem]:
    """Yield what the file says about each image, a Problem where that cannot be made out."""
    splits = _splits(images, file=file)
    for index, (raw, split) in enumerate(zip(images, splits, strict=True)):
        place = f"images[{index}]"
        try:
            yield _record(raw, split, file=file, place=place)
        except ReadError as error:
            yield error.problem()


def _record(raw: msgspec.Raw, split: str | None, *, file: str, place: str) -> Record:
    image = _json.load(raw, _Image, file=file, place=place)
    height = _json.pixels(image.height, file=file, place=f"{place}.height")
    width = _json.pixels(image.width, file=file, place=f"{place}.width")
    people = []
    for index, person in enumerate(image.annotations):
        here = f"{place}.annotations[{index}]"
        shape = None
        if person.segms is not None:
            _check_size(person.segms, height, width, file=file, place=f"{here}.segms")
            shape = partial(_shape, person.segms, place=f"{here}.segms")
        people.append(
            Person(
                here,
                "person",
                shape,
                keypoints=not is_nothing(person.keypoints),
                max_iou=person.max_iou,
            )
        )
    return Record(place, image.file_name, height, width, digest(raw), people, split)


def _check_size(
    segms: _Segms, height: int | None, width: int | None, *, file: str, place: str
) -> None:
    pairs = ((segms.height, height), (segms.width, width))
    if any(None not in pair and pair[0] != pair[1] for pair in pairs):
        raise ReadError(
            f"the size must be that of the image, {width}x{height}, "
            f"but is {segms.width}x{segms.height}",
            code="size-mismatch",
            file=file,
            place=place,
        )


def _shape(segms: _Segms, *, place: str) -> tuple[Geometry, ...]:
    """The union of the outer rings less the union of the inner ones."""
    if len(segms.outer) * len(segms.inner) > MAX_RING_PAIRS:
        raise GeometryError(
            f"outer times inner polygons must be at most {MAX_RING_PAIRS}, "
            f"but are {len(segms.outer)} times {len(segms.inner)}",
            code="too-large",
            place=place,
        )
    outer = [ring(v, place=f"{place}.outer[{i}]") for i, v in enumerate(segms.outer)]
    inner = [ring(v, place=f"{place}.inner[{i}]") for i, v in enumerate(segms.inner)]
    interiors = tuple(r for r in inner if r is not None)
    shape = tuple(Polygon(r, interiors) for r in outer if r is not None)
    if not shape:
        raise GeometryError(
            "a mask must have an outer polygon with at least 3 points, but has none",
            code="empty-shape",
            place=place,
        )
    return shape


def _splits(images: Sequence[msgspec.Raw], *, file: str) -> list[str | None]:
    """Return the published split of each image; all None unless the whole dataset is here."""
    none: list[str | None] = [None] * len(images)
    if len(images) != PUBLISHED_IMAGES:
        return none
    try:
        chosen = [i for i, raw in enumerate(images) if _has_both(raw, file=file)]
    except ReadError:  # it is told, with its place, when that image's turn comes
        return none
    if len(chosen) != PUBLISHED_CHOSEN:
        return none
    splits = none.copy()
    for rank, index in enumerate(chosen):
        splits[index] = "val" if rank < PUBLISHED_VAL else "test"
    return splits


def _has_both(raw: msgspec.Raw, *, file: str) -> bool:
    people = _json.load(raw, _ImageOutline, file=file).annotations
    return any(
        not is_nothing(person.segms) and not is_nothing(person.keypoints) for person in people
    )
