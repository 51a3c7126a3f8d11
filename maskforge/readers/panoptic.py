"""COCO panoptic: a JSON file for many images, and a PNG for each in which segments have colours.

https://cocodataset.org/#format-data (panoptic segmentation); the number of a segment is
R + 256 G + 65536 B. The PNGs lie in a folder called after the file.

Kept: every segment, an object of its own; the file's own class table with its ids; where 0 is a
class, all ids are its ids plus 1. Crowds are ignored, unless ``crowd`` says otherwise. What is void
(0, or a number that no segment has) is ignored, since in COCO nobody has said what it is; in files
of maskforge's own it is the background, as they say (``void``). Dropped: areas, boxes, and which
classes are things.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from maskforge.classes import BACKGROUND, BACKGROUNDS, HIGHEST_ID, IGNORE, ClassTable
from maskforge.errors import Problem, ReadError, many
from maskforge.io.digests import Digest
from maskforge.io.label_lists import Listed
from maskforge.labels import clean
from maskforge.raster.annotation import Annotation, Region, Unread
from maskforge.raster.geometry import Bitmap
from maskforge.raster.runs import Ints, changes
from maskforge.readers import _json, _panoptic
from maskforge.readers._names import image_beside, image_name
from maskforge.readers._panoptic import Category, Segment, Told, Whose
from maskforge.readers.masks import pixels

TITLE = "COCO panoptic"
SUFFIXES = (".json",)
DEFAULT_OUTPUT = "label"
DEFAULT_FILE = None
REGIONS = True
labels = None


@dataclass(frozen=True, slots=True)
class Options:
    """What a user can say about such files."""

    crowd: Literal["ignore", "class"] = field(
        default="ignore",
        metadata={"help": "what becomes of crowds (iscrowd): ignored pixels, or their class"},
    )
    void: Literal["ignore", "background"] | None = field(
        default=None,
        metadata={
            "help": "what becomes of pixels of no segment (default: as the file says, else ignore)"
        },
    )


def sniff(path: Path, head: bytes) -> str | None:
    """Return why a file with these first bytes is a panoptic one, or None."""
    if not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return None
    return "images with segments_info" if _panoptic.is_panoptic(path, head) else None


def read(path: Path, options: Options) -> Iterator[Annotation | Unread | Listed | Problem]:
    """Yield the file's class table, and its images in the order of its annotations, undecoded.

    Raises ReadError for a file that is damaged.
    """
    file = _panoptic.load(path)
    listed, names = _table(file.categories, path)
    yield listed
    void = options.void or (file.info.void if file.info is not None else None)
    images = {image.id: image.file_name for image in file.images}
    for number, raw in enumerate(file.annotations):
        place = f"annotations[{number}]"
        try:
            told = _json.load(raw, Told, file=str(path), place=place)
            name = image_name(images.pop(told.image_id, told.file_name))
        except ReadError as error:
            with suppress(msgspec.DecodeError):
                images.pop(msgspec.json.decode(raw, type=Whose).image_id, None)
            yield error.problem(file=str(path), place=place)
            continue
        yield Described(path, name, place, told, names, void != "background", options)
    if images:
        yield Problem(
            "no-mask",
            str(path),
            f"images must have segments, but {many(len(images), 'has', 'have')} none: left out",
            next(iter(images.values())),
            severity="warning",
        )


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """An image of a panoptic file, whose PNG is decoded when its turn comes."""

    path: Path
    name: str
    place: str
    told: Told
    names: Mapping[int | str, str]
    is_void_ignored: bool
    options: Options
    split: str | None = None

    @property
    def source(self) -> Path:
        """The file."""
        return self.path

    @property
    def key(self) -> str:
        """The image's id."""
        return str(self.told.image_id)

    @property
    def image(self) -> Path:
        """Where the image should be: in ``images/`` beside the file, or where it is instead."""
        return image_beside(self.path, self.name)

    @property
    def labels(self) -> frozenset[str]:
        """The labels of its regions."""
        met = {self.names[s.category_id] for s in self.told.segments_info if self._knows(s)}
        return frozenset(met)

    def _knows(self, segment: Segment) -> bool:
        return segment.category_id in self.names

    def annotation(self) -> Annotation:
        """Decode it. Raises ReadError."""
        png = _panoptic.picture(self.path, self.told.file_name)
        with pixels.open_image(png) as image:
            is_rgb = image.mode in ("RGB", "RGBA")
        values = pixels.read_mask(png, colors=True).values
        if not is_rgb or values.ndim != 3 or values.dtype != np.uint8:
            raise ReadError(
                "the PNG of a panoptic image must be RGB, 8 bits", code="mask-form", file=str(png)
            )
        height, width = values.shape[:2]
        of = _patches(values @ np.array([1, 256, 65536]), height=height, width=width)
        regions: list[Region] = []
        problems: list[Problem] = []
        for number, segment in enumerate(self.told.segments_info):
            place = f"{self.place}.segments_info[{number}]"
            patch = of.pop(segment.id, None)
            if not self._knows(segment):
                raise ReadError(
                    f"category_id must be one of the file's categories, but got "
                    f"{segment.category_id!r}",
                    file=str(self.path),
                    place=place,
                )
            if patch is None:
                message = f"the segment {segment.id} has no pixel in {png.name}"
                problems.append(
                    Problem("empty-shape", str(self.path), message, place, severity="warning")
                )
                continue
            crowd = bool(segment.iscrowd) and self.options.crowd == "ignore"
            label = self.names[segment.category_id]
            regions.append(Region(label, (patch,), crowd=crowd, place=place))
        if not self.is_void_ignored:
            of.pop(0, None)
        regions += [Region(IGNORE, (patch,), place=f"{png.name}: {i}") for i, patch in of.items()]
        about = (self.is_void_ignored, self.options.crowd, sorted(map(str, self.names.items())))
        digest = Digest(repr(about).encode() + msgspec.json.encode(self.told))
        digest.update(values.tobytes())
        return Annotation(
            name=self.name,
            source=self.path,
            digest=digest.hexdigest(),
            regions=tuple(regions),
            place=self.place,
            image=self.image,
            height=height,
            width=width,
            problems=tuple(problems),
            picture=png,
        )


