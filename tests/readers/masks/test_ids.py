"""Masks of numbers: any size, an odd one among them, the wrong way round, without a class."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskforge.datasets import check, load, open_dataset, open_masks
from maskforge.errors import ClassError, MaskforgeError, ReadError
from maskforge.readers.masks import scanning

WIDE = np.array([[0, 0, 1000, 2000], [0, 1000, 1000, 2000], [0, 0, 0, 300]], dtype=np.uint16)


def names(problems) -> list[tuple[str, str, str]]:
    return [(p.code, Path(p.file).name, p.severity) for p in problems]


class TestWide:
    @pytest.mark.parametrize("form", ["png", "tif", "I.tif", "big.tif", "npy", "pgm"])
    def test_values_are_ids_in_every_form(self, files, form):
        files.image("images/a.png")
        path = files._place(f"masks/a.{form.rpartition('.')[2]}")
        if form == "npy":
            np.save(path, WIDE.astype(np.int64))
        elif form == "I.tif":
            Image.fromarray(WIDE.astype(np.int32)).save(path)
        elif form == "big.tif":
            Image.frombytes("I;16B", (4, 3), WIDE.astype(">u2").tobytes()).save(path)
        else:
            Image.fromarray(WIDE).save(path)
        data = open_dataset(files.root)
        assert data.classes.ids == (0, 300, 1000, 2000)
        assert data.classes.names == ("_background_", "class_300", "class_1000", "class_2000")
        found = load(data.examples[0], data)[1]
        assert found.tolist() == [[0, 0, 2, 3], [0, 2, 2, 3], [0, 0, 0, 1]]
        (note,) = [n for n in data.notes if n.startswith("classes")]
        assert note == (
            "classes: from the values in the masks, 0, 300, 1000, 2000, with their numbers as ids; "
            "name them with --labels"
        )

    def test_multiples_of_256_are_not_cut_to_bytes(self, files):
        files.pair("a", (WIDE // 1000 * 256).astype(np.uint16))
        data = open_dataset(files.root)
        assert data.classes.ids == (0, 256, 512)
        assert load(data.examples[0], data)[1].tolist()[1] == [0, 1, 1, 2]

    def test_names_must_be_among_the_ids(self, files):
        files.pair("a", np.where(WIDE == 300, 0, WIDE))
        data = open_dataset(files.root, labels="0:_background_,1000:road,2000:wall")
        assert load(data.examples[0], data)[1].tolist()[0] == [0, 0, 1, 2]
        with pytest.raises(ClassError) as caught:
            open_dataset(files.root, labels="road,wall")
        assert caught.value.message == (
            "the masks must hold ids of the classes, 'road' (id 1), 'wall' (id 2), "
            "but hold 0, 1000, 2000"
        )
        assert "--labels '0:_background_,1000:road,2000:wall'" in caught.value.cure
        assert open_dataset(files.root, labels="0:_background_,1000:road,2000:wall").classes.ids

    def test_the_same_of_a_list_that_speaks_of_0(self, files):
        files.pair("a", np.where(WIDE == 300, 0, WIDE))
        with pytest.raises(ClassError, match=r"1000:road,2000:wall"):
            open_dataset(files.root, labels="_background_,road,wall")

    def test_too_many_are_instances(self, files):
        def mask(count):
            return (np.arange(count, dtype=np.uint16) * 3).reshape(1, -1)

        files.pair("a", mask(256), size=(1, 256))
        assert len(open_dataset(files.root).classes) == 256
        files.pair("a", mask(257), size=(1, 257))
        with pytest.raises(ClassError, match=r"at most 256 values.*257 different.*instances"):
            open_dataset(files.root)

    def test_what_no_id_may_be_is_named(self, files):
        files.image("images/a.png")
        files.mask("masks/a.npy", np.array([[0, 300, 70000]]))
        with pytest.raises(ClassError, match=r"a\.npy.*of 0 … 65534, but hold 70000"):
            open_dataset(files.root)

    def test_65535_is_white_in_16_bits(self, files):
        for stem, white, dtype in (("a", 65535, np.uint16), ("b", 255, np.uint8)):
            files.pair(stem, np.where(WIDE == 1000, white, 0).astype(dtype))
        data = open_dataset(files.root)
        assert "masks of 0 and 255 or 65535: white is class 1" in data.notes
        for example in data.examples:
            np.testing.assert_array_equal(load(example, data)[1], WIDE == 1000)

    def test_65535_is_ignored_beside_wide_ids_and_255_is_a_class(self, files):
        values = np.array([[0, 255, 300, 65535]], np.uint16)
        files.pair("a", values, size=(1, 4))
        data = open_dataset(files.root)
        assert data.classes.ids == (0, 255, 300)
        assert load(data.examples[0], data)[1].tolist() == [[0, 1, 2, 255]]


class TestOdd:
    def make(self, files, ids, odd, *, count=20, name="c"):
        """Write ``count`` masks of 0, 1 and 2, and an odd one in the middle of them."""
        for number in range(count):
            files.pair(f"{'a' if number < count // 2 else 'd'}{number:02}", np.minimum(ids, 2))
        files.pair(name, odd)

    def test_0_and_255_among_ids(self, files, ids):
        self.make(files, ids, np.where(ids == 1, 255, 0).astype(np.uint8))
        data = open_dataset(files.root)
        assert data.classes.names == ("_background_", "class_1", "class_2")
        assert not data.classes.has_ignore
        assert len(data) == 20
        assert names(data.problems) == [("mask-values", "c.png", "error")]
        assert data.problems[0].message == (
            "a mask must hold what most of the set do, 0, 1, 2, such as 'a00.png', but holds 0, 255"
        )
        assert len(check(data).errors) == 1

    @pytest.mark.parametrize("labels", ["cat,dog", "0:_background_,1:cat,2:dog"])
    def test_0_and_255_among_ids_that_have_names(self, files, ids, labels):
        self.make(files, ids, np.where(ids == 1, 255, 0).astype(np.uint8))
        found = check(open_dataset(files.root, labels=labels))
        assert names(found.errors) == [("mask-values", "c.png", "error")]
        assert found.ignored() == 0
        told = check(open_dataset(files.root, labels=labels, ignore=255))
        assert not told.errors
        assert told.ignored() == 3

    def test_where_255_is_in_use_a_mask_may_hold_nothing_else(self, files, ids):
        self.make(files, ids, np.where(ids == 1, 255, 0).astype(np.uint8))
        files.pair("b", ids)
        for labels in (None, "cat,dog", "0:_background_,1:cat,2:dog"):
            found = check(open_dataset(files.root, labels=labels))
            assert not found.errors
            assert found.ignored() == 4

    def test_a_value_of_no_class(self, files, ids):
        odd = ids.copy()
        odd[ids == 255] = 7
        self.make(files, ids, odd)
        data = open_dataset(files.root)
        assert (len(data.classes), len(data)) == (3, 20)
        assert names(data.problems) == [("mask-values", "c.png", "error")]
        assert data.problems[0].message == (
            "a mask must hold what most of the set do, 0, 1, 2, such as 'a00.png', "
            "but holds 0, 1, 2, 7"
        )

    def test_a_list_of_classes_decides_and_no_majority(self, files, ids):
        odd = ids.copy()
        odd[ids == 255] = 7
        self.make(files, ids, odd)
        found = check(open_dataset(files.root, labels="cat,dog"))
        assert names(found.errors) == [("unknown-label", "c.png", "error")]
        assert found.refused == {"c"}
        assert "7 (1 px)" in found.errors[0].message

    def test_ids_among_0_and_255(self, files, ids):
        white = np.where(ids == 1, 255, 0).astype(np.uint8)
        for stem in "abde":
            files.pair(stem, white)
        files.pair("c", (ids == 1).astype(np.uint8))
        for labels in (None, "person"):
            data = open_dataset(files.root, labels=labels)
            assert [e.name for e in data.examples] == ["a", "b", "d", "e"]
            np.testing.assert_array_equal(load(data.examples[0], data)[1], ids == 1)
            assert names(data.problems) == [("mask-values", "c.png", "error")]

    @pytest.mark.parametrize("good", [1, 2])
    def test_without_a_majority_one_of_each_is_named(self, files, ids, good):
        for number in range(good):
            files.pair(f"a{number}", np.minimum(ids, 2))
        files.pair("c", np.where(ids == 1, 255, 0).astype(np.uint8))
        if good == 2:
            assert names(open_dataset(files.root).problems) == [("mask-values", "c.png", "error")]
            return
        with pytest.raises(ReadError) as caught:
            open_dataset(files.root)
        assert caught.value.code == "mask-values"
        assert "1 hold 0 and white, such as 'c.png'" in caught.value.message
        assert "1 hold 0, 1, 2, such as 'a0.png'" in caught.value.message

    def test_a_value_in_half_of_the_masks_is_refused_with_one_of_each(self, files, ids):
        odd = ids.copy()
        odd[ids == 255] = 7
        files.pair("a", np.minimum(ids, 2))
        files.pair("b", odd)
        with pytest.raises(ClassError, match=r"b\.png.*0, 1, 2, 7, and 0, 1, 2 in 'a\.png'"):
            open_dataset(files.root)

    def test_a_colour_mask_among_palettes(self, files, ids):
        palette = [0, 0, 0, 9, 8, 7, 200, 0, 0]
        for stem in "abde":
            files.image(f"images/{stem}.png")
            files.mask(f"masks/{stem}.png", ids, palette=palette)
        files.pair("A", np.stack([ids, ids, ids + 1], axis=2))  # the first by name
        data = open_dataset(files.root)
        assert (data.kind, len(data)) == ("pairs", 4)
        assert names(data.problems) == [("mask-colors", "A.png", "error")]

    def test_a_third_may_be_odd(self, files, ids):
        palette = [0, 0, 0, 9, 8, 7, 200, 0, 0]
        for stem in "ab":
            files.image(f"images/{stem}.png")
            files.mask(f"masks/{stem}.png", np.minimum(ids, 2), palette=palette)
        files.pair("c", np.stack([ids, ids, ids + 1], axis=2))
        assert names(open_dataset(files.root).problems) == [("mask-colors", "c.png", "error")]
        files.pair("c", np.where(ids == 255, 7, ids))
        assert names(open_dataset(files.root).problems) == [("mask-values", "c.png", "error")]

    def test_numbers_among_colours(self, files, ids):
        colors = np.array([[120, 0, 120], [235, 235, 50]], np.uint8)
        for stem in "bcd":
            files.pair(stem, colors[np.minimum(ids, 1)])
        files.pair("a", np.minimum(ids, 2))
        data = open_dataset(files.root)
        assert (data.kind, [e.name for e in data.examples]) == ("color", ["b", "c", "d"])
        assert names(data.problems) == [("mask-colors", "a.png", "error")]
        assert "in style purple-yellow" in data.problems[0].message

    def test_colours_and_numbers_half_and_half(self, files, ids):
        colors = np.array([[120, 0, 120], [235, 235, 50]], np.uint8)
        for stem in "ab":
            files.pair(stem, colors[np.minimum(ids, 1)])
        for stem in "cd":
            files.pair(stem, np.minimum(ids, 2))
        with pytest.raises(
            ReadError, match=r"2 hold colours, such as 'a\.png'; 2 hold numbers, such as 'c\.png'"
        ):
            open_dataset(files.root)

    def test_palette_images_and_their_colours_are_one_set(self, files, ids):
        from maskforge.palette import voc_palette

        flat = voc_palette().ravel().tolist()
        for stem in "ab":
            files.image(f"images/{stem}.png")
            files.mask(f"masks/{stem}.png", np.minimum(ids, 2), palette=flat)
        for stem in "cd":
            files.pair(stem, voc_palette()[np.minimum(ids, 2)])
        data = open_dataset(files.root)
        assert (data.kind, len(data), data.problems) == ("color", 4, ())
        for example in data.examples:
            np.testing.assert_array_equal(load(example, data)[1], np.minimum(ids, 2))

    def test_an_unknown_colour_in_one_mask_is_named(self, files, ids):
        colors = np.array([[9, 9, 10], [255, 0, 0], [0, 0, 200]], np.uint8)
        for stem in "abcd":
            files.pair(stem, colors[np.minimum(ids, 1)])
        files.pair("x", colors[np.minimum(ids, 2)])
        with pytest.raises(ClassError, match=r"#0000c8 is in 'x\.png' only.*--style #0000c8,"):
            open_dataset(files.root)

    def test_a_mask_of_another_size_than_its_image(self, files, ids):
        self.make(files, ids, np.ones((5, 3), np.uint8))
        found = check(open_dataset(files.root))
        assert names(found.errors) == [("size-mismatch", "c.png", "error")]
        assert found.refused == {"c"}

    def test_masks_alone_leave_the_odd_one_out_too(self, files, ids):
        self.make(files, ids, np.where(ids == 1, 255, 0).astype(np.uint8))
        masks = open_masks(files.root / "masks")
        assert len(masks.labels) == 20
        assert "c" not in masks.labels
        assert names(masks.problems) == [("mask-values", "c.png", "error")]


class TestPolarity:
    OBJECT = np.zeros((6, 8), np.uint8)
    OBJECT[2:5, 1:4] = 255

    def test_an_inverted_set_is_said_and_the_cure_works(self, files):
        for number in range(3):
            files.pair(f"{number}", 255 - np.roll(self.OBJECT, number, axis=1), size=(6, 8))
        data = open_dataset(files.root)
        assert names(data.problems) == [("mask-values", "0.png", "warning")]
        assert "the masks look inverted" in data.problems[0].message
        assert "of 3 of 3," in data.problems[0].message
        assert "--style white-black" in data.problems[0].cure
        cured = open_dataset(files.root, style="white-black")
        assert not cured.problems
        np.testing.assert_array_equal(load(cured.examples[0], cured)[1], self.OBJECT == 255)

    @pytest.mark.parametrize("labels", ["0:person,1:_background_", "0:person,255:_background_"])
    def test_names_that_say_so_are_believed(self, files, labels):
        files.pair("a", 255 - self.OBJECT, size=(6, 8))
        data = open_dataset(files.root, labels=labels)
        assert not data.problems
        shown = np.array(data.classes.names)[load(data.examples[0], data)[1]]
        np.testing.assert_array_equal(shown == "person", self.OBJECT == 255)

    def test_black_objects_on_jpeg(self, files):
        big = np.kron(255 - self.OBJECT, np.ones((8, 8), np.uint8))
        files.image("images/a.png", size=big.shape)
        Image.fromarray(big).save(files._place("masks/a.jpg"))
        codes = [p.code for p in open_dataset(files.root).problems]
        assert codes == ["mask-values", "mask-damaged"]

    def test_a_usual_set_is_not_inverted(self, files):
        for number in range(3):
            files.pair(f"{number}", np.roll(self.OBJECT, number, axis=1), size=(6, 8))
        assert not open_dataset(files.root).problems

    def test_the_odd_ones_are_named(self, files):
        for number in range(4):
            files.pair(f"{number}", self.OBJECT, size=(6, 8))
        files.pair("x", 255 - self.OBJECT, size=(6, 8))
        (problem,) = open_dataset(files.root).problems
        assert (problem.code, problem.severity) == ("mask-values", "warning")
        assert problem.file.endswith("x.png")
        assert "1 of 5 masks, x.png" in problem.message

    def test_the_odd_ones_of_an_inverted_set_are_named(self, files):
        for number in range(4):
            files.pair(f"{number}", 255 - self.OBJECT, size=(6, 8))
        files.pair("x", self.OBJECT, size=(6, 8))
        (problem,) = open_dataset(files.root).problems
        assert "border of 4 of 5," in problem.message
        assert "x.png would be the other way round" in problem.message

    def test_a_mask_that_is_neither_way_round_is_not_named(self, files):
        for number in range(4):
            files.pair(f"{number}", 255 - self.OBJECT, size=(6, 8))
        half = np.zeros((6, 8), np.uint8)
        half[1:5, 1:7] = 255
        half[0] = 255  # two thirds of the area, a third of the border
        files.pair("x", half, size=(6, 8))
        (problem,) = open_dataset(files.root).problems
        assert "x.png" not in problem.message
        half[0] = 0
        half[2:5, 3:7] = 0
        files.pair("x", half, size=(6, 8))
        (problem,) = open_dataset(files.root).problems
        assert "x.png would be" in problem.message

    @pytest.mark.parametrize(
        ("rows", "inverted"),
        [
            (slice(0, 3), False),  # half of the border, half of the area
            (slice(0, 4), True),  # more than half of both
        ],
    )
    def test_area_and_border_decide(self, files, rows, inverted):
        values = np.zeros((6, 8), np.uint8)
        values[rows] = 255
        files.pair("a", values, size=(6, 8))
        assert bool(open_dataset(files.root).problems) == inverted

    def test_a_large_black_object_is_seen_by_the_border(self, files):
        values = np.full((6, 8), 255, np.uint8)
        values[1:5, 1:7] = 0  # half of the area
        files.pair("a", values, size=(6, 8))
        assert open_dataset(files.root).problems
        values[:, 1:7] = 0  # and half of the border
        files.pair("a", values, size=(6, 8))
        assert not open_dataset(files.root).problems

    def test_masks_of_one_value_do_not_count(self, files):
        files.pair("a", self.OBJECT, size=(6, 8))
        for stem in "bcd":
            files.pair(stem, np.full((6, 8), 255, np.uint8), size=(6, 8))
        assert not open_dataset(files.root).problems


class TestAClassThatNoMaskShows:
    def white(self, files, ids, count=2):
        for number in range(count):
            files.pair(f"{number}", np.where(ids == 1, 255, 0).astype(np.uint8))

    @pytest.mark.parametrize(
        "labels", ["person,dog", "_background_,person,dog", "0:_background_,1:person,2:dog"]
    )
    def test_objects_that_would_be_ignored(self, files, ids, labels):
        self.white(files, ids)
        with pytest.raises(ClassError) as caught:
            open_dataset(files.root, labels=labels)
        assert caught.value.message == (
            "no mask shows 'person' (id 1), 'dog' (id 2), while 255, which would be ignored, "
            "is in 2 masks: their objects would be lost"
        )
        assert "--labels '0:_background_,255:person'" in caught.value.cure
        data = open_dataset(files.root, labels="0:_background_,255:person")
        np.testing.assert_array_equal(load(data.examples[0], data)[1], ids == 1)

    def test_more_masks_than_are_looked_at_first(self, files, ids):
        self.white(files, ids, scanning.LOOKED_AT)
        files.pair("x", np.minimum(ids, 2))
        found = open_dataset(files.root, labels="0:_background_,1:person,2:dog")
        assert len(found) == scanning.LOOKED_AT + 1 or found.problems

    def test_one_name_is_enough_for_one_class(self, files, ids):
        self.white(files, ids)
        data = open_dataset(files.root, labels="person")
        np.testing.assert_array_equal(load(data.examples[0], data)[1], ids == 1)

    def test_what_the_user_ignores_may_not_be_all(self, files, ids):
        self.white(files, ids)
        with pytest.raises(ClassError, match=r"'person', while 255, .* is in 2 masks.*--ignore"):
            open_dataset(files.root, labels="person", ignore=255)

    def test_masks_without_an_object_are_no_reason(self, files, ids):
        files.pair("a", np.zeros_like(ids))
        data = open_dataset(files.root, labels="0:_background_,1:person,2:dog")
        assert len(data) == 1

    def test_a_class_that_one_mask_shows_is_enough(self, files, ids):
        self.white(files, ids, 1)
        for stem in "abc":
            files.pair(stem, np.minimum(ids, 1))
        data = open_dataset(files.root, labels="person,dog")
        assert names(data.problems)[0] == ("mask-values", "0.png", "error")


def test_no_more_masks_are_looked_at_than_have_to_be(files, ids, monkeypatch):
    """A list that speaks of 0, of more than one class: the first ones, whatever the set's size."""
    for number in range(30):
        files.pair(f"{number:02}", np.minimum(ids, 2))
    seen = []
    read = scanning._pixels.read_mask
    monkeypatch.setattr(
        scanning._pixels, "read_mask", lambda path, **kw: seen.append(path) or read(path, **kw)
    )
    open_dataset(files.root, labels="0:_background_,1:cat,2:dog")
    assert len(seen) == scanning.LOOKED_AT
    seen.clear()
    open_dataset(files.root)
    assert len(seen) == 30


