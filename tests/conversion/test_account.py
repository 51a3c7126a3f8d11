"""What came in and what became of it: nothing goes missing unsaid."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from PIL import Image
from projects import box, elsewhere, folder, labelme_file  # noqa: F401

import maskforge
from maskforge.conversion import account
from maskforge.conversion.account import Account

SAMPLES = Path(__file__).resolve().parents[2] / "samples"


def test_what_is_left_out_on_request_is_counted_with_its_pixels(folder):
    labelme_file(folder / "c.json", [("dog", box(0, 0, 2, 1)), ("dog", box(0, 2, 3, 4))])
    result = maskforge.convert(folder, drop=["dog"])
    found = result.account
    assert (found.files, found.images, found.regions) == (3, 3, 2)
    # 4 x 3 pixels in a.json, though they lie on top of the cat's; 2 and 6 in c.json.
    assert found.left_out == {"dog": (3, 20)}
    assert list(found.lines()) == [
        "read: 3 files, 3 images, 2 regions drawn",
        "left out on request: 'dog' (3 regions, 20 pixels)",
    ]
    assert result.as_dict()["account"]["left_out"] == {"dog": (3, 20)}


def test_skipped_unknown_labels_are_left_out_on_request(folder):
    result = maskforge.convert(folder, labels=["cat"], unknown="skip")
    assert result.account.left_out == {"dog": (1, 12)}
    again = maskforge.convert(folder, labels=["cat"], unknown="skip", resume=True)
    assert (again.kept, again.account) == (2, result.account)


def test_pixels_are_those_of_the_outputs_size(folder):
    result = maskforge.convert(folder, drop=["dog"], size=(18, 12))
    assert result.account.left_out == {"dog": (1, 48)}


def test_images_without_annotation_are_named(folder):
    for name in ("lonely.png", "more/sad.PNG", "more/other.jpeg"):
        Image.new("RGB", (9, 6)).save(folder / name)
    (folder / "notes.txt").write_text("no image")
    result = maskforge.convert(folder)
    assert [os.path.relpath(path, folder) for path in result.account.unannotated] == [
        "lonely.png",
        "more/other.jpeg",
        "more/sad.PNG",
    ]
    assert "3 images beside them without annotation: lonely.png, other.jpeg, sad.PNG" in list(
        result.account.lines()
    )


def test_the_image_of_an_annotation_that_failed_is_not_without_one(folder):
    (folder / "a.json").write_text("{")
    result = maskforge.convert(folder)
    assert (result.failed, result.account.unannotated) == (1, ())


def test_images_elsewhere_are_looked_at_in_their_own_folder_only(tmp_path):
    labelme_file(tmp_path / "in/a.json", [("cat", box(1, 1, 5, 3))], image=False)
    for name in ("pictures/a.png", "pictures/b.png", "pictures/deep/c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (9, 6)).save(tmp_path / name)
    result = maskforge.convert(tmp_path / "in", images_from=tmp_path / "pictures")
    assert result.account.unannotated == (str(tmp_path / "pictures/b.png"),)


def test_a_link_to_a_folder_is_the_folder(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder, target_is_directory=True)
    Image.new("RGB", (9, 6)).save(folder / "lonely.png")
    result = maskforge.convert(tmp_path / "link")
    assert [os.path.basename(path) for path in result.account.unannotated] == ["lonely.png"]


def test_earlier_outputs_in_the_input_are_passed_over_and_said(folder):
    maskforge.convert(folder, out=folder / "out")
    result = maskforge.convert(folder, out=folder.parent / "two")
    assert result.account.passed == (str(folder / "out"),)
    assert result.account.unannotated == ()
    assert list(result.account.lines())[-1] == (
        f"passed over, as maskforge made them: {folder / 'out'}"
    )


def test_splits_are_counted(folder):
    labelme_file(folder / "more/b.json", [("cat", box(0, 0, 2, 6))], height=7)  # another picture
    result = maskforge.convert(folder, split=[0.5])
    assert result.account.splits == {"train": 1, "val": 1}
    assert "splits: train 1, val 1" in list(result.account.lines())


def test_masks_are_not_said_to_be_without_annotation(folder):
    first = maskforge.convert(folder, out=folder.parent / "first")
    Image.new("RGB", (9, 6)).save(first.out / "images/lonely.png")
    result = maskforge.convert(first.out, format="masks", out=folder.parent / "two")
    assert result.account.unannotated == ()


@pytest.mark.parametrize(
    ("count", "said"), [(1, "1 image"), (2, "2 images"), (1234, "1,234 images")]
)
def test_numbers_and_their_nouns_agree(count, said):
    assert next(iter(Account(images=count).lines())) == f"read: 0 files, {said}"


def test_pictures_that_masks_are_drawn_in_and_what_an_output_placed_are_no_images(tmp_path):
    panoptic = tmp_path / "panoptic"
    shutil.copytree(SAMPLES / "panoptic", panoptic)
    assert maskforge.convert(panoptic).account.unannotated == ()
    shutil.copy(panoptic / "images/000000018990.jpg", panoptic / "images/more.jpg")
    again = maskforge.convert(panoptic, out=tmp_path / "out")
    assert [os.path.basename(p) for p in again.account.unannotated] == ["more.jpg"]
    made = maskforge.convert(tmp_path / "out", as_="yolo", out=tmp_path / "yolo")
    assert maskforge.convert(made.out, format="yolo", out=tmp_path / "r").account.unannotated == ()


def test_many_names_are_cut():
    line = list(Account(unannotated=("x/a", "x/b", "c", "d")).lines())[-1]
    assert line == "4 images beside them without annotation: a, b, c …"


def test_nothing_below_no_folder():
    assert account.unannotated([], {}) == []


# Problems of a run that converted nothing while an output stands


def listed(path):
    return [json.loads(line)["code"] for line in path.read_text().splitlines()]


@pytest.mark.parametrize("as_", ["label", "onehot"])
def test_problems_are_kept_beside_an_output_that_stands(folder, as_):
    given = {
        "format": "labelme",
        "as_": as_,
        "out": folder.parent / ("out.npy" if as_ == "onehot" else "out"),
    }
    first = maskforge.convert(folder, **given)
    before = first.manifest.read_bytes()
    kept = {path: path.read_text() for path in folder.rglob("*.json")}
    for path in kept:
        path.write_text("{")
    failed = maskforge.convert(folder, overwrite=True, **given)
    assert (failed.exit_code, failed.converted) == (3, 0)
    assert failed.listed.name.endswith("problems.failed.jsonl")
    assert listed(failed.listed) == ["not-json", "not-json"]
    assert first.manifest.read_bytes() == before
    again = maskforge.convert(folder, overwrite=True, **given)
    assert again.listed == failed.listed
    for path, text in kept.items():
        path.write_text(text)
    good = maskforge.convert(folder, overwrite=True, **given)
    assert (good.exit_code, good.listed) == (0, None)
    assert not failed.listed.exists()
    assert not list(failed.listed.parent.glob(".*failed*"))


def test_somebody_elses_list_of_that_name_stays(folder):
    out = maskforge.convert(folder).out
    (out / "problems.failed.jsonl").write_text("mine")
    shutil.rmtree(folder / "more")
    (folder / "a.json").write_text("{")
    failed = maskforge.convert(folder, format="labelme", overwrite=True)
    assert (failed.exit_code, failed.listed) == (3, None)
    assert (out / "problems.failed.jsonl").read_text() == "mine"
