"""Masks as a source: what the reader says of a set before anything is decoded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import maskforge
from maskforge.classes import ClassTable
from maskforge.datasets import open_dataset, open_masks
from maskforge.errors import ClassError, Problem, ReadError
from maskforge.io.label_lists import Listed
from maskforge.labels import Relabelling
from maskforge.palette import voc_palette
from maskforge.raster.annotation import Annotation
from maskforge.readers import masks
from maskforge.readers.masks import Options
from maskforge.writers.onehot import OneHotWriter


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
    assert masks.sniff(files.root, b"") == "1 mask of 3 classes"


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


RULES = Relabelling.of(["dog=cat"], drop=["hen"], ignored=["cow"])


@pytest.mark.parametrize("form", ["ids", "colors", "planes"])
def test_classes_of_masks_are_renamed_left_out_and_ignored(tmp_path, form):
    names = ["cat", "dog", "hen", "cow"]
    ids = np.array([[0, 1, 2, 3, 4, 1], [0, 0, 2, 2, 4, 3]], np.uint8)
    source = tmp_path / "in"
    (source / "masks").mkdir(parents=True)
    (source / "images").mkdir()
    (source / "labels.txt").write_text("\n".join(names))
    Image.new("RGB", (6, 2)).save(source / "images/a.png")
    given = {"format": "masks", "as_": "label", "images": "none", "out": tmp_path / "out"}
    if form == "planes":
        source = tmp_path / "in.npy"
        with source.open("wb") as file:
            writer = OneHotWriter(file)
            writer.add("a.png", np.eye(5, dtype=np.uint8)[ids])
            writer.close()
        given["labels"] = names
    elif form == "colors":
        colors = voc_palette(5)
        Image.fromarray(colors[ids]).save(source / "masks/a.png")
    else:
        Image.fromarray(ids).save(source / "masks/a.png")
    result = maskforge.convert(
        source, map=["dog=cat"], drop=["hen"], ignore_labels=["cow"], **given
    )
    assert result.classes.names == ("_background_", "cat")
    with Image.open(result.out / "masks/a.png") as image:
        shown = np.asarray(image).tolist()
    assert shown == [[0, 1, 1, 0, 255, 1], [0, 0, 1, 1, 255, 0]]
    data = open_dataset if form != "planes" else open_masks
    opened = data(source, labels=names, relabelling=RULES)
    assert opened.classes == result.classes
    assert "classes: hen left out" in opened.notes
    assert opened.problems == ()
    mistyped = data(source, labels=names, relabelling=Relabelling.of(["dgo=cat"]))
    assert [problem.cure for problem in mistyped.problems] == ["did you mean 'dog'?"]
    told = maskforge.convert(source, map=["dgo=cat"], overwrite=True, **given)
    assert [(problem.code, problem.file) for problem in told.problems] == [
        ("label-doubt", str(source))
    ]


def test_where_no_class_is_left_there_is_nothing_to_learn(files):
    files.pair("a")
    files.text("labels.txt", "0:sky\ncat\ndog\n")
    with pytest.raises(ClassError, match="a class must be left, but of sky, cat, dog none is"):
        maskforge.convert(files.root, format="masks", drop=["*"])


def test_a_mask_of_ignored_pixels_alone_is_told(files, tmp_path):
    """Of a set that names its classes not every mask is looked at beforehand."""
    for number in range(24):
        files.pair(f"a{number}")
    files.pair("z")
    files.mask("masks/z.png", np.array([[0, 0, 255, 0], [0, 255, 255, 0], [0, 0, 0, 0]], np.uint8))
    files.text("labels.txt", "cat\ndog\ncow\n")
    result = maskforge.convert(files.root, format="masks", out=tmp_path / "out", images="none")
    told = [problem for problem in result.problems if problem.code == "mask-values"]
    assert [(Path(p.file).name, p.severity) for p in told] == [("z.png", "note")]
    assert told[0].message.startswith("the mask shows no class: 3 pixels are ignored")