def test_an_error_is_one_of_ours(files, ids):
    files.image("images/a.png")
    files.mask("masks/a.png", np.stack([ids, ids, ids + 1], axis=2))
    files._place("masks/b.png").write_bytes(b"")
    with pytest.raises(MaskforgeError):
        open_dataset(files.root, kind="pairs")


def test_area_and_border_of_a_mask(files):
    values = np.zeros((4, 5), np.uint8)
    values[0, 4] = values[2, 0] = values[1, 1] = values[3, 3] = 255
    values[2, 3] = 100  # nearer to black
    (seen,) = scanning.scan([files.mask("a.png", values)], colors=False).seen
    assert (seen.area, seen.border) == (4 / 20, 3 / 14)
    assert seen.values == {0, 100, 255}


def test_values_are_found_in_every_batch(monkeypatch):
    monkeypatch.setattr(scanning, "BATCH", 4)
    values = np.array([[7, 0, 0], [0, 3, 0], [0, 0, 255]], np.uint8)
    assert scanning.distinct(values) == [0, 3, 7, 255]
    assert scanning.distinct(values[:0]) == []


def test_the_values_of_a_large_mask_take_no_multiple_of_its_memory():
    values = np.zeros((2048, 4096), np.uint8)
    tracemalloc.start()
    try:
        assert scanning.distinct(values) == [0]
        assert tracemalloc.get_traced_memory()[1] < 2 * values.nbytes
    finally:
        tracemalloc.stop()


