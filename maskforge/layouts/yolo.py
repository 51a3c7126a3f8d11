"""``images/train``, ``labels/train`` … and ``data.yaml``, as ultralytics trains segmentation on.

Without a split all images lie in ``images/train``, and are trained and validated on. Numbers of
classes count from 0, without the background. ``labels.txt`` has maskforge's own ids.
"""

from __future__ import annotations

from typing import Literal

from maskforge.classes import ClassTable
from maskforge.layouts import Kind, Names, Places, Records, as_it_is, labels, things, trainer_yaml
from maskforge.raster.raster import Raster

MASK_WRITER: str | None = "yolo"
INSTANCES = False
IMAGE_FORM: Literal["as-is", "png"] = "as-is"
SIZE: tuple[int, int] | None = None
table = as_it_is


def places(names: Names, kind: Kind) -> Places:
    """Return where the files of one image go."""
    split = names.split or "train"
    return Places(
        mask=f"{kind.folder}/{split}/{names.stem}{kind.suffix}",
        image=f"images/{split}/{names.stem}{names.image_suffix}",
        preview=f"previews/{names.stem}.jpg",
    )


def per_image(raster: Raster, names: Names) -> dict[str, bytes]:
    """Return nothing: there is nothing to say about a single image."""
    return {}


def closing(classes: ClassTable, records: Records) -> dict[str, bytes]:
    """Return data.yaml and labels.txt."""
    return {"data.yaml": trainer_yaml(things(classes), records)} | labels(classes)
