"""One image of an OCHuman file, whichever kind of file it stands in: who is taken, what of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from maskforge.errors import Problem, ReadError
from maskforge.raster.annotation import Annotation
from maskforge.readers._names import image_name
from maskforge.readers._segmentation import Thing
from maskforge.readers._segmentation import regions as regions_of

Filter: TypeAlias = Literal["segm", "kpt", "segm&kpt", "all"]


@dataclass(frozen=True, slots=True)
class Person(Thing):
    """One annotation. max_iou: None where the file does not say."""

    keypoints: bool = False
    max_iou: float | None = None


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
    ReadError or GeometryError when the image cannot be used.
    """
    taken = [person for person in record.people if choice.takes(person)]
    if not taken and (record.people or choice.filter != "all"):
        return None
    regions, problems = regions_of(taken, file=str(source))
    if taken and not regions and all(p.severity != "error" for p in problems):
        return Problem(
            "no-mask",
            str(source),
            f"an image must have a person with a mask, but has {len(taken)} without; left out",
            record.place,
            severity="warning",
        )
    name = image_name(record.file_name)
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


def _image(folder: Path, name: str) -> Path:
    beside = folder / name
    inside = folder / "images" / name
    return beside if not _is_file(inside) and _is_file(beside) else inside


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # Path.is_file raises for names that are too long
