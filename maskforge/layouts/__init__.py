"""Where outputs lie: one file a layout, and the file name is what users type after ``--layout``.

All paths are relative to the output folder, with forward slashes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, cast

from maskforge import plugins

if TYPE_CHECKING:
    from maskforge.classes import ClassTable
    from maskforge.raster.raster import Raster


@dataclass(frozen=True, slots=True)
class Names:
    """What one image is called.

    stem: unique in the output, with forward slashes; it may contain folders. index: from 0, in the
    order of the input. image_suffix: file name suffix of the image as written, such as ".jpg".
    """

    stem: str
    index: int
    image_suffix: str


@dataclass(frozen=True, slots=True)
class Places:
    """Where the files of one image go; None: the layout has no such file."""

    mask: str
    image: str | None = None
    preview: str | None = None
    instance: str | None = None


class Layout(Protocol):
    """What a file in this folder has; mypy holds it to that."""

    @property
    def MASK_WRITER(self) -> str | None:
        """The writer it wants where the user names none; None: the format's own."""

    @property
    def INSTANCES(self) -> bool:
        """Whether it has a place for instance images."""

    @property
    def IMAGE_FORM(self) -> Literal["as-is", "png"]:
        """Whether images keep their file format."""

    @property
    def SIZE(self) -> tuple[int, int] | None:
        """(width, height) that it wants for images and masks."""

    def places(self, names: Names, *, mask_suffix: str) -> Places:
        """Return where the files of one image go."""

    def per_image(self, raster: Raster, names: Names) -> Mapping[str, bytes]:
        """Return small files beside each mask, by path."""

    def closing(self, classes: ClassTable, stems: Mapping[str, list[str]]) -> Mapping[str, bytes]:
        """Return the files about the whole output, by path.

        stems: by split, under "all" all of them.
        """


def load(name: str) -> Layout:
    """Return the layout that ``name`` stands for. Raises UsageError with the choices."""
    return cast(Layout, plugins.load("layouts", name))


# The lists that several layouts write at the end.


def lines(items: Iterable[str]) -> bytes:
    """Return ``items`` one a line, UTF-8."""
    return "".join(f"{item}\n" for item in items).encode("utf-8", "replace")


def labels(classes: ClassTable) -> dict[str, bytes]:
    """Return labels.txt."""
    return {"labels.txt": classes.to_text().encode("utf-8", "replace")}


def splits(stems: Mapping[str, list[str]]) -> dict[str, bytes]:
    """Return train.txt, val.txt …: the stems of each split; nothing when there is no split."""
    return {f"{split}.txt": lines(stems[split]) for split in sorted(stems) if split != "all"}
