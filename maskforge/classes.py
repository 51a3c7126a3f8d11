"""The class table: ids, names and colours of the classes, which is the background, which ignored.

The convention is that of labelme's ``labels.txt``: one name a line; ``__ignore__`` (optional,
first) is what is neither trained nor scored; ``_background_`` is id 0; the rest count from 1 in
file order. Both magic lines may be missing, and blank lines do not count. Where the first name
carries its id (``0:sky``), the ids are those that are given: they may begin with a class, and have
gaps. What no region covers is background or, in a table without one, ignored.
"""

from __future__ import annotations

import difflib
import hashlib
import itertools
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib import import_module
from operator import index
from pathlib import Path
from typing import Any, SupportsIndex, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from maskforge.errors import ClassError
from maskforge.labels import BACKGROUND as BACKGROUND
from maskforge.labels import IGNORE as IGNORE
from maskforge.labels import Relabelling, clean
from maskforge.palette import voc_palette

BACKGROUNDS = (BACKGROUND, "background", "__background__")
"""What people write for it, in lower case."""

HIGHEST_ID = 65534
"""Class ids have 16 bits, and one number stands for ignore."""

Color: TypeAlias = tuple[int, int, int]
"""Red, green, blue, 0 … 255."""


@dataclass(frozen=True, slots=True)
class ClassTable:
    """Classes by ascending id; the place of a class in the table is its channel, 0 … C-1.

    A class's **id** is what label images hold, its **channel** what one-hot planes and networks
    count; in a table without gaps they are the same. names, ids: (C,); no ids are 0, 1, 2 …. The
    class named ``_background_`` is the background; there may be none. ``has_ignore`` says whether
    ``__ignore__`` was listed; the label itself is understood always. ignore: what label images hold
    where pixels are ignored, None for the highest number. colors: RGB, (C,), those of VOC if none.
    """

    names: tuple[str, ...]
    has_ignore: bool = False
    ids: tuple[int, ...] = ()
    ignore: int | None = None
    colors: tuple[Color, ...] = ()
    background: int | None = field(init=False, repr=False, compare=False)
    """The id of the background, None in a table without one."""
    uncovered: int = field(init=False, repr=False, compare=False)
    """What a pixel is that no region covers: background or, where there is none, ignored."""
    ignore_index: int = field(init=False, repr=False, compare=False)
    """What label images hold where pixels are ignored: 255 in 8 bits, 65535 in 16."""
    dtype: type[np.uint8] | type[np.uint16] = field(init=False, repr=False, compare=False)
    """The dtype of label images: uint8 where it has room for all ids and one to ignore, else
    uint16; never by what one image shows."""
    is_dense: bool = field(init=False, repr=False, compare=False)
    """Whether ids and channels are the same, and ignore is the highest number."""
    _ids: dict[str, int] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        ids = self.ids or tuple(range(len(self.names)))
        object.__setattr__(self, "ids", ids)
        if not self.names:
            raise ClassError("a class table must have a class, but has none")
        if self.ignore == (255 if ids[-1] < 255 else 65535):
            object.__setattr__(self, "ignore", None)
        if len(ids) != len(self.names) or any(a >= b for a, b in itertools.pairwise(ids)):
            raise ClassError(f"each class must have an id of its own, ascending, but got {ids[:9]}")
        if not 0 <= ids[0] <= ids[-1] <= HIGHEST_ID:
            raise ClassError(f"class ids must be 0 … {HIGHEST_ID}, but go to {ids[-1]}")
        if self.ignore in ids or not -1 < (self.ignore or 0) < 65536:
            raise ClassError(f"what is ignored must be 0 … 65535 and no class, not {self.ignore}")
        if self.colors and len(self.colors) != len(ids):
            raise ClassError(f"there must be a colour a class, {len(ids)}, not {len(self.colors)}")
        self._ids.update(zip(self.names, ids, strict=True))
        if len(self._ids) != len(self.names):
            raise _twice(self.names)
        for name in self.names:
            if name == IGNORE or not name or name != name.strip() or len(name.splitlines()) > 1:
                raise ClassError(f"a class name must be a line of text, but got {name!r}")
        is_small = max(ids[-1] + 1, self.ignore or 0) <= 255
        default = 255 if is_small else 65535
        background = self._ids.get(BACKGROUND)
        ignored = default if self.ignore is None else self.ignore
        for name, value in (
            ("background", background),
            ("ignore_index", ignored),
            ("uncovered", ignored if background is None else background),
            ("dtype", np.uint8 if is_small else np.uint16),
            ("is_dense", self.ignore is None and ids[-1] == len(ids) - 1),
        ):
            object.__setattr__(self, name, value)
        self._ids[IGNORE] = ignored
        if background is not None:  # what people write for it, where no class is called so
            for name in (*BACKGROUNDS, "Background", "BACKGROUND"):
                self._ids.setdefault(name, background)

    def __len__(self) -> int:
        """Return the number of classes C, the background among them, ignore not."""
        return len(self.names)

    def __contains__(self, label: object) -> bool:
        return label in self._ids

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the classes, by ascending id."""
        return iter(self.names)

    @overload
    def __getitem__(self, key: str) -> int: ...
    @overload
    def __getitem__(self, key: SupportsIndex) -> str: ...
    def __getitem__(self, key: str | SupportsIndex) -> int | str:
        """Return the id of a name, or the name of an id. Raises ClassError for none."""
        if not isinstance(key, str):
            number = index(key)
            if number not in (*self.ids, self.ignore_index):
                shown = ", ".join(map(str, self.ids[:20])) + (" …" if len(self.ids) > 20 else "")
                raise ClassError(f"no class has the id {number}, the ids are {shown}")
            return self.name_of(number)
        if key not in self:
            near = self._nearest([key])
            known = ", ".join(self.names[:20]) + (" …" if len(self) > 20 else "")
            cure = near or f"it is one of {known}"
            raise ClassError(f"label {key!r} is not in the class table", cure=cure)
        return self._ids[key]

    @property
    def channels(self) -> ClassTable:
        """The same classes by channel: the table that networks, scores and planes go by."""
        return self if self.is_dense else _dense(self)

    @property
    def stored(self) -> NDArray[np.uint8] | NDArray[np.uint16]:
        """What label images hold by channel, (C + 1,), the last for ignore; read-only."""
        return _stored(self)

    def channels_of(self, ids: NDArray[np.integer]) -> NDArray[np.int64]:
        """Return the channels of class ids, and C for the ignore index; others must not occur."""
        if self.is_dense:
            found = np.minimum(ids, len(self.ids))
        else:
            found = np.searchsorted(np.array(self.ids), ids)
            found[ids == self.ignore_index] = len(self.ids)
        channels: NDArray[np.int64] = found.astype(np.int64, copy=False)
        return channels

    @property
    def palette(self) -> NDArray[np.uint8]:
        """RGB colours by channel, uint8 (C, 3): the table's own, or the VOC palette by id."""
        if self.colors:
            return np.array(self.colors, dtype=np.uint8)
        return voc_palette(max(256, self.ids[-1] + 1))[list(self.ids)]

    @property
    def hash(self) -> str:
        """sha256 (hex) of the ids and names; two tables with one hash mean the same numbers."""
        lines = self.names if self.is_dense else ("", *self._numbered())
        text = "\n".join((IGNORE, *lines)) if self.has_ignore else "\n".join(lines)
        return hashlib.sha256(text.encode()).hexdigest()

    def id_of(self, label: str) -> int:
        """Return the class id of ``label``; raises ClassError with the nearest name."""
        try:
            return self._ids[label]
        except KeyError:
            raise ClassError(
                f"label {label!r} is not in the class table", cure=self.hint([label])
            ) from None

    def name_of(self, class_id: int) -> str:
        """Return the name of a class id, ``__ignore__`` for the ignore index."""
        if class_id == self.ignore_index:
            return IGNORE
        return self.names[int(np.searchsorted(self.ids, class_id))]

    def hint(self, labels: Iterable[str]) -> str:
        """Return the cure for labels that the table lacks: the nearest names, or what to do."""
        near = self._nearest(labels)
        return near or "add it to labels.txt, or choose --unknown skip|ignore|background"

    def _nearest(self, labels: Iterable[str]) -> str:
        folded = {name.casefold(): name for name in self.names if name != BACKGROUND}
        guesses = []
        for label in itertools.islice((text for text in labels if len(text) < 100), 10):
            near = difflib.get_close_matches(label.casefold(), folded, n=1)
            if near:
                guesses.append(f"{label!r}: did you mean {folded[near[0]]!r}?")
        return "; ".join(guesses)

    def to_text(self) -> str:
        """Return the text of a labels.txt that reads back as this table, but for its colours."""
        # In a file a line that begins with # is a comment.
        is_plain = self.is_dense and self.names[0] == BACKGROUND
        is_plain = is_plain and not any(name.startswith("#") for name in self.names)
        lines = list(self.names) if is_plain else self._numbered()
        return "".join(f"{line}\n" for line in ([IGNORE] if self.has_ignore else []) + lines)

    def _numbered(self) -> list[str]:
        lines = [f"{i}:{name}" for i, name in zip(self.ids, self.names, strict=True)]
        if self.ignore is not None:
            lines.append(f"{self.ignore}:{IGNORE}")
        if self.background is None and 0 not in (*self.ids, self.ignore):
            lines.append(f"none:{BACKGROUND}")
        return lines

    def relabelled(self, rules: Relabelling) -> tuple[ClassTable, tuple[int | None, ...]]:
        """Return the table of what ``rules`` make of the classes, and what became of each channel.

        Classes that get one name have the lowest of their ids. What is left out is what no region
        covers; None stands for ignore. Raises ClassError where no class is left.
        """
        names = [rules(name) for name in self.names]
        kept: dict[str, int] = {}
        for number, name in zip(self.ids, names, strict=True):
            if name not in (None, IGNORE):
                kept.setdefault(str(name), number)
        if not kept:
            raise ClassError(
                f"a class must be left, but of {', '.join(self.names)} none is",
                cure="choose others with --only and --drop",
            )
        has_ignore = self.has_ignore or IGNORE in names
        colors = dict(zip(self.ids, self.colors, strict=True)) if self.colors else None
        table = ClassTable.of(
            {number: name for name, number in kept.items()},
            has_ignore=has_ignore,
            ignore=self.ignore,
            colors=colors,
        )
        where = {name: channel for channel, name in enumerate(table.names)}
        nothing = where.get(BACKGROUND)
        return table, tuple(
            nothing if name is None else None if name == IGNORE else where[name] for name in names
        )

    def renamed(self, names: Any) -> ClassTable:
        """Return the table that maskforge 0.1 meant, which had a list of ``names`` beside its own:
        there id 0 was always called the background. Raises ClassError.
        """
        is_list = isinstance(names, list) and all(isinstance(name, str) for name in names)
        if not is_list or len(names) != len(self):
            got = len(names) if is_list else type(names).__name__
            raise ClassError(f"there must be {len(self)} names, a list of text, but got {got}")
        return replace(self, names=tuple(names))

    @classmethod
    def from_names(cls, names: Sequence[str]) -> ClassTable:
        """Return the table of ``names`` in order; the magic names may be given or left out."""
        return parse(names).classes

    @classmethod
    def from_text(cls, text: str) -> ClassTable:
        """Return the table that the text of a labels.txt says.

        A byte order mark, blank lines and spaces around a name do not count.
        """
        return parse(text.removeprefix("\ufeff").splitlines()).classes

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> ClassTable:
        """Return the table that a file lists: labels.txt, classes.txt, a trainer's YAML, ….

        Raises ReadError, ClassError.
        """
        # The ground imports nothing of the road: what reads files is loaded when it is asked for.
        lists = import_module("maskforge.io.label_lists")
        table: ClassTable = lists.read_table(Path(path))
        return table

    @classmethod
    def of(
        cls,
        names: Mapping[int, str],
        *,
        has_ignore: bool = False,
        ignore: int | None = None,
        colors: Mapping[int, Color] | None = None,
    ) -> ClassTable:
        """Return the table of ``names`` by id, in whatever order."""
        ids = tuple(sorted(names))
        shown = tuple(colors[i] for i in ids) if colors else ()
        return cls(tuple(names[i] for i in ids), has_ignore, ids, ignore, shown)

    @classmethod
    def collect(cls, labels: Iterable[str]) -> ClassTable:
        """Return the table of the labels met in an input, independent of their order.

        Labels that are all whole numbers from 1 keep those numbers as class ids (gaps are named
        by their number); all others are sorted.
        """
        found = set(labels)
        ignore = IGNORE in found
        plain = found - {IGNORE, BACKGROUND}
        numbers = {int(label) for label in plain if _is_class_number(label)}
        if plain and len(numbers) == len(plain):
            names = [str(number) for number in range(1, max(numbers) + 1)]
        else:
            names = sorted(plain)
        return cls((BACKGROUND, *names), has_ignore=ignore)


