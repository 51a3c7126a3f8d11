"""Predictions as files: a function is the network, which takes bright pixels for the box."""

import errno
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from training import clips, synthetic
from training.places import contents, fail_after, leftovers, listing

from maskforge.classes import ClassTable
from maskforge.errors import ReadError, UsageError, WriteError
from maskforge.io import onehot, video
from maskforge.io.stage import Stage
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


def shown(folder):
    """Return the bytes of all files that are not hidden."""
    return {name: data for name, data in contents(folder).items() if not name.startswith(".")}


def predicted(out, kind, *sources, predictor=PREDICTOR, **options):
    """Predict, and return the names of the images and frames that a network was asked about."""
    asked = []
    found = footage.find(sources, out=out, command="predict")
    output = Output(out, kind, found, **options)
    look = footage.process

    def process(left, **how):
        return look(left, **how | {"look": lambda shots: how["look"](noted(shots))})

    def noted(shots):
        asked.extend(shot.name for shot in shots)
        return shots

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(footage, "process", process)
        events = list(output.predict(predictor))
    assert [problem for _, problem in events] == [None] * len(events)
    return asked


@pytest.mark.parametrize("kind", ["label", "overlay", "onehot"])
def test_interrupted_before_the_end(here, kind):
    for number in range(3):
        photo(here / f"in/{number}.png", number)
    clips.write(here / "in/zlip.avi", 3)
    photo(here / "a.png")
    predict("label", "a.png", out=here / "old")
    before = shown(here / "old")
    predictor = replace(PREDICTOR, forward=interrupting, batch=3)
    for place, overwrite in (("old", True), ("new", False)):
        calls.clear()
        with pytest.raises(KeyboardInterrupt):
            predict(kind, "in", out=here / place, predictor=predictor, overwrite=overwrite)
    assert shown(here / "old") == before
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
    before = shown(here / "out")
    with monkeypatch.context() as patch:
        fail_after(patch, "write", 2)
        with pytest.raises(WriteError, match="No space left"):
            predict("npy", "in", out=here / "out", overwrite=True)
    assert shown(here / "out") == before
    with pytest.raises(UsageError, match="an earlier output stands"):
        predict("npy", "in", out=here / "out")
    assert predicted(here / "out", "npy", "in", resume=True) == ["c"]
    assert listing(here / "out") == ["a.npy", "b.npy", "c.npy", "labels.txt"]
    assert leftovers(here / "out") == []


@pytest.mark.parametrize("kind", ["label", "labelme"])
def test_going_on_does_what_is_missing_or_changed(here, kind):
    for number, name in enumerate("abcd"):
        photo(here / f"in/{name}.png", number)
    out, suffix = here / "out", "png" if kind == "label" else "json"
    assert predicted(out, kind, "in", resume=True) == ["a", "b", "c", "d"]
    assert predicted(out, kind, "in", resume=True) == []
    assert leftovers(out) == []
    (out / f"b.{suffix}").unlink()
    photo(here / "in/c.png", 9)
    photo(here / "in/e.png", 5)
    (here / "in/d.png").unlink()
    assert predicted(out, kind, "in", resume=True) == ["b", "c", "e"]
    assert listing(out) == [*(f"{name}.{suffix}" for name in "abcde"), "labels.txt"]
    kept = shown(out)
    photo(here / "in/d.png", 3)
    assert predicted(here / "again", kind, "in") == list("abcde")
    assert shown(here / "again") == kept


def test_going_on_replaces_nothing_that_somebody_changed(here):
    photo(here / "in/a.png", 0)
    photo(here / "in/b.png", 1)
    predict("label", "in", out=here / "out")
    (here / "out/a.png").write_bytes(b"corrected")
    with pytest.raises(UsageError, match=r"a\.png was changed after maskforge made it"):
        predict("label", "in", out=here / "out", resume=True)
    assert predicted(here / "out", "label", "in/b.png", resume=True) == []
    assert (here / "out/a.png").read_bytes() == b"corrected"


def test_going_on_with_something_else_is_refused(here):
    photo(here / "a.png")
    predict("color", "a.png", out=here / "out", style="black-white")
    before = contents(here / "out")
    others = [
        ("color", {"style": "purple-yellow"}),
        ("label", {}),
        ("color", {"style": "black-white", "predictor": replace(PREDICTOR, digest="other")}),
        ("color", {"style": "black-white", "predictor": replace(PREDICTOR, flip=True)}),
    ]
    for kind, options in others:
        with pytest.raises(UsageError, match="made with another network or other options"):
            predict(kind, "a.png", out=here / "out", resume=True, **options)
        assert contents(here / "out") == before
    faster = replace(PREDICTOR, batch=1)
    assert (
        predicted(
            here / "out", "color", "a.png", style="black-white", predictor=faster, resume=True
        )
        == []
    )


