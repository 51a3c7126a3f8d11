"""What outputs say of the images in them, for whoever reads their files of regions again.

A format of regions may have no place for the split, the size or the way to the image, and a layout
may call files otherwise than their images; the manifest of the output has all of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from maskforge import splits
from maskforge.errors import ReadError
from maskforge.io import files, manifest, scan


@dataclass(frozen=True, slots=True)
class Said:
    """What a manifest says of one image.

    folder: of the output. stem: what the image is called. image: where it is, in the output or
    elsewhere; it may be there no more. height, width: of what was written, in pixels.
    """

    folder: Path
    stem: str
    split: str | None
    image: Path | None
    height: int | None
    width: int | None


_Place: TypeAlias = tuple[str, str]
"""A file of an output, and what it knows an image by, "" where it is all about one."""


class Outputs:
    """The outputs that files are of; each manifest is read once.

    Manifests are data: nothing is done on their word but to look for an image.
    """

    def __init__(self) -> None:
        self._in: dict[str, dict[_Place, Said]] = {}
        self._above: dict[str, list[tuple[dict[_Place, Said], str]]] = {}

    def said_of(self, file: Path, key: str = "") -> Said | None:
        """Return what the output that ``file`` is of says of an image, None where it is of none.

        key: what the file knows the image by.
        """
        where, name = os.path.split(os.path.abspath(file))
        if where not in self._above:  # most files lie in one folder
            self._above[where] = list(self._outputs_above(where))
        for outputs, way in self._above[where]:
            if said := outputs.get((f"{way}{name}", key)):
                return said
        return None

    def _outputs_above(self, where: str) -> Iterator[tuple[dict[_Place, Said], str]]:
        """Yield what is said in the folder and those above it, and the way from there."""
        folder, way = where, ""
        while True:
            if folder not in self._in:
                self._in[folder] = dict(_said_in(Path(folder)))
            if self._in[folder]:
                yield self._in[folder], way
            folder, name = os.path.split(folder)
            if not name:
                return
            way = f"{name}/{way}"


def _said_in(folder: Path) -> Iterator[tuple[_Place, Said]]:
    try:
        with os.scandir(folder) as entries:
            named = sorted(entry.path for entry in entries if entry.name.endswith("manifest.json"))
    except OSError:
        return
    for path in map(Path, named):
        if scan.is_manifest(path):
            try:
                yield from _said_by(manifest.load(path), folder)
            except ReadError:
                continue  # it is damaged: the files tell what they can by themselves


def _said_by(content: Mapping[str, Any], folder: Path) -> Iterator[tuple[_Place, Said]]:
    collected = content.get("collection")
    collections = collected if isinstance(collected, list) else [collected]
    for record in content["images"]:
        if not isinstance(record, dict) or not isinstance(record.get("stem"), str):
            continue
        image, split, height, width = map(record.get, ("image", "split", "height", "width"))
        if not (isinstance(image, str) and files.is_inside(image)):
            image = record.get("original")
        said = Said(
            folder,
            record["stem"],
            split if split in splits.NAMES else None,
            Path(os.path.normpath(folder / image)) if isinstance(image, str) else None,
            height if isinstance(height, int) else None,
            width if isinstance(width, int) else None,
        )
        key, mask = record.get("key"), record.get("mask")
        if isinstance(key, str):
            yield from (((name, key), said) for name in collections if isinstance(name, str))
        elif isinstance(mask, str):
            yield (mask, ""), said
