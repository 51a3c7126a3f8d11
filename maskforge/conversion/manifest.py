"""The manifest: what an output folder holds and how it came about.

It is JSON, one per output, without clock, host or absolute path, so that equal inputs give equal
bytes. Its forerunner while a run is under way is the journal (:mod:`maskforge.io.journal`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from maskforge import __version__
from maskforge.conversion.settings import Plan
from maskforge.errors import Problem
from maskforge.io.manifest import FORMAT
from maskforge.records import Records, to_json


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
    return b"".join(to_json(relative(problem, root)) + b"\n" for problem in problems)


def relative(problem: Problem, root: Path) -> dict[str, str]:
    """Return the problem as a dictionary, its file relative to ``root`` where it is below it."""
    record = problem.as_dict()
    try:
        record["file"] = Path(problem.file).absolute().relative_to(root).as_posix()
    except ValueError:
        record["file"] = Path(problem.file).name
    return record
