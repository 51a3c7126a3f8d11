"""Files: whole or absent, inside the output folder, under names that every system takes."""

from __future__ import annotations

import errno
import os
import re
import shutil
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from maskforge.errors import MaskforgeError, ReadError, WriteError

PART = ".maskforge-part"
"""Suffix of files under way."""

JOURNAL = ".maskforge-journal.jsonl"
"""What 0.1 left in the folder of a run that was cut off."""

_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)

_RESERVED = {"con", "prn", "aux", "nul", *(f"{d}{n}" for d in ("com", "lpt") for n in range(1, 10))}
_MAX_NAME = 120
_MAX_PATH = 900
IMAGES = (
    *(".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".jpe", ".jfif", ".dib"),
    *(".pgm", ".ppm", ".pbm", ".pnm", ".jp2", ".j2k", ".jpx", ".avif", ".heic", ".heif", ".tga"),
    *(".pcx", ".sgi", ".psd", ".qoi", ".dds", ".ico"),
)
"""Suffixes of what is looked for as an image."""

_IMAGE_SUFFIX = rf"(?i)\.({'|'.join(suffix[1:] for suffix in IMAGES)}|npy)$"
_PLAIN = re.compile(r"(?:[\w-]+/)*[\w-]+", re.ASCII)


def part_of(path: Path) -> str:
    """Return how the names of files under way to ``path`` begin; short, whatever its length."""
    return f".{sha256(path.name.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}."


@contextmanager
def atomic(path: Path) -> Iterator[BinaryIO]:
    """Open ``path`` for writing so that it is whole or absent, whatever happens in between.

    Bytes go to a temporary file beside the target, which takes its place when the block ends well
    and is removed when it does not. Raises WriteError when the system refuses.
    """
    with _replacing(path) as descriptor, os.fdopen(descriptor, "wb") as file:
        yield file


def write(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` as :func:`atomic` does, in half the time. Raises WriteError."""
    with _replacing(path) as descriptor:
        try:
            write_all(descriptor, data)
        finally:
            os.close(descriptor)


def write_all(descriptor: int, data: bytes) -> None:
    """Write ``data`` to an open file; the system may take less of it at once. Raises OSError."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def way_to(path: str | os.PathLike[str], folder: str | os.PathLike[str]) -> str | None:
    """Return the path from ``folder`` to ``path``, with slashes; None: it is on another drive."""
    where, name = os.path.split(path)
    if name in ("", os.curdir, os.pardir):
        where, name = os.path.split(os.path.abspath(path))
    current = "" if os.path.isabs(where) and os.path.isabs(folder) else os.getcwd()
    way = _way(where, os.fspath(folder), current)
    return None if way is None else f"{way}{name}"


@lru_cache(maxsize=64)  # most files lie in one folder
def _way(there: str, here: str, current: str) -> str | None:
    try:
        there, here = os.path.join(current, there), os.path.join(current, here)
        way = os.path.relpath(there, here).replace(os.sep, "/")
    except ValueError:
        return None
    return "" if way == os.curdir else f"{way}/"


@contextmanager
def _replacing(path: Path) -> Iterator[int]:
    """Yield a descriptor, to be closed, of a file that takes ``path``'s place if all ends well."""
    part = _part(path)
    try:
        yield _create(part)
        os.replace(part, path)
    except BaseException as error:
        with suppress(OSError):
            os.unlink(part)
        if isinstance(error, OSError) and not isinstance(error, MaskforgeError):
            raise write_error(path, error) from error
        raise


def _part(path: Path) -> str:
    return os.path.join(os.path.dirname(path), f"{part_of(path)}{os.getpid()}{PART}")


def _create(part: str) -> int:
    """Return a descriptor of the new file ``part``, whose folder is made where it is missing."""
    try:
        return os.open(part, _NEW, 0o666)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(part), exist_ok=True)
        return os.open(part, _NEW, 0o666)


def place(source: Path, target: Path, *, link: bool) -> None:
    """Put ``source`` at ``target``: a hard link where ``link`` and system allow, else a copy.

    Raises ReadError for a source that cannot be read, WriteError for a target that cannot be
    written.
    """
    try:
        original = source.open("rb")
    except OSError as error:
        raise ReadError(
            f"the image cannot be read: {error.strerror}", code="bad-image", file=str(source)
        ) from error
    with original:
        if link and _linked(source, target):
            return
        with atomic(target) as file:
            shutil.copyfileobj(original, file, 1 << 20)


def _linked(source: Path, target: Path) -> bool:
    """Make ``target`` a hard link to ``source`` and tell whether that was possible."""
    part = _part(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(source.resolve(), part)
        os.replace(part, target)
    except OSError:
        return False  # another device, or no hard links here
    finally:
        # Renaming one hard link of a file onto another does nothing and leaves both.
        with suppress(OSError):
            os.unlink(part)
    return True


def write_error(path: Path, error: OSError) -> WriteError:
    """Return the WriteError that says what the system said of ``path`` and what to do."""
    again = "free some space, then run it again, with --resume where the command has it"
    cures = {
        errno.ENOSPC: again,
        errno.EDQUOT: again,
        errno.EACCES: "choose another place with --out",
        errno.EROFS: "choose another place with --out",
    }
    reason = error.strerror or str(error)
    return WriteError(
        f"the file could not be written: {reason}",
        file=str(path),
        cure=cures.get(error.errno or 0, ""),
    )


def safe_name(name: str) -> str:
    """Return ``name`` as a relative path with forward slashes that stays inside its folder.

    Drives, roots, ``..`` and characters that some system refuses are taken out; what is too long
    is cut and marked with a digest, so that different names stay different. A folder called like
    an image loses its dot: masks/a.png must not be a file and a folder.
    """
    if _is_plain(name):
        return name
    *folders, last = list(filter(None, map(_safe_part, re.split(r"[/\\]+", name)))) or [""]
    folders = [re.sub(_IMAGE_SUFFIX, r"_\1", folder) for folder in folders]
    path = "/".join([*folders, last])
    if len(path.encode()) > _MAX_PATH:
        path = f"{_digest(name)}/{last}"
    return path or "unnamed"


def is_inside(name: str) -> bool:
    """Tell whether ``name``, a relative path with forward slashes, stays inside its folder."""
    if "\0" in name or any(part in ("", ".", "..") for part in name.split("/")):
        return False
    return os.name != "nt" or not (":" in name or "\\" in name)  # elsewhere they are letters


def _is_plain(name: str) -> bool:
    """Tell whether ``name`` is safe at a glance, as nearly all are: letters, digits, _ and -."""
    short = len(name) <= _MAX_NAME and _PLAIN.fullmatch(name) is not None
    return short and _RESERVED.isdisjoint(name.casefold().split("/"))


def _safe_part(part: str) -> str:
    text = unicodedata.normalize("NFC", part)
    text = re.sub(r'[\x00-\x1f\x7f<>:"|?*\\\ud800-\udfff]', "_", text)
    if len(text.encode()) > _MAX_NAME:
        cut = text.encode()[: _MAX_NAME - 9].decode("utf-8", "ignore")
        text = f"{cut}-{_digest(part)}"
    text = text.strip(" ").rstrip(". ")  # Windows drops these
    if text.split(".")[0].rstrip().casefold() in _RESERVED:
        text = f"_{text}"
    return text


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def unique_names(names: Iterable[str]) -> list[str]:
    """Return ``names`` with every later twin marked ``-2``, ``-3`` …; twins differ in case at most.

    Case counts for nothing because it does not on the file systems of macOS and Windows.
    """
    wanted = list(names)
    taken = {name.casefold() for name in wanted}
    seen: set[str] = set()
    numbers: dict[str, int] = {}  # where to go on counting
    result = []
    for name in wanted:
        chosen, key = name, name.casefold()
        while chosen.casefold() in seen or (chosen != name and chosen.casefold() in taken):
            numbers[key] = numbers.get(key, 1) + 1
            chosen = f"{name}-{numbers[key]}"
        seen.add(chosen.casefold())
        result.append(chosen)
    return result
