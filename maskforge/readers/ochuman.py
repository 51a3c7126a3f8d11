"""OCHuman: one file describes many images of people who hide each other.

https://github.com/liruilong940607/OCHumanApi (``ochumanApi/ochuman.py`` says what the files hold,
what its filters choose and where the splits are cut). Two kinds of file are read:

- ``ochuman.json``: a person is the union of ``segms.outer`` less the union of ``segms.inner``.
- COCO style, such as ``ochuman_coco_format_val_range_0.00_1.00.json``: ``segmentation`` is a
  compressed RLE, a list of run lengths or a list of polygons; ``iscrowd`` becomes a crowd region;
  the label is the name of the category, ``person`` where there is none.

``filter`` says which persons are taken: ``segm``, those with a mask; ``kpt``, those with keypoints;
``segm&kpt``, those with both; ``all``. Images without a person that was taken are left out, except
by ``all``. ``max_iou`` takes the persons whose MaxIoU, how much they overlap another one, is in the
range. Whoever is not taken becomes background, as in OCHuman's own API. So does a person without
a mask: ``kpt`` and ``all`` may take such persons, and warn; an image with nobody but such persons
would teach a network that people are background, and is left out with a warning.

Splits: with the full ``ochuman.json`` (5081 images, 4731 of them with a person that has a mask and
keypoints) the first 2500 of these, in the file's order, are "val" and the others "test". A COCO
file is a split when name and number of images (2500, 2231) are the published ones.

Dropped: boxes, keypoints, links, areas.
Coordinates are not moved: COCO's plane has pixel (0, 0) covering [0, 1) x [0, 1), as maskforge has.
Images lie in ``images/`` beside the file, or beside the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import msgspec

from maskforge.errors import GeometryError, Problem, ReadError, UsageError
from maskforge.raster.annotation import Annotation
from maskforge.readers import _coco, _json, _ochuman_coco, _ochuman_native
from maskforge.readers._ochuman_image import Choice, Filter, Record, annotation

TITLE = "OCHuman"
SUFFIXES = (".json",)
DEFAULT_OUTPUT = "color"
DEFAULT_FILE = "ochuman.json"
REGIONS = True
labels = None

_PUBLISHED = {"val": 2500, "test": 2231}
_PUBLISHED_NAME = re.compile(r"ochuman_coco_format_(val|test)_range_0\.00_1\.00\.json")


@dataclass(frozen=True)
class Options:
    """What a user can say about OCHuman files."""

    filter: Filter = field(
        default="segm",
        metadata={
            "help": "persons to take: those with a mask, with keypoints, with both, or all",
            "metavar": "segm|kpt|segm&kpt|all",
        },
    )
    max_iou: str = field(
        default="0:1",
        metadata={
            "help": "persons to take: MaxIoU from LO to below HI; 0:1 takes all (ochuman.json)",
            "metavar": "LO:HI",
        },
    )

    def __post_init__(self) -> None:
        if self.filter not in (filters := get_args(Filter)):
            raise UsageError(f"filter must be one of {list(filters)}, but got {self.filter!r}")
        self.choice()

    def choice(self) -> Choice:
        """Return the options as a choice of persons. Raises UsageError for a bad range."""
        try:
            low, high = (float(text) for text in self.max_iou.split(":"))
        except ValueError:
            low = high = 0.0
        if not 0 <= low < high <= 1:
            raise UsageError(
                f"max_iou must be LO:HI with 0 <= LO < HI <= 1, but got {self.max_iou!r}"
            )
        return Choice(self.filter, low, high)


class _File(msgspec.Struct):
    images: list[msgspec.Raw]
    annotations: msgspec.Raw = msgspec.Raw(b"null")


def sniff(path: Path, head: bytes) -> str | None:
    """Return why ``head``, the first bytes of a file, are those of an OCHuman file, or None.

    One in COCO style is one by its name: what is in it is in many others, too.
    """
    if "ochuman" in path.name.lower() and (reason := _coco.sniff(head)):
        return f"{reason}, COCO style"
    if b"\0" not in head and b'"images"' not in head and b'"keypoint_visible"' not in head:
        return None  # most files, at a glance
    seen: set[str] = set()
    for key in _json.outline(head):
        seen.add(key)
        if key == "images[].annotations[].segms":
            return "key 'segms' in 'annotations' in 'images', as in ochuman.json"
    if {"keypoint_visible", "images"} <= seen:
        return "top-level keys 'keypoint_visible' and 'images', as in ochuman.json"
    return None


def read(path: Path, options: Options) -> Iterator[Annotation | Problem]:
    """Yield the chosen images of ``path`` in its order; no image is opened.

    Raises ReadError for a file that is damaged or has no list of images.
    """
    choice, file = options.choice(), _load(path)
    is_coco = bytes(file.annotations) != b"null"
    if is_coco and choice.limits_iou:
        raise ReadError(
            "must be ochuman.json for --max-iou: COCO files do not tell the MaxIoU",
            code="wrong-format",
            file=str(path),
        )
    if is_coco:
        split = _published_split(path, len(file.images))
        records = _ochuman_coco.records(path, split=split)
    else:
        records = _ochuman_native.records(file.images, file=str(path))
    del file  # it may be large
    nobody, has_masks = True, False
    for record in records:
        if isinstance(record, Problem):
            item: Annotation | Problem | None = record
        else:
            has_masks = has_masks or any(person.shape is not None for person in record.people)
            item = _chosen(record, choice, source=path)
        if item is not None:
            nobody = False
            yield item
    if nobody and has_masks:
        cure = "choose another --filter" if is_coco else "choose another --filter or --max-iou"
        message = "the file must have a person to take, but all are left out by the options"
        yield Problem("no-mask", str(path), message, cure=cure)
    elif nobody:
        message = "a person must have a segmentation, but in this file none has: no masks to make"
        yield Problem("no-mask", str(path), message)


def _chosen(record: Record, choice: Choice, *, source: Path) -> Annotation | Problem | None:
    try:
        return annotation(record, choice, source=source)
    except (ReadError, GeometryError) as error:
        return error.problem(file=str(source), place=record.place)


def _load(path: Path) -> _File:
    try:
        return _json.load(_json.read_bytes(path), _File, file=str(path))
    except ReadError as error:
        if error.code != "bad-field" or error.place:
            raise
        raise ReadError(
            f"an OCHuman file {error.message}", code="wrong-format", file=str(path)
        ) from error


def _published_split(path: Path, images: int) -> str | None:
    match = _PUBLISHED_NAME.fullmatch(path.name)
    return match[1] if match and _PUBLISHED[match[1]] == images else None
