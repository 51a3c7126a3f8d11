"""COCO files: which annotations are of which image, and where in the file they stand.

A file is gone through once and not decoded: an image keeps the places of what is said about it,
and is decoded when its turn comes, by whoever converts it. So a file may be larger than memory.
"""

from __future__ import annotations

import io
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TypeAlias, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from maskforge.errors import Problem, ReadError
from maskforge.io.digests import Digest
from maskforge.labels import clean
from maskforge.readers import _json, _segmentation, _spans
from maskforge.readers._spans import Members

T = TypeVar("T")

Key: TypeAlias = int | str
"""An id as it is compared: whole numbers are numbers, also where they are written as text."""

_DIGITS = 300
"""Longer texts are no ids that somebody counted; those of more make numbers slowly."""

NO_CATEGORY = "no category"
"""The label of annotations whose ``category_id`` is null or missing."""

_LISTS = ("images", "annotations", "categories")
_SHAPES = tuple(f"annotations[].{name}" for name in ("segmentation", "bbox", "keypoints"))
_GLANCE = (b'"images"', b'"image_id"', b'"segmentation"')
_FIELDS = {f"annotations[].{name}" for name in ("id", "image_id", "category_id", "iscrowd", "area")}
_ROW = np.dtype(
    [("number", "u4"), ("start", "i8"), ("length", "u4"), ("category", "i4"), ("flags", "u1")]
)
MASK, BOX, CROWD, BROKEN = 1, 2, 4, 8
"""What an annotation has: a segmentation, or only a box; the mark of a crowd; nothing sound."""


class Category(msgspec.Struct):
    """A category as it stands in the file."""

    id: int | float | str
    name: str
    supercategory: msgspec.Raw = msgspec.Raw()

    @property
    def above(self) -> str:
        """What it belongs to, "" where the file does not say."""
        try:
            return msgspec.json.decode(self.supercategory, type=str)
        except ValueError:
            return ""


class Image(msgspec.Struct):
    """What the file says of an image. Sizes in pixels, None or 0 where it does not say."""

    id: int | float | str
    file_name: str
    height: float | str | None = None
    width: float | str | None = None


class Item(msgspec.Struct):
    """What the file says of a thing in an image."""

    segmentation: msgspec.Raw = msgspec.Raw()
    bbox: msgspec.Raw = msgspec.Raw()
    iscrowd: int | float | bool | str | None = 0
    category_id: int | float | str | None = None
    num_keypoints: int | float | None = None
    keypoints: msgspec.Raw = msgspec.Raw()


class _Named(msgspec.Struct, gc=False):
    """What has to be known of an image before its turn comes."""

    id: int | float | str
    file_name: str


class _Link(msgspec.Struct, gc=False):
    """What has to be known of a thing to find it again."""

    image_id: int | float | str
    category_id: int | float | str | None = None
    segmentation: msgspec.Raw = msgspec.Raw()
    bbox: msgspec.Raw = msgspec.Raw()
    iscrowd: int | float | bool | str | None = 0


class _Whose(msgspec.Struct, gc=False):
    """What is known of a thing that cannot be decoded: the image that must not lack it unseen."""

    image_id: int | float | str


class _Broken(_Link, gc=False):
    """A thing that cannot be decoded, but for the image that it is in."""


def is_crowd(thing: Item | _Link) -> bool:
    """Whether an annotation is marked as a crowd, in whichever way."""
    return thing.iscrowd not in (None, 0, "", "0", "false", "False")


def _flags(link: _Link) -> int:
    if isinstance(link, _Broken):
        return BROKEN
    crowd = CROWD if is_crowd(link) else 0
    if not _segmentation.is_empty(link.segmentation):
        return MASK | crowd
    return crowd if _segmentation.is_empty(link.bbox) else BOX | crowd


