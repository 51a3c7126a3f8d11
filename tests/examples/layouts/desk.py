"""``photos/`` and ``answers/``, with the names of the classes in ``labels.txt``."""

from __future__ import annotations

from typing import Literal

from maskforge.classes import ClassTable
from maskforge.layouts import Kind, Names, Places, Records, as_it_is, labels
from maskforge.raster.raster import Raster

MASK_WRITER: str | None = None
INSTANCES = False
IMAGE_FORM: Literal["as-is", "png"] = "as-is"
SIZE: tuple[int, int] | None = None
table = as_it_is


def places(names: Names, kind: Kind) -> Places:
    """Return where the files of one image go."""
    return Places(
        mask=f"answers/{names.stem}{kind.suffix}",
        image=f"photos/{names.stem}{names.image_suffix}",
    )


def per_image(raster: Raster, names: Names) -> dict[str, bytes]:
    """Return how many pixels are not background."""
    count = sum(raster.pixel_counts.values()) - raster.pixel_counts.get(0, 0)
    return {f"answers/{names.stem}.count": b"%d\n" % count}


def closing(classes: ClassTable, records: Records) -> dict[str, bytes]:
    """Return labels.txt."""
    return labels(classes)
