from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from maskforge.classes import ClassTable
from maskforge.datasets import check, load, open_dataset
from maskforge.errors import ClassError, ReadError, UsageError

LABELS = "_background_,cat,dog"


def test_label_images_come_back_as_they_were_written(files, ids):
    files.pair("a")
    data = open_dataset(files.root, labels=LABELS)
    image, label_image = load(data.examples[0], data)
    assert data.kind == "pairs"
    assert data.classes.names == ("_background_", "cat", "dog")
    assert image.shape == (3, 4, 3)
    assert image.dtype == np.uint8
    assert image[0, 1].tolist() == [3, 4, 5]  # row 0, column 1
    assert label_image.dtype == np.uint8
    np.testing.assert_array_equal(label_image, ids)
    label_image[0, 0] = 9  # the caller's own
    np.testing.assert_array_equal(load(data.examples[0], data)[1], ids)


@pytest.mark.parametrize("masks", ["masks", "labels", "annotations", "Mask"])
def test_folders_are_known_by_several_names(files, masks):
    files.image("images/a.png")
    files.mask(f"{masks}/a.png")
    assert len(open_dataset(files.root, labels=LABELS)) == 1


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("images/train/a.png", "masks/train/a.png"),
        ("train/images/a.png", "train/masks/a.png"),
        ("training/images/a.png", "training/labels/a.png"),
        ("train/a.png", "trainannot/a.png"),
    ],
)
def test_splits_are_read_from_folders(files, image, mask):
    files.image(image)
    files.mask(mask)
    example = open_dataset(files.root, labels=LABELS).examples[0]
    assert (example.name, example.split) in [("train/a", "train"), ("training/a", "train")]


def test_equal_names_in_two_splits_stay_apart(files):
    for split in ("train", "val"):
        files.image(f"{split}/images/a.png")
        files.mask(f"{split}/masks/a.png")
    data = open_dataset(files.root, labels=LABELS)
    assert [(e.name, e.split) for e in data.examples] == [("train/a", "train"), ("val/a", "val")]


def test_a_mask_of_another_split_is_no_partner(files):
    files.pair("train/x")
    files.image("images/train/a.png")
    files.mask("masks/val/a.png")
    data = open_dataset(files.root, labels=LABELS)
    assert [e.name for e in data.examples] == ["train/x"]
    assert sorted(p.code for p in data.problems) == ["no-image", "no-mask"]


@pytest.mark.parametrize("mask", ["a_mask.png", "a-label.png", "a_L.png", "sub/a.png", "a.npy"])
def test_masks_are_matched_by_what_their_names_have_in_common(files, ids, mask):
    files.image("images/a.jpg")
    files.mask(f"masks/{mask}", ids)
    data = open_dataset(files.root, labels=LABELS)
    np.testing.assert_array_equal(load(data.examples[0], data)[1], ids)


def test_what_has_no_partner_is_named_and_twins_are_left_out(files):
    files.pair("a")
    files.pair("twin")
    files.image("images/twin.jpg")
    files.image("images/alone.jpg")
    files.mask("masks/stray.png")
    data = open_dataset(files.root, labels=LABELS)
    assert [e.name for e in data.examples] == ["a"]
    found = {(p.code, p.file.rpartition("/")[2], p.severity) for p in data.problems}
    assert ("no-mask", "alone.jpg", "warning") in found
    assert ("no-image", "stray.png", "warning") in found
    assert ("name-collision", "twin.png", "error") in found


def test_lists_decide_and_count_what_they_leave_out(files):
    for stem in "abcd":
        files.pair(stem)
    files.text("train.txt", "a\nimages/b.png masks/b.png\n")
    files.text("val.txt", "\ufeffc.png\nnobody\na\n")
    data = open_dataset(files.root, labels=LABELS)
    assert {e.name: e.split for e in data.examples} == {"a": "train", "b": "train", "c": "val"}
    assert "1 pairs are in no list and were left out" in data.notes
    messages = [(p.place, p.code) for p in data.problems]
    assert messages == [("line 2", "no-image"), ("line 3", "name-collision")]


