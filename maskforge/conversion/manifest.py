"""The manifest: what an output folder holds and how it came about; and the journal of a run.

The manifest is JSON, one per output, without clock, host or absolute path, so that equal inputs
give equal bytes. The journal is its forerunner while a run is under way: one line an image, so
that a killed run can go on where it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, BinaryIO

from maskforge import __version__
from maskforge.conversion.settings import Plan
from maskforge.errors import Problem
from maskforge.io import files
from maskforge.io.manifest import FORMAT
from maskforge.io.ownership import Entry
from maskforge.io.shelf import Put
from maskforge.records import Records, parsed, to_json


def write(
    file: BinaryIO, plan: Plan, records: Records, *, kind: str, collections: Sequence[str]
) -> None:
    """Write the manifest of an output as JSON, one image a line so that it can be compared.

    collections: the files of all images: none, one, or one for each split.
    """
    head = _head(plan, records, kind=kind, collections=collections)
    file.write(to_json(head, indent=1)[:-2])
    separator = b',\n "images": [\n  '
    for line in records.lines:
        file.write(separator + line)
        separator = b",\n  "
    file.write(b"\n ]\n}\n" if records else separator + b"]\n}\n")


def _head(plan: Plan, records: Records, *, kind: str, collections: Sequence[str]) -> dict[str, Any]:
    """Return all but the images."""
    classes = plan.classes
    totals: dict[str, int] = {}
    for record in records:
        for class_id, pixels in record["pixels"].items():
            totals[class_id] = totals.get(class_id, 0) + pixels
    return {
        "format": FORMAT,
        "maskforge": __version__,
        "classes": {
            "names": list(classes.names),
            "ids": list(classes.ids),
            "background": classes.background,
            "ignore_index": classes.ignore_index,
            "has_ignore": classes.has_ignore,
            "palette": classes.palette.tolist(),
            "hash": classes.hash,
        },
        "kind": kind,
        "collection": list(collections) if len(collections) > 1 else next(iter(collections), None),
        "settings": plan.public(),
        "fingerprint": plan.fingerprint,
        "pixels": dict(sorted(totals.items(), key=lambda item: int(item[0]))),
    }


def problem_lines(problems: Iterable[Problem], root: Path) -> bytes:
    """Return problems as JSON lines, files relative to ``root`` where they are below it."""
    return b"".join(_line(relative(problem, root)) for problem in problems)


def relative(problem: Problem, root: Path) -> dict[str, str]:
    """Return the problem as a dictionary, its file relative to ``root`` where it is below it."""
    record = problem.as_dict()
    try:
        record["file"] = Path(problem.file).absolute().relative_to(root).as_posix()
    except ValueError:
        record["file"] = Path(problem.file).name
    return record


class Journal:
    """The record of a run under way: a line for each image that is done, with its files."""

    def __init__(self, path: Path, fingerprint: str, *, go_on: bool) -> None:
        """``go_on``: what an earlier run of the same settings wrote there stays true."""
        self._path = path
        self._beginning = {"fingerprint": fingerprint}
        self._go_on = go_on
        self._file: IO[bytes] | None = None

    def add(self, record: Mapping[str, Any], put: Iterable[Put]) -> None:
        """Append a record; it is in the system's hands when this returns. Raises WriteError."""
        names = [[one.name, one.taken, *one.entry] for one in put]
        try:
            if self._file is None:
                self._file = self._open()
            self._file.write(_line({"record": record, "files": names}))
            self._file.flush()
        except OSError as error:
            raise files.write_error(self._path, error) from error

    def _open(self) -> IO[bytes]:
        if self._go_on and self._path.is_file():
            file = self._path.open("ab")
            file.write(b"\n")  # the last line may have been cut
            return file
        file = self._path.open("wb")
        file.write(_line(self._beginning))
        return file

    def close(self) -> None:
        """Close the journal. It stays until the output is in place."""
        if self._file is not None:
            try:
                self._file.close()
            except OSError as error:
                raise files.write_error(self._path, error) from error


def _line(entry: Mapping[str, Any]) -> bytes:
    return to_json(entry) + b"\n"


def read_journal(
    path: Path,
) -> tuple[str | None, list[tuple[dict[str, Any], dict[str, tuple[Entry, bool]]]]]:
    """Return the fingerprint of a run that was cut off, None where there was none, and what it did.

    That is, for each image, its record, and its files by name, and whether they were in place
    before. The last line of a killed run may be cut; it does not count.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError:
        return None, []
    entries = [entry for entry in map(parsed, lines) if isinstance(entry, dict)]
    if not entries or not isinstance(entries[0].get("fingerprint"), str):
        return None, []
    found = []
    for entry in entries[1:]:
        try:
            named = {name: (Entry(*values), bool(taken)) for name, taken, *values in entry["files"]}
            if isinstance(entry["record"]["stem"], str) and all(map(files.is_inside, named)):
                found.append((entry["record"], named))
        except (KeyError, TypeError, ValueError):
            continue  # it was cut
    return entries[0]["fingerprint"], found
