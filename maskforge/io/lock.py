"""A lock on an output, that dies with its process."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

from maskforge.errors import UsageError
from maskforge.io import files

WAIT_S = 3.0
"""How long is waited for the workers of a run that was killed: they leave after the file they are
at."""


class Lock:
    """Held from construction to :meth:`release`. Raises UsageError where somebody else holds it.

    The file is there only as long as it is held, but for what a killed process leaves behind,
    which locks nobody out. Where the file system knows no locks, there is none.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        end = time.monotonic() + WAIT_S
        while not self._acquire():
            if time.monotonic() > end:
                raise UsageError(
                    f"another run is under way in {str(path.parent)!r}",
                    cure="wait for its end, or choose another place with --out",
                )
            time.sleep(0.05)

    def _acquire(self) -> bool:
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        except OSError as error:
            raise files.write_error(self._path, error) from error
        try:
            held = _lock(file)
            # Who held it before us may have removed the file meanwhile: that lock is worth nothing.
            current = held and os.path.samestat(os.fstat(file), os.stat(self._path))
        except FileNotFoundError:
            current = False
        except BaseException:
            os.close(file)
            raise
        if not current:
            os.close(file)
            return False
        self._file = file
        return True

    @property
    def holds(self) -> bool:
        """Whether it is held, and still guards its place: nobody moved or removed the folder."""
        try:
            return self._file is not None and os.path.samestat(
                os.fstat(self._file), os.stat(self._path)
            )
        except OSError:
            return False

    def release(self) -> None:
        """Let go of it and remove the file."""
        if self._file is None:
            return
        is_there = self.holds  # else the file is that of another run, in a new folder
        if os.name == "nt":  # which removes no file that is open
            os.close(self._file)
        if is_there:
            with suppress(OSError):
                self._path.unlink()
        if os.name != "nt":
            os.close(self._file)
        self._file = None


def _lock(file: int) -> bool:
    """Lock an open file for this process and those it forks; tell whether that was possible."""
    if os.name == "nt":
        import msvcrt  # type: ignore[unused-ignore]

        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # no locks on this file system
        return True
    return True
