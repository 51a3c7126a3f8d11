"""COCO: one file describes many images; polygons, several parts a thing, run lengths of both kinds.

https://cocodataset.org/#format-data, and what other tools write in its name.

Kept: every image, also one without annotations (all background); the file's own class table with
its ids, so that a class that does not occur keeps its number, and train and val agree. Id 0 is the
background: where the file has a class of that number, all ids are its ids plus 1, but for a 0 that
names the group of all others, as Roboflow writes. VIA numbers its options anew with each export:
the classes of its COCO files are sorted by name, as those of its other files are.
Crowds (``iscrowd``) are ignored, unless ``crowd`` says otherwise. An annotation without a
segmentation, which has a box or keypoints only, is left out and told, or its box is filled; an
image that has only such is left out, since a mask would call all of it background.
Regions lie upon each other in the order of the file, which COCO leaves open.
Dropped: areas, keypoints, captions, attributes, supercategories.

Coordinates are not moved: COCO's plane has pixel (0, 0) covering [0, 1) x [0, 1), as maskforge has.
The rule ``coco`` draws what pycocotools draws.
Images lie beside the file, in ``images/``, or in a folder of the split beside the file's own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from maskforge.classes import BACKGROUND, BACKGROUNDS, HIGHEST_ID, IGNORE, ClassTable
from maskforge.errors import Problem, ReadError
from maskforge.io.label_lists import Listed
from maskforge.labels import clean
from maskforge.raster.annotation import Annotation, Unread
from maskforge.readers import _coco, _json, _panoptic, _segmentation
from maskforge.readers._coco import BOX, BROKEN, CROWD, MASK, Category, Entry, Index, Key
from maskforge.readers._names import image_beside, image_name
from maskforge.readers._segmentation import Thing

TITLE = "COCO"
SUFFIXES = (".json",)
DEFAULT_OUTPUT = "label"
DEFAULT_FILE = None
REGIONS = True
labels = None

_HEAD = 1 << 16
_FILL = "maskforge coco --boxes fill fills their boxes"
_VIA = b"VGG Image Annotator"
_OURS = b"converted by maskforge"


@dataclass(frozen=True, slots=True)
class Options:
    """What a user can say about COCO files."""

    crowd: Literal["ignore", "class", "skip"] = field(
        default="ignore",
        metadata={
            "help": "what becomes of crowds (iscrowd): ignored pixels, their class, or nothing; "
            "CVAT marks every mask so"
        },
    )
    boxes: Literal["skip", "fill"] = field(
        default="skip",
        metadata={"help": "annotations that have a box and no segmentation: leave out, or fill"},
    )

    @property
    def drawn(self) -> int:
        """What an annotation has that is drawn, as flags."""
        return MASK | BOX if self.boxes == "fill" else MASK


def sniff(path: Path, head: bytes) -> str | None:
    """Return why ``head``, the first bytes of a file, are those of a COCO file, or None."""
    if "ochuman" in path.name.lower():
        return None  # whose own reader knows its splits
    if _panoptic.is_panoptic(path, head):
        return None
    return _coco.sniff(head)


def read(path: Path, options: Options) -> Iterator[Annotation | Unread | Listed | Problem]:
    """Yield the file's class table, what cannot be used, and its images in their order, undecoded.

    Raises ReadError for a file that is damaged, has no images, or no annotation that makes a mask.
    """
    index = _coco.index(path)
    yield _table(index.categories, path)
    yield from index.problems
    yield from _left_out(index, path, options)
    empty: list[Entry] = []
    for entry in index.entries():
        if len(entry.flags) and not (entry.flags & (options.drawn | BROKEN)).any():
            empty.append(entry)
            continue
        try:
            yield Described(entry, image_name(entry.name), options)
        except ReadError as error:
            yield error.problem(file=str(path), place=f"{entry.place}.file_name")
    if empty:
        yield Problem(
            "no-mask",
            str(path),
            f"images must have a segmentation, but {len(empty)} have boxes or keypoints only; "
            "left out",
            empty[0].place,
            _FILL,
            "warning",
        )


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """An image of a COCO file, decoded when its turn comes."""

    entry: Entry
    name: str
    options: Options
    split: str | None = None

    @property
    def source(self) -> Path:
        """The file."""
        return self.entry.text.path

    @property
    def key(self) -> str:
        """The image's id."""
        return str(self.entry.id)

    @property
    def place(self) -> str:
        """Where in the file it stands."""
        return self.entry.place

    @property
    def image(self) -> Path:
        """Where the image should be: in ``images/`` beside the file, or where it is instead."""
        return image_beside(self.entry.text.path, self.name)

    @property
    def labels(self) -> frozenset[str]:
        """The labels of its regions."""
        flags = self.entry.flags
        drawn = flags & self.options.drawn != 0
        if self.options.crowd == "skip":
            drawn &= flags & CROWD == 0
        return self.entry.labels(drawn)

    def annotation(self) -> Annotation:
        """Decode it. Raises ReadError, GeometryError."""
        path = self.entry.text.path
        bad: list[Problem] = []
        image, items, digest = self.entry.load(bad)
        height, width = self.entry.size(image)
        things = []
        for place, label, item in items:
            crowd = _coco.is_crowd(item)
            if crowd and self.options.crowd == "skip":
                continue
            shape = None
            if not _segmentation.is_empty(item.segmentation):
                here = f"{place}.segmentation"
                shape = partial(
                    _segmentation.shape,
                    item.segmentation,
                    height,
                    width,
                    file=str(path),
                    place=here,
                )
            elif self.options.boxes == "fill" and not _segmentation.is_empty(item.bbox):
                shape = partial(_segmentation.box, item.bbox, file=str(path), place=f"{place}.bbox")
            else:
                continue
            ignored = crowd and self.options.crowd == "ignore"
            things.append(Thing(place, label, shape, crowd=ignored))
        regions, problems = _segmentation.regions(things, file=str(path))
        return Annotation(
            name=self.name,
            source=path,
            digest=digest,
            regions=regions,
            place=self.place,
            image=self.image,
            height=height,
            width=width,
            problems=(*bad, *problems),
        )


