"""Files below a folder, those of earlier outputs left out."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from maskforge.io import files, ownership

_BOOKKEEPING = ("manifest.json", "problems.jsonl")
"""Ends of the names of what an output says of itself: never a source."""


def find(
    folder: Path,
    suffixes: Iterable[str],
    *,
    passed: list[Path] | None = None,
    strangers: bool = False,
    named: bool = False,
) -> list[Path]:
    """Return the files below ``folder`` with one of ``suffixes`` (lower case), sorted by path.

    Passed over are hidden files and folders, as are the resource forks (``._x``) of macOS, and what
    a list says that an output placed; where ``folder`` itself is an output, only what that says of
    itself. Links to folders are followed, each folder once. An output of 0.1, which kept no list,
    is passed over as a whole. A folder that cannot be looked into stands among the files, so that
    whoever reads it can say so; one that is not there has none. passed: takes the folders of
    outputs that were passed over. strangers: what ``folder`` itself placed is passed over, too.
    named: outputs that are files in ``folder`` are not, as if they had been named.
    """
    wanted = tuple(suffixes)
    found: list[Path] = []
    closed: list[Path] = []
    placed: set[str] = set()
    top = os.path.abspath(folder)

    def note(error: OSError) -> None:
        if isinstance(error, PermissionError):
            closed.append(Path(error.filename))

    seen: set[tuple[int, int]] = set()  # of folders, so that links lead nowhere twice
    for root, folders, names in os.walk(folder, onerror=note, followlinks=True):
        here = os.path.abspath(root)
        with suppress(OSError):
            place = os.stat(root)
            if (place.st_dev, place.st_ino) in seen:
                folders.clear()
                continue
            seen.add((place.st_dev, place.st_ino))
        outputs = list(ownership.lists(Path(root))) if _has_list(names) else []
        for output in outputs:
            is_named = here == top and (output.is_folder or named) and not strangers
            placed.update(
                os.path.join(here, *name.split("/"))
                for name in output.names
                if not is_named or name.endswith(_BOOKKEEPING)
            )
            if not is_named and output.names and passed is not None:
                passed.append(Path(root))
        if not outputs and here != top and _is_of_0_1(Path(root), names):
            folders.clear()
            if passed is not None:
                passed.append(Path(root))
            continue
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [
            path
            for name in names
            if name.lower().endswith(wanted)
            and not name.startswith(".")
            and (not placed or os.path.join(here, name) not in placed)
            and not _speaks_of_output(root, name)
            and _is_regular(path := Path(root, name))
        ]
    return sorted(found + closed, key=lambda path: path.as_posix())


def _has_list(names: list[str]) -> bool:
    return any(name.startswith(".maskforge-") and name.endswith(".owned") for name in names)


def _is_of_0_1(folder: Path, names: list[str]) -> bool:
    if files.JOURNAL in names:
        return True
    return "manifest.json" in names and is_manifest(folder / "manifest.json")


def _speaks_of_output(root: str, name: str) -> bool:
    return name.endswith("manifest.json") and is_manifest(Path(root, name))


def is_manifest(path: Path) -> bool:
    """Tell whether the file begins as a manifest does."""
    try:
        with path.open("rb") as file:
            return b'"maskforge-manifest/' in file.read(200)
    except OSError:
        return False


def _is_regular(path: Path) -> bool:
    """Tell whether ``path`` can be read without waiting; one that is not there says so later."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return True
