"""One image of an OCHuman file, whichever kind of file it stands in: who is taken, what of them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec
import numpy as np

from maskforge.errors import GeometryError, Problem, ReadError
from maskforge.raster import geometry, runs
from maskforge.raster.annotation import Annotation, Region, clean_label
from maskforge.raster.geometry import Bitmap, Geometry, Ring

Filter: TypeAlias = Literal["segm", "kpt", "segm&kpt", "all"]

MAX_BITMAP_PIXELS = 2**28
"""All bitmaps of one image together; run lengths of a few bytes can stand for gigabytes."""

_NOTHING = re.compile(rb"null|\[\s*\]|\{\s*\}|")


@dataclass(frozen=True, slots=True)
class Person:
    """One annotation. ``shape`` makes its geometry when it is needed; None is one without a mask.

    place: where in the file it stands. max_iou: None where the file does not say.
    """

    place: str
    shape: Callable[[], tuple[Geometry, ...]] | None
    keypoints: bool
    label: str = "person"
    max_iou: float | None = None
    crowd: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """What the file says about one image, before anybody was chosen. Sizes in pixels."""

    place: str
    file_name: str
    height: int | None
    width: int | None
    digest: str
    people: Sequence[Person]
    split: str | None


@dataclass(frozen=True, slots=True)
class Choice:
    """Which persons are taken."""

    filter: Filter
    low: float
    high: float

    @property
    def limits_iou(self) -> bool:
        """Whether the MaxIoU counts at all; the whole range takes 1.0, too."""
        return (self.low, self.high) != (0.0, 1.0)

    def takes(self, person: Person) -> bool:
        """Whether ``person`` is taken. Raises ReadError when the MaxIoU counts and is missing."""
        if "segm" in self.filter and person.shape is None:
            return False
        if "kpt" in self.filter and not person.keypoints:
            return False
        if not self.limits_iou:
            return True
        if person.max_iou is None:
            raise ReadError("must be a number for --max-iou", place=f"{person.place}.max_iou")
        return self.low <= person.max_iou < self.high


def annotation(record: Record, choice: Choice, *, source: Path) -> Annotation | Problem | None:
    """Return the annotation of ``record``, None when the choice leaves the image out.

    A Problem (``no-mask``, a warning) when persons were taken and none of them has a mask. Raises
    ReadError when the image cannot be used.
    """
    taken = [person for person in record.people if choice.takes(person)]
    if not taken and (record.people or choice.filter != "all"):
        return None
    regions, problems = _regions(taken, file=str(source))
    if taken and not regions:
        return Problem(
            "no-mask",
            str(source),
            f"an image must have a person with a mask, but has {len(taken)} without; left out",
            record.place,
            severity="warning",
        )
    if not record.file_name.strip():
        raise ReadError("must be the name of an image, but is empty", place=record.place)
    name = record.file_name.replace("\\", "/")
    return Annotation(
        name=name,
        source=source,
        digest=record.digest,
        regions=regions,
        place=record.place,
        image=_image(source.parent, name),
        height=record.height,
        width=record.width,
        split=record.split,
        problems=problems,
    )


def is_nothing(raw: msgspec.Raw) -> bool:
    """Whether a field is missing, null or empty."""
    return _NOTHING.fullmatch(raw) is not None


def ring(values: Sequence[float], *, place: str) -> Ring | None:
    """Return the ring of ``x, y, x, y, …``, None when it has fewer than 3 points.

    Raises GeometryError. Two points are what some tools write for a box or a line; pycocotools
    draws nothing for them either.
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


def _regions(
    people: Sequence[Person], *, file: str
) -> tuple[tuple[Region, ...], tuple[Problem, ...]]:
    regions: list[Region] = []
    problems: list[Problem] = []
    pixels = many = 0
    for person in people:
        try:
            if person.shape is None:
                raise GeometryError("a person has no mask and becomes background", code="no-mask")
            shape = person.shape()
            bitmaps = [part for part in shape if isinstance(part, Bitmap)]
            pixels += sum(bitmap.height * bitmap.width for bitmap in bitmaps)
            if pixels > MAX_BITMAP_PIXELS:
                raise GeometryError(
                    f"the masks of one image must have at most {MAX_BITMAP_PIXELS} pixels",
                    code="too-large",
                )
            many += sum(len(bitmap.start) for bitmap in bitmaps)
            runs.check(many)
        except GeometryError as error:
            place = error.place or person.place
            if error.code not in ("empty-shape", "no-mask"):
                raise ReadError(error.message, code=error.code, place=place) from error
            problems.append(Problem(error.code, file, error.message, place, severity="warning"))
            continue
        regions.append(
            Region(clean_label(person.label), shape, crowd=person.crowd, place=person.place)
        )
    return tuple(regions), tuple(problems)


def _image(folder: Path, name: str) -> Path:
    beside = folder / name
    inside = folder / "images" / name
    return beside if not _is_file(inside) and _is_file(beside) else inside


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # Path.is_file raises for names that are too long
