"""The manifest: what an output folder holds and how it came about; and the journal of a run.

The manifest is JSON, one per output, without clock, host or absolute path, so that equal inputs
give equal bytes. The journal is its forerunner while a run is under way: one line an image, so
that a killed run can go on where it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

from maskforge import files
from maskforge._version import __version__
from maskforge.classes import ClassTable
from maskforge.errors import Problem, ReadError
from maskforge.records import Records, to_json
from maskforge.settings import Settings

FORMAT = "maskforge-manifest/1"


def write(
    path: Path, settings: Settings, records: Records, *, kind: str, collection: str | None
) -> None:
    """Write the manifest of an output as JSON, one image a line so that it can be compared.

    collection: the one file that holds all masks. Raises WriteError.
    """
    head = _head(settings, records, kind=kind, collection=collection)
    with files.atomic(path) as file:
        file.write(to_json(head, indent=1)[:-2])
        separator = b',\n "images": [\n  '
        for line in records.lines:
            file.write(separator + line)
            separator = b",\n  "
        file.write(b"\n ]\n}\n" if records else separator + b"]\n}\n")


def _head(
    settings: Settings, records: Records, *, kind: str, collection: str | None
) -> dict[str, Any]:
    """Return all but the images."""
    classes = settings.classes
    totals: dict[str, int] = {}
    for record in records:
        for class_id, pixels in record["pixels"].items():
            totals[class_id] = totals.get(class_id, 0) + pixels
    return {
        "format": FORMAT,
        "maskforge": __version__,
        "classes": {
            "names": list(classes.names),
            "background": 0,
            "ignore_index": classes.ignore_index,
            "has_ignore": classes.has_ignore,
            "palette": classes.palette.tolist(),
            "hash": classes.hash,
        },
        "kind": kind,
        "collection": collection,
        "settings": settings.public(),
        "fingerprint": settings.fingerprint,
        "pixels": dict(sorted(totals.items(), key=lambda item: int(item[0]))),
    }


def load(path: Path) -> dict[str, Any]:
    """Return the manifest in the file ``path``. Raises ReadError."""
    try:
        manifest = json.loads(path.read_bytes())
    except OSError as error:
        raise ReadError(
            f"the manifest cannot be read: {error.strerror}", code="unreadable", file=str(path)
        ) from error
    except ValueError as error:
        raise ReadError(
            f"the manifest must be JSON, but: {error}", code="not-json", file=str(path)
        ) from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ReadError(
            f"the manifest must say format {FORMAT!r}", code="wrong-format", file=str(path)
        )
    parts = {"classes": dict, "settings": dict, "fingerprint": str, "images": list}
    for name, kind in parts.items():
        if not isinstance(manifest.get(name), kind):
            raise ReadError(
                f"the manifest must have {name!r}, a {kind.__name__}",
                file=str(path),
                place=name,
                cure="convert again with --overwrite",
            )
    return manifest


def class_table(manifest: Mapping[str, Any]) -> ClassTable:
    """Return the class table that a manifest carries."""
    classes = manifest["classes"]
    return ClassTable(tuple(classes["names"]), has_ignore=bool(classes["has_ignore"]))


def output_files(record: Mapping[str, Any]) -> set[str]:
    """Return the files of one image that a run made, relative to the output folder.

    The image is not among them: it may be the user's own, or the last copy of it.
    """
    roles = ("mask", "instance", "preview")
    named = [record.get(role) for role in roles] + list(record.get("extra", {}).values())
    return {name for name in named if isinstance(name, str) and _inside(name)}


def _inside(name: str) -> bool:
    return name == files.safe_name(name)


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
    """The record of a run under way: a line for each image that is done."""

    def __init__(
        self, path: Path, fingerprint: str, before: Iterable[Mapping[str, Any]] = ()
    ) -> None:
        """``before``: records of an earlier run, which a second kill must not lose."""
        self._path = path
        self._beginning = [{"fingerprint": fingerprint}, *before]
        self._file: IO[bytes] | None = None

    def add(self, record: Mapping[str, Any]) -> None:
        """Append a record; it is in the system's hands when this returns."""
        try:
            if self._file is None:
                files.write(self._path, b"".join(map(_line, self._beginning)))
                self._file = self._path.open("ab")
            self._file.write(_line(record))
            self._file.flush()
        except OSError as error:
            raise files.write_error(self._path, error) from error

    def close(self) -> None:
        """Close the journal. It stays until the manifest is written."""
        if self._file is not None:
            try:
                self._file.close()
            except OSError as error:
                raise files.write_error(self._path, error) from error


def _line(entry: Mapping[str, Any]) -> bytes:
    return to_json(entry) + b"\n"


def earlier(
    manifest_path: Path, journal_path: Path
) -> tuple[str | None, dict[str, dict[str, Any]]]:
    """Return fingerprint and records by stem of what an earlier run left, finished or not.

    The last line of a killed run's journal may be cut; it does not count.
    """
    records: dict[str, dict[str, Any]] = {}
    fingerprint = None
    if manifest_path.is_file():
        manifest = load(manifest_path)
        fingerprint = manifest["fingerprint"]
        records |= {record["stem"]: record for record in manifest["images"]}
    if journal_path.is_file():
        lines = journal_path.read_bytes().split(b"\n")
        entries = [entry for entry in map(_parsed, lines) if entry is not None]
        if entries and entries[0].get("fingerprint") != fingerprint:
            fingerprint, records = entries[0].get("fingerprint"), {}
        records |= {entry["stem"]: entry for entry in entries[1:] if "stem" in entry}
    return fingerprint, records


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None