@dataclass(frozen=True, slots=True)
class Text:
    """A file, to be read in pieces. changed: when, as the system says, in nanoseconds.

    recoded: what stands in it is no UTF-8, so that places are those of what it is in UTF-8.
    """

    path: Path
    size: int
    changed: int
    recoded: bool = False

    def pieces(self, spans: list[tuple[int, int]]) -> list[bytes]:
        """Return what stands at each (start, length). Raises ReadError."""
        with _json.opened(self.path) as (descriptor, status):
            if (status.st_size, status.st_mtime_ns) != (self.size, self.changed):
                raise ReadError(
                    "the file was changed while it was read",
                    code="unreadable",
                    file=str(self.path),
                    cure="convert it again",
                )
            if self.recoded:
                whole = _recoded(self.path, self.changed)
                return [whole[start : start + length] for start, length in spans]
            return [_read_at(descriptor, start, length) for start, length in spans]


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One image of a file: its own place there, and those of all that is said about it.

    rows: packed as :data:`_ROW`. names: the labels of its categories, by their number.
    """

    text: Text
    id: Key | None
    number: int
    span: tuple[int, int]
    name: str
    rows: bytes
    names: Mapping[int, str]

    @property
    def place(self) -> str:
        """Where in the file it stands."""
        return f"images[{self.number}]"

    @property
    def flags(self) -> NDArray[np.uint8]:
        """What each annotation of it has."""
        found: NDArray[np.uint8] = np.frombuffer(self.rows, dtype=_ROW)["flags"]
        return found

    def labels(self, which: NDArray[np.bool_]) -> frozenset[str]:
        """Return the labels of some of its annotations."""
        used = np.frombuffer(self.rows, dtype=_ROW)["category"][which].tolist()
        return frozenset(map(self.names.__getitem__, used))

    def load(
        self, bad: list[Problem] | None = None
    ) -> tuple[Image, list[tuple[str, str, Item]], str]:
        """Return the image, the place, label and content of each thing in it, and the digest.

        bad: gets what is wrong with single things, which are left out then. Raises ReadError.
        """
        file, rows = str(self.text.path), np.frombuffer(self.rows, dtype=_ROW).tolist()
        spans = [self.span, *((start, length) for _, start, length, *_ in rows)]
        first, *others = self.text.pieces(spans)
        image = _json.load(first, Image, file=file, place=self.place)
        digest = Digest(first)
        items = []
        for (number, _, _, category, _), piece in zip(rows, others, strict=True):
            place, label = f"annotations[{number}]", self.names[category]
            try:
                items.append((place, label, _json.load(piece, Item, file=file, place=place)))
            except ReadError as error:
                if bad is None:
                    raise
                bad.append(error.problem())
            digest.update(piece)
            digest.update(label.encode("utf-8", "surrogatepass"))
        return image, items, digest.hexdigest()

    def size(self, image: Image) -> tuple[int | None, int | None]:
        """Return height and width as the file gives them, None where it does not."""
        file = str(self.text.path)
        height = _pixels(image.height, file=file, place=f"{self.place}.height")
        width = _pixels(image.width, file=file, place=f"{self.place}.width")
        return height, width

    def __reduce__(self) -> tuple[object, ...]:
        """Take along the names of its own categories only."""
        used = set(np.frombuffer(self.rows, dtype=_ROW)["category"].tolist())
        names = {number: self.names[number] for number in sorted(used)}
        return Entry, (self.text, self.id, self.number, self.span, self.name, self.rows, names)


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """What a file has.

    problems: of annotations and images that nobody can make use of. entries: its images, to be gone
    through as often as one likes. names: the label of each category that occurs, by its number in
    ``rows``, all annotations, as :data:`_ROW` has them.
    """

    categories: list[Category]
    problems: list[Problem]
    entries: Callable[[], Iterator[Entry]]
    names: Mapping[int, str]
    rows: NDArray[np.void]


def key(value: float | str | None) -> Key | None:
    """Return an id as it is compared."""
    if isinstance(value, str):
        text = value.strip()
        return int(text) if len(text) <= _DIGITS and _is_number(text) else text
    if isinstance(value, float):
        return int(value) if value.is_integer() else str(value)
    return value


def _is_number(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdigit() and (digits == "0" or digits[0] != "0")


def sniff(head: bytes) -> str | None:
    """Return why a file with these first bytes is in COCO's style, None where it is not."""
    if b"\0" not in head and not any(key in head for key in _GLANCE):
        return None  # most files, at a glance
    seen: set[str] = set()
    for name in _json.outline(head):
        seen.add(name)
        if name == "annotations[].segments_info" or name.startswith("images[].annotations"):
            return None  # panoptic; OCHuman's own
        shape = next((one[14:] for one in _SHAPES if one in seen), "")
        if shape and "annotations[].image_id" in seen:
            return f"top-level key 'annotations' with 'image_id' and '{shape}'"
        if {"[].image_id", "[].segmentation"} <= seen:
            return "a list of 'image_id' and 'segmentation': results of a detector"
    if "keypoint_visible" in seen:
        return None
    told = {name for name in seen if name.startswith("annotations[].")}
    begins = {"images[].id", "images[].file_name"} <= seen and told <= _FIELDS
    has_none = begins and "annotations" in seen and not told
    if not (begins or "annotations[].segmentation" in told):
        return None
    if not _json.is_whole(head):
        return "images, or annotations with a segmentation, at the beginning"
    return "top-level keys 'images' and 'annotations', which is empty" if has_none else None


