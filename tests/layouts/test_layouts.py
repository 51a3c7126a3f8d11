"""Each layout's places and lists, written out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from maskforge.classes import ClassTable
from maskforge.errors import ClassError
from maskforge.io.label_lists import read_table
from maskforge.layouts import (
    Kind,
    Names,
    Places,
    article,
    coco,
    labelme,
    mmseg,
    nnunet,
    pairs,
    ultralytics_semantic,
    voc,
    yolo,
)
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


SPARSE = ClassTable.of({0: "_background_", 3: "cat", 7: 'a "dog": #1'}, has_ignore=True)
VAL = Names("day 1/img", 4, ".JPG", "val")
RECORDS = [
    {"stem": "b/a", "split": "train", "image": "i/b/a.png", "mask": "m/b/a.png"},
    {"stem": "c", "split": "val", "image": None, "mask": "m/c.png"},
    {"stem": "d", "split": "test", "image": "i/d.png", "mask": "m/d.png"},
]
ALL = [{**record, "split": None} for record in RECORDS]


def test_coco() -> None:
    instances, panoptic = (
        Kind(".png", "instances", "instances.json"),
        Kind(".png", "panoptic", "x.json"),
    )
    places = coco.places(VAL, instances)
    assert (places.image, places.collection) == (
        "val/day 1/img.JPG",
        "annotations/instances_val.json",
    )
    assert coco.places(NAMES, instances).collection == "annotations/instances.json"
    assert coco.places(NAMES, instances).image == "images/day 1/img.JPG"
    assert coco.places(VAL, panoptic).mask == "annotations/x_val/day 1/img.png"
    assert coco.places(VAL, Kind(".png")).collection is None
    assert coco.closing(TABLE, []) == {"labels.txt": LABELS}


def test_yolo(tmp_path: Path) -> None:
    places = yolo.places(VAL, Kind(".txt", "labels"))
    assert (places.mask, places.image) == ("labels/val/day 1/img.txt", "images/val/day 1/img.JPG")
    assert yolo.places(NAMES, Kind(".txt", "labels")).image == "images/train/day 1/img.JPG"
    names = b'names:\n  0: "cat"\n  1: "a \\"dog\\": #1"\n'
    data = yolo.closing(SPARSE, RECORDS)["data.yaml"]
    assert data == b'train: "images/train"\nval: "images/val"\ntest: "images/test"\n' + names
    (tmp_path / "data.yaml").write_bytes(data)
    assert read_table(tmp_path / "data.yaml").names == ("cat", 'a "dog": #1')
    data = yolo.closing(SPARSE, ALL)["data.yaml"]
    assert data == b'train: "images/train"\nval: "images/train"\n' + names


def test_ultralytics_semantic() -> None:
    places = ultralytics_semantic.places(VAL, Kind(".png"))
    assert (places.mask, places.image) == ("masks/val/day 1/img.png", "images/val/day 1/img.JPG")
    table = ultralytics_semantic.table(SPARSE)
    assert (table.ids, table.ignore_index) == ((0, 1, 2), 255)
    data = ultralytics_semantic.closing(table, RECORDS[:1])["data.yaml"].decode().splitlines()
    assert data[:3] == ['train: "images/train"', 'val: "images/train"', 'masks_dir: "masks"']
    assert data[4:6] == ['  0: "background"', '  1: "cat"']
    with pytest.raises(ClassError, match="at most 255 classes, but there are 256"):
        ultralytics_semantic.table(ClassTable.from_names([str(n) for n in range(1, 256)]))


def test_nnunet() -> None:
    assert nnunet.places(VAL, Kind(".png")) == Places(
        mask="labelsTr/day 1__img.png",
        image="imagesTr/day 1__img_0000.png",
        preview="previews/day 1__img.jpg",
    )
    assert nnunet.places(Names("a", 0, ".png", "test"), Kind(".png")).mask == "labelsTs/a.png"
    table = nnunet.table(SPARSE)
    assert (table.ids, table.ignore_index) == ((0, 1, 2), 3)
    files = nnunet.closing(table, RECORDS)
    about = json.loads(files["dataset.json"])
    assert about["labels"] == {"background": 0, "cat": 1, 'a "dog": #1': 2, "ignore": 3}
    assert (about["numTraining"], about["file_ending"]) == (2, ".png")
    assert json.loads(files["splits_final.json"]) == [{"train": ["b__a"], "val": ["c"]}]
    assert nnunet.closing(table, ALL).keys() == {"dataset.json", "labels.txt"}
    with pytest.raises(ClassError, match="must have the background as the first class"):
        nnunet.table(ClassTable.of({1: "cat"}))


def test_mmseg() -> None:
    places = mmseg.places(VAL, Kind(".png"))
    assert (places.mask, places.image) == ("ann_dir/val/day 1/img.png", "img_dir/val/day 1/img.JPG")
    table = mmseg.table(SPARSE)
    assert (table.ids, table.ignore_index) == ((0, 1, 2), 255)
    files = mmseg.closing(table, RECORDS)
    about = json.loads(files["metainfo.json"])
    assert about["classes"] == ["background", "cat", 'a "dog": #1']
    assert about["palette"] == table.palette.tolist()
    assert (files["splits/val.txt"], files["val.txt"]) == (b"c\n", b"")
    assert files["train.txt"] == b"i/b/a.png m/b/a.png\n"
    assert mmseg.closing(table, ALL)["splits/train.txt"] == b"b/a\nc\nd\n"
