"""The journal of a run: a line for each image that is done, so that a killed run can go on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any, TypeAlias

from maskforge.io import files
from maskforge.io.ownership import Entry
from maskforge.io.shelf import Put
from maskforge.records import parsed, to_json


class Journal:
    """The journal in the file ``path``, added to."""

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


Files: TypeAlias = dict[str, tuple[Entry, bool]]
"""Files by name, and whether they were in place before."""


def read(path: Path) -> tuple[str | None, list[tuple[dict[str, Any], Files]]]:
    """Return the fingerprint of a run that was cut off, None where there was none, and what it did.

    That is, for each image, its record and its files. The last line of a killed run may be cut; it
    does not count.
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