class TestClasses:
    def test_labels_txt_beside(self, files):
        files.pair("a")
        files.text("labels.txt", "__ignore__\n_background_\ncat\n\ndog\n")
        data = open_dataset(files.root)
        assert data.classes == ClassTable.from_names(["__ignore__", "cat", "dog"])

    def test_in_class_names_txt_the_line_is_the_id(self, files):
        files.pair("a")
        files.text("class_names.txt", "sky\ncat\ndog")
        data = open_dataset(files.root)
        assert data.classes.names == ("sky", "cat", "dog")
        assert "id 0 is 'sky', a class like the others" in data.notes

    def test_a_last_name_void_is_ignored(self, files, ids):
        ids[ids == 255] = 3
        files.pair("a", ids)
        data = open_dataset(files.root, labels="0:sky,cat,dog,void")
        assert data.classes.names == ("sky", "cat", "dog")
        assert load(data.examples[0], data)[1][2, 3] == 255

    @pytest.mark.parametrize("labels", ["0:sky,cat,dog,void", "0:sky,cat,dog", "cat,dog"])
    def test_a_list_that_is_written_down_reads_back(self, files, labels):
        files.pair("a")
        data = open_dataset(files.root, labels=labels)
        files.text("labels.txt", data.classes.to_text())
        again = open_dataset(files.root)
        assert again.classes.names == data.classes.names
        assert again.classes == data.classes

    def test_values_are_numbered_classes_when_nothing_names_them(self, files):
        files.pair("a")
        data = open_dataset(files.root)
        assert data.classes.names == ("_background_", "class_1", "class_2")
        assert any("from the values in the masks, 0, 1, 2, 255" in note for note in data.notes)

    def test_a_value_to_ignore_is_no_class(self, files, ids):
        ids[ids == 255] = 3
        files.pair("a", ids)
        assert len(open_dataset(files.root).classes) == 4
        data = open_dataset(files.root, ignore=3)
        assert len(data.classes) == 3
        assert load(data.examples[0], data)[1][2, 3] == 255

    def test_ids_with_a_gap_are_refused_with_the_likely_cause(self, files, ids):
        grey = np.array([0, 80, 160], dtype=np.uint8)[np.minimum(ids, 2)]
        files.pair("a", grey)
        with pytest.raises(ClassError, match=r"0, 80, 160.*probably grey levels.*--labels"):
            open_dataset(files.root)

    def test_an_ignored_value_with_a_name_is_a_contradiction(self, files):
        files.pair("a")
        with pytest.raises(ClassError, match=r"2 cannot be ignored.*'dog'.*0:cat"):
            open_dataset(files.root, labels="cat,dog", ignore=2)

    def test_names_that_are_probably_one_off_are_pointed_out(self, files):
        files.pair("a")
        data = open_dataset(files.root, labels="sky,cat,dog")
        assert [p.severity for p in data.problems] == ["warning"]
        assert "no mask holds id 3, 'dog'" in data.problems[0].message
        assert not open_dataset(files.root, labels="_background_,sky,cat,dog").problems

    def test_nothing_but_background_is_refused(self, files):
        files.pair("a", np.zeros((3, 4), np.uint8))
        with pytest.raises(ClassError, match="at least two classes, but hold only 0"):
            open_dataset(files.root)

    def test_a_number_occurs_once(self, files):
        files.pair("a")
        with pytest.raises(ClassError, match="0 occurs more"):
            open_dataset(files.root, labels="0:a,0:b")

    def test_ids_with_gaps_become_channels_without(self, files, ids):
        files.pair("a", np.choose(np.minimum(ids, 3), [0, 7, 11, 255]).astype(np.uint8))
        data = open_dataset(files.root, labels="7:road,11:wall")
        assert (data.classes.names, data.classes.ids) == (
            ("_background_", "road", "wall"),
            (0, 7, 11),
        )
        np.testing.assert_array_equal(load(data.examples[0], data)[1], ids)


