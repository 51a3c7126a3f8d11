"""``photos/`` and ``answers/``, with the names of the classes in ``labels.txt``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from maskforge.classes import ClassTable
from maskforge.layouts import Names, Places, labels
from maskforge.raster.raster import Raster

MASK_WRITER: str | None = None
INSTANCES = False
IMAGE_FORM: Literal["as-is", "png"] = "as-is"
SIZE: tuple[int, int] | None = None


def places(names: Names, *, mask_suffix: str) -> Places:
    """Return where the files of one image go."""
    return Places(
        mask=f"answers/{names.stem}{mask_suffix}",
        image=f"photos/{names.stem}{names.image_suffix}",
    )


def per_image(raster: Raster, names: Names) -> dict[str, bytes]:
    """Return how many pixels are not background."""
    count = sum(raster.pixel_counts.values()) - raster.pixel_counts.get(0, 0)
    return {f"answers/{names.stem}.count": b"%d\n" % count}


def closing(classes: ClassTable, stems: Mapping[str, list[str]]) -> dict[str, bytes]:
    """Return labels.txt."""
    return labels(classes)
