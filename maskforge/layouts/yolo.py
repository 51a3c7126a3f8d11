"""``images/train``, ``labels/train`` … and ``data.yaml``, as ultralytics trains segmentation on.

Without a split all images lie in ``images/train``, and are trained and validated on. Numbers of
classes count from 0, without the background. ``labels.txt`` has maskforge's own ids.
"""

from __future__ import annotations

from typing import Literal

from maskforge.classes import ClassTable
from maskforge.layouts import (
    Records,
    as_it_is,
    in_folders_of_splits,
    labels,
    no_more,
    things,
    trainer_yaml,
)

MASK_WRITER: str | None = "yolo"
INSTANCES = False
IMAGE_FORM: Literal["as-is", "png"] = "as-is"
SIZE: tuple[int, int] | None = None
table = as_it_is
places = in_folders_of_splits
per_image = no_more


def closing(classes: ClassTable, records: Records) -> dict[str, bytes]:
    """Return data.yaml and labels.txt."""
    return {"data.yaml": trainer_yaml(things(classes), records)} | labels(classes)
