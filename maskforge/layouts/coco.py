"""``annotations/instances_train.json`` and ``train/``, as COCO lies on the disk.

Without a split, ``annotations/instances.json`` and ``images/``. ``labels.txt`` has all names.
"""

from __future__ import annotations

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

MASK_WRITER: str | None = "coco"
INSTANCES = False
IMAGE_FORM: Literal["as-is", "png"] = "as-is"
SIZE: tuple[int, int] | None = None
table = as_it_is
per_image = no_more


def places(names: Names, kind: Kind) -> Places:
    """Return where the files of one image go; PNGs of a file lie in a folder called after it."""
    name = named_by_split(kind.collection or f"{kind.folder}.", names.split)
    folder = name.rpartition(".")[0]
    return Places(
        mask=f"annotations/{folder}/{names.stem}{kind.suffix}",
        image=f"{names.split or 'images'}/{names.stem}{names.image_suffix}",
        preview=f"previews/{names.stem}.jpg",
        collection=None if kind.collection is None else f"annotations/{name}",
    )


def closing(classes: ClassTable, records: Records) -> dict[str, bytes]:
    """Return labels.txt."""
    return labels(classes)
