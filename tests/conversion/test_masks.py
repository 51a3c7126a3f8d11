"""Masks as a source of a conversion: any kind that is read goes to any writer."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import maskforge
from maskforge.errors import ReadError, UsageError

SAMPLES = Path(__file__).parents[2] / "samples"
IDS = np.array([[0, 0, 1, 2], [0, 1, 1, 2], [0, 0, 0, 255]], dtype=np.uint8)


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.png")}


@pytest.fixture(scope="module")
def labels(tmp_path_factory) -> Path:
    """An output of label PNGs, of a few Labelme samples."""
    folder = tmp_path_factory.mktemp("labelme")
    for path in sorted((SAMPLES / "labelme").glob("*"))[:24]:
        if path.is_file():
            shutil.copy(path, folder / path.name)
    result = maskforge.convert(folder, format="labelme", out=folder.parent / "labels")
    assert result.exit_code == 0
    return result.out


@pytest.mark.parametrize("as_", ["label", "palette", "npy", "color", "onehot"])
def test_there_and_back_is_the_same(labels, tmp_path, as_):
    """Every writer's files become, read as masks, the very label PNGs that they were made of."""
    style = {"style": "palette"} if as_ == "color" else {}
    there = maskforge.convert(labels, as_=as_, out=tmp_path / "there", previews=False, **style)
    assert (there.reader, there.exit_code) == ("masks", 0)
    back = maskforge.convert(there.out, as_="label", out=tmp_path / "back", previews=False)
    assert (back.reader, back.exit_code) == ("masks", 0)
    assert back.classes == there.classes
    assert tree(back.out / "masks") == tree(labels / "masks")
    assert tree(back.out / "images") == tree(labels / "images")


@pytest.mark.parametrize("layout", ["voc", "article", "labelme"])
def test_every_layout_is_written_from_masks(labels, tmp_path, layout):
    result = maskforge.convert(labels, layout=layout, out=tmp_path / "out")
    assert (result.exit_code, result.converted) == (0, len(list((labels / "masks").iterdir())))


def test_masks_without_images_have_their_own_size(tmp_path):
    (tmp_path / "masks").mkdir()
    Image.fromarray(IDS).save(tmp_path / "masks/a.png")
    result = maskforge.convert(tmp_path / "masks", labels="cat,dog", images="none")
    assert result.exit_code == 0
    with Image.open(result.out / "masks/a.png") as image:
        np.testing.assert_array_equal(np.asarray(image), IDS)
    record = json.loads(result.manifest.read_text())["images"][0]
    assert (record["image"], record["original"], record["source"]) == (None, None, "a.png")
    assert record["pixels"] == {"0": 6, "1": 3, "2": 2, "255": 1}


def test_a_mask_of_another_size_is_brought_to_that_of_its_image_and_said(tmp_path):
    for name in ("images", "masks"):
        (tmp_path / "set" / name).mkdir(parents=True)
    Image.fromarray(IDS).save(tmp_path / "set/masks/a.png")
    Image.new("RGB", (8, 6)).save(tmp_path / "set/images/a.png")
    result = maskforge.convert(tmp_path / "set", labels="cat,dog")
    [problem] = result.problems
    assert (problem.code, problem.severity) == ("size-mismatch", "warning")
    assert "the mask is 4x3, its image 8x6" in problem.message
    with Image.open(result.out / "masks/a.png") as image:
        np.testing.assert_array_equal(np.asarray(image), IDS.repeat(2, 0).repeat(2, 1))
    again = maskforge.convert(tmp_path / "set", labels="cat,dog", size=(4, 3), out=tmp_path / "s")
    with Image.open(again.out / "masks/a.png") as image:
        np.testing.assert_array_equal(np.asarray(image), IDS)


def test_a_mask_is_turned_as_its_image_is(tmp_path):
    for name in ("images", "masks"):
        (tmp_path / "set" / name).mkdir(parents=True)
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned to the right
    Image.new("RGB", (4, 3)).save(tmp_path / "set/images/a.jpg", exif=exif)
    Image.fromarray(IDS).save(tmp_path / "set/masks/a.png")
    result = maskforge.convert(tmp_path / "set", labels="cat,dog")
    with Image.open(result.out / "masks/a.png") as image:
        np.testing.assert_array_equal(np.asarray(image), np.rot90(IDS, -1))
    assert result.records[0]["exif"] == "image and annotation"


def test_a_damaged_mask_costs_itself(tmp_path):
    (tmp_path / "masks").mkdir()
    Image.fromarray(IDS).save(tmp_path / "masks/a.png")
    whole = (tmp_path / "masks/a.png").read_bytes()
    (tmp_path / "masks/b.png").write_bytes(whole[:30])
    result = maskforge.convert(tmp_path / "masks", labels="cat,dog", images="none")
    assert (result.converted, result.failed, result.exit_code) == (1, 1, 1)
    assert [Path(p.file).name for p in result.problems] == ["b.png"]


def test_what_changed_is_converted_again_and_the_rest_is_kept(tmp_path):
    (tmp_path / "masks").mkdir()
    for name in "ab":
        Image.fromarray(IDS).save(tmp_path / f"masks/{name}.png")
    more = {"labels": "cat,dog", "images": "none", "out": tmp_path / "out"}
    maskforge.convert(tmp_path / "masks", **more)
    Image.fromarray(IDS[::-1].copy()).save(tmp_path / "masks/b.png")
    again = maskforge.convert(tmp_path / "masks", resume=True, **more)
    assert (again.converted, again.kept) == (2, 1)
    with Image.open(tmp_path / "out/masks/b.png") as image:
        np.testing.assert_array_equal(np.asarray(image), IDS[::-1])


def test_an_output_cannot_lie_on_its_own_masks(labels, tmp_path):
    shutil.copytree(labels, tmp_path / "copy")
    before = tree(tmp_path / "copy")
    with pytest.raises(UsageError):
        maskforge.convert(tmp_path / "copy", out=tmp_path / "copy", overwrite=True)
    assert tree(tmp_path / "copy") == before


def test_annotations_come_first_where_both_are(tmp_path):
    for path in sorted((SAMPLES / "labelme").glob("park_00[1-3]*")):
        shutil.copy(path, tmp_path / path.name)
    (tmp_path / "masks").mkdir()
    Image.fromarray(IDS).save(tmp_path / "masks/a.png")
    names = SAMPLES / "labelme/labels.txt"
    assert maskforge.convert(tmp_path, labels=names, out=tmp_path / "out").reader == "labelme"


def test_what_is_neither_is_told_with_the_choices(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(ReadError, match=r"known format .*'masks'"):
        maskforge.convert(tmp_path)


def test_instances_cannot_be_had_from_masks(labels, tmp_path):
    with pytest.raises(UsageError, match="masks do not tell instances apart"):
        maskforge.convert(labels, as_="instance", out=tmp_path / "out")
    result = maskforge.convert(labels, layout="voc", out=tmp_path / "voc")
    assert not (result.out / "SegmentationObject").exists()
