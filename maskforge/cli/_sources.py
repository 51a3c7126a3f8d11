"""What a source is where it is not what a command reads: told, with the command that reads it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from glob import has_magic
from pathlib import Path

from maskforge import plugins, readers
from maskforge.errors import MaskforgeError, Problem, ReadError

CURES = {
    "not-json": "save it again with the program that wrote it, or take it from a copy",
    "not-csv": "export it again with VIA, or take it from a copy",
    "outside-image": "correct the drawing; where --size made it too thin, choose a larger one",
}
"""Cures of what is told without one, by code."""

_PICTURES = {b"\xff\xd8\xff": "JPEG", b"\x89PNG": "PNG", b"II*\0": "TIFF", b"MM\0*": "TIFF"}
"""How files of images begin."""


def _nearest(path: str) -> str:
    folder, name = os.path.split(path.rstrip("/\\") or path)
    try:
        there = [one for one in os.listdir(folder or ".") if not one.startswith(".")]
    except OSError:
        missing = folder and not os.path.lexists(folder)
        return _nearest(folder) if missing else ""
    near = plugins.nearest(name, there)
    return f"did you mean {shlex.quote(os.path.join(folder, near))}?" if near else ""


def cure_of(problem: Problem | MaskforgeError) -> str:
    """Return the cure of ``problem``, also where it has none and we know one."""
    if problem.cure or problem.code in CURES:
        return problem.cure or CURES[problem.code]
    if problem.code == "unreadable" and "Permission denied" in problem.message:
        return f"allow yourself to read it: chmod u+r {shlex.quote(problem.file)}"
    if problem.file and ", " not in problem.file and not os.path.lexists(problem.file):
        return _nearest(problem.file) or "check the path"
    return ""


def cured(error: MaskforgeError, typed: Sequence[str] = ()) -> MaskforgeError:
    """Return ``error`` with its cure; where it is about a path that is not there, it says that.

    typed: the words of the command.
    """
    message, cure = error.message, cure_of(error)
    if isinstance(error, ReadError) and _is_missing(error.file, typed):
        message, cure = "there is no such file or folder", _nearest(error.file) or "check the path"
    return type(error)(message, code=error.code, file=error.file, place=error.place, cure=cure)


def _is_missing(path: str, typed: Sequence[str]) -> bool:
    was_typed = any(word == path or word.endswith(f"={path}") for word in typed)
    return was_typed and not has_magic(path) and not os.path.lexists(path)


@contextmanager
def explained(sources: Sequence[str], format: str | None) -> Iterator[None]:
    """Have it told what ``sources`` are, where they are not in ``format``, None for any.

    Raises ReadError.
    """
    try:
        yield
    except ReadError as error:
        if error.code in ("unreadable", "wrong-format") and error.file == ", ".join(sources):
            for source in sources:
                if not os.path.lexists(source):
                    raise ReadError("there is no file", code=error.code, file=source) from error
                _tell(Path(source), format)
        raise


def tell_of_file(sources: Sequence[str], format: str) -> None:
    """Raise ReadError where ``sources``, of which nothing was read, are a file of another kind.

    It is asked afterwards: a reader may read more than it claims.
    """
    from maskforge.conversion.sources import head

    path = Path(sources[0])
    if len(sources) == 1 and path.is_file() and not readers.load(format).sniff(path, head(path)):
        _tell(path, format)


def _tell(path: Path, format: str | None) -> None:
    """Raise ReadError with what is in ``path``, where that can be told."""
    from maskforge.conversion import sources
    from maskforge.io import files, scan

    shown = shlex.quote(str(path))
    wanted = "annotations" if format is None else f"{readers.load(format).TITLE} files"
    try:
        name, reason = sources.detect([path])
    except MaskforgeError:
        name = reason = ""
    if name and name != format:
        reason = reason.removeprefix(f"{path}: ")
        raise ReadError(
            f"there must be {wanted}, but this is another format, {readers.load(name).TITLE} "
            f"({reason})",
            code="wrong-format",
            file=str(path),
            cure=f"maskforge {name} {shown}",
        )
    if path.is_file():
        start = sources.head(path)
        kind = next((name for begin, name in _PICTURES.items() if start.startswith(begin)), "")
        if kind and format != "masks":
            raise ReadError(
                f"there must be {wanted}, but this is an image ({kind})",
                code="wrong-format",
                file=str(path),
                cure=_annotation_of(path) or "give the file of its annotation, or the folder",
            )
        return
    if not path.is_dir():
        return
    if not any(not one.name.startswith(".") for one in path.iterdir()):
        raise ReadError(
            f"there must be {wanted}, but the folder is empty",
            code="unreadable",
            file=str(path),
            cure="check the path",
        )
    images = scan.find(path, files.IMAGES)
    if images and format != "masks":
        raise ReadError(
            f"there must be {wanted}, but there are only images ({len(images):,})",
            code="unreadable",
            file=str(path),
            cure=f"draw what is on them: maskforge annotate {shown}",
        )


def _annotation_of(path: Path) -> str:
    """Return the file of an image's annotation, where it lies beside."""
    file = path.with_suffix(".json")
    return f"its annotation is beside it: {shlex.quote(str(file))}" if file.is_file() else ""


_OURS = ("labels.txt", "scores.json", "best.pt")
"""Files by which a folder is one of predictions, scores, or a run, and not of photographs."""


def photographs(path: str) -> ReadError | None:
    """Return the error for a folder of images where masks are wanted, None where it is none."""
    from maskforge.io import files, scan

    folder = Path(path)
    if not folder.is_dir():
        return None
    images = scan.find(folder, files.IMAGES)
    if not images or any((folder / name).is_file() for name in _OURS):
        return None
    return ReadError(
        f"there must be images and masks, but there are only images ({len(images):,})",
        code="wrong-format",
        file=path,
        cure=f"draw what is on them, and convert: maskforge annotate {shlex.quote(path)}; or put "
        "images into images/ and masks of the same names into masks/",
    )
