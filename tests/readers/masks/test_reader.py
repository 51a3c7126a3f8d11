"""Masks as a source: what the reader says of a set before anything is decoded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import maskforge
from maskforge.classes import ClassTable
from maskforge.errors import ClassError, Problem, ReadError
from maskforge.io.label_lists import Listed
from maskforge.raster.annotation import Annotation
from maskforge.readers import masks
from maskforge.readers.masks import Options


def found(path: Path, **options: object) -> list[Annotation]:
    first, *items = masks.read(path, Options(**options))
    assert isinstance(first, Listed)
    assert all(isinstance(item, Annotation) for item in items)
    return items  # type: ignore[return-value]


def tables(path: Path, **options: object) -> list[Listed]:
    return [item for item in masks.read(path, Options(**options)) if isinstance(item, Listed)]


def test_each_mask_comes_with_its_image(files):
    files.pair("b")
    files.pair("deep/a")
    items = found(files.root)
    assert [item.name for item in items] == ["b.png", "deep/a.png"]
    assert [item.image for item in items] == [
        files.root / "images/b.png",
        files.root / "images/deep/a.png",
    ]
    assert [item.source for item in items] == [
        files.root / "masks/b.png",
        files.root / "masks/deep/a.png",
    ]
    assert all(item.mask is not None and item.regions == () for item in items)


def test_masks_alone_have_no_image(files, ids):
    files.mask("a.png", ids)
    [item] = found(files.root)
    assert (item.name, item.image) == ("a.png", None)
    assert masks.sniff(files.root, b"") == "1 masks of 3 classes"


def test_what_came_since_is_read_by_the_next_conversion(files):
    """A notebook converts the same folder again and again, in one process."""
    files.pair("a")
    first = maskforge.convert(files.root, format="masks", out=files.root.parent / "one")
    files.pair("b")
    second = maskforge.convert(files.root, format="masks", out=files.root.parent / "two")
    assert (first.converted, second.converted) == (1, 2)
    assert [item.name for item in maskforge.read(files.root, format="masks")] == ["a.png", "b.png"]


def test_what_has_no_partner_is_told(files):
    files.pair("a")
    files.image("images/b.png")
    problems = [i for i in masks.read(files.root, Options()) if isinstance(i, Problem)]
    assert [(p.code, Path(p.file).name) for p in problems] == [("no-mask", "b.png")]


def test_the_classes_are_those_that_the_set_means(files):
    files.pair("a")
    files.text("labels.txt", "cat\ndog\n")
    [listed] = tables(files.root)
    assert listed.classes == ClassTable.from_names(["cat", "dog"])
    assert listed.origin == str(files.root / "labels.txt")
    [given] = tables(files.root, labels="0:sky,cat,dog")
    assert given.classes.names == ("sky", "cat", "dog")


def test_several_sets_mean_the_same_classes(files, tmp_path, ids):
    files.pair("a")
    other = tmp_path / "other"
    (other / "masks").mkdir(parents=True)
    Image.fromarray(np.minimum(ids, 1)).save(other / "masks/a.png")
    both, given = [files.root, other], {"format": "masks", "out": tmp_path / "out"}
    with pytest.raises(ClassError, match="all sources must mean the same classes"):
        maskforge.convert(both, **given)
    assert len(maskforge.convert(both, labels="cat,dog", **given).classes) == 3


@pytest.mark.parametrize("head", [b"", b'{"shapes": []}', b"\x89PNG", b"\x93NUMPY"])
def test_what_is_no_set_is_not_taken_for_one(tmp_path, head):
    (tmp_path / "a.png").write_bytes(head)
    assert masks.sniff(tmp_path / "a.png", head) is None
    assert masks.sniff(tmp_path / "nowhere", head) is None


def test_photographs_are_no_masks(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    assert masks.sniff(tmp_path, b"") is None
    with pytest.raises(ClassError, match="one colour a class, but there are over 256"):
        found(tmp_path)


def test_nothing_to_read(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ReadError, match="no data set of a known kind"):
        found(tmp_path / "empty")
    with pytest.raises(ReadError, match="no data set of kind voc"):
        found(tmp_path / "empty", kind="voc")
