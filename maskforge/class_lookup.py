"""Where the class table of a conversion comes from, and whether the input's labels fit it."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import TypeAlias

from maskforge import inputs
from maskforge.classes import ClassTable
from maskforge.errors import ClassError, ReadError
from maskforge.inputs import Job

Labels: TypeAlias = ClassTable | Sequence[str] | str | PathLike[str] | None
"""A class table, its names, the file that lists them, or None to look for labels.txt."""

COLLECTED = "collected from the input"


def find_table(
    labels: Labels, sources: Sequence[Path], jobs: Sequence[Job], reader: ModuleType, options: object
) -> tuple[ClassTable, str]:
    """Return the class table, and in words where it came from."""
    if isinstance(labels, ClassTable):
        return labels, "given"
    if isinstance(labels, str | PathLike):
        path = Path(labels)
        if path.is_file():
            return read_table(path), str(path)
        if isinstance(labels, str) and not labels.endswith(".txt"):
            return ClassTable.from_names([n.strip() for n in labels.split(",") if n.strip()]), "given"
        raise ReadError("the list of labels must exist", code="unreadable", file=str(path))
    if labels is not None:
        return ClassTable.from_names(list(labels)), "given"
    folders = [s if s.is_dir() else s.parent for s in sources]
    for folder in dict.fromkeys([*folders, Path()]):
        path = folder / "labels.txt"
        if path.is_file():
            return read_table(path), str(path)
    return ClassTable.collect(inputs.collect_labels(jobs, reader, options)), COLLECTED


def read_table(path: Path) -> ClassTable:
    """Return the class table in the file ``path``. Raises ReadError, ClassError."""
    try:
        return ClassTable.from_text(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(
            f"the list of labels must be UTF-8 text, but: {error}", code="unreadable", file=str(path)
        ) from error
    except ClassError as error:
        raise ClassError(error.message, code=error.code, file=str(path), cure=error.cure) from error


def check_labels(
    classes: ClassTable,
    origin: str,
    labels: Labels,
    jobs: Sequence[Job],
    reader: ModuleType,
    options: object,
) -> None:
    """Raise ClassError, once and before anything is written, for all labels the table lacks."""
    if origin == COLLECTED:
        return
    found = inputs.collect_labels(jobs, reader, options)
    strangers = sorted(label for label in found if label not in classes)
    if strangers:
        names = ", ".join(map(repr, strangers[:20])) + (" …" if len(strangers) > 20 else "")
        cure = classes.hint(strangers)
        if labels is None:
            cure += f"; the classes came from {origin}: choose others with --labels"
        raise ClassError(
            f"every label must be in the class table ({', '.join(classes.names[1:])}), "
            f"but the input also has {names}",
            cure=cure,
        )
