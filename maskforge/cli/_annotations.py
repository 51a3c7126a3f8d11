"""Annotations where masks are wanted: recognised, so that the message can say how to convert them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from maskforge import readers
from maskforge.errors import ClassError, MaskforgeError, ReadError


@contextmanager
def recognised(sources: Sequence[str]) -> Iterator[None]:
    """Have what is raised for ``sources``, which are no masks, say that one holds annotations.

    What reads masks knows no format of annotations, and could only say what it did not find.
    Raises ReadError where one does; what the block raised where none does.
    """
    try:
        yield
    except (ReadError, ClassError) as error:
        for source in sources:
            if (told := _told(source)) is not None:
                raise told from error
        raise


def _told(source: str) -> ReadError | None:
    """Return what to say of annotations in ``source``, None where there are none."""
    from maskforge.conversion import sources

    try:
        name, reason = sources.detect([Path(source)])
        title = readers.load(name).TITLE
    except MaskforgeError:
        return None
    if name == "masks":
        return None
    return ReadError(
        f"there must be masks, but these are annotations: {title} ({reason})",
        code="wrong-format",
        file=source,
        cure=f"convert them first, and give what that writes: maskforge {name} "
        f"{shlex.quote(source)}",
    )
