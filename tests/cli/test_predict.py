"""``maskforge predict`` on files: in every form, upright, and past bad images."""

import json

import numpy as np
import pytest
from PIL import Image
from train.commands import run

pytestmark = pytest.mark.usefixtures("data")


def test_predict_writes_what_evaluate_reads(trained, tmp_path, capsys):
    assert run("predict", trained, "data/images", "-o", "predicted", "--threads", "1") == 0
    assert len(list((tmp_path / "predicted").glob("*.png"))) == 8
    assert run("evaluate", "predicted", "data", "--json") == 0
    folders = json.loads(capsys.readouterr().out)
    assert run("evaluate", trained, "data", "--part", "all", "--json", "--threads", "1") == 0
    network = json.loads(capsys.readouterr().out)
    assert folders["confusion_matrix"] == network["confusion_matrix"]


@pytest.mark.parametrize(
    ("kind", "files"),
    [
        ("palette", ["0.png", "1.png"]),
        ("color", ["0.png", "1.png"]),
        ("npy", ["0.npy", "1.npy"]),
        ("overlay", ["0.jpg", "1.jpg"]),
        ("probabilities", ["0.npy", "1.npy"]),
        ("onehot", ["onehot.npy"]),
    ],
)
def test_predict_in_every_form(trained, tmp_path, kind, files):
    view = ["--flip", "--tile", "32", "--overlap", "0.5", "--batch", "1", "--threads", "1"]
    images = ["data/images/0.png", "data/images/[1].png"]
    assert run("predict", trained, *images, "-o", "p", "--as", kind, *view) == 0
    assert sorted(path.name for path in (tmp_path / "p").iterdir()) == sorted(
        [*files, "labels.txt"]
    )
    if kind == "probabilities":
        values = np.load(tmp_path / "p/0.npy")
        assert (values.shape, values.dtype) == ((2, 18, 26), np.float16)
    if kind == "onehot":
        planes = np.load(tmp_path / "p/onehot.npy", allow_pickle=True).item()
        assert planes["1.png"].shape == (18, 26, 2)


def test_predict_follows_exif_and_goes_on_after_a_bad_image(trained, tmp_path, capsys):
    (tmp_path / "photos").mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (26, 18)).save(tmp_path / "photos/turned.jpg", exif=exif)
    (tmp_path / "photos/broken.jpg").write_bytes(b"\xff\xd8\xff")
    assert run("predict", trained, "photos", "-o", "p", "--threads", "1") == 1
    assert "broken.jpg" in capsys.readouterr().err
    with Image.open(tmp_path / "p/turned.png") as mask:
        assert mask.size == (18, 26)
    assert run("predict", trained, "photos/turned.jpg", "-o", "p", "--threads", "1") == 3
    assert "the output must not be there yet" in capsys.readouterr().err
    again = ("predict", trained, "photos/turned.jpg", "-o", "p", "--overwrite", "--threads", "1")
    assert run(*again) == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("predict", "a.pt", "none.jpg", "-o", "p"), 3, "there must be an image"),
        (("predict", "a.h5", "data/images", "-o", "p"), 2, "a network must be a file .pt"),
        (("predict", "a.pt", "data/images", "-o", "p", "--style", "pink"), 2, "colour masks only"),
    ],
)
def test_wrong_usage(arguments, code, said, capsys):
    assert run(*arguments) == code
    assert said in capsys.readouterr().err
