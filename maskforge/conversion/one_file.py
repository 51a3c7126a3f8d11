"""What lies beside an output that is one file of all images, or one for each split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from maskforge.classes import ClassTable
from maskforge.layouts import (
    Kind,
    Names,
    Places,
    Records,
    as_it_is,
    labels,
    named_by_split,
    no_more,
)


@dataclass(frozen=True, slots=True)
class OneFile:
    """A layout in which all is called after the file.

    by_split: each split has a file of its own.
    """

    name: str
    by_split: bool

    MASK_WRITER: str | None = None
    INSTANCES: bool = False
    IMAGE_FORM: Literal["as-is", "png"] = "as-is"
    SIZE: tuple[int, int] | None = None

    table = staticmethod(as_it_is)
    per_image = staticmethod(no_more)

    def places(self, names: Names, kind: Kind) -> Places:
        """Return where the files of one image go."""
        stem = self.name.rpartition(".")[0]
        name = named_by_split(self.name, names.split if self.by_split else None)
        return Places(
            mask=f"{name.rpartition('.')[0]}/{names.stem}{kind.suffix}",
            image=f"images/{names.stem}{names.image_suffix}",
            preview=f"{stem}-previews/{names.stem}.jpg",
            collection=name,
        )

    def closing(self, classes: ClassTable, records: Records) -> Mapping[str, bytes]:
        """Return the names of the classes."""
        stem = self.name.rpartition(".")[0]
        return {f"{stem}.{name}": data for name, data in labels(classes).items()}
