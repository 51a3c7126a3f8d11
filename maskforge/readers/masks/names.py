"""Class names from files that people put beside their masks, and what the first of them stands for.

In ``labels.txt`` the background may go without saying, as everywhere in maskforge: then the names
count from 1. In ``class_names.txt`` and ``classes.txt`` the line is the id, from 0. A list whose
names carry their ids (``0:sky``, ``1:building``, or only the first of them) is taken at its word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from maskforge.classes import BACKGROUND, IGNORE, ClassTable
from maskforge.errors import ClassError, ReadError
from maskforge.io.label_lists import Labels, read_list

BY_LINE = ("class_names.txt", "classes.txt", "label_names.txt")
"""Files in which the line is the id."""

FILES = ("labels.txt", *BY_LINE)

_VOID = {IGNORE, "void", "ignore", "unlabelled", "unlabeled"}
_NUMBERED = re.compile(r"(\d{1,5})\s*:\s*(\S.*)")


@dataclass(frozen=True, slots=True)
class Names:
    """A class table as a list gives it.

    first: what the list calls id 0. void: the value that the list says is to be ignored. origin:
    where the list comes from, in words. implied: the list does not speak of id 0.
    """

    classes: ClassTable
    origin: str
    first: str = BACKGROUND
    void: int | None = None
    implied: bool = False


def given(labels: Labels) -> Names | None:
    """Return the names that the user gave, None for none. Raises ReadError, ClassError."""
    if labels is None:
        return None
    if isinstance(labels, ClassTable):
        return Names(labels, "given")
    if isinstance(labels, str | PathLike):
        path = Path(labels)
        if path.is_file():
            return read(path)
        if not isinstance(labels, str) or labels.endswith(".txt"):
            raise ReadError("the list of labels must exist", code="unreadable", file=str(path))
        labels = labels.split(",")
    return parse(labels, "given")


def beside(folder: Path) -> Names | None:
    """Return the names in the file that lies in ``folder``, None where none does."""
    for name in FILES:
        if (folder / name).is_file():
            return read(folder / name)
    return None


def read(path: Path) -> Names:
    """Return the names in the file ``path``. Raises ReadError, ClassError."""
    by_line = path.name in BY_LINE
    return read_list(path, lambda text: parse(text.splitlines(), str(path), by_line=by_line))


def list_text(classes: ClassTable, names: Sequence[str]) -> str:
    """Return the text of a labels.txt that reads back as ``classes`` under ``names``.

    Where id 0 is a class like the others the names carry their ids.
    """
    if classes.names[0].strip("_") == names[0].strip("_"):
        return classes.to_text()
    lines = [f"{number}:{name}" for number, name in enumerate(names)]
    return "".join(f"{line}\n" for line in ([IGNORE] * classes.has_ignore) + lines)


def parse(lines: Sequence[str], origin: str, *, by_line: bool = False) -> Names:
    """Return the names in ``lines``. ``by_line``: the first name is that of id 0.

    A last name such as "void" is the value to be ignored. Raises ClassError.
    """
    names = [line.strip() for line in lines if line.strip()]
    has_ignore = IGNORE in names[:1]
    names = names[1:] if has_ignore else names
    if names[:1] == [BACKGROUND] or not names:
        table = ClassTable.from_names(([IGNORE] if has_ignore else []) + names)
        return Names(table, origin)
    if _NUMBERED.fullmatch(names[0]):
        names = _numbered(names)
    elif not by_line and names[0].casefold() != "background":
        table = ClassTable.from_names(([IGNORE] if has_ignore else []) + names)
        return Names(table, origin, implied=True)
    void = len(names) - 1 if names[-1].casefold() in _VOID else None
    names = names if void is None else names[:-1]
    table = ClassTable((BACKGROUND, *names[1:]), has_ignore=has_ignore or void is not None)
    first = BACKGROUND if names[0].casefold() == "background" else names[0]
    return Names(table, origin, first, void)


def _numbered(names: Sequence[str]) -> list[str]:
    """Return the names by id; numbers that are left out count on from the one before."""
    by_id: dict[int, str] = {}
    number = -1
    for name in names:
        match = _NUMBERED.fullmatch(name)
        number = int(match[1]) if match else number + 1
        if number in by_id:
            raise ClassError(f"a class id must occur once, but {number} occurs more often")
        by_id[number] = match[2] if match else name
    if 0 not in by_id:
        by_id[0] = BACKGROUND
    missing = sorted(set(range(len(by_id))) - set(by_id))
    if missing:
        raise ClassError(
            f"class ids must be 0 … {len(by_id) - 1} without a gap, but {missing[:8]} are missing",
            cure="name the missing ids too",
        )
    return [by_id[i] for i in range(len(by_id))]
