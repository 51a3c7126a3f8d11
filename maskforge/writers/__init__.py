"""Rasters to files: one file an output, and the file name is what users type after ``--as``.

A writer is pure: it makes bytes, and the caller writes the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Protocol, TypeAlias, cast

from maskforge import plugins

if TYPE_CHECKING:
    from maskforge.raster.raster import Raster


class _Writer(plugins.HasOptions, Protocol):
    @property
    def TITLE(self) -> str:
        """The output's name for people."""

    @property
    def SUFFIX(self) -> str:
        """The suffix of its files, such as ``".png"``."""

    @property
    def LOSSLESS(self) -> bool:
        """Whether the label image can be had back from the file."""


class ImageWriter(_Writer, Protocol):
    """What a file in this folder has that writes a file for each image; mypy holds it to that."""

    @property
    def COLLECTION(self) -> Literal[False]:
        """That each image has a file of its own."""

    def encode(self, raster: Raster, options: Any) -> bytes:
        """Return the file of one image."""


class CollectionWriter(_Writer, Protocol):
    """What a file in this folder has that puts all images into one file."""

    @property
    def COLLECTION(self) -> Literal[True]:
        """That all images go into one file."""

    def Collection(self, file: BinaryIO, options: Any) -> Collecting:
        """Return what takes the images one by one and writes them to ``file``."""


class Collecting(Protocol):
    """One file under way that will hold all images."""

    def add(self, name: str, stem: str, raster: Raster) -> str:
        """Write one image and return its key in the file.

        name: the image's file name. stem: unique in the output, where the name is not.
        """

    def close(self) -> None:
        """Write the end of the file."""


Writer: TypeAlias = ImageWriter | CollectionWriter


def load(name: str) -> Writer:
    """Return the writer that ``name`` stands for. Raises UsageError with the choices."""
    return cast(Writer, plugins.load("writers", name))
