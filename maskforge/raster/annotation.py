"""What a reader makes of a file: regions, and the image they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from maskforge.errors import Problem
from maskforge.raster.geometry import Geometry, nbytes

_REGION = 400
"""Bytes of a region and its geometry beside the arrays, about."""


def clean_label(text: str) -> str:
    """Return ``text`` as readers give labels: one line, as a labels.txt can hold it."""
    return " ".join(text.split())


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """One label and the place it takes; several geometries are the parts of one thing (a union).

    ``group`` ties regions of one label into one instance; None is an instance of its own.
    ``crowd`` marks a region that counts no single things; it becomes the ignore index.
    ``place`` says where in the source it stands, such as ``shapes[3]``.
    """

    label: str
    geometry: tuple[Geometry, ...]
    group: int | str | None = None
    crowd: bool = False
    place: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Annotation:
    """Everything a source says about one image. Reading it opens no image.

    name: the image's name as the source gives it, with forward slashes; outputs are named after it.
    source, place: the annotation file, and where in it this image stands ("" is the whole file).
    digest: sha256 (hex) of what the source says about this image.
    regions: in the source's order.
    image: where the image should be; it may not exist.
    height, width: the size the source declares, in pixels; None where it declares none.
    embedded: base64 text of an image that the source carries in itself, not decoded.
    split: a published split ("train", "val", "test") that the source assigns.
    problems: warnings met while reading, such as a region left out because it covers nothing.
    """

    name: str
    source: Path
    digest: str
    regions: tuple[Region, ...]
    place: str = ""
    image: Path | None = None
    height: int | None = None
    width: int | None = None
    embedded: bytes | memoryview | None = None
    split: str | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def nbytes(self) -> int:
        """About how much memory it takes."""
        shapes = sum(nbytes(part) for region in self.regions for part in region.geometry)
        return shapes + _REGION * len(self.regions) + len(self.embedded or b"")
