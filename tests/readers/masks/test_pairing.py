"""Which mask belongs to which image, by their names: in two folders, and side by side in one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import maskforge
from maskforge.datasets import load, open_dataset
from maskforge.errors import ReadError
from maskforge.readers.masks import pairing

LABELS = "_background_,cat,dog"


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("a.jpg", "a_mask.png"),
        ("a.jpg", "a.png"),
        ("a.jpeg", "a.npy"),
        ("a.png", "a.npy"),
        ("a.jpg", "a_pred.png"),
        ("a.jpg", "a_OUT.png"),
        ("a.png", "a_manual1.bmp"),
        ("a.tif", "a_segmentation.tif"),
        ("img_000.jpg", "mask_000.png"),
        ("000.jpg", "mask_000.png"),
        ("a_x.png", "a_y.png"),
        ("a_image.png", "a-label.png"),
    ],
)
def test_names_say_so_side_by_side_and_in_two_folders(files, ids, image, mask):
    for stem in "ab":
        files.image(f"both/{image.replace('a', stem, 1) if image[0] == 'a' else stem + image}")
        files.mask(f"both/{mask.replace('a', stem, 1) if mask[0] == 'a' else stem + mask}", ids)
    if image[0] == "a":
        data = open_dataset(files.root / "both", labels=LABELS)
        assert (data.kind, len(data)) == ("pairs", 2)
    files.image(f"one/{image}")
    files.mask(f"one/{mask}", ids)
    for folder in ("images", "masks"):
        name = image if folder == "images" else mask
        (files.image if folder == "images" else files.mask)(f"two/{folder}/{name}")
    for place in ("one", "two"):
        data = open_dataset(files.root / place, labels=LABELS)
        assert [e.image.name for e in data.examples] == [image]
        assert [e.label.path.name for e in data.examples] == [mask]
        np.testing.assert_array_equal(load(data.examples[0], data)[1], ids)


def test_the_article_s_folders(files, ids):
    files.image("images/1.jpg")
    files.mask("labels/1_y.png", ids)
    (example,) = open_dataset(files.root, labels=LABELS).examples
    assert (example.name, example.label.path.name) == ("1", "1_y.png")


def test_side_by_side_splits_and_strays_are_told(files, ids):
    for name in ("train/a", "train/b", "val/a"):
        files.image(f"{name}.jpg")
        files.mask(f"{name}_mask.png", ids)
    files.image("train/c.jpg")
    files.mask("val/d_mask.png", ids)
    data = open_dataset(files.root, labels=LABELS)
    assert [(e.name, e.split) for e in data.examples] == [
        ("train/a", "train"),
        ("train/b", "train"),
        ("val/a", "val"),
    ]
    found = {(p.code, Path(p.file).name) for p in data.problems}
    assert found == {("no-mask", "c.jpg"), ("no-image", "d_mask.png")}


def test_what_lies_in_other_folders_is_no_pair(files, ids):
    files.image("photos/a.jpg")
    files.mask("drawn/a_mask.png", ids)
    with pytest.raises(ReadError, match="no data set of a known kind"):
        open_dataset(files.root, labels=LABELS)


def test_a_folder_with_a_few_masks_is_no_set(files, ids):
    for stem in "abcd":
        files.image(f"{stem}.jpg")
    files.mask("a_mask.png", ids)
    assert pairing.folders(files.root, None) == []
    files.mask("b_mask.png", ids)
    assert pairing.folders(files.root, None) == []
    files.mask("c_mask.png", ids)
    (pair,) = pairing.folders(files.root, None)
    assert [path.name for path in pairing.masks_of([pair])] == [
        "a_mask.png",
        "b_mask.png",
        "c_mask.png",
    ]


def test_two_images_of_one_name_are_twins(files, ids):
    for stem in "ab":
        files.image(f"{stem}.jpg")
        files.mask(f"{stem}.png", ids)
    files.image("c.bmp")
    files.image("c.png")
    data = open_dataset(files.root, labels=LABELS)
    assert [e.name for e in data.examples] == ["a", "b"]
    assert [(p.code, Path(p.file).name) for p in data.problems] == [("name-collision", "c.png")]


def test_three_files_of_one_name_are_not_told_apart(files, ids):
    for name in ("a.jpg", "a.bmp"):
        files.image(name)
    files.mask("a.png", ids)
    for stem in "bc":
        files.image(f"{stem}.jpg")
        files.mask(f"{stem}.png", ids)
    data = open_dataset(files.root, labels=LABELS)
    assert [e.name for e in data.examples] == ["b", "c"]
    assert [p.code for p in data.problems] == ["name-collision"]


def test_masks_side_by_side_are_a_source_too(files, ids):
    for stem in "ab":
        files.image(f"{stem}.jpg")
        files.mask(f"{stem}_mask.png", ids)
    result = maskforge.convert(files.root, out=files.root.parent / "out", labels=LABELS)
    assert result.converted == 2
    names = {Path(name).name for name in map(str, (files.root.parent / "out/masks").iterdir())}
    assert names == {"a.png", "b.png"}
