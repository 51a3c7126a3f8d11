"""Predictions as files: a function is the network, which takes bright pixels for the box."""

import errno
import os
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from train import clips, synthetic

from maskforge import onehot
from maskforge.errors import UsageError, WriteError
from maskforge.train import footage
from maskforge.train.outputs import Output
from maskforge.train.predict import Predictor
from maskforge.writers.onehot import Collection


def bright(images):
    box = images.mean(axis=3) / 255
    return np.stack([1 - box, box], axis=1).astype(np.float32)


PREDICTOR = Predictor(bright, synthetic.CLASSES, ("_background_", "box"), 4, (), batch=2)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def photo(path, number=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(clips.frame(number)).save(path)


def pixels(path):
    with Image.open(path) as image:
        return np.array(image)


def predict(kind, *sources, out, **options):
    """Predict all of it and return the problems."""
    found = footage.find(sources, out=out)
    with Output(out, kind, found, **options) as output:
        return [problem for _, problem in output.predict(PREDICTOR) if problem]


def listing(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_label_images_of_images_and_frames(here):
    photo(here / "in/deep/a.png", 2)
    clips.write(here / "in/clip.avi", 2)
    assert predict("label", "in", out=here / "out") == []
    names = ["clip_000001.png", "clip_000002.png", "deep", "deep/a.png", "labels.txt"]
    assert listing(here / "out") == names
    assert np.array_equal(np.array(Image.open("out/deep/a.png")), clips.box(2))


def test_images_of_one_name_are_both_in_the_one_hot(here):
    photo(here / "p/a.png", 0)
    photo(here / "q/a.png", 3)
    photo(here / "q/clip_000001.png", 4)
    clips.write(here / "q/clip.avi", 1)
    assert predict("onehot", "p", "q", out=here / "out") == []
    with_keys = onehot.OneHotFile(here / "out/onehot.npy")
    assert len(with_keys) == 4
    assert np.array_equal(with_keys["a.png"][..., 1], clips.box(0))
    assert np.array_equal(with_keys["a-2.png"][..., 1], clips.box(3))


def test_a_one_hot_that_cannot_be_ended_is_absent(here, monkeypatch):
    photo(here / "a.png")

    def full(self):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Collection, "close", full)
    with pytest.raises(WriteError, match="could not be written") as raised:
        predict("onehot", "a.png", out=here / "out")
    assert "free some space" in raised.value.cure
    assert listing(here / "out") == ["labels.txt"]


def test_a_list_of_other_classes_is_not_replaced_unseen(here):
    photo(here / "photos/a.png")
    (here / "photos/labels.txt").write_text("cat\ndog\n")
    with pytest.raises(WriteError, match="must not be there yet") as raised:
        predict("npy", "photos", out=here / "photos")
    assert raised.value.file.endswith("labels.txt")
    assert listing(here / "photos") == ["a.png", "labels.txt"]
    assert (here / "photos/labels.txt").read_text() == "cat\ndog\n"
    assert predict("npy", "photos", out=here / "photos", overwrite=True) == []
    assert "box" in (here / "photos/labels.txt").read_text()


def test_a_second_run_of_the_same_classes_goes_into_the_same_folder(here):
    photo(here / "a.png")
    photo(here / "b.png")
    for name in ("a.png", "b.png"):
        assert predict("npy", name, out=here / "out") == []
    assert listing(here / "out") == ["a.npy", "b.npy", "labels.txt"]


def test_overlays_of_two_videos(here):
    clips.write(here / "a.avi", 3)
    clips.write(here / "b.avi", 2)
    assert predict("overlay", "a.avi", "b.avi", out=here / "out") == []
    assert listing(here / "out") == ["a.mp4", "b.mp4", "labels.txt"]
    for name, count in (("a", 3), ("b", 2)):
        assert len(clips.read(here / f"out/{name}.mp4")) == count


def test_probabilities_are_half_precision(here):
    photo(here / "a.png", 1)
    assert predict("probabilities", "a.png", out=here / "out") == []
    found = np.load(here / "out/a.npy")
    assert (found.shape, found.dtype) == ((2, 32, 48), np.float16)
    assert np.array_equal(found[1] > 0.5, clips.box(1))


def test_a_style_is_for_colours(here):
    with pytest.raises(UsageError, match="for colour masks only, but these are npy"):
        Output(here, "npy", [], style="pink")


def test_id_0_goes_by_its_name_where_it_is_a_class(here):
    photo(here / "a.png", 2)
    for names in (PREDICTOR.names, ("sky", "box")):
        with Output(here / names[0], "overlay", footage.find(["a.png"])) as output:
            assert list(output.predict(replace(PREDICTOR, names=names))) == [("a", None)]
    assert (here / "sky/labels.txt").read_text() == "0:sky\n1:box\n"
    legends = [pixels(here / name / "a.jpg") for name in ("_background_", "sky")]
    assert not np.array_equal(*legends)


def test_a_one_hot_of_nothing_is_absent(here):
    (here / "a.png").write_bytes(b"no image")
    (problem,) = predict("onehot", "a.png", out=here / "out")
    assert problem.code == "bad-image"
    assert listing(here / "out") == ["labels.txt"]


def test_an_overlay_whose_frames_change_in_size_ends_there(here, monkeypatch):
    clips.write(here / "clip.avi", 3)
    frames = footage.video.Video.__iter__

    def changing(self):
        for number, frame in enumerate(frames(self)):
            yield frame if number < 2 else frame[:-4]

    monkeypatch.setattr(footage.video.Video, "__iter__", changing)
    (problem,) = predict("overlay", "clip.avi", out=here / "out")
    assert "size of the first" in problem.message
    assert problem.place == "frame 3"
    assert len(clips.read(here / "out/clip.mp4")) == 2
