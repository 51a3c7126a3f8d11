"""What lies in a folder, and systems that fail at the right moment."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest


def listing(folder: Path | str, *, hidden: bool = False) -> list[str]:
    """Return all below ``folder``, but for what is hidden: the lists of what an output owns."""
    found = (path.relative_to(folder) for path in Path(folder).rglob("*"))
    return sorted(
        path.as_posix()
        for path in found
        if hidden or not any(part.startswith(".") for part in path.parts)
    )


def contents(folder: Path | str) -> dict[str, bytes]:
    """Return the bytes of all files below ``folder``, hidden ones too."""
    root = Path(folder)
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def leftovers(folder: Path | str) -> list[str]:
    """Return what is hidden in ``folder`` besides lists of what outputs own and have done."""
    return [
        name
        for name in listing(folder, hidden=True)
        if "/." in f"/{name}" and not name.endswith((".owned", ".done"))
    ]


def fail_after(
    patch: pytest.MonkeyPatch, name: str, calls: int, error: BaseException | None = None
) -> None:
    """Have ``os.name`` raise ``error``, of a full disk if none, after this many calls."""
    real = getattr(os, name)
    count = 0

    def limited(*arguments: object, **options: object) -> object:
        nonlocal count
        count += 1
        if count > calls:
            raise error or OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*arguments, **options)

    patch.setattr(os, name, limited)


class Killed(BaseException):
    """The process is gone: nobody but a test hears of it."""
