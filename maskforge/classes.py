"""The class table: names and ids of the classes, the text of labels.txt, background and ignore.

The convention is that of labelme's ``labels.txt``: one name a line; ``__ignore__`` (optional,
first) is what is neither trained nor scored; ``_background_`` is id 0; the rest count from 1 in
file order. Both magic lines may be missing, and blank lines do not count.
"""

from __future__ import annotations

import difflib
import hashlib
import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from maskforge.errors import ClassError
from maskforge.palette import voc_palette

BACKGROUND = "_background_"
IGNORE = "__ignore__"


@dataclass(frozen=True, slots=True)
class ClassTable:
    """Class names by class id: ``names[0]`` is the background.

    ``has_ignore`` says whether ``__ignore__`` was listed; the label itself is understood always.
    """

    names: tuple[str, ...]
    has_ignore: bool = False
    _ids: dict[str, int] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        if not self.names or self.names[0] != BACKGROUND:
            raise ClassError(f"the first class must be {BACKGROUND}, but got {self.names[:1]}")
        if len(self.names) > 65535:
            raise ClassError(f"a class table holds at most 65535 classes, but got {len(self)}")
        self._ids.update((name, i) for i, name in enumerate(self.names))
        if len(self._ids) != len(self.names):
            twice = sorted(name for name, count in Counter(self.names).items() if count > 1)
            raise ClassError(f"a class name must occur once, but {twice} occur more often")
        for name in self.names:
            if name == IGNORE or not name or name != name.strip() or len(name.splitlines()) > 1:
                raise ClassError(f"a class name must be a line of text, but got {name!r}")
        self._ids[IGNORE] = self.ignore_index

    def __len__(self) -> int:
        """Return the number of classes C, the background among them, ignore not."""
        return len(self.names)

    def __contains__(self, label: object) -> bool:
        return label in self._ids

    @property
    def dtype(self) -> type[np.uint8] | type[np.uint16]:
        """The dtype of label images: uint8 up to 255 ids, uint16 above; never by what one shows."""
        return np.uint8 if len(self.names) <= 255 else np.uint16

    @property
    def ignore_index(self) -> int:
        """255 in 8-bit label images, 65535 in 16-bit ones."""
        return 255 if self.dtype is np.uint8 else 65535

    @property
    def palette(self) -> NDArray[np.uint8]:
        """RGB colours by class id, uint8 (C, 3): the VOC palette."""
        return voc_palette(max(256, len(self.names)))[: len(self.names)]

    @property
    def hash(self) -> str:
        """sha256 (hex) of the ids and names; two tables with one hash mean the same numbers."""
        text = "\n".join((IGNORE, *self.names)) if self.has_ignore else "\n".join(self.names)
        return hashlib.sha256(text.encode()).hexdigest()

    def id_of(self, label: str) -> int:
        """Return the class id of ``label``; raises ClassError with the nearest name."""
        try:
            return self._ids[label]
        except KeyError:
            raise ClassError(
                f"label {label!r} is not in the class table", cure=self.hint([label])
            ) from None

    def hint(self, labels: Iterable[str]) -> str:
        """Return the cure for labels that the table lacks: the nearest names, or what to do."""
        folded = {name.casefold(): name for name in self.names[1:]}
        guesses = []
        for label in itertools.islice((text for text in labels if len(text) < 100), 10):
            near = difflib.get_close_matches(label.casefold(), folded, n=1)
            if near:
                guesses.append(f"{label!r}: did you mean {folded[near[0]]!r}?")
        return (
            "; ".join(guesses) or "add it to labels.txt, or choose --unknown skip|ignore|background"
        )

    def to_text(self) -> str:
        """Return the text of a labels.txt that reads back as this table."""
        lines = ([IGNORE] if self.has_ignore else []) + list(self.names)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def from_names(cls, names: Sequence[str]) -> ClassTable:
        """Return the table of ``names`` in order; the magic names may be given or left out."""
        kept = [name for name in names if name not in (IGNORE, BACKGROUND)]
        if IGNORE in names and names[0] != IGNORE:
            raise ClassError(
                f"{IGNORE} must come first, but it is number {names.index(IGNORE) + 1}"
            )
        if BACKGROUND in names and names.index(BACKGROUND) != (IGNORE in names):
            raise ClassError(
                f"{BACKGROUND} must come before all classes, "
                f"but it is number {names.index(BACKGROUND) + 1}"
            )
        twice = sorted(name for name, count in Counter(names).items() if count > 1)
        if twice:
            raise ClassError(f"a class name must occur once, but {twice} occur more often")
        return cls((BACKGROUND, *kept), has_ignore=IGNORE in names)

    @classmethod
    def from_text(cls, text: str) -> ClassTable:
        """Return the table that the text of a labels.txt says.

        A byte order mark, blank lines and spaces around a name do not count.
        """
        lines = (line.strip() for line in text.removeprefix("\ufeff").splitlines())
        return cls.from_names([line for line in lines if line])

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
