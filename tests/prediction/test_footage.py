"""Footage: found under names of its own, read in batches, a bad video ended where it goes wrong."""

import numpy as np
import pytest
from PIL import Image
from training import clips

from maskforge.errors import ReadError, UsageError, WriteError
from maskforge.io import video
from maskforge.io.ownership import digest_of
from maskforge.io.stage import Stage
from maskforge.prediction import footage


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def image(path, height=4, width=6):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((height, width, 3), np.uint8)).save(path)


def names(found):
    return [(one.path.as_posix(), one.name) for one in found]


def test_files_folders_and_patterns_under_names_that_differ(here):
    for name in ("p/a.png", "p/deep/a.png", "q/a.jpg", "q/b.tif"):
        image(here / name)
    (here / "q/a.txt").touch()
    clips.write(here / "q/clip.avi", 1)
    found = footage.find(["p", "q/*", "p/a.png"])
    assert names(found) == [
        ("p/a.png", "a"),
        ("p/deep/a.png", "deep/a"),
        ("q/a.jpg", "a-2"),
        ("q/b.tif", "b"),
        ("q/clip.avi", "clip"),
        ("p/a.png", "a-3"),
    ]
    assert [one.is_video for one in found] == [False] * 4 + [True, False]


@pytest.mark.parametrize("source", ["none.jpg", "empty", "empty/*.jpg"])
def test_a_source_that_means_nothing(here, source):
    (here / "empty").mkdir()
    with pytest.raises(ReadError, match="there must be an image or video") as raised:
        footage.find([source])
    assert raised.value.file == source
    assert ".jpg" in raised.value.cure
    assert ".mp4" in raised.value.cure


@pytest.mark.parametrize(
    ("source", "out", "expected"),
    [
        ("photos", "photos/out", ["photos/a.png"]),
        ("photos/**/*.png", "photos/out", ["photos/a.png"]),
        ("photos/**/*.png", "photos/../photos/out", ["photos/a.png"]),
        ("photos", "photos", ["photos/a.png", "photos/out/b.png"]),
        ("photos/out", "photos/out", ["photos/out/b.png"]),
        ("photos/out/*.png", "photos/out", ["photos/out/b.png"]),
        ("photos", ".", ["photos/a.png", "photos/out/b.png"]),
        ("photos/*.png", ".", ["photos/a.png"]),
        ("photos", "photos/o", ["photos/a.png", "photos/out/b.png"]),
        ("photos/out/b.png", "photos/out", ["photos/out/b.png"]),
    ],
)
def test_an_output_inside_the_input_is_no_input(here, source, out, expected):
    image(here / "photos/a.png")
    image(here / "photos/out/b.png")
    found = footage.find([source], out=here / out)
    assert [one.path.as_posix() for one in found] == expected


def placed(folder, command, *names):
    """Have ``command`` place images of these names in ``folder``."""
    with Stage(folder, command, what=command) as stage:
        stage.begin()
        for name in names:
            stage.write(name, b"")
        stage.exchange()


@pytest.mark.parametrize(
    ("source", "out", "expected"),
    [
        ("photos", None, ["photos/a.png", "photos/deep/mine.png", "photos/own.png"]),
        ("photos/**/*.png", None, ["photos/a.png", "photos/deep/mine.png", "photos/own.png"]),
        ("photos/*", "photos", ["photos/a.png"]),
        ("photos", "photos", ["photos/a.png", "photos/deep/mine.png"]),
        (".", "photos", []),
        ("photos/deep", None, ["photos/deep/made.png", "photos/deep/mine.png"]),
        ("photos/deep/*.png", "x", ["photos/deep/made.png", "photos/deep/mine.png"]),
        ("photos/own.png", "photos", ["photos/own.png"]),
        ("photos/d*/m*.png", "photos", ["photos/deep/mine.png"]),
    ],
)
def test_what_outputs_have_placed_is_no_input_unless_their_folder_is_named(
    here, source, out, expected
):
    image(here / "photos/a.png")
    image(here / "photos/deep/mine.png")
    placed(here / "photos/deep", "background", "made.png")
    placed(here / "photos", "predict", "own.png")
    if not expected:
        with pytest.raises(ReadError, match="there must be an image") as raised:
            footage.find([source], out=here / out, command="predict")
        assert "name the folder of an earlier output itself" in raised.value.cure
        return
    found = footage.find([source], out=here / out if out else None, command="predict")
    assert [one.path.as_posix() for one in found] == expected


def test_a_folder_that_cannot_be_looked_into_says_so(here, monkeypatch):
    (here / "in").mkdir()
    monkeypatch.setattr(footage.scan, "find", lambda folder, suffixes: [folder])
    assert names(footage.find(["in"])) == [("in", "in")]
    assert Work().do("in") == ([], ["in"])


