"""What the tests of OCHuman's two kinds of file share."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from maskforge.errors import Problem
from maskforge.raster.annotation import Annotation
from maskforge.readers import ochuman

Item: TypeAlias = Annotation | Problem
Read: TypeAlias = Callable[..., list[Item]]

TRIANGLE = [1, 2, 7.5, 3, 4, 9]
SQUARE = [20, 20, 30, 20, 30, 31, 20, 31]
HOLE = [3, 4, 5, 4, 4, 5]


def reading_in(folder: Path) -> Read:
    """Return what writes a document into ``folder`` and reads it with the given options."""

    def read(document: object, name: str = "ochuman.json", **options: Any) -> list[Item]:
        path = folder / name
        path.write_text(json.dumps(document), encoding="utf-8")
        return list(ochuman.read(path, ochuman.Options(**options)))

    return read


def good(items: Sequence[Item]) -> list[Annotation]:
    """Return the annotations; there must be no problem."""
    assert not [str(item) for item in items if isinstance(item, Problem)]
    return [item for item in items if isinstance(item, Annotation)]


def problem(items: Sequence[Item]) -> Problem:
    """Return the one problem that all of it is, or that withholds its one image."""
    (item,) = items
    if isinstance(item, Annotation):
        (item,) = (problem for problem in item.problems if problem.severity == "error")
    assert isinstance(item, Problem)
    return item
