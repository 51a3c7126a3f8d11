"""``images/``, ``masks/``, ``previews/`` with one stem a pair, and ``labels.txt``.

The stems of each split stand in ``train.txt``, ``val.txt``, ``test.txt`` where there is a split.
"""

from __future__ import annotations

from typing import Literal

from maskforge.classes import ClassTable
from maskforge.layouts import Kind, Names, Places, Records, as_it_is, labels, no_more, splits

MASK_WRITER: str | None = None
INSTANCES = False
IMAGE_FORM: Literal["as-is", "png"] = "as-is"
SIZE: tuple[int, int] | None = None
table = as_it_is
per_image = no_more


def places(names: Names, kind: Kind) -> Places:
    """Return where the files of one image go; what lies beside images does so at the top."""
    if kind.folder == "images":
        return Places(
            mask=f"{names.stem}{kind.suffix}",
            image=f"{names.stem}{names.image_suffix}",
            preview=f"previews/{names.stem}.jpg",
        )
    return Places(
        mask=f"{kind.folder}/{names.stem}{kind.suffix}",
        image=f"images/{names.stem}{names.image_suffix}",
        preview=f"previews/{names.stem}.jpg",
    )


def closing(classes: ClassTable, records: Records) -> dict[str, bytes]:
    """Return labels.txt and the list of each split."""
    return labels(classes) | splits(records)
