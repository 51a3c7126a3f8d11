"""Data sets of YOLO: which images there are, where their labels lie, what classes are called."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from maskforge.classes import BACKGROUND, HIGHEST_ID, IGNORE, ClassTable
from maskforge.errors import ClassError, MaskforgeError, ReadError
from maskforge.io import images, label_lists, scan
from maskforge.io.label_lists import Listed
from maskforge.labels import clean
from maskforge.readers import _json

YAML = (".yaml", ".yml")

_LISTS = ("classes.txt", "obj.names", "labels.txt")
"""Files that name the classes, where no YAML does; the last one is maskforge's own."""

_LINE = re.compile(rb"\s*\d+([ \t]+[-+]?[\d.]+([eE][-+]?\d+)?){4,}\s*(\n|$)")
_SPLITS = ("train", "val", "test")
_EMPTY = {*_LISTS, *(f"{split}.txt" for split in _SPLITS)}
"""Files that may have nothing in them, and are no label files: lists of names, and of images."""

_DIGITS = 9
_ABSENT = ".jpg"
"""The suffix that an image is told with where there is none."""
_UP = 3
"""Folders above a label file in which lists of classes are looked for."""


class Item(NamedTuple):
    """An image and its label file, either of which may not be there."""

    name: str
    image: Path
    labels: Path
    split: str | None = None


@dataclass(frozen=True, slots=True)
class Set:
    """What is in one place. names: what the class of each number is called; none where no list
    says it. listed: the class table that this means."""

    items: tuple[Item, ...]
    names: Mapping[int, str]
    listed: Listed | None


def opened(path: Path) -> Set:
    """Return the set that a folder, a YAML or a label file is. Raises ReadError, ClassError."""
    yaml = path if path.suffix.lower() in YAML else _yaml_in(path)
    if yaml is not None:
        items = tuple(_once(_listed_in(yaml)))
        names = _by_number(label_lists.read(yaml).classes)
        return Set(items, names, _table(names, yaml))
    items = tuple(_in_folder(path)) if path.is_dir() else (_item(path, path.parent),)
    top = path if path.is_dir() else path.parent
    for folder in (top, *list(top.absolute().parents)[:_UP]):
        for name in _LISTS:
            if (folder / name).is_file():
                return Set(items, *_names(folder / name))
    return Set(items, {}, None)


def why(path: Path, head: bytes) -> str | None:
    """Return why ``path`` is such a set, None where it is not. head: the first bytes of a file."""
    try:
        if path.is_dir():
            yaml = _yaml_in(path)
            found = _listed_in(yaml) if yaml is not None else _in_folder(path)
            with_labels = (item for item in found if item.labels.is_file())
            first = next(with_labels, None)
            return None if first is None else f"label files such as {first.labels.name}"
        if path.suffix.lower() in YAML and b"names" in head:
            first = next((item for item in _listed_in(path) if item.labels.is_file()), None)
            return None if first is None else f"names, and label files such as {first.labels.name}"
    except (OSError, MaskforgeError):
        return None
    is_file = path.suffix.lower() == ".txt" and _LINE.match(head)
    return "lines of a class and fractions" if is_file else None


def _once(items: Iterable[Item]) -> list[Item]:
    """Return each image once; one that is in several splits, as in train and val, is in none."""
    found: dict[Path, Item] = {}
    for item in items:
        other = found.setdefault(item.image, item)
        if other.split != item.split:
            found[item.image] = other._replace(split=None)
    return list(found.values())


def _yaml_in(folder: Path) -> Path | None:
    """Return the YAML file of a set, None where there is none."""
    if not folder.is_dir():
        return None
    found = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in YAML]
    found.sort(key=lambda path: path.stem.lower() not in ("data", "dataset"))
    return next((path for path in found if re.search(r"(?m)^names\s*:", _text(path))), None)


def _text(path: Path) -> str:
    return label_lists.decode(_json.read_bytes(path))


def _listed_in(yaml: Path) -> Iterator[Item]:
    """Yield the images of the splits that a YAML file names."""
    places = _places(_text(yaml))
    base = yaml.parent
    for given in places.get("path", ())[:1]:
        base = base / given if (base / given).is_dir() else base
    for split in _SPLITS:
        for entry in places.get(split, ()):
            # Roboflow writes ../train/images for what lies in train/images.
            inside = entry.lstrip("./")
            tried = (base / entry, yaml.parent / entry, base / inside, yaml.parent / inside)
            found = next((path for path in tried if path.exists()), None)
            if found is None:  # there may be labels, and photographs elsewhere
                found = next((path for path in tried if _labels_in(path).is_dir()), None)
            if found is None:
                continue
            if not found.is_file():
                yield from _in_split(found, split)
            elif found.suffix.lower() == ".txt":
                for line in filter(None, map(str.strip, _text(found).splitlines())):
                    image = next(
                        (p for p in (found.parent / line, base / line) if p.is_file()), base / line
                    )
                    yield Item(_below_images(image), image, _labels_of(image), split)


def _in_split(folder: Path, split: str) -> Iterator[Item]:
    """Yield the images in a folder, and what has a label file and no image there."""
    described = set()
    for image in scan.find(folder, images.SUFFIXES):
        labels = _labels_of(image)
        described.add(labels)
        yield Item(image.relative_to(folder).as_posix(), image, labels, split)
    for labels in scan.find(_labels_in(folder), (".txt",)):
        if labels not in described and _is_of_labels(labels):
            name = labels.relative_to(_labels_in(folder)).with_suffix(_ABSENT)
            yield Item(name.as_posix(), folder / name, labels, split)


def _labels_in(folder: Path) -> Path:
    """Return the folder of the labels of the images in ``folder``."""
    return _swapped(folder / "x", "images", "labels").parent


