"""Annotations where masks are wanted: the message says what they are and how to convert them."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image
from training.commands import SMALL, run

LABELME = {
    "version": "5.5.0",
    "flags": {},
    "shapes": [{"label": "cat", "points": [[1, 1], [3, 2]], "shape_type": "rectangle"}],
    "imagePath": "a.jpg",
    "imageData": None,
    "imageHeight": 6,
    "imageWidth": 8,
}
POLYGON = {
    "shape_attributes": {"name": "polygon", "all_points_x": [1, 4, 4], "all_points_y": [1, 1, 4]},
    "region_attributes": {"name": "cat"},
}
VIA = {
    "_via_settings": {},
    "_via_img_metadata": {
        "a.jpg1": {"filename": "a.jpg", "size": 1, "regions": [POLYGON], "file_attributes": {}}
    },
    "_via_attributes": {},
}
COCO = {
    "images": [{"id": 1, "file_name": "a.jpg", "height": 6, "width": 8}],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[1, 1, 4, 1, 4, 4]]}
    ],
    "categories": [{"id": 1, "name": "cat"}],
}
FORMATS = {"labelme": LABELME, "via": VIA, "coco": COCO}


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ids = np.zeros((6, 8), np.uint8)
    ids[1:3, 2:5] = 1
    (tmp_path / "truth").mkdir()
    for stem in "ab":
        Image.fromarray(ids).save(tmp_path / f"truth/{stem}.png")
    return tmp_path


COMMANDS = {
    "train": ("train", "X", "-o", "r", *SMALL),
    "predictions": ("evaluate", "X", "truth"),
    "truth": ("evaluate", "truth", "X"),
    "background": ("background", "X", "truth", "-o", "o"),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("as_folder", [False, True])
def test_annotations_are_recognised(place, command, name, as_folder, capsys):
    if command == "train":
        pytest.importorskip("torch")
    source = "my set" if as_folder else "a file.json"
    (place / "my set").mkdir()
    file = place / ("my set/a.json" if as_folder else source)
    file.write_text(json.dumps(FORMATS[name]))
    assert run(*(source if part == "X" else part for part in COMMANDS[command])) == 3
    said = capsys.readouterr().err
    assert f"{source}: there must be masks, but these are annotations: " in said
    assert f"maskforge {name} '{source}'" in said
    assert said.count(source) == (3 if as_folder else 2)
    assert said.endswith("[wrong-format]\n")
    assert not (place / "r").exists()
    assert not (place / "o").exists()


def test_a_network_is_not_scored_on_annotations(data, trained, capsys):
    (data.parent / "a.json").write_text(json.dumps(VIA))
    assert run("evaluate", trained, "a.json", "--threads", "1") == 3
    assert "maskforge via a.json" in capsys.readouterr().err


def test_photographs_with_annotations_keep_their_error(place, capsys):
    (place / "both").mkdir()
    (place / "both/a.json").write_text(json.dumps(LABELME))
    noise = np.random.default_rng(0).integers(0, 256, (6, 8, 3)).astype(np.uint8)
    Image.fromarray(np.kron(noise, np.ones((9, 9, 1), np.uint8))).save(place / "both/a.png")
    assert run("evaluate", "truth", "both") in (2, 3)
    said = capsys.readouterr().err
    assert "there must be masks, but these" not in said
    assert "; if the annotations there are meant, Labelme JSON, convert them first" in said
    pytest.importorskip("torch")
    assert run("train", "both", "-o", "r", *SMALL) == 3  # where masks lie with images
    assert "both: there must be masks, but these are annotations" in capsys.readouterr().err


def test_masks_with_an_error_of_their_own_are_not_taken_for_annotations(place, capsys):
    shutil.copytree(place / "truth", place / "pred")
    for stem in "ab":
        (place / f"pred/{stem}.png").rename(place / f"pred/x{stem}q.png")
    (place / "truth/a.json").write_text(json.dumps(LABELME))
    assert run("evaluate", "pred", "truth") == 3
    said = capsys.readouterr().err
    assert "no two belong together" in said
    assert "convert them first" not in said  # they are not in the folder that is told of


@pytest.mark.parametrize("content", ["{}", "<annotation/>", "0 0.5 0.5 0.1 0.1"])
def test_other_files_are_told_as_before(place, content, capsys):
    (place / "others").mkdir()
    (place / "others/a.json").write_text(content)
    assert run("evaluate", "others", "truth") == 3
    said = capsys.readouterr().err
    assert "there must be a folder with masks, or a one-hot file" in said
    assert "annotations" not in said
    assert run("evaluate", "nowhere", "truth") == 3
    assert "nowhere" in capsys.readouterr().err
