"""``images/train``, ``masks/train`` … and ``data.yaml``, for the semantic task of ultralytics.

Masks are label images, their folder is ``masks_dir``; ids are consecutive, and 255 is ignored.
The other mode of that task, polygons, is what ``--layout yolo`` writes, and ``--as yolo`` here:
there the background is no class, and ultralytics appends one where there are several classes.
"""

from __future__ import annotations

from typing import Literal

from maskforge.classes import ClassTable
from maskforge.layouts import (
    Records,
    consecutive,
    in_folders_of_splits,
    labels,
    no_more,
    plain,
    things,
    trainer_yaml,
)

MASK_WRITER: str | None = "label"
INSTANCES = False
IMAGE_FORM: Literal["as-is", "png"] = "as-is"
SIZE: tuple[int, int] | None = None
places = in_folders_of_splits
per_image = no_more


def table(classes: ClassTable) -> ClassTable:
    """Return the classes with ids 0, 1, 2 …. Raises ClassError for more than 255."""
    return consecutive(classes, most=255)


def closing(classes: ClassTable, records: Records) -> dict[str, bytes]:
    """Return data.yaml, which counts as the files of the images do, and labels.txt."""
    if any(str(record.get("mask")).endswith(".txt") for record in records):  # polygons
        yaml = trainer_yaml(things(classes), records)
    else:
        yaml = trainer_yaml(plain(classes), records, more={"masks_dir": "masks"})
    return {"data.yaml": yaml} | labels(classes)