def _places(text: str) -> dict[str, list[str]]:
    """Return what the keys of a YAML file that say places have: one, or a list of them."""
    found: dict[str, list[str]] = {}
    key = None
    for line in text.splitlines():
        line = line.split(" #")[0].rstrip()
        match = re.match(r"(path|train|val|test)\s*:\s*(.*)", line)
        if match is not None:
            key = match[1]
            inline = match[2].strip("[] ")
            found[key] = [part for one in inline.split(",") if (part := one.strip(" '\""))]
        elif key is not None and re.match(r"\s*-\s*\S", line):
            found[key].append(line.strip().removeprefix("-").strip(" '\""))
        elif line and not line[0].isspace():
            key = None
    return found


def _in_folder(folder: Path) -> Iterator[Item]:
    """Yield the images of the label files below a folder."""
    empty: list[Item] | None = []  # they say nothing of what they are, until another one does
    for path in scan.find(folder, (".txt",)):
        item = _item(path, folder)
        if _is_of_labels(path, image=item.image):
            yield from empty or ()
            empty = None
            yield item
        elif path.name.lower() not in _EMPTY and not path.stat().st_size:
            if empty is None:
                yield item
            else:
                empty.append(item)


def _is_of_labels(path: Path, *, image: Path | None = None) -> bool:
    """Tell whether a text file is one of labels: by its image, its folder, or what is in it."""
    if path.name.lower() in _LISTS:
        return False
    if "labels" in path.parts or (image is not None and image.is_file()):
        return True
    with path.open("rb") as file:
        return _LINE.match(file.read(1 << 12)) is not None


def _item(path: Path, folder: Path) -> Item:
    """Return a label file and its image: in ``images`` instead of ``labels``, or beside it."""
    image = next(
        (
            found
            for place in (_swapped(path, "labels", "images"), path)
            if (found := _by_stem(place.parent).get(path.stem)) is not None
        ),
        path.with_suffix(_ABSENT),
    )
    inside = path.relative_to(folder) if path.is_relative_to(folder) else Path(path.name)
    parts = inside.parts[1:] if inside.parts[0] == "labels" else inside.parts
    name = PurePosixPath(*parts).with_suffix(image.suffix).as_posix()
    return Item(name, image, path)


@lru_cache(maxsize=64)
def _by_stem(folder: Path) -> dict[str, Path]:
    found = [path for path in folder.iterdir()] if folder.is_dir() else []
    return {path.stem: path for path in found if path.suffix.lower() in images.SUFFIXES}


def _swapped(path: Path, old: str, new: str) -> Path:
    """Return ``path`` with its last folder called ``old`` called ``new``."""
    parts = list(path.parts)
    for index in range(len(parts) - 2, -1, -1):
        if parts[index] == old:
            parts[index] = new
            return Path(*parts)
    return path


def _labels_of(image: Path) -> Path:
    """Return where the label file of an image should be."""
    usual = _swapped(image, "images", "labels").with_suffix(".txt")
    beside = image.with_suffix(".txt")
    return beside if not usual.is_file() and beside.is_file() else usual


def _below_images(image: Path) -> str:
    parts = image.parts
    at = max((index for index, part in enumerate(parts) if part == "images"), default=-2)
    return PurePosixPath(*(parts[at + 1 :] if at >= 0 else parts[-1:])).as_posix()


def _by_number(classes: ClassTable) -> dict[int, str]:
    names = dict(zip(classes.ids, classes.names, strict=True))
    if classes.ignore is not None:
        names[classes.ignore] = IGNORE
    return names


def _names(path: Path) -> tuple[dict[int, str], Listed]:
    """Return the names by number in a list that is no YAML, and the class table that this means."""
    if path.name.lower() == "labels.txt":
        listed = label_lists.read(path)
        things = (name for name in listed.classes.names if name != BACKGROUND)
        return dict(enumerate(things)), listed
    if path.suffix.lower() == ".names":
        lines = filter(None, map(clean, _text(path).splitlines()))
        names = dict(enumerate(lines))
    else:
        names = _by_number(label_lists.read(path).classes)
    return names, _table(names, path)


def _table(names: Mapping[int, str], path: Path) -> Listed:
    return table(names, f"{path}, its numbers plus 1, as 0 is the background")


def table(names: Mapping[int, str], origin: str) -> Listed:
    """Return the class table in which class k has the id k + 1, and 0 is the background."""
    by_id = {k + 1: name for k, name in names.items() if name not in (BACKGROUND, IGNORE)}
    has_ignore = IGNORE in names.values()
    return Listed(ClassTable.of({0: BACKGROUND, **by_id}, has_ignore=has_ignore), origin)


def numbers(paths: Iterable[Path]) -> set[int]:
    """Return the numbers of classes in label files."""
    found = (number_of(line.split(maxsplit=1)[0]) for path in paths for line in sound(path))
    return {number for number in found if number is not None}


def number_of(text: str) -> int | None:
    """Return the number of a class, None where ``text`` is none."""
    is_number = text.isascii() and text.isdigit() and len(text) < _DIGITS
    return int(text) if is_number and int(text) < HIGHEST_ID else None


def lines_of(path: Path) -> list[str]:
    """Return the lines of a label file that say something; none where there is no file.

    Raises ReadError for one that is no text.
    """
    if not path.is_file():
        return []
    try:
        text = _text(path)
    except ClassError as error:
        raise ReadError(
            "a label file must be text", code="bad-field", file=str(path), cure=error.cure
        ) from error
    return [line for line in text.splitlines() if line.strip()]


def sound(path: Path) -> list[str]:
    """Return the same, none of a file that cannot be read: what is wrong is told with its image."""
    try:
        return lines_of(path)
    except ReadError:
        return []
