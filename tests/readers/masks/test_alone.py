"""Masks without a data set around them: what they mean, and whose they are."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskforge import convert
from maskforge.datasets import Header, open_masks
from maskforge.errors import ClassError, ReadError

SAMPLES = Path(__file__).resolve().parents[3] / "samples"


def save(path, ids):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.array(ids, np.uint8)).save(path)


def test_masks_of_a_folder(tmp_path):
    save(tmp_path / "labels/x/a_mask.png", [[0, 1, 2], [2, 2, 0]])
    save(tmp_path / "labels/b.png", [[0, 0], [1, 1]])
    (tmp_path / "labels.txt").write_text("cup\nlid\n")
    masks = open_masks(tmp_path)
    assert masks.classes.names == ("_background_", "cup", "lid")
    partners = masks.partners(["a", "b", "c"])
    assert {name: label.path.name for name, label in partners.items()} == {
        "a": "a_mask.png",
        "b": "b.png",
    }
    same = masks.read(partners["a"], Path("a.jpg"), Header(2, 3, 1))
    assert same.tolist() == [[0, 1, 2], [2, 2, 0]]
    larger = masks.read(partners["a"], Path("a.jpg"), Header(4, 6, 1))
    assert larger[::2, ::2].tolist() == same.tolist()
    with pytest.raises(ReadError, match="must have the shape of its image, 2x3, but is 3x2"):
        masks.read(partners["a"], Path("a.jpg"), Header(3, 2, 1))


def test_masks_of_0_and_255_and_given_names(tmp_path):
    save(tmp_path / "a.png", [[0, 255, 255]])
    masks = open_masks(tmp_path, labels=["person"])
    assert masks.classes.names == ("_background_", "person")
    label = masks.labels["a"]
    assert masks.read(label, Path("a.jpg"), Header(1, 3, 1)).tolist() == [[0, 1, 1]]


@pytest.mark.parametrize("kind", ["label", "onehot", "color"])
def test_outputs_of_maskforge_in_every_form(tmp_path, kind):
    source = tmp_path / "dir"
    source.mkdir()
    for name in ("park_001.json", "park_001.jpg", "labels.txt"):
        (source / name).write_bytes((SAMPLES / "labelme" / name).read_bytes())
    style = {"style": "palette"} if kind == "color" else {}
    result = convert(source, format="labelme", as_=kind, out=tmp_path / "out", **style)
    masks = open_masks(result.out)
    assert masks.classes.names == result.classes.names
    assert list(masks.partners(["park_001"])) == ["park_001"]
    record = result.records[0]
    header = Header(record["height"], record["width"], 1)
    ids = masks.read(masks.labels["park_001"], source / "park_001.jpg", header)
    counts = {str(i): n for i, n in enumerate(np.bincount(ids.ravel())) if n}
    assert counts == {str(i): n for i, n in record["pixels"].items() if n}


def test_what_is_no_folder_of_masks(tmp_path):
    with pytest.raises(ReadError, match="there must be a folder with masks"):
        open_masks(tmp_path / "nowhere")
    save(tmp_path / "a.png", [[0, 7]])
    with pytest.raises(ClassError, match="the values must be 0, 1, 2"):
        open_masks(tmp_path)


def test_names_are_compared_as_images_are_found(tmp_path):
    save(tmp_path / "masks/e\u0301.png", [[0, 1]])  # as macOS writes é
    masks = open_masks(tmp_path / "masks")
    assert list(masks.partners(["\u00e9"])) == ["\u00e9"]