def test_where_no_mask_can_be_read_the_first_one_says_why(files):
    path = files._place("masks/b.png")
    path.write_bytes(b"")
    with pytest.raises(ReadError, match=r"b\.png"):
        scanning.scan([path], colors=False)


def test_0_and_255_beside_a_value_to_ignore(files, ids):
    values = np.where(ids == 1, 255, 0).astype(np.uint8)
    values[2, 3] = 7
    files.pair("a", values)
    data = open_dataset(files.root, ignore=7)
    assert data.classes.names == ("_background_", "class_1")
    assert load(data.examples[0], data)[1].tolist() == [[0, 0, 1, 0], [0, 1, 1, 0], [0, 0, 0, 255]]


def test_one_of_three_painted_masks_may_be_odd(files, ids):
    colors = np.array([[120, 0, 120], [235, 235, 50], [0, 9, 9]], np.uint8)
    for stem in "ab":
        files.pair(stem, colors[np.minimum(ids, 1)])
    files.pair("c", colors[np.minimum(ids, 2)])
    assert names(open_dataset(files.root).problems) == [("mask-colors", "c.png", "error")]


@pytest.mark.parametrize(("good", "code"), [(3, "unknown-label"), (4, "mask-values")])
def test_of_named_classes_too_a_third_at_most_is_odd(files, ids, good, code):
    """The code of labels that no class has ends a run: what concerns more is no matter of files."""
    for number in range(2):
        files.pair(f"w{number}", np.where(ids == 1, 255, 0).astype(np.uint8))
    for number in range(good):
        files.pair(f"a{number}", np.minimum(ids, 2))
    found = check(open_dataset(files.root, labels="0:_background_,1:cat,2:dog"))
    assert names(found.errors) == [(code, "w0.png", "error"), (code, "w1.png", "error")]
    assert found.ignored() == 0