def _patches(ids: Ints, *, height: int, width: int) -> dict[int, Bitmap]:
    """Return the pixels of each number in ``ids``, (H, W)."""
    flat = ids.reshape(-1)
    new = changes(flat)
    new[::width] = True
    start = new.nonzero()[0]
    stop = np.append(start[1:], flat.size)
    value = flat[start]
    order = np.argsort(value, kind="stable")
    cuts = [*changes(value[order]).nonzero()[0].tolist(), len(order)]
    start, stop = start[order], stop[order]
    return {
        int(value[order[i]]): Bitmap(
            start[i:j].astype(np.int32), stop[i:j].astype(np.int32), height, width, 0.0, 0.0
        )
        for i, j in itertools.pairwise(cuts)
    }


def _table(categories: Sequence[Category], path: Path) -> tuple[Listed, dict[int | str, str]]:
    """Return the class table that the categories mean, and the label of each."""
    names = {category.id: clean(category.name) for category in categories}
    origin = f"categories of {path}"
    zero = names.get(0, "")
    if zero.casefold() in BACKGROUNDS:
        names[0] = BACKGROUND
    ids: dict[str, int | str] = {}
    for id_, name in names.items():
        if name not in ("", IGNORE):
            ids.setdefault(name, id_)  # one that comes twice is one class
    if not all(isinstance(id_, int) and 0 <= id_ < HIGHEST_ID for id_ in ids.values()):
        things = [name for name in ids if name != BACKGROUND]
        return Listed(
            ClassTable.of(dict(enumerate([BACKGROUND, *things]))), f"{origin}, in their order"
        ), names
    by_id = {int(id_): name for name, id_ in ids.items()}
    if zero and names[0] != BACKGROUND:
        by_id = {id_ + 1: name for id_, name in by_id.items()}
        origin += ", their ids plus 1, as 0 is the background"
    if BACKGROUND not in ids:
        by_id[0] = BACKGROUND
    return Listed(ClassTable.of(by_id), origin), names