def test_count_goes_by_what_videos_say(here):
    clips.write(here / "clip.avi", 5)
    image(here / "a.png")
    (here / "no.mp4").write_bytes(b"no video")
    assert footage.count(footage.find(["clip.avi", "a.png", "no.mp4"])) == 7


class Work:
    """What is done to shots: written down; fails for the names in ``bad``."""

    def __init__(self, *bad):
        self.bad = bad
        self.batches = []
        self.written = []
        self.finished = []
        self.told = []

    def look(self, shots):
        self.batches.append([shot.name for shot in shots])
        return [shot.image.shape[:2] for shot in shots]

    def write(self, shot, seen):
        assert seen == shot.image.shape[:2]
        self.check(shot.name)
        self.written.append(shot.name)

    def finish(self, found):
        self.finished.append(found.name)
        self.check(found.name)

    def done(self, found, entry, shots):
        whole = None if entry is None else entry[:2] == digest_of(found.path)[:2]
        self.told.append((found.name, whole, shots))

    def check(self, name):
        if name in self.bad:
            raise ReadError("it must be good, but is bad")

    def do(self, *sources, batch=2):
        """Return the names that went well, and those that did not."""
        events = list(
            footage.process(
                footage.find(sources),
                batch=batch,
                look=self.look,
                write=self.write,
                finish=self.finish,
                done=self.done,
            )
        )
        return [n for n, problem in events if not problem], [n for n, p in events if p]


def frames(name, *numbers):
    return [footage.frame_name(name, number) for number in numbers]


def test_a_video_that_fails_is_ended_and_the_next_one_begins(here, monkeypatch):
    clips.write(here / "a.avi", 9)
    clips.write(here / "b.avi", 3)
    read = []
    every = video.Video.__iter__

    def counted(self):
        for frame in every(self):
            read.append(self)
            yield frame

    monkeypatch.setattr(video.Video, "__iter__", counted)
    work = Work("a_000002")
    assert work.do("a.avi", "b.avi") == (frames("a", 1) + frames("b", 1, 2, 3), ["a_000002"])
    assert work.written == frames("a", 1) + frames("b", 1, 2, 3)
    assert work.finished == ["a", "b"]
    assert work.told == [("a", None, 0), ("b", True, 3)]
    assert len(read) == 3 + 3  # of the first one no more than the frame that comes next


def test_a_video_whose_end_fails_is_told(here):
    clips.write(here / "a.avi", 2)
    clips.write(here / "b.avi", 2)
    work = Work("a")
    assert work.do("a.avi", "b.avi") == (frames("a", 1, 2) + frames("b", 1, 2), ["a"])
    assert work.finished == ["a", "b"]
    assert work.told == [("a", None, 2), ("b", True, 2)]


def test_an_image_that_fails_is_passed_over(here):
    for name in ("a", "b", "c"):
        image(here / f"{name}.png")
    (here / "d.png").write_bytes(b"no image")
    work = Work("b")
    assert work.do(".", batch=8) == (["a", "c"], ["b", "d"])
    assert work.told == [("a", True, 1), ("b", None, 1), ("c", True, 1)]


@pytest.mark.parametrize("error", [WriteError("the disk is full"), UsageError("in the way")])
def test_what_would_fail_for_all_ends_it(here, error):
    image(here / "a.png")
    image(here / "b.png")
    work = Work()

    def fail(name):
        raise error

    work.check = fail
    with pytest.raises(type(error), match=error.message):
        work.do(".")
    assert work.written == []


def test_a_batch_of_large_images_is_smaller(here, monkeypatch):
    for name in ("a", "b", "c", "d", "e"):
        image(here / f"{name}.png", height=20 if name < "c" else 10, width=30)
    monkeypatch.setattr(footage, "_MAX_PIXELS", 600)
    work = Work()
    work.do(".", batch=3)
    assert work.batches == [["a"], ["b"], ["c", "d"], ["e"]]


@pytest.mark.parametrize(("window", "shown"), [(None, [0, 255]), ((0, 4000), [64, 191])])
def test_images_of_more_than_8_bits_are_seen_through_the_window(here, window, shown):
    Image.fromarray(np.array([[1000, 3000]], np.uint16)).save(here / "a.png")
    seen = []

    def look(shots):
        seen.extend(shot.image[0, :, 1].tolist() for shot in shots)
        return shots

    found = footage.find(["a.png"])
    nothing = {"write": lambda *_: None, "finish": lambda _: None, "done": lambda *_: None}
    told = footage.process(found, batch=1, look=look, window=window, **nothing)
    assert [problem for _, problem in told] == [None]
    assert seen == [shown]