def _is_class_number(label: str) -> bool:
    return label.isascii() and label.isdigit() and label[0] != "0" and int(label[:5]) <= 1000


def _twice(names: Iterable[str]) -> ClassError:
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    return ClassError(f"a class name must occur once, but {twice} occur more often")


# Lists of names


_VOID = {IGNORE, "void", "ignore", "unlabelled", "unlabeled"}
_NUMBERED = re.compile(r"(\d{1,5}|none)\s*:\s*(\S.*)")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A class table as a list gives it. implied: the list does not speak of id 0."""

    classes: ClassTable
    implied: bool = False


def parse(lines: Iterable[str], *, by_line: bool = False, colors: Sequence[Color] = ()) -> Parsed:
    """Return the class table that lines of names say, as a labels.txt has them. Raises ClassError.

    by_line: the first name is that of id 0, whatever it is. Of such a list, and of one with ids, a
    last name such as "void" is the number that is ignored. colors: one a name.
    """
    names = [name for line in lines if (name := clean(line))]
    listed = IGNORE in names[:1]
    names = names[listed:]
    is_numbered = bool(names) and _NUMBERED.fullmatch(names[0]) is not None
    by_id = _by_number(names) if is_numbered else dict(enumerate(names))
    implied = 0 not in by_id and BACKGROUND not in by_id.values() if is_numbered else not by_line
    if by_id.get(0, "").casefold() in BACKGROUNDS:
        by_id[0], implied = BACKGROUND, False
    if not (is_numbered or by_line):
        _check_order(names, listed=listed)
        if implied or not names:
            by_id = dict(enumerate([BACKGROUND, *names]))
    elif implied:
        by_id[0] = BACKGROUND
    by_id.pop(-1, None)
    ignore = next((number for number, name in by_id.items() if name == IGNORE), None)
    if ignore is None and (is_numbered or by_line) and len(by_id) > 1:
        last = max(by_id)
        ignore = last if by_id[last].casefold() in _VOID else None
    if ignore is not None:
        del by_id[ignore]
    shown = dict(enumerate(colors)) if len(colors) >= len(names) > 0 else None
    table = ClassTable.of(
        by_id, has_ignore=listed or ignore is not None, ignore=ignore, colors=shown
    )
    return Parsed(table, implied)


def _by_number(names: Sequence[str]) -> dict[int, str]:
    """Return the names by id; numbers that are left out count on from the one before.

    -1 stands for "none": there is no background.
    """
    by_id: dict[int, str] = {}
    number = -1
    for name in names:
        match = _NUMBERED.fullmatch(name)
        number = number + 1 if match is None else -1 if match[1] == "none" else int(match[1])
        if number in by_id:
            raise ClassError(f"a class id must occur once, but {number} occurs more often")
        by_id[number] = match[2] if match else name
    return by_id


def _check_order(names: Sequence[str], *, listed: bool) -> None:
    """Raise ClassError where a magic name stands behind others in a list without ids."""
    if len({*names, *([IGNORE] if listed else [])}) < len(names) + listed:
        raise _twice([*names, *([IGNORE] if listed else [])])
    if IGNORE in names:
        place = names.index(IGNORE) + 1 + listed
        raise ClassError(f"{IGNORE} must come first, but it is number {place}")
    if BACKGROUND in names[1:]:
        raise ClassError(
            f"{BACKGROUND} must come before all classes, "
            f"but it is number {names.index(BACKGROUND) + 1 + listed}"
        )


@lru_cache(maxsize=32)
def _dense(table: ClassTable) -> ClassTable:
    return replace(table, ids=(), ignore=None)


@lru_cache(maxsize=32)
def _stored(table: ClassTable) -> NDArray[np.uint8] | NDArray[np.uint16]:
    ids = np.append(np.array(table.ids, dtype=np.int64), table.ignore_index)
    stored = ids.astype(np.uint8) if table.dtype is np.uint8 else ids.astype(np.uint16)
    stored.setflags(write=False)
    return stored
