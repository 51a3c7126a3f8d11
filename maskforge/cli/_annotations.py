"""Annotations where masks are wanted: recognised, so that the message tells how to convert them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from maskforge import readers
from maskforge.cli import _sources
from maskforge.errors import ClassError, MaskforgeError, ReadError


@contextmanager
def recognised(sources: Sequence[str]) -> Iterator[None]:
    """Have what is raised for one of ``sources`` tell that it holds annotations, where it does.

    What reads masks knows no format of annotations, and could only say what it did not find. Where
    there are masks, too, the error stays what it was, and its cure says how to convert. Raises
    ReadError, ClassError.
    """
    try:
        yield
    except (ReadError, ClassError) as error:
        meant = next((one for one in sources if _is_in(error.file, one)), None)
        told = None if meant is None else _told(meant, error)
        if told is None and meant is not None and error.code == "wrong-format":
            told = _sources.photographs(meant)
        if told is None:
            raise
        raise told from error


def _is_in(file: str, source: str) -> bool:
    return Path(file).absolute().is_relative_to(Path(source).absolute())


def _told(source: str, error: ReadError | ClassError) -> ReadError | ClassError | None:
    """Return what to say of annotations in ``source``, None where there are none."""
    from maskforge.conversion import sources
    from maskforge.io import scan
    from maskforge.readers.masks.pairing import MASK_SUFFIXES

    try:
        name, reason = sources.detect([Path(source)])
    except MaskforgeError:
        return None
    if name == "masks":
        return None
    title = readers.load(name).TITLE
    convert = f"convert them first, and give what that writes: maskforge {name} "
    convert += shlex.quote(source)
    if error.code == "wrong-format" or not scan.find(Path(source), MASK_SUFFIXES):
        reason = reason.removeprefix(f"{source}: ")
        return ReadError(
            f"there must be masks, but these are annotations: {title} ({reason})",
            code="wrong-format",
            file=source,
            cure=convert,
        )
    meant = f"if the annotations there are meant, {title}, {convert}"
    return type(error)(
        error.message,
        code=error.code,
        file=error.file,
        place=error.place,
        cure=f"{error.cure}; {meant}" if error.cure else meant,
    )