def _left_out(index: Index, path: Path, options: Options) -> Iterator[Problem]:
    """Yield what has to be said of annotations without a segmentation, and of crowds."""
    flags, numbers = index.rows["flags"], index.rows["number"]
    empty = np.flatnonzero(flags & (options.drawn | BROKEN) == 0)
    crowds = np.flatnonzero((flags & CROWD != 0) & (flags & options.drawn != 0))
    what, cure = "a segmentation", _FILL if (flags & BOX).any() else ""
    if options.boxes == "fill":
        what, cure = "a segmentation or a box", ""
    if not len(flags) and _has(path, _OURS):
        return  # a split in which no image has an object
    if len(empty) == len(flags):
        raise ReadError(
            f"annotations must have {what}, but none of the {len(flags)} in the file has: "
            "there is nothing to make masks of",
            code="no-mask",
            file=str(path),
            place="annotations",
            cure=cure,
        )
    if len(empty):
        yield Problem(
            "no-mask",
            str(path),
            f"annotations must have {what}, but {len(empty)} of {len(flags)} have none: left out",
            f"annotations[{numbers[empty].min()}]",
            cure,
            "warning",
        )
    if options.crowd == "skip" and len(crowds):
        yield Problem(
            "no-mask",
            str(path),
            f"crowds are left out, as asked: {len(crowds)}",
            f"annotations[{numbers[crowds].min()}]",
            severity="note",
        )
    if options.crowd == "ignore":
        yield from _only_crowds(index, path, options)


def _only_crowds(index: Index, path: Path, options: Options) -> Iterator[Problem]:
    """Yield a loud word where all regions of a class are crowds, which nobody draws."""
    drawn = index.rows[index.rows["flags"] & options.drawn != 0]
    is_crowd = drawn["flags"] & CROWD != 0
    others = {index.names[category] for category in np.unique(drawn["category"][~is_crowd])}
    crowds: dict[str, list[int]] = {}
    for category, number in drawn[is_crowd][["category", "number"]].tolist():
        if (label := index.names[category]) not in others:
            crowds.setdefault(label, []).append(number)
    for label, numbers in crowds.items():
        yield Problem(
            "no-mask",
            str(path),
            f"every region of {label!r}, {len(numbers)} in all, is marked as a crowd (iscrowd), "
            "and its pixels become ignore",
            f"annotations[{min(numbers)}].iscrowd",
            "maskforge coco --crowd class makes them the class: CVAT marks every mask so",
            "warning",
        )


def _table(categories: Sequence[Category], path: Path) -> Listed:
    """Return the class table that the categories mean."""
    named: dict[Key | None, str] = {}
    ids: dict[str, Key | None] = {}
    group = _group(categories)
    for category in categories:
        name, id_ = clean(category.name), _coco.key(category.id)
        is_class = name not in ("", IGNORE) and (name, id_) != (group, 0)
        if is_class and ids.setdefault(name, id_) == id_:
            named[id_] = name
    origin = f"categories of {path}"
    usable = all(isinstance(id_, int) and 0 <= id_ < HIGHEST_ID for id_ in named)
    if not usable or _has(path, _VIA):
        names = sorted(named.values()) if usable else list(named.values())
        table = dict(enumerate([BACKGROUND, *(name for name in names if name != BACKGROUND)]))
        how = "sorted by name, as VIA's are" if usable else "in their order"
        return Listed(ClassTable.of(table), f"{origin}, {how}")
    by_id = {int(id_ or 0): name for id_, name in named.items()}
    zero = by_id.get(0)
    if zero is not None and zero.casefold() in BACKGROUNDS:
        by_id[0] = BACKGROUND
    elif zero is not None:
        by_id = {id_ + 1: name for id_, name in by_id.items()}
        origin += ", their ids plus 1, as 0 is the background"
    if BACKGROUND not in by_id.values():
        by_id[0] = BACKGROUND
    return Listed(ClassTable.of(by_id), origin)


def _group(categories: Sequence[Category]) -> str | None:
    """Return the name of category 0 where it is only what all others belong to."""
    name = next((clean(each.name) for each in categories if _coco.key(each.id) == 0), None)
    above = {clean(each.above) for each in categories if _coco.key(each.id) != 0}
    return name if above == {name} else None


def _has(path: Path, mark: bytes) -> bool:
    """Tell whether a file has a mark of who made it in its beginning."""
    with _json.opened(path) as (descriptor, _):
        return mark in os.read(descriptor, _HEAD)
