"""Scenes to files: one file an output, and the file name is what users type after ``--as``.

A writer is pure: it makes bytes of a :class:`Scene`, and the caller writes the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Protocol, TypeAlias, cast

from maskforge import plugins
from maskforge.layouts import Kind, Names

if TYPE_CHECKING:
    from maskforge.classes import ClassTable
    from maskforge.raster.annotation import Annotation
    from maskforge.raster.raster import Raster


_NAMES = Names("image", 0, ".png", name="image.png")


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What there is to write about one image.

    raster: which class each pixel is; ``raster.amodal`` has the pixels of each region. names: what
    the image is called. annotation: the regions as they were drawn, upright and at the size of the
    raster, whose regions they are one by one; None where the source is a label image.

    file_name: what the image is called below the folder of images: that of the output, where it is
    placed there, else that of the input. image: the way to it from the output's folder, None where
    there is none; place: where the file of this image goes, from there.

    lost: what the file cannot say, counted by the writer: what it is, and how many of them. traced:
    what became of outlines that the user asked to have simplified.
    """

    raster: Raster
    names: Names = _NAMES
    annotation: Annotation | None = None
    file_name: str = "image.png"
    image: str | None = None
    place: str = ""
    lost: Counter[str] = field(default_factory=Counter)
    traced: dict[str, float] = field(default_factory=dict)


class _Writer(plugins.HasOptions, Protocol):
    @property
    def TITLE(self) -> str:
        """The output's name for people."""

    @property
    def SUFFIX(self) -> str:
        """The suffix of its files, such as ``".png"``."""

    @property
    def FOLDER(self) -> str:
        """What a folder of its files is called, or else the file of all images: "masks"."""

    @property
    def LOSSLESS(self) -> bool:
        """Whether the label image can be had back from the file."""


class ImageWriter(_Writer, Protocol):
    """What a file in this folder has that writes a file for each image; mypy holds it to that."""

    @property
    def COLLECTION(self) -> Literal[False]:
        """That each image has a file of its own."""

    def encode(self, scene: Scene, options: Any) -> bytes:
        """Return the file of one image."""


class CollectionWriter(_Writer, Protocol):
    """What a file in this folder has that puts all images into one file."""

    @property
    def COLLECTION(self) -> Literal[True]:
        """That all images go into one file."""

    @property
    def BY_SPLIT(self) -> bool:
        """Whether each split has a file of its own."""

    def encode(self, scene: Scene, options: Any) -> bytes:
        """Return this image's piece of the file. Workers do that."""

    @property
    def picture(self) -> Callable[[Scene, Any], bytes] | None:
        """``picture(scene, options)``: the PNG file that each image has beside that, or None."""

    def Collection(self, file: BinaryIO, classes: ClassTable, options: Any) -> Collecting:
        """Return what takes the pieces one by one and writes them to ``file``."""


class Collecting(Protocol):
    """One file under way that will hold all images."""

    def add(self, piece: bytes, names: Names) -> str:
        """Append the piece of one image; return what the image is known by in the file."""

    def close(self) -> None:
        """Write the end of the file."""


Writer: TypeAlias = ImageWriter | CollectionWriter


def load(name: str) -> Writer:
    """Return the writer that ``name`` stands for. Raises UsageError with the choices."""
    return cast(Writer, plugins.load("writers", name))


def kind(writer: Writer) -> Kind:
    """Return what a layout has to know of a writer's files."""
    if writer.COLLECTION:
        return Kind(".png", writer.FOLDER, f"{writer.FOLDER}{writer.SUFFIX}")
    return Kind(writer.SUFFIX, writer.FOLDER)
