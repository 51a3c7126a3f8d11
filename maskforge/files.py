"""Files: whole or absent, inside the output folder, under names that every system takes."""

from __future__ import annotations

import errno
import os
import re
import shutil
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from maskforge.errors import WriteError

PART = ".maskforge-part"
"""Suffix of files under way; :func:`sweep` removes those that a killed run left behind."""

JOURNAL = ".maskforge-journal.jsonl"
"""The journal of a run under way; see ``manifest.py``."""

_RESERVED = {"con", "prn", "aux", "nul", *(f"{d}{n}" for d in ("com", "lpt") for n in range(1, 10))}
_MAX_NAME = 120


@contextmanager
def atomic(path: Path) -> Iterator[BinaryIO]:
    """Open ``path`` for writing so that it is whole or absent, whatever happens in between.

    Bytes go to a temporary file beside the target, which takes its place when the block ends well
    and is removed when it does not. Raises WriteError when the system refuses.
    """
    part = path.with_name(f".{path.name[:_MAX_NAME]}.{os.getpid()}{PART}")
    try:
        try:
            file = part.open("wb")
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = part.open("wb")
        with file:
            yield file
        os.replace(part, path)
    except OSError as error:
        if isinstance(error, WriteError):
            raise
        raise write_error(path, error) from error
    finally:
        part.unlink(missing_ok=True)


def write(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path``, whole or not at all. Raises WriteError."""
    with atomic(path) as file:
        file.write(data)


def place(source: Path, target: Path, *, link: bool) -> None:
    """Put ``source`` at ``target``: a hard link where ``link`` and system allow, else a copy."""
    if link:
        part = target.with_name(f".{target.name[:_MAX_NAME]}.{os.getpid()}{PART}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(source.resolve(), part)
            os.replace(part, target)
            # Renaming one hard link of a file onto another does nothing and leaves both.
            part.unlink(missing_ok=True)
            return
        except OSError:
            part.unlink(missing_ok=True)  # another device, or no hard links here: copy
    with atomic(target) as file, source.open("rb") as original:
        shutil.copyfileobj(original, file, 1 << 20)


def write_error(path: Path, error: OSError) -> WriteError:
    """Return the WriteError that says what the system said of ``path`` and what to do."""
    cures = {
        errno.ENOSPC: "free some space, then go on with --resume",
        errno.EDQUOT: "free some space, then go on with --resume",
        errno.EACCES: "choose another place with --out",
        errno.EROFS: "choose another place with --out",
    }
    reason = error.strerror or str(error)
    return WriteError(
        f"the file could not be written: {reason}",
        file=str(path),
        cure=cures.get(error.errno or 0, ""),
    )


def sweep(folder: Path) -> None:
    """Remove the temporary files that a killed run left in ``folder`` and below."""
    for root, _, names in os.walk(folder):
        for name in names:
            if name.endswith(PART):
                Path(root, name).unlink(missing_ok=True)


def find(folder: Path, suffixes: Iterable[str]) -> list[Path]:
    """Return the files below ``folder`` with one of ``suffixes`` (lower case), sorted by path.

    Hidden files and folders are passed over, as are the resource forks (``._x``) of macOS, and
    outputs of earlier runs, finished or not.
    """
    wanted = tuple(suffixes)
    found: list[Path] = []
    for root, folders, names in os.walk(folder):
        if JOURNAL in names or ("manifest.json" in names and _is_ours(Path(root, "manifest.json"))):
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [
            Path(root, name)
            for name in names
            if name.lower().endswith(wanted)
            and not name.startswith(".")
            and not name.endswith(".manifest.json")
        ]
    return sorted(found, key=lambda path: path.as_posix())


def _is_ours(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return b'"maskforge-manifest/' in file.read(200)
    except OSError:
        return False


def safe_name(name: str) -> str:
    """Return ``name`` as a relative path with forward slashes that stays inside its folder.

    Drives, roots, ``..`` and characters that some system refuses are taken out; parts that are too
    long are cut and marked with a digest, so that different names stay different.
    """
    parts = [_safe_part(part) for part in re.split(r"[/\\]+", name)]
    return "/".join(part for part in parts if part) or "unnamed"


def _safe_part(part: str) -> str:
    text = unicodedata.normalize("NFC", part)
    text = re.sub(r'[\x00-\x1f\x7f<>:"|?*\ud800-\udfff]', "_", text).strip(" ")
    text = text.rstrip(".") if text.strip(".") else ""
    if text.split(".")[0].casefold() in _RESERVED:
        text = f"_{text}"
    if len(text.encode()) > _MAX_NAME:
        digest = sha256(part.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        text = text.encode()[: _MAX_NAME - 9].decode("utf-8", "ignore") + "-" + digest
    return text


def unique_names(names: Iterable[str]) -> list[str]:
    """Return ``names`` with every later twin marked ``-2``, ``-3`` …; twins differ in case at most.

    Case counts for nothing because it does not on the file systems of macOS and Windows.
    """
    wanted = list(names)
    taken = {name.casefold() for name in wanted}
    seen: set[str] = set()
    result = []
    for name in wanted:
        chosen, number = name, 1
        while chosen.casefold() in seen or (number > 1 and chosen.casefold() in taken):
            number += 1
            chosen = f"{name}-{number}"
        seen.add(chosen.casefold())
        result.append(chosen)
    return result
