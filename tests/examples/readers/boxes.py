"""Boxes as lines of text: an image's name, a label, then left, top, right and bottom in pixels.

The first line is ``boxes/1``. Coordinates are not moved: pixel (0, 0) covers [0, 1) x [0, 1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import groupby
from pathlib import Path

from maskforge.errors import Problem, ReadError
from maskforge.raster.annotation import Annotation, Region
from maskforge.raster.geometry import Box

TITLE = "lines of boxes"
SUFFIXES = (".txt",)
DEFAULT_OUTPUT = "label"
DEFAULT_FILE = None
labels = None  # a file has many images
REGIONS = True  # not pixels


@dataclass(frozen=True)
class Options:
    """What a user can say about such a file."""

    prefix: str = field(default="", metadata={"help": "what to put before labels"})


def sniff(path: Path, head: bytes) -> str | None:
    """Return why a file with these first bytes looks like such a file."""
    return "lines of boxes: it begins with boxes/1" if head.startswith(b"boxes/1\n") else None


def read(path: Path, options: Options) -> Iterator[Annotation | Problem]:
    """Yield the boxes of each image, whose lines follow each other."""
    try:
        _, *lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise ReadError(f"must be UTF-8 text, but: {error}", file=str(path)) from error
    for name, rows in groupby(map(str.split, lines), key=lambda row: row[0]):
        given = list(rows)
        try:
            regions = tuple(
                Region(options.prefix + label, (Box(*map(float, sides)),))
                for _, label, *sides in given
            )
        except (TypeError, ValueError):
            yield Problem("bad-field", str(path), "a line must have a label and 4 numbers", name)
            continue
        digest = sha256(repr(given).encode()).hexdigest()
        yield Annotation(name, path, digest, regions, place=name, image=path.parent / name)
