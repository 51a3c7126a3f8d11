"""``imagesTr/CASE_0000.png``, ``labelsTr/CASE.png`` and ``dataset.json``, as nnU-Net v2 reads them.

https://github.com/MIC-DKFZ/nnUNet (``documentation/dataset_format.md``). The folder is a
``DatasetXXX_NAME``. Ids are consecutive from the background on, and what is ignored is the number
after the last one. Images become PNG, and must be RGB. Test images lie in ``imagesTs`` and
``labelsTs``; ``splits_final.json`` has train and val, and belongs into the folder of the
preprocessed data set.
"""

from __future__ import annotations

from typing import Literal

from maskforge.classes import BACKGROUND, ClassTable
from maskforge.errors import ClassError
from maskforge.layouts import (
    Kind,
    Names,
    Places,
    Records,
    consecutive,
    labels,
    no_more,
    plain,
    stems_by_split,
)
from maskforge.records import to_json

MASK_WRITER: str | None = "label"
INSTANCES = False
IMAGE_FORM: Literal["as-is", "png"] = "png"
SIZE: tuple[int, int] | None = None
per_image = no_more


def table(classes: ClassTable) -> ClassTable:
    """Return the classes with ids 0, 1, 2 …, ignore behind them. Raises ClassError."""
    if classes.names[0] != BACKGROUND:
        raise ClassError(
            f"nnU-Net must have the background as the first class, but it is {classes.names[0]!r}",
            cure="put _background_ first in the list of labels",
        )
    return consecutive(classes, ignore=len(classes))


def places(names: Names, kind: Kind) -> Places:
    """Return where the files of one image go; cases have no folders."""
    case, where = names.stem.replace("/", "__"), "Ts" if names.split == "test" else "Tr"
    return Places(
        mask=f"labels{where}/{case}{kind.suffix}",
        image=f"images{where}/{case}_0000.png",
        preview=f"previews/{case}.jpg",
    )


def closing(classes: ClassTable, records: Records) -> dict[str, bytes]:
    """Return dataset.json, the split where there is one, and labels.txt."""
    numbers = {name: number for number, name in enumerate(plain(classes))}
    if classes.has_ignore:
        numbers["ignore"] = classes.ignore_index
    content = {
        "channel_names": {"0": "R", "1": "G", "2": "B"},
        "labels": numbers,
        "numTraining": sum(record["split"] != "test" for record in records),
        "file_ending": ".png",
    }
    files = {"dataset.json": to_json(content, indent=1) + b"\n"} | labels(classes)
    splits = {
        split: [stem.replace("/", "__") for stem in stems]
        for split, stems in stems_by_split(records).items()
    }
    if {"train", "val"} <= splits.keys():
        chosen = [{"train": splits["train"], "val": splits["val"]}]
        files["splits_final.json"] = to_json(chosen, indent=1) + b"\n"
    return files
