"""``img_dir/train``, ``ann_dir/train`` …, with the lists that mmsegmentation and PaddleSeg read.

mmsegmentation takes the two folders of a split, or the stems in ``splits/train.txt``, and its
``metainfo`` from ``metainfo.json``: classes and palette. PaddleSeg takes ``train.txt``: image and
mask in a line. Ids are consecutive, the background among them, and 255 is ignored:
``reduce_zero_label`` must be off.
"""

from __future__ import annotations

from typing import Literal

from maskforge.classes import ClassTable
from maskforge.layouts import (
    Kind,
    Names,
    Places,
    Records,
    consecutive,
    labels,
    lines,
    no_more,
    plain,
    stems_by_split,
)
from maskforge.records import to_json

MASK_WRITER: str | None = "label"
INSTANCES = False
IMAGE_FORM: Literal["as-is", "png"] = "as-is"
SIZE: tuple[int, int] | None = None
per_image = no_more


def table(classes: ClassTable) -> ClassTable:
    """Return the classes with ids 0, 1, 2 …."""
    return consecutive(classes)


def places(names: Names, kind: Kind) -> Places:
    """Return where the files of one image go."""
    split = names.split or "train"
    return Places(
        mask=f"ann_dir/{split}/{names.stem}{kind.suffix}",
        image=f"img_dir/{split}/{names.stem}{names.image_suffix}",
        preview=f"previews/{names.stem}.jpg",
    )


def closing(classes: ClassTable, records: Records) -> dict[str, bytes]:
    """Return the lists of each split, metainfo.json and labels.txt."""
    about = {"classes": plain(classes), "palette": classes.palette.tolist()}
    files = {"metainfo.json": to_json(about) + b"\n"} | labels(classes)
    where = [{**record, "split": record["split"] or "train"} for record in records]
    for split, stems in stems_by_split(where).items():
        files[f"splits/{split}.txt"] = lines(stems)
        files[f"{split}.txt"] = lines(
            f"{record['image']} {record['mask']}"
            for record in where
            if record["split"] == split and record.get("image")
        )
    return files
