"""Where the class table of a conversion comes from, and whether the input's labels fit it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import TypeAlias, TypeVar

from maskforge.classes import ClassTable
from maskforge.errors import ClassError, ReadError

T = TypeVar("T")

Labels: TypeAlias = ClassTable | Sequence[str] | str | PathLike[str] | None
"""A class table, its names, the file that lists them, or None to look for labels.txt."""

COLLECTED = "collected from the input"

Found: TypeAlias = Callable[[], set[str]]
"""Returns all labels of the input; called only where they matter, since it reads every file."""


def find_table(labels: Labels, sources: Sequence[Path], found: Found) -> tuple[ClassTable, str]:
    """Return the class table, and in words where it came from.

    A labels.txt in the current folder counts only when it lists a label of the input: where one
    works on several projects it may be that of another.
    """
    if isinstance(labels, ClassTable):
        return labels, "given"
    if isinstance(labels, str | PathLike):
        path = Path(labels)
        if path.is_file():
            return read_table(path), str(path)
        if isinstance(labels, str) and not labels.endswith(".txt"):
            return ClassTable.from_names(
                [n.strip() for n in labels.split(",") if n.strip()]
            ), "given"
        raise ReadError("the list of labels must exist", code="unreadable", file=str(path))
    if labels is not None:
        return ClassTable.from_names(list(labels)), "given"
    for folder in dict.fromkeys(s if s.is_dir() else s.parent for s in sources):
        path = folder / "labels.txt"
        if path.is_file():
            return read_table(path), str(path)
    here = Path("labels.txt")
    origin = COLLECTED
    if here.is_file():
        table = read_table(here)
        if set(table.names[1:]) & found():
            return table, str(here)
        origin += "; labels.txt in the current folder lists none of its labels"
    return ClassTable.collect(found()), origin


def read_table(path: Path) -> ClassTable:
    """Return the class table in the file ``path``. Raises ReadError, ClassError."""
    return read_list(path, ClassTable.from_text)


def read_list(path: Path, parse: Callable[[str], T]) -> T:
    """Return what ``parse`` makes of the text of ``path``. Raises ReadError, ClassError."""
    try:
        return parse(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(
            f"the list of labels must be UTF-8 text, but: {error}",
            code="unreadable",
            file=str(path),
        ) from error
    except ClassError as error:
        raise ClassError(error.message, code=error.code, file=str(path), cure=error.cure) from error


def check_labels(classes: ClassTable, origin: str, found: Found) -> None:
    """Raise ClassError, once and before anything is written, for all labels the table lacks."""
    if origin.startswith(COLLECTED):
        return
    strangers = sorted(label for label in found() if label not in classes)
    if strangers:
        names = ", ".join(map(repr, strangers[:20])) + (" …" if len(strangers) > 20 else "")
        cure = classes.hint(strangers)
        if origin != "given":
            cure += f"; the classes came from {origin}: choose others with --labels"
        raise ClassError(
            f"every label must be in the class table ({', '.join(classes.names[1:])}), "
            f"but the input also has {names}",
            cure=cure,
        )