def index(path: Path) -> Index:
    """Go through a file. Raises ReadError for one that is damaged, or has no images."""
    try:
        with _json.opened(path) as (descriptor, status):
            text = Text(path, status.st_size, status.st_mtime_ns)
            text, found = _gone_through(text, descriptor)
    except _spans.TornError:
        raise _torn(path) from None
    if not found.listed:
        raise ReadError(
            "a COCO file must have images in the list 'images', but has none",
            code="wrong-format",
            file=str(path),
        )
    return found.index(text)


def _gone_through(text: Text, descriptor: int) -> tuple[Text, _Gathering]:
    head, file = os.read(descriptor, 4), str(text.path)
    os.lseek(descriptor, 0, os.SEEK_SET)
    if json.detect_encoding(head).startswith("utf-8"):  # UTF-16 may be UTF-8 as well, with zeros
        with suppress(UnicodeDecodeError):
            return text, _gather(partial(os.read, descriptor), file)
    read = io.BytesIO(_recoded(text.path, text.changed)).read
    return replace(text, recoded=True), _gather(read, file)


def _torn(path: Path) -> ReadError:
    """Return where and why a file is not one JSON object."""
    file = str(path)
    try:
        _json.load(_json.read_bytes(path), msgspec.Raw, file=file)
    except ReadError as error:
        if error.code != "too-large":
            return error
        message = "must be one complete JSON document, but is not"
        return ReadError(message, code="not-json", file=file)
    return ReadError("must be one JSON object, but is not", code="wrong-format", file=file)


def _gather(read: Callable[[int], bytes], file: str) -> _Gathering:
    found = _Gathering(file)
    try:
        for members in _spans.members(read, _LISTS):
            found.take(members)
    except ReadError as error:
        error.file = error.file or file
        raise
    return found


@lru_cache(maxsize=1)
def _recoded(path: Path, changed: int) -> bytes:
    return _json.utf8(_json.read_bytes(path), file=str(path))


