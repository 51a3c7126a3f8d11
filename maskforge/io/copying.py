"""An image into an output: shared blocks where the file system can, a hard link, or a copy."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Literal, TypeAlias

from maskforge.io import files

Way: TypeAlias = Literal["reflink", "link", "copy"]
"""How an image came into an output. reflink: a copy that shares its blocks until one is edited."""

_BINARY = getattr(os, "O_BINARY", 0)
_FICLONE = 0x40049409  # linux/fs.h
_MOST = 1 << 30  # bytes that are copied at once
_NOT_HERE = {
    errno.EOPNOTSUPP,
    errno.ENOTTY,
    errno.EXDEV,
    errno.EINVAL,
    errno.ENOSYS,
    errno.EPERM,
    errno.EACCES,
    errno.EMLINK,
}


def put(source: Path, target: str, *, link: bool) -> Way:
    """Put the bytes of ``source`` at ``target``, which must not be there. Raises OSError.

    link: as a hard link, so that to edit the one edits the other; where that cannot be, a copy.
    """
    if link:
        try:
            os.link(os.path.realpath(source), target)
            return "link"
        except OSError as error:
            if error.errno not in _NOT_HERE:
                raise
    if sys.platform == "darwin" and _clone(source, target):
        return "reflink"
    original = os.open(source, os.O_RDONLY | _BINARY)
    try:
        copy = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o666)
        try:
            if _reflinked(original, copy):
                return "reflink"
            _copy(original, copy)
        finally:
            os.close(copy)
    finally:
        os.close(original)
    return "copy"


def can_share(source: Path, folder: Path) -> bool:
    """Tell whether a copy of ``source`` in ``folder``, which is made, takes no room of its own."""
    try:
        return put(source, os.path.join(folder, "trial"), link=False) == "reflink"
    except OSError:
        return False


def _copy(source: int, target: int) -> None:
    """Copy an open file to another one, inside the kernel where that can be."""
    done = 0
    if sys.platform == "linux":
        try:
            while count := os.sendfile(target, source, done, _MOST):
                done += count
            return
        except OSError as error:
            if done or error.errno not in _NOT_HERE:
                raise
    while data := os.read(source, 1 << 20):
        files.write_all(target, data)


def _reflinked(source: int, target: int) -> bool:
    if sys.platform != "linux":
        return False
    import fcntl

    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError as error:
        if error.errno not in _NOT_HERE:
            raise
        return False
    return True


def _clone(source: Path, target: str) -> bool:
    """Clone by the system call of APFS."""
    import ctypes

    try:
        clone = ctypes.CDLL(None, use_errno=True).clonefile
    except (AttributeError, OSError):
        return False
    return bool(clone(os.fsencode(source), os.fsencode(target), 0) == 0)
