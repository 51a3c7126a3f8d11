"""Nothing of the user's is ever touched: what real runs once deleted."""

import json

import numpy as np
import pytest
from PIL import Image
from projects import box, elsewhere, folder, labelme_file, tree  # noqa: F401

import maskforge
from maskforge.cli import main


def via_project(place, *names):
    """Write a VIA export and its photographs, one rectangle in each."""
    entries = {}
    for number, name in enumerate(names):
        pixels = np.full((6, 9, 3), 40 * number, np.uint8)
        Image.fromarray(pixels).save(place / name)
        entries[name + "1"] = {
            "filename": name,
            "size": 1,
            "regions": [
                {
                    "shape_attributes": {"name": "rect", "x": 1, "y": 1, "width": 4, "height": 3},
                    "region_attributes": {"class": "dog"},
                }
            ],
            "file_attributes": {},
        }
    (place / "seg.json").write_text(json.dumps(entries))


@pytest.mark.parametrize("again", ["overwrite", "resume"])
def test_a_photograph_that_left_the_project_stays(tmp_path, monkeypatch, again):
    monkeypatch.chdir(tmp_path)
    via_project(tmp_path, "a.png", "b.png")
    maskforge.convert("seg.json")
    via_project(tmp_path, "a.png")
    maskforge.convert("seg.json", **{again: True})
    assert (tmp_path / "b.png").is_file()


def test_the_photograph_of_a_damaged_annotation_stays(folder):
    maskforge.convert(folder, as_="onehot")
    (folder / "a.json").write_text("{")
    maskforge.convert(folder, format="labelme", as_="onehot", resume=True)
    assert (folder / "a.png").is_file()


def test_train_looks_at_the_data_before_it_makes_room(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "run"
    run.mkdir()
    (run / "best.pt").write_bytes(b"weeks of work")
    with pytest.raises(SystemExit):
        main(["train", "typo", "-o", "run", "--overwrite", "-q"])
    assert (run / "best.pt").read_bytes() == b"weeks of work"