class TestOtherPeoplesMasks:
    def test_0_and_255_are_0_and_1(self, files, ids):
        files.pair("a", np.where(ids == 1, 255, 0).astype(np.uint8))
        for labels in (None, "person"):
            data = open_dataset(files.root, labels=labels)
            label_image = load(data.examples[0], data)[1]
            np.testing.assert_array_equal(label_image, (ids == 1).astype(np.uint8))
            assert "masks of 0 and 255: 255 is class 1" in data.notes

    def test_255_is_ignored_where_1_occurs(self, files, ids):
        ids[ids == 2] = 1
        files.pair("a", ids)
        data = open_dataset(files.root, labels="person")
        assert load(data.examples[0], data)[1][2, 3] == 255

    def test_three_equal_channels_are_one(self, files, ids):
        files.pair("a", np.repeat(ids[..., None], 3, axis=2))
        data = open_dataset(files.root)
        assert data.kind == "pairs"
        np.testing.assert_array_equal(load(data.examples[0], data)[1], ids)

    def test_one_bit_and_sixteen_bits(self, files, ids):
        files.image("images/a.png")
        files.image("images/b.png")
        files.mask("masks/a.png", ids == 1)
        files.mask("masks/b.png", (ids == 1).astype(np.uint16))
        data = open_dataset(files.root)
        for example in data.examples:
            np.testing.assert_array_equal(load(example, data)[1], ids == 1)

    def test_npy_of_our_writer_has_minus_one(self, files, ids):
        files.image("images/a.png")
        files.mask("masks/a.npy", np.where(ids == 255, -1, ids).astype(np.int32))
        data = open_dataset(files.root)
        np.testing.assert_array_equal(load(data.examples[0], data)[1], ids)

    def test_palette_images_hold_numbers(self, files, ids):
        files.image("images/a.png")
        files.mask("masks/a.png", ids, palette=[0, 0, 0, 9, 8, 7, 200, 0, 0])
        data = open_dataset(files.root)
        np.testing.assert_array_equal(load(data.examples[0], data)[1], ids)
        assert not check(data).problems

    def test_palettes_that_number_one_colour_in_two_ways_are_found(self, files, ids):
        for stem, palette in (("a", [0, 0, 0, 9, 8, 7]), ("b", [9, 8, 7, 0, 0, 0])):
            files.image(f"images/{stem}.png")
            files.mask(f"masks/{stem}.png", (ids == 1).astype(np.uint8), palette=palette)
        problems = check(open_dataset(files.root)).errors
        assert [p.file.rpartition("/")[2] for p in problems] == ["b.png"]
        assert "#090807 is number 0 of this palette, but 1 in 'a.png'" in problems[0].message

    def test_a_jpeg_of_ids_among_others_is_left_out(self, files):
        for stem in "acd":
            files.pair(stem)
        files.image("images/b.png")
        files.mask("masks/b.jpg")
        data = open_dataset(files.root, labels=LABELS)
        assert [e.name for e in data.examples] == ["a", "c", "d"]
        (problem,) = check(data).errors
        assert problem.file.endswith("b.jpg")
        assert "a mask stored with loss must have few colours" in problem.message
        assert "PNG" in problem.cure

    def test_transparent_masks_are_refused(self, files, ids):
        files.pair("a")
        rgba = np.zeros((3, 4, 4), np.uint8)
        rgba[..., 3] = ids
        files.pair("b", rgba)
        data = open_dataset(files.root, labels=LABELS)
        with pytest.raises(ReadError, match="partly transparent"):
            load(data.examples[1], data)

    def test_a_value_outside_the_table_is_named(self, files, ids):
        files.pair("a", ids)
        ids[1, 3] = 7
        files.pair("b", ids)
        data = open_dataset(files.root, labels=LABELS)
        with pytest.raises(ClassError, match=r"b\.png: row 1, column 3: .*there is 7 \(1 px\)"):
            load(data.examples[1], data)

    def test_a_colour_mask_among_ids_is_named(self, files, ids):
        for number in range(20):
            files.pair(f"a{number:02}", ids)
        files.pair("b", np.stack([ids, ids, ids + 1], axis=2))
        data = open_dataset(files.root, labels=LABELS)
        with pytest.raises(ReadError, match=r"b\.png: the mask must hold one number a pixel"):
            load(data.examples[-1], data)


def test_two_folders_of_masks_are_one_too_many(files):
    files.pair("a")
    files.mask("labels/a.png")
    with pytest.raises(UsageError, match=r"one folder of images and one of masks.*masks, labels"):
        open_dataset(files.root)


def test_names_without_anything_in_common(files):
    files.image("images/a.png")
    files.mask("masks/b.png")
    with pytest.raises(ReadError, match=r"no two belong together: there is no mask"):
        open_dataset(files.root, labels=LABELS)


def test_annotations_are_no_masks(files):
    files.image("images/a.png")
    files.text("annotations/a.json", "{}")
    with pytest.raises(ReadError, match=r"masks in 'annotations'.*maskforge convert"):
        open_dataset(files.root)


def test_images_may_lie_elsewhere(files, ids):
    files.image("photos/a.jpg")
    files.mask("drawn/a.png", ids)
    data = open_dataset(files.root / "drawn", images=files.root / "photos", labels=LABELS)
    np.testing.assert_array_equal(load(data.examples[0], data)[1], ids)


@pytest.mark.parametrize("first", ["background", "_background_"])
def test_the_background_may_be_spelled_out(files, first):
    files.pair("a")
    assert open_dataset(files.root, labels=f"{first},cat,dog").classes.names == (
        "_background_",
        "cat",
        "dog",
    )


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        *(("s0", "s0_pred"), ("s0", "s0_OUT"), ("s0", "s0_prediction"), ("21_x", "21_manual1")),
        *(("img_000", "mask_000"), ("image-7", "label-7"), ("rgb_a", "gt_a")),
    ],
)
def test_what_people_call_a_mask(files, ids, image, mask):
    files.image(f"images/{image}.png")
    files.mask(f"masks/{mask}.png", ids)
    assert [e.name for e in open_dataset(files.root).examples] == [image]


def test_masks_may_be_gif(files, ids):
    files.image("images/a.png")
    path = files.mask("masks/a.png", ids % 3)
    Image.open(path).save(path.with_suffix(".gif"))
    path.unlink()
    data = open_dataset(files.root)
    np.testing.assert_array_equal(load(data.examples[0], data)[1], ids % 3)
