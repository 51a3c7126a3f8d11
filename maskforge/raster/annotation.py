"""What a reader makes of a file: regions or a mask, and the image they belong to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from maskforge.errors import Problem, shorten
from maskforge.raster.geometry import Geometry, nbytes

_REGION = 400
"""Bytes of a region and its geometry beside the arrays, about."""

_SHOWN = 8
"""Labels that an annotation tells in a line."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """One label and the place it takes; several geometries are the parts of one thing (a union).

    ``group`` ties regions of one label into one instance; None is an instance of its own.
    ``crowd`` marks a region that counts no single things; it becomes the ignore index.
    ``place`` says where in the source file it stands, such as ``shapes[3]``.
    """

    label: str
    geometry: tuple[Geometry, ...]
    group: int | str | None = None
    crowd: bool = False
    place: str = ""

    def __repr__(self) -> str:
        kinds = Counter(type(part).__name__ for part in self.geometry)
        shown = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        return f"Region({self.label!r}, {shown or 'nothing'})"


Form: TypeAlias = Literal["ids", "colors", "planes"]

IGNORED = -1
"""Stands for the ignore index in a :class:`Decoding`, whatever the class table says it is."""


@dataclass(frozen=True, slots=True)
class Decoding:
    """How the pixels of a mask become channels, the places of classes in their table.

    form: "ids", a number a pixel; "colors", three; "planes", a plane a class. table: pairs of
    what a pixel holds (a number, or 0xrrggbb) and its channel, or :data:`IGNORED`; of planes pairs
    of plane and channel, empty where they are the same.
    """

    form: Form
    table: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class MaskFile:
    """Where a label image is: a file or, with ``key``, an entry of a one-hot dictionary."""

    path: Path
    decoding: Decoding
    key: str = ""

    def __str__(self) -> str:
        return f"{self.path}[{self.key!r}]" if self.key else str(self.path)


@dataclass(frozen=True, slots=True, eq=False)
class Annotation:
    """Everything a source says about one image. Reading it opens no image.

    name: the image's name as the source gives it, with forward slashes; outputs are named after it.
    source, place: the annotation file, and where in it this image stands ("" is the whole file).
    digest: what tells whether the source says the same about this image as before, in hex.
    regions: in the source's order.
    image: where the image should be; it may not exist.
    height, width: the size the source declares, in pixels; None where it declares none.
    embedded: base64 text of an image that the source carries in itself, not decoded.
    split: a published split ("train", "val", "test") that the source assigns.
    problems: of regions that are left out: a warning where one covers nothing, an error where it
    cannot be drawn.
    mask: where pixels are labelled already, instead of regions.
    relative: coordinates are fractions of width and height, which are known with the image only.
    picture: the file that says which pixels regions cover, where ``source`` does not; no image.
    key: what a file of many images knows this one by.
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
    mask: MaskFile | None = None
    relative: bool = False
    picture: Path | None = None
    key: str = ""

    @property
    def nbytes(self) -> int:
        """About how much memory it takes."""
        shapes = sum(nbytes(part) for region in self.regions for part in region.geometry)
        return shapes + _REGION * len(self.regions) + len(self.embedded or b"")

    def __repr__(self) -> str:
        size = "size unknown" if self.height is None else f"{self.width}x{self.height}"
        labels = Counter(region.label for region in self.regions)
        told = [f"{shorten(label, 20)} {count}" for label, count in labels.most_common(_SHOWN)]
        more = f" and {len(labels) - _SHOWN} more labels" if len(labels) > _SHOWN else ""
        if self.mask is not None:
            what = f"mask {str(self.mask)!r}"
        else:
            count = len(self.regions)
            what = f"{count or 'no'} region{'' if count == 1 else 's'}"
            what += f": {', '.join(told)}{more}" if told else ""
        return f"Annotation({self.name!r}, {size}, {what})"


class Unread(Protocol):
    """An annotation that is decoded when its image's turn comes, by whoever converts it.

    Picklable. A reader yields it in the place of an :class:`Annotation`, whose name and place it
    has; labels: those of all its regions.
    """

    @property
    def name(self) -> str:
        """The image's name."""

    @property
    def source(self) -> Path:
        """The file that says what is in the image."""

    @property
    def key(self) -> str:
        """What a file of many images knows this one by; "" in a file of its own."""

    @property
    def place(self) -> str:
        """Where in the file it stands."""

    @property
    def image(self) -> Path:
        """Where the image should be."""

    @property
    def labels(self) -> frozenset[str]:
        """The labels of its regions."""

    @property
    def split(self) -> str | None:
        """The split that the source assigns."""

    def annotation(self) -> Annotation:
        """Decode it. Raises ReadError, GeometryError."""
