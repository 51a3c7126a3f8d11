"""PASCAL VOC: ``JPEGImages``, ``SegmentationClass``, ``SegmentationObject``, ``ImageSets``.

With ``SegmentationClassVisualization`` and ``class_names.txt``, as labelme's dataset export has
them. Images keep their file format. Stems with folders keep them: the lines of ImageSets are paths
without suffix, as VOC readers join them. Without a split, ``trainval.txt`` lists all.
"""

from __future__ import annotations

from typing import Literal

from maskforge.classes import ClassTable
from maskforge.layouts import Kind, Names, Places, Records, as_it_is, lines, no_more, stems_by_split

MASK_WRITER: str | None = "palette"
INSTANCES = True
IMAGE_FORM: Literal["as-is", "png"] = "as-is"
SIZE: tuple[int, int] | None = None
table = as_it_is
per_image = no_more


def places(names: Names, kind: Kind) -> Places:
    """Return where the files of one image go; NumPy masks have a folder of their own."""
    folder = "SegmentationClassNpy" if kind.suffix == ".npy" else "SegmentationClass"
    return Places(
        mask=f"{folder}/{names.stem}{kind.suffix}",
        image=f"JPEGImages/{names.stem}{names.image_suffix}",
        preview=f"SegmentationClassVisualization/{names.stem}.jpg",
        instance=f"SegmentationObject/{names.stem}.png",
    )


def closing(classes: ClassTable, records: Records) -> dict[str, bytes]:
    """Return class_names.txt (the background first, ignore left out) and the lists of ImageSets."""
    folder = "ImageSets/Segmentation"
    splits = stems_by_split(records)
    both = [r["stem"] for r in records if not splits or r["split"] in ("train", "val")]
    return {
        # labelme writes no newline at the end, and readers that split at newlines rely on it.
        "class_names.txt": "\n".join(classes.names).encode("utf-8", "replace"),
        **{f"{folder}/{split}.txt": lines(names) for split, names in splits.items()},
        f"{folder}/trainval.txt": lines(both),
    }
