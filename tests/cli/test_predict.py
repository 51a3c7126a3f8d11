"""``maskforge predict`` on files: in every form, upright, and past bad images."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from training import clips
from training.commands import SMALL, run
from training.places import contents, leftovers, listing

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
        ("labelme", ["0.json", "1.json"]),
        ("yolo", ["0.txt", "1.txt"]),
        ("coco", ["instances.json"]),
        ("via", ["via.json"]),
        ("panoptic", ["panoptic", "panoptic.json", "panoptic/0.png", "panoptic/1.png"]),
    ],
)
def test_predict_in_every_form(trained, tmp_path, kind, files):
    view = ["--flip", "--tile", "32", "--tile-overlap", "0.5", "--batch", "1", "--threads", "1"]
    images = ["data/images/0.png", "data/images/[1].png"]
    assert run("predict", trained, *images, "-o", "p", "--as", kind, *view) == 0
    assert listing("p") == sorted([*files, "labels.txt"])
    assert leftovers("p") == []
    if kind == "probabilities":
        values = np.load(tmp_path / "p/0.npy")
        assert (values.shape, values.dtype) == ((2, 18, 26), np.float16)
    if kind == "onehot":
        planes = np.load(tmp_path / "p/onehot.npy", allow_pickle=True).item()
        assert planes["1.png"].shape == (18, 26, 2)


def test_predictions_without_a_place_are_numbered(trained, tmp_path, capsys):
    for name in ("data-predicted", "data-predicted-2"):
        assert run("predict", "runs/data", "data/images/0.png", "--threads", "1") == 0
        said = capsys.readouterr().err.splitlines()
        assert f"1 of 1 image predicted: runs/{name}" in said
        assert said[-1] == f"next: maskforge background runs/{name} data/images/0.png"
        assert listing(f"runs/{name}") == ["0.png", "labels.txt"]
    again = ("predict", trained, "data/images/[1].png", "--overwrite", "--threads", "1")
    assert run(*again) == 0
    assert listing("runs/data-predicted") == ["0.png", "labels.txt"]
    assert listing("runs/data-predicted-2") == ["1.png", "labels.txt"]


def test_a_second_run_goes_on(trained, capsys):
    arguments = ("predict", trained, "data/images", "--threads", "1")
    assert run(*arguments) == 0
    first = contents("runs/data-predicted")
    (Path("runs/data-predicted") / "3.png").unlink()
    assert run(*arguments, "--resume") == 0
    said = capsys.readouterr().err
    assert "8 of 8 images predicted, 7 of them by an earlier run: runs/data-predicted" in said
    assert contents("runs/data-predicted")["3.png"] == first["3.png"]
    assert run("train", "data", "-q", *SMALL, "--seed", "7", "--overwrite") == 0
    assert run(*arguments, "--resume") == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "'runs/data-predicted' was made with another network or other options" in said
    assert run(*arguments, "--resume", "--overwrite") == 2
    assert "overwrite and resume contradict each other" in capsys.readouterr().err


def test_predicted_regions_are_read_again(trained, tmp_path, capsys):
    images = ["data/images/0.png", "data/images/1.png"]
    assert run("predict", trained, *images, "-o", "p") == 0
    traced = ["--keep-iou", "1", "--min-area", "1"]
    for kind in ("labelme", "polygons", "via"):
        assert run("predict", trained, *images, "-o", kind, "--as", kind, *traced) == 0
        said = " ".join(capsys.readouterr().err.split())
        assert re.search(r"outlines simplified: [\d,]+ points are [\d,]+, the lowest IoU is", said)
        assert "specks and pin holes removed: 0, of 0 pixels" in said
        source = "via/via.json" if kind == "via" else kind
        again = f"{kind}-again"
        labels = ["--labels", f"{kind}/labels.txt", "--no-previews"]
        assert run("convert", source, "-o", again, "--as", "label", *labels) == 0
        for number in "01":
            with Image.open(f"p/{number}.png") as a, Image.open(f"{again}/masks/{number}.png") as b:
                assert np.array_equal(a, b)
    assert run("predict", trained, *images, "-o", "q", "--as", "npy", "--keep-iou", "0.9") == 2
    said = capsys.readouterr().err
    assert "--keep-iou must not be given for npy" in said
    assert run("predict", trained, *images, "-o", "q", "--as", "yolo", "--keep-iou", "2") == 2
    assert "--keep-iou must be from 0 to 1" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["labelme", "via", "coco", "panoptic", "yolo", "onehot"])
def test_predictions_of_folders_are_a_source(trained, tmp_path, capsys, kind):
    (tmp_path / "photos/more").mkdir(parents=True)
    for place, name in (("photos", "0"), ("photos/more", "1")):
        shutil.copy(tmp_path / f"data/images/{name}.png", tmp_path / place)
    assert run("predict", trained, "photos", "-o", "p") == 0
    assert run("predict", trained, "photos", "-o", "made", "--as", kind) == 0
    more = ["--as", "label", "--no-previews"]
    if kind in ("coco", "panoptic", "yolo", "onehot"):  # which do not say where photographs are
        assert run("convert", "made", "-o", "without", *more) == (3 if kind == "yolo" else 1)
        assert "--images-from" in capsys.readouterr().err
        more += ["--images-from", "photos"]
    known = kind != "onehot"  # whose keys are names without folders
    assert run("convert", "made", "-o", "again", *more) == (0 if known else 1)
    found = sorted(p.relative_to("again/masks") for p in Path("again/masks").rglob("*.png"))
    assert len(found) == 2
    for path in found:
        name = path if known else next(Path("p").rglob(path.name)).relative_to("p")
        with Image.open("p" / name) as a, Image.open("again/masks" / path) as b:
            assert np.array_equal(a, b)


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
    assert run("predict", "a.pt", "photos/turned.jpg", "-o", "p") == 2  # before a network is read
    assert "an earlier output stands in 'p'" in capsys.readouterr().err
    before = contents("p")
    again = ("predict", trained, "-o", "p", "--overwrite", "--threads", "1")
    assert run(*again, "photos/broken.jpg") == 3
    assert contents("p") == before
    assert run(*again, "data/images/0.png") == 0
    assert listing("p") == ["0.png", "labels.txt"]


def test_an_overlay_of_a_video_is_a_video(trained, tmp_path, capsys):
    clips.write(tmp_path / "clip.avi", 5)
    arguments = ("clip.avi", "-o", "p", "--as", "overlay", "--threads", "1", "--batch", "2")
    assert run("predict", trained, *arguments) == 0
    assert "5 frames of 1 video predicted" in capsys.readouterr().err
    assert listing("p") == ["clip.mp4", "labels.txt"]
    assert len(clips.read(tmp_path / "p/clip.mp4")) == 5


def test_data_of_a_video_are_files_by_frame(trained, tmp_path):
    clips.write(tmp_path / "clip.avi", 3)
    arguments = (trained, "clip.avi", "data/images/0.png", "-o", "p", "--threads", "1")
    assert run("predict", *arguments) == 0
    names = [f"clip_{number:06}.png" for number in (1, 2, 3)]
    assert sorted(path.name for path in (tmp_path / "p").glob("*.png")) == ["0.png", *names]
    with Image.open(tmp_path / "p" / names[1]) as mask:
        assert mask.size == (48, 32)
    assert run("predict", *arguments, "--as", "onehot", "--overwrite") == 0
    assert listing("p") == ["labels.txt", "onehot.npy"]
    planes = np.load(tmp_path / "p/onehot.npy", allow_pickle=True).item()
    assert sorted(planes) == ["0.png", *names]


def test_of_a_video_that_is_cut_off_the_frames_are_predicted(trained, tmp_path, capsys):
    clips.cut(clips.write(tmp_path / "clip.avi", 12))
    (tmp_path / "no.mp4").write_bytes(b"no video")
    videos = ("clip.avi", "no.mp4")
    assert run("predict", trained, *videos, "-o", "p", "--as", "overlay", "--threads", "1") == 1
    said = capsys.readouterr().err
    assert "clip.avi: frame" in said
    assert "no.mp4: the file must be a video" in said
    assert listing("p") == ["clip.mp4", "labels.txt"]
    assert 3 < len(clips.read(tmp_path / "p/clip.mp4")) < 12


@pytest.mark.parametrize("again", [(), ("--overwrite",)])
def test_predict_replaces_neither_what_it_looks_at_nor_a_stranger_s_file(tmp_path, again, capsys):
    before = contents(tmp_path / "data")
    for images, name in (("images/0.png", "is an input of"), ("masks/*", "was not made by")):
        arguments = (f"data/{images}", "-o", "data/images", *again)
        assert run("predict", "a.pt", *arguments) == 2
        said = capsys.readouterr().err
        assert f"0.png {name} this command" in said
        assert "[in-the-way]" in said
    assert contents(tmp_path / "data") == before


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("predict", "a.pt", "none.jpg", "-o", "p"), 3, "there is no such file or folder"),
        (("predict", "data/labels.txt", "x", "-o", "p"), 2, "a network must be a file .pt"),
        (("predict", "runs/dta", "x", "-o", "p"), 3, "runs/dta: there is no such file or folder"),
        (("predict", "a.pt", "data/images", "-o", "data/labels.txt"), 2, "must be a folder"),
        (
            ("predict", "a.pt", "data/images", "-o", "p", "--style", "palette"),
            2,
            "colour masks only",
        ),
    ],
)
def test_wrong_usage(arguments, code, said, capsys):
    assert run(*arguments) == code
    assert said in capsys.readouterr().err
