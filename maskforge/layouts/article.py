"""``features/N_x.png`` and ``labels/N_y.png``, numbered from 0, 512x512, masks in colour.

The two folders that the person-segmentation U-Net from the article on OCHuman trains from. The
manifest says which image N was.
"""

from __future__ import annotations

from typing import Literal

from maskforge.classes import ClassTable
from maskforge.layouts import Kind, Names, Places, Records, as_it_is, labels, no_more

MASK_WRITER: str | None = "color"
INSTANCES = False
IMAGE_FORM: Literal["as-is", "png"] = "png"
SIZE: tuple[int, int] | None = (512, 512)
table = as_it_is
per_image = no_more


def places(names: Names, kind: Kind) -> Places:
    """Return where the files of one image go."""
    return Places(
        mask=f"labels/{names.index}_y{kind.suffix}",
        image=f"features/{names.index}_x.png",
        preview=f"previews/{names.index}.jpg",
    )


def closing(classes: ClassTable, records: Records) -> dict[str, bytes]:
    """Return labels.txt."""
    return labels(classes)
