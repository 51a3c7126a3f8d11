from __future__ import annotations

import numpy as np
import pytest

from maskforge import plugins
from maskforge.datasets import check, open_dataset, split
from maskforge.errors import ClassError, ReadError, UsageError


def test_the_folder_is_the_table_of_kinds():
    assert plugins.names("readers.masks.kinds") == (
        "cityscapes",
        "color",
        "manifest",
        "onehot",
        "pairs",
        "voc",
    )


def test_it_says_why(files):
    files.pair("a")
    assert open_dataset(files.root).notes[0] == "pairs: images in 'images', masks in 'masks'"


def test_nothing_here(files, tmp_path):
    files.pair("a")
    with pytest.raises(ReadError, match=r"no data set of a known kind.*did you mean '.*set'\?"):
        open_dataset(tmp_path)
    with pytest.raises(ReadError, match="there is none"):
        open_dataset(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="there must be a folder"):
        open_dataset([])
    with pytest.raises(UsageError, match="folder of images must exist"):
        open_dataset(files.root, images=tmp_path / "nowhere")
    with pytest.raises(UsageError, match="value to ignore must be"):
        open_dataset(files.root, ignore=-7)


def test_a_kind_that_is_named(files):
    files.pair("a")
    assert open_dataset(files.root, kind="pairs").kind == "pairs"
    with pytest.raises(ReadError, match="no data set of kind voc"):
        open_dataset(files.root, kind="voc")
    with pytest.raises(UsageError, match=r"did you mean 'pairs'\?"):
        open_dataset(files.root, kind="pair")


def test_two_kinds_in_one_folder(files):
    files.pair("a")
    files.image("JPEGImages/a.png")
    files.mask("SegmentationClass/a.png")
    with pytest.raises(UsageError, match=r"could be pairs .* voc"):
        open_dataset(files.root)


class TestSeveralPlaces:
    def test_names_and_splits(self, files, ids):
        for place in ("street_train", "street_val"):
            files.image(f"{place}/images/a.png")
        files.mask("street_train/masks/a.png", ids)
        files.mask("street_val/masks/a.png", np.minimum(ids, 1))
        data = open_dataset([files.root / "street_train", files.root / "street_val"])
        assert [(e.name, e.split) for e in data.examples] == [
            ("train/a", "train"),
            ("val/a", "val"),
        ]
        assert len(data.classes) == 3
        assert data.root == files.root

    def test_other_classes(self, files):
        for place, names in (("p", "cat\ndog"), ("q", "dog\ncat")):
            files.image(f"{place}/images/a.png")
            files.mask(f"{place}/masks/a.png")
            files.text(f"{place}/labels.txt", names)
        with pytest.raises(ClassError, match="must mean the same classes"):
            open_dataset([files.root / "p", files.root / "q"])


class TestSplit:
    def names(self, data, name):
        return {e.name for e in data.of(name)}

    def make(self, files, count=10):
        for number in range(count):
            files.pair(f"i{number}")
        return open_dataset(files.root)

    def test_seeded_by_name_and_recorded(self, files):
        data = split(self.make(files), val=0.2, seed=0)
        assert (len(data.of("train")), len(data.of("val"))) == (8, 2)
        assert "with seed 0" in data.notes[-1]
        again = split(open_dataset(files.root), val=0.2, seed=0)
        assert self.names(again, "val") == self.names(data, "val")
        seeds = {
            frozenset(self.names(split(open_dataset(files.root), val=0.2, seed=s), "val"))
            for s in range(5)
        }
        assert len(seeds) > 1

    def test_at_least_one_is_held_back(self, files):
        assert len(split(self.make(files, 3), val=0.01, seed=0).of("val")) == 1

    def test_none_is_held_back(self, files):
        assert len(split(self.make(files, 1), val=0, seed=0).of("train")) == 1

    def test_what_the_data_say_stands(self, files):
        for name in ("train", "val", "test"):
            files.image(f"{name}/images/a.png")
            files.mask(f"{name}/masks/a.png")
        data = split(open_dataset(files.root), val=0.9, seed=0)
        assert [e.split for e in data.examples] == ["train", "val", "test"]

    def test_test_is_never_validated_on(self, files):
        for stem in ("a", "b", "c", "d"):
            files.pair(stem)
        files.text("train.txt", "a\nb\nc\n")
        files.text("test.txt", "d\n")
        data = split(open_dataset(files.root), val=0.34, seed=0)
        assert self.names(data, "test") == {"d"}
        assert (len(data.of("train")), len(data.of("val"))) == (2, 1)

    def test_nothing_to_train_on(self, files):
        files.image("test/images/a.png")
        files.mask("test/masks/a.png")
        data = open_dataset(files.root)
        with pytest.raises(UsageError, match="0 of 1 are left"):
            split(data, val=0.2, seed=0)
        with pytest.raises(UsageError, match="must be 0 … 1, but got 1"):
            split(data, val=1, seed=0)

    def test_one_image_cannot_be_both(self, files):
        with pytest.raises(UsageError, match="--val 0"):
            split(self.make(files, 1), val=0.2, seed=0)


class TestCheck:
    def test_counts_by_class_and_split(self, files, ids):
        files.image("train/images/a.png")
        files.mask("train/masks/a.png", np.minimum(ids, 1))
        files.image("val/images/b.png")
        files.mask("val/masks/b.png", ids)
        found = check(open_dataset(files.root, labels="cat,dog,cow"))
        assert found.pixels().tolist() == [6 + 6, 6 + 3, 2, 0]
        assert found.pixels("val").tolist() == [6, 3, 2, 0]
        assert found.images().tolist() == [2, 2, 1, 0]
        assert (found.ignored(), found.ignored("train")) == (1, 0)
        rows = found.class_counts()
        assert [(r.id, r.name, r.images, r.pixels) for r in rows] == [
            (0, "_background_", 2, 12),
            (1, "cat", 2, 9),
            (2, "dog", 1, 2),
            (3, "cow", 0, 0),
            (255, "__ignore__", 1, 1),
        ]
        assert sum(row.share for row in rows) == pytest.approx(1)
        notes = [text for name, text in found.rows() if name == "note"]
        assert "classes that no mask shows: cow" in notes
        assert "classes in val that train never shows: dog" in notes
        assert ("sizes", "4x3") in found.rows()

    def test_bad_examples_are_refused_and_the_rest_counted(self, files, ids):
        files.pair("a", ids)
        files.pair("b", ids + 3)
        files.pair("c", np.full_like(ids, 255))
        data = open_dataset(files.root, labels="cat,dog")
        done = []
        found = check(data, progress=lambda i, n: done.append((i, n)))
        assert found.refused == {"b"}
        assert [(p.code, p.severity) for p in found.problems] == [
            ("unknown-label", "error"),
            ("no-mask", "warning"),
        ]
        assert done == [(1, 3), (2, 3), (3, 3)]
        assert found.pixels().tolist() == [6, 3, 2]

    def test_workers_make_no_difference(self, files, ids):
        for number in range(5):
            files.pair(f"i{number}", np.minimum(ids, number))
        data = open_dataset(files.root, labels="cat,dog,cow")
        one, two = check(data), check(data, workers=2)
        np.testing.assert_array_equal(one.counts, two.counts)
        assert one.problems == two.problems
