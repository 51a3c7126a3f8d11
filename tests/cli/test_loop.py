"""The way round: predict, correct by hand, convert, train again, in four commands."""

import json

import numpy as np
import pytest
from PIL import Image
from training.commands import SMALL, run
from training.places import contents

pytestmark = pytest.mark.usefixtures("data")


def photos(place):
    place.mkdir()
    random = np.random.default_rng(3)
    for name in ("x", "y", "z"):
        pixels = random.integers(0, 255, (18, 26, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(place / f"{name}.png")


def test_predict_correct_convert_train(trained, tmp_path, capsys):
    photos(tmp_path / "new")
    before = contents(tmp_path / "new")
    said = ["--as", "polygons", "--min-area", "2", "--keep-iou", "0.98"]
    assert run("predict", trained, "new", "-o", "new", *said) == 0
    for name in "xyz":
        found = json.loads((tmp_path / f"new/{name}.json").read_text())
        assert (found["imagePath"], found["imageWidth"]) == (f"{name}.png", 26)

    corrected = tmp_path / "new/y.json"  # what a person does in Labelme
    content = json.loads(corrected.read_text())
    content["shapes"] = [
        {"label": "box", "shape_type": "polygon", "group_id": None, "flags": {}, "points": ring}
        for ring in ([[2, 3], [9, 3], [9, 11], [2, 11]], [[15, 1], [24, 1], [24, 8]])
    ]
    corrected.write_text(json.dumps(content))

    assert run("convert", "new", "-o", "new-masks", "--split", "0.34") == 0
    mask = np.asarray(Image.open(tmp_path / "new-masks/masks/y.png"))
    assert np.array_equal(mask[3:11, 2:9], np.ones((8, 7)))
    assert mask[:, 10:14].sum() == 0
    after = contents(tmp_path / "new")
    assert {name: after[name] for name in before} == before

    assert run("train", "new-masks", "-o", "again", "-q", *SMALL) == 0
    assert (tmp_path / "again/best.pt").is_file()
    capsys.readouterr()
    # What a person has corrected is not predicted over.
    assert run("predict", trained, "new", "-o", "new", *said, "--overwrite") == 2
    assert "y.json was changed after" in capsys.readouterr().err
