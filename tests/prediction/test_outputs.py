"""Predictions as files: a function is the network, which takes bright pixels for the box."""

import errno
import os
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from training import clips, synthetic
from training.places import contents, fail_after, leftovers, listing

from maskforge.classes import ClassTable
from maskforge.errors import ReadError, UsageError, WriteError
from maskforge.io import onehot, video
from maskforge.prediction import footage
from maskforge.prediction.outputs import Output
from maskforge.prediction.predictor import Predictor
from maskforge.writers.onehot import Collection


def bright(images):
    box = images.mean(axis=3) / 255
    return np.stack([1 - box, box], axis=1).astype(np.float32)


PREDICTOR = Predictor(bright, synthetic.CLASSES, 4, (), batch=2)


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


def predict(kind, *sources, out, predictor=PREDICTOR, **options):
    """Predict all of it and return the problems."""
    found = footage.find(sources, out=out, command="predict")
    events = Output(out, kind, found, **options).predict(predictor)
    return [problem for _, problem in events if problem]


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
    assert not (here / "out").exists()


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_list_of_other_classes_is_never_replaced(here, overwrite):
    photo(here / "photos/a.png")
    (here / "photos/labels.txt").write_text("cat\ndog\n")
    before = contents(here)
    with pytest.raises(UsageError, match=r"labels\.txt was not made by this command") as raised:
        predict("npy", "photos", out=here / "photos", overwrite=overwrite)
    assert raised.value.code == "in-the-way"
    assert contents(here) == before


def test_a_second_run_is_refused_or_replaces_the_first_as_a_whole(here):
    photo(here / "a.png")
    photo(here / "b.png")
    assert predict("npy", "a.png", out=here / "out") == []
    with pytest.raises(UsageError, match="an earlier output stands"):
        predict("npy", "b.png", out=here / "out")
    assert listing(here / "out") == ["a.npy", "labels.txt"]
    assert predict("npy", "b.png", out=here / "out", overwrite=True) == []
    assert listing(here / "out") == ["b.npy", "labels.txt"]


def test_predictions_among_the_photographs_are_no_input_of_the_next_run(here):
    photo(here / "photos/a.bmp", 0)
    photo(here / "photos/deep/b.bmp", 1)
    (here / "photos/labels").write_bytes(b"mine")
    before = contents(here / "photos")
    for source in ("photos", "photos/**/*.???", "photos"):
        for kind in ("label", "overlay"):
            assert predict(kind, source, out=here / "photos", overwrite=True) == []
            assert contents(here / "photos").items() >= before.items()
    assert listing(here / "photos") == sorted(
        ["a.bmp", "a.jpg", "deep", "deep/b.bmp", "deep/b.jpg", "labels", "labels.txt"]
    )


def test_predictions_in_a_parent_of_the_photographs(here):
    photo(here / "photos/a.jpg", 0)
    photo(here / "b.png", 1)
    before = contents(here)
    assert predict("label", "photos", out=here) == []
    assert contents(here).items() >= before.items()
    for _ in range(2):
        assert predict("npy", ".", out=here, overwrite=True) == []
        assert listing(here) == ["b.npy", "b.png", "labels.txt", "photos"] + [
            f"photos/a.{suffix}" for suffix in ("jpg", "npy")
        ]
    with pytest.raises(UsageError, match=r"b\.png is an input of this command"):
        predict("label", ".", out=here, overwrite=True)
    assert contents(here).items() >= before.items()


def test_what_is_in_the_way_is_said_before_a_network_looks(here):
    photo(here / "a.jpg")
    clips.write(here / "clip.avi", 2)
    found = footage.find(["a.jpg", "clip.avi"])
    for kind, name in (
        ("label", "a.png"),
        ("label", "clip_000002.png"),
        ("overlay", "a.jpg"),
        ("overlay", "clip.mp4"),
        ("probabilities", "a.npy"),
        ("onehot", "onehot.npy"),
    ):
        place = here / f"{kind}-{name}"
        place.mkdir()
        (place / name).write_bytes(b"mine")
        for overwrite in (False, True):
            with pytest.raises(UsageError, match=f"{name} was not made by this command"):
                Output(place, kind, found, overwrite=overwrite)
        assert contents(place) == {name: b"mine"}


def interrupting(images):
    if len(calls) == 1:
        raise KeyboardInterrupt
    calls.append(len(images))
    return bright(images)


calls = []


@pytest.mark.parametrize("kind", ["label", "overlay", "onehot"])
def test_interrupted_before_the_end(here, kind):
    for number in range(3):
        photo(here / f"in/{number}.png", number)
    clips.write(here / "in/zlip.avi", 3)
    photo(here / "a.png")
    predict("label", "a.png", out=here / "old")
    before = contents(here / "old")
    predictor = replace(PREDICTOR, forward=interrupting, batch=3)
    for place, overwrite in (("old", True), ("new", False)):
        calls.clear()
        with pytest.raises(KeyboardInterrupt):
            predict(kind, "in", out=here / place, predictor=predictor, overwrite=overwrite)
    assert contents(here / "old") == before
    made = {"label": [f"{n}.png" for n in range(3)], "overlay": [f"{n}.jpg" for n in range(3)]}
    if kind == "onehot":  # half of one is none
        assert not (here / "new").exists()
    else:
        assert listing(here / "new") == [*made[kind], "labels.txt"]
        assert leftovers(here / "new") == []


def test_a_full_disk_is_no_problem_of_one_image(here, monkeypatch):
    for name in ("a", "b", "c"):
        photo(here / f"in/{name}.png")
    predict("label", "in/a.png", out=here / "out")
    before = contents(here / "out")
    fail_after(monkeypatch, "write", 2)
    with pytest.raises(WriteError, match="No space left"):
        predict("npy", "in", out=here / "out", overwrite=True)
    assert contents(here / "out") == before


def test_a_full_disk_while_a_video_is_encoded(here, monkeypatch):
    clips.write(here / "clip.avi", 2)
    whole = video.Video

    def cut_off(path):
        if path.suffix == ".mp4":
            raise ReadError("no video")
        return whole(path)

    def no_room(folder):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(video, "Video", cut_off)
    monkeypatch.setattr(video, "_check_room", no_room)
    with pytest.raises(WriteError, match="No space left") as raised:
        predict("overlay", "clip.avi", out=here / "out")
    assert raised.value.file == str(here / "out/clip.mp4")
    assert not (here / "out").exists()


def test_a_style_fits_the_classes_or_nothing_is_read(here):
    photo(here / "a.png")
    with pytest.raises(UsageError, match="style must be one of"):
        Output(here / "out", "color", [], style="pink")
    with pytest.raises(UsageError, match="colours"):
        predict("color", "a.png", out=here / "out", style="#000000,#ffffff,#777777")
    assert not (here / "out").exists()


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
    for classes in (PREDICTOR.classes, ClassTable(("sky", "box"))):
        output = Output(here / classes.names[0], "overlay", footage.find(["a.png"]))
        assert list(output.predict(replace(PREDICTOR, classes=classes))) == [("a", None)]
    assert (here / "sky/labels.txt").read_text() == "0:sky\n1:box\n"
    legends = [pixels(here / name / "a.jpg") for name in ("_background_", "sky")]
    assert not np.array_equal(*legends)


def test_a_one_hot_of_nothing_is_absent(here):
    (here / "a.png").write_bytes(b"no image")
    (problem,) = predict("onehot", "a.png", out=here / "out")
    assert problem.code == "bad-image"
    assert not (here / "out").exists()


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
