"""The JSON files of COCO: images, annotations and categories of all images in one object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO

from maskforge.classes import ClassTable
from maskforge.layouts import Names
from maskforge.records import to_json
from maskforge.writers import Scene, _objects

_INFO = {"description": "converted by maskforge"}


def image_id(names: Names) -> int:
    """Return the id of an image: its number in the input, from 1."""
    return names.index + 1


def piece(scene: Scene, annotations: Iterable[Mapping[str, Any]]) -> bytes:
    """Return what an image adds to the file: its entry, and its annotations, a line each."""
    entry = {
        "id": image_id(scene.names),
        "file_name": scene.file_name,
        "height": scene.raster.height,
        "width": scene.raster.width,
    }
    return b"\n".join(map(to_json, (entry, *annotations)))


class Collection:
    """The file of all images under way. Annotations go to it as they come, images at its end.

    numbered: annotations have ids of their own, counted from 1.
    """

    def __init__(
        self,
        file: BinaryIO,
        classes: ClassTable,
        *,
        category: Mapping[str, Any] | None = None,
        info: Mapping[str, Any] | None = None,
        numbered: bool = True,
    ) -> None:
        """``category``, ``info``: what each category and the file say besides."""
        self._file = file
        self._numbered = numbered
        self._count = 0
        self._images: list[bytes] = []
        things = _objects.things(classes)
        categories = [to_json({"id": i, "name": name, **(category or {})}) for i, name in things]
        head = to_json({"info": {**_INFO, **(info or {})}, "licenses": []})
        file.write(head[:-1] + b',\n"categories":[\n' + b",\n".join(categories))
        file.write(b'\n],\n"annotations":[')

    def add(self, piece: bytes, names: Names) -> str:
        """Append an image, and return its id."""
        image, *annotations = piece.split(b"\n")
        self._images.append(image)
        for line in annotations:
            self._count += 1
            self._file.write(b",\n" if self._count > 1 else b"\n")
            self._file.write(b'{"id":%d,' % self._count + line[1:] if self._numbered else line)
        return str(image_id(names))

    def close(self) -> None:
        """Write the images."""
        self._file.write(b'\n],\n"images":[\n' + b",\n".join(self._images) + b"\n]}\n")
