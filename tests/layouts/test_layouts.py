"""Each layout's places and lists, written out."""

from __future__ import annotations

import numpy as np

from maskforge.classes import ClassTable
from maskforge.layouts import Kind, Names, Places, article, labelme, pairs, voc
from maskforge.raster.label_image import to_raster

TABLE = ClassTable.from_names(["__ignore__", "person", "größe"])
RASTER = to_raster(np.array([[0, 1, 1]]), TABLE)
NAMES = Names("day 1/img", 4, ".JPG")
IN_SPLITS = [
    {"stem": "c", "split": "train"},
    {"stem": "a", "split": "val"},
    {"stem": "day 1/b", "split": "train"},
    {"stem": "d", "split": "test"},
]
LABELS = "__ignore__\n_background_\nperson\ngröße\n".encode()


def test_pairs() -> None:
    assert pairs.places(NAMES, Kind(".png")) == Places(
        mask="masks/day 1/img.png", image="images/day 1/img.JPG", preview="previews/day 1/img.jpg"
    )
    assert pairs.per_image(RASTER, NAMES) == {}
    assert pairs.closing(TABLE, [{"stem": "a", "split": None}]) == {"labels.txt": LABELS}
    assert pairs.closing(TABLE, IN_SPLITS) == {
        "labels.txt": LABELS,
        "train.txt": b"c\nday 1/b\n",
        "val.txt": b"a\n",
        "test.txt": b"d\n",
    }


def test_voc() -> None:
    assert voc.places(NAMES, Kind(".png")) == Places(
        mask="SegmentationClass/day 1/img.png",
        image="JPEGImages/day 1/img.JPG",
        preview="SegmentationClassVisualization/day 1/img.jpg",
        instance="SegmentationObject/day 1/img.png",
    )
    assert voc.places(NAMES, Kind(".npy")).mask == "SegmentationClassNpy/day 1/img.npy"
    names = "_background_\nperson\ngröße".encode()
    assert voc.closing(TABLE, [{"stem": stem, "split": None} for stem in "ba"]) == {
        "class_names.txt": names,
        "ImageSets/Segmentation/trainval.txt": b"b\na\n",
    }
    assert voc.closing(TABLE, IN_SPLITS) == {
        "class_names.txt": names,
        "ImageSets/Segmentation/train.txt": b"c\nday 1/b\n",
        "ImageSets/Segmentation/val.txt": b"a\n",
        "ImageSets/Segmentation/test.txt": b"d\n",
        "ImageSets/Segmentation/trainval.txt": b"c\na\nday 1/b\n",
    }


def test_labelme() -> None:
    assert labelme.places(NAMES, Kind(".png")) == Places(
        mask="day 1/img/label.png", image="day 1/img/img.png", preview="day 1/img/label_viz.png"
    )
    assert labelme.per_image(RASTER, NAMES) == {
        "day 1/img/label_names.txt": "_background_\nperson\ngröße\n".encode()
    }
    assert labelme.closing(TABLE, [{"stem": "a", "split": None}]) == {"labels.txt": LABELS}


def test_article() -> None:
    assert article.places(NAMES, Kind(".png")) == Places(
        mask="labels/4_y.png", image="features/4_x.png", preview="previews/4.jpg"
    )
    assert article.SIZE == (512, 512)
    assert article.closing(TABLE, IN_SPLITS) == {"labels.txt": LABELS}