@pytest.mark.parametrize("kind", ["label", "overlay"])
def test_a_run_that_was_interrupted_goes_on(here, kind):
    for number in range(5):
        photo(here / f"in/{number}.png", number)
    clips.write(here / "in/zlip.avi", 3)
    predict(kind, "in", out=here / "whole")
    calls.clear()
    cut = replace(PREDICTOR, forward=interrupting, batch=3)
    with pytest.raises(KeyboardInterrupt):
        predict(kind, "in", out=here / "out", predictor=cut)
    frames = [f"zlip_00000{n}" for n in (1, 2, 3)]
    assert predicted(here / "out", kind, "in", resume=True) == ["3", "4", *frames]
    assert shown(here / "out") == shown(here / "whole")
    assert predicted(here / "out", kind, "in", resume=True) == []


def test_a_run_that_was_killed_goes_on(here):
    for number in range(5):
        photo(here / f"in/{number}.png", number)
    predict("label", "in/4.png", out=here / "out")  # which stands meanwhile
    script = (
        "import os, test_outputs as t; from pathlib import Path; from dataclasses import replace"
    )
    script += """
def killed(images):
    t.calls.append(0)
    if len(t.calls) == 3:
        os._exit(9)
    return t.bright(images)
predictor = replace(t.PREDICTOR, forward=killed)
t.predict("label", "in", out=Path("out").absolute(), predictor=predictor, overwrite=True)
"""
    way = {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    done = subprocess.run([sys.executable, "-c", script], env=os.environ | way, check=False)
    assert done.returncode == 9
    assert listing(here / "out") == ["4.png", "labels.txt"]
    with pytest.raises(UsageError, match="stands") as raised:
        predict("label", "in", out=here / "out")
    assert "--resume to go on" in raised.value.cure
    assert "4" not in (asked := predicted(here / "out", "label", "in", resume=True))
    assert set(asked) <= {"2", "3"}
    assert listing(here / "out") == [*(f"{number}.png" for number in range(5)), "labels.txt"]
    assert leftovers(here / "out") == []


@pytest.mark.parametrize(("kind", "file"), [("coco", "instances.json"), ("onehot", "onehot.npy")])
def test_a_file_of_all_images_is_kept_or_made_anew(here, kind, file):
    for number, name in enumerate("abc"):
        photo(here / f"in/{name}.png", number)
    assert predicted(here / "out", kind, "in") == ["a", "b", "c"]
    made = shown(here / "out")
    assert predicted(here / "out", kind, "in", resume=True) == []
    assert shown(here / "out") == made
    photo(here / "in/c.png", 7)
    assert predicted(here / "out", kind, "in", resume=True) == ["a", "b", "c"]
    assert shown(here / "out")[file] != made[file]
    (here / "in/c.png").unlink()
    assert predicted(here / "out", kind, "in", resume=True) == ["a", "b"]


@pytest.mark.parametrize("kind", ["panoptic", "onehot"])
def test_a_file_of_all_images_stands_until_the_new_one_is_whole(here, kind):
    for number in range(5):
        photo(here / f"in/{number}.png", number)
    predict(kind, "in", out=here / "out")
    made = contents(here / "out")
    photo(here / "in/4.png", 9)
    calls.clear()
    cut = replace(PREDICTOR, forward=interrupting)
    with pytest.raises(KeyboardInterrupt):
        predict(kind, "in", out=here / "out", predictor=cut, resume=True)
    assert contents(here / "out") == made


def test_a_disk_that_is_full_at_the_very_end_loses_nothing(here, monkeypatch):
    for number in range(3):
        photo(here / f"in/{number}.png", number)

    def full(self, **moving):
        raise WriteError("no room")

    with monkeypatch.context() as patch:
        patch.setattr(Stage, "exchange", full)
        with pytest.raises(WriteError):
            predict("label", "in", out=here / "out")
    assert predicted(here / "out", "label", "in", resume=True) == []
    assert listing(here / "out") == ["0.png", "1.png", "2.png", "labels.txt"]


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
