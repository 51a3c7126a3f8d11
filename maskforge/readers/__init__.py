"""Annotation and mask files to annotations: one file a format."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from maskforge import plugins

if TYPE_CHECKING:
    from maskforge.errors import Problem
    from maskforge.io.label_lists import Listed
    from maskforge.raster.annotation import Annotation, Unread


class Reader(plugins.HasOptions, Protocol):
    """What a file in this folder has; mypy holds it to that.

    The fields of ``Options`` become options of the format's command: ``help`` and ``metavar`` of
    their metadata.
    """

    @property
    def TITLE(self) -> str:
        """The format's name for people."""

    @property
    def SUFFIXES(self) -> tuple[str, ...]:
        """The suffixes of its files, such as ``(".json",)``; none: a folder is read as a whole."""

    @property
    def DEFAULT_OUTPUT(self) -> str:
        """The writer where the user names none."""

    @property
    def DEFAULT_FILE(self) -> str | None:
        """What is read of a folder that has it, and where no source is given. None: all files."""

    @property
    def REGIONS(self) -> bool:
        """Whether it gives regions. Else pixels are labelled already, and what they mean is known
        with the classes: its options have ``labels``, the classes that the user names, and
        ``relabelling``, what becomes of their names."""

    @property
    def labels(self) -> Callable[[Path, Any], set[str]] | None:
        """``labels(path, options)``: the labels in a file of one image, without the geometry.

        Workers read such files. None: a file has many images, and is read before they begin.
        """

    def sniff(self, path: Path, head: bytes) -> str | None:
        """Return why a file with these first bytes looks like the format, None where it does not.

        A reader without suffixes is asked about folders as well, of which there is no head.
        """

    def read(self, path: Path, options: Any) -> Iterator[Annotation | Unread | Listed | Problem]:
        """Yield what the file says of each image, or why it cannot be used. Decodes no image.

        A file that brings a class table yields that first. Raises ReadError for a file that cannot
        be read at all.
        """


def load(name: str) -> Reader:
    """Return the reader that ``name`` stands for. Raises UsageError with the choices."""
    return cast(Reader, plugins.load("readers", name))