def _read_at(descriptor: int, start: int, length: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(descriptor, length, start)
    os.lseek(descriptor, start, os.SEEK_SET)
    return os.read(descriptor, length)


class _Gathering:
    """What was met so far. An image may be spoken of before it is listed."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.categories: list[Category] = []
        self.images: dict[Key | None, int] = {}  # a number for each id that occurs
        self.ids: dict[Key | None, int] = {}  # a number for each category_id that occurs
        self.names: list[str] = []
        self.listed: list[NDArray[np.int64]] = []  # number of the id, of the image, start, length
        self.rows: list[NDArray[np.void]] = []
        self.of: list[NDArray[np.int64]] = []

    def take(self, members: Members) -> None:
        """Take some members of one of the lists."""
        match members.key:
            case "categories":
                self.categories += self._decoded(members, Category)[1]
            case "images":
                self._take_images(members)
            case _:
                self._take_annotations(members)

    def _take_images(self, members: Members) -> None:
        good, found = self._decoded(members, _Named)
        self.names += [image.file_name for image in found]
        start = members.start[good] + members.offset
        length = (members.stop - members.start)[good]
        rows = [_numbered(self.images, (image.id for image in found)), good + members.first]
        self.listed.append(np.stack([*rows, start, length], axis=1))

    def _take_annotations(self, members: Members) -> None:
        good, found = self._decoded(members, _Link, _broken)
        rows = np.empty(len(found), dtype=_ROW)
        rows["number"] = good + members.first
        rows["start"] = members.start[good] + members.offset
        rows["length"] = (members.stop - members.start)[good]
        rows["category"] = _numbered(self.ids, (link.category_id for link in found))
        rows["flags"] = list(map(_flags, found))
        self.rows.append(rows)
        self.of.append(_numbered(self.images, (link.image_id for link in found)))

    def _decoded(
        self,
        members: Members,
        into: type[T],
        instead: Callable[[bytes], T | None] = lambda piece: None,
    ) -> tuple[NDArray[np.int64], list[T]]:
        """Return what members could be decoded, which they are, and note why others could not.

        instead: what is taken for one of these, whose defect is then met and told later. Raises
        ReadError for one that is no JSON, which the whole file is not then.
        """
        try:
            found = msgspec.json.decode(members.joined, type=list[into])  # type: ignore[valid-type]
            return np.arange(len(found)), found
        except (ValueError, RecursionError):
            pass
        good, found = [], []
        for index, (place, piece) in enumerate(members.one_by_one()):
            try:
                found.append(_json.load(piece, into, file=self.file, place=place))
                good.append(index)
            except ReadError as error:
                if error.code == "not-json":
                    raise
                if (other := instead(piece)) is not None:
                    found.append(other)
                    good.append(index)
                else:
                    self.problems.append(error.problem())
        return np.array(good, dtype=np.int64), found

    def index(self, text: Text) -> Index:
        """Return all that was met, by image."""
        labels = self._labels()
        names = {number: labels.get(id_) or _unlisted(id_) for id_, number in self.ids.items()}
        listed = np.concatenate([np.empty((0, 4), np.int64), *self.listed])
        of = np.concatenate([np.empty(0, np.int64), *self.of])
        order = np.argsort(of, kind="stable")
        rows = np.concatenate([np.empty(0, _ROW), *self.rows])[order]
        known = np.arange(len(self.images))
        first, last = (np.searchsorted(of[order], known, side) for side in ("left", "right"))
        taken = self._once(listed[:, 0], listed[:, 1])
        strangers = np.flatnonzero(np.isin(known, listed[:, 0], invert=True)).tolist()
        self._tell_strangers(strangers, rows, first, last)

        ids = list(self.images)

        def entries() -> Iterator[Entry]:
            for place in taken.tolist():
                image, number, start, length = listed[place].tolist()
                own = rows[first[image] : last[image]].tobytes()
                span = (start, length)
                yield Entry(text, ids[image], number, span, self.names[place], own, names)

        return Index(self.categories, self.problems, entries, names, rows)

    def _labels(self) -> dict[Key | None, str]:
        """Return what categories are called, by id; a name stands for itself, too.

        Raises ReadError for an id that stands for two of them.
        """
        found: dict[Key | None, str] = {}
        for number, category in enumerate(self.categories):
            name, id_ = clean(category.name), key(category.id)
            if found.setdefault(id_, name) != name:
                raise ReadError(
                    f"an id must stand for one category, but {id_!r} is {found[id_]!r} "
                    f"and {name!r}",
                    file=self.file,
                    place=f"categories[{number}].id",
                )
        return {**{name: name for name in found.values()}, **found}

    def _once(self, of: NDArray[np.int64], number: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the places of images that have an id of their own, in the file's order."""
        _, where, counts = np.unique(of, return_inverse=True, return_counts=True)
        many = counts[where]
        if (many < 2).all():
            return np.arange(len(of))
        keep = many < 2
        groups: dict[int, list[int]] = {}
        for place in np.flatnonzero(many > 1).tolist():
            groups.setdefault(int(of[place]), []).append(place)
        ids = list(self.images)
        for image, places in groups.items():
            called = sorted({self.names[place] for place in places})
            is_same = len(called) == 1
            keep[places[0]] = is_same
            what = (
                f"{called[0]!r} is listed {len(places)} times"
                if is_same
                else (f"{ids[image]!r} is that of {', '.join(map(repr, called[:3]))}")
            )
            self.problems.append(
                Problem(
                    "bad-field",
                    self.file,
                    f"an image must have an id of its own, but {what}",
                    f"images[{number[places[1]]}].id",
                    "" if is_same else "which image the annotations are of cannot be told",
                    "warning" if is_same else "error",
                )
            )
        return np.flatnonzero(keep)

    def _tell_strangers(
        self,
        strangers: list[int],
        rows: NDArray[np.void],
        first: NDArray[np.int64],
        last: NDArray[np.int64],
    ) -> None:
        """Note annotations of images that are not listed."""
        if not strangers:
            return
        ids = list(self.images)
        shown = ", ".join(repr(ids[image]) for image in strangers[:3])
        count = int(sum(last[image] - first[image] for image in strangers))
        place = int(rows["number"][first[strangers[0]]])
        self.problems.append(
            Problem(
                "bad-field",
                self.file,
                f"must be the id of an image in the file, but {count} annotations are of {shown}"
                + (" …" if len(strangers) > 3 else ""),
                f"annotations[{place}].image_id",
                "list these images, or take their annotations out",
            )
        )


def _broken(piece: bytes) -> _Link | None:
    try:
        return _Broken(_json.load(piece, _Whose, file="").image_id)
    except ReadError:
        return None


def _numbered(known: dict[Key | None, int], ids: Iterable[float | str | None]) -> NDArray[np.int64]:
    """Return the number of each id; a new one gets the next."""
    numbers = [known.setdefault(i if type(i) is int else key(i), len(known)) for i in ids]
    return np.array(numbers, dtype=np.int64)


def _unlisted(id_: Key | None) -> str:
    """Return what is said in the place of a name that the file does not tell."""
    return NO_CATEGORY if id_ in (None, "") else clean(f"category {id_}")


def _pixels(value: float | str | None, *, file: str, place: str) -> int | None:
    """Return a height or width; in COCO files 0 says as much as none."""
    try:
        number = float(value or 0)
    except ValueError:
        number = math.inf
    if not math.isfinite(number):
        raise ReadError(
            f"must be a whole number of pixels, but got {value!r}", file=file, place=place
        )
    return _json.pixels(number or None, file=file, place=place)
