"""A folder to write to: what stood there stands until all is done; videos follow one another."""

import os
import subprocess
import sys

import numpy as np
import pytest
from training import clips
from training.places import Killed, contents, fail_after, leftovers, listing

from maskforge.errors import UsageError, WriteError
from maskforge.io import video
from maskforge.prediction.footage import Found
from maskforge.prediction.saving import Events, Folder


def folder(path, *originals, **options):
    return Folder(path, "test", originals, **{"overwrite": False} | options)


def save(path, *names, data=b"new", raising=None, **options):
    """Save files of these names, and raise what is given."""
    with folder(path, **options) as out:
        for name in names:
            out.save(name, data)
        if raising is not None:
            raise raising


@pytest.fixture
def earlier(tmp_path):
    """A folder with an output of two files, and a file of the user's."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").write_bytes(b"mine")
    save(tmp_path / "out", "a.png", "deep/b.png", data=b"old")
    return tmp_path / "out"


def test_a_second_run_is_refused_and_replaces_the_whole_when_told(earlier):
    before = contents(earlier)
    with pytest.raises(UsageError, match=r"an earlier output stands in .*a\.png, deep/b\.png") as e:
        folder(earlier)
    assert "choose --resume to go on, --overwrite to replace it" in e.value.cure
    with pytest.raises(UsageError, match="contradict each other"):
        folder(earlier, overwrite=True, resume=True)
    assert contents(earlier) == before
    save(earlier, "c.png", overwrite=True)
    assert listing(earlier) == ["c.png", "mine.txt"]
    assert leftovers(earlier) == []


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_stranger_s_file_is_in_the_way(tmp_path, overwrite):
    (tmp_path / "a.png").write_bytes(b"painted")
    out = folder(tmp_path, overwrite=overwrite)
    with pytest.raises(UsageError, match=r"a\.png was not made by this command") as raised:
        out.check(["b.png", "a.png"])
    assert raised.value.code == "in-the-way"
    with pytest.raises(UsageError, match=r"a\.png was not made by this command"):
        save(tmp_path, "b.png", "a.png", overwrite=overwrite)
    assert contents(tmp_path) == {"a.png": b"painted"}


def test_what_was_changed_is_not_ours_any_more(earlier):
    (earlier / "a.png").write_bytes(b"corrected")
    with pytest.raises(UsageError, match=r"a\.png was changed after maskforge made it"):
        folder(earlier, overwrite=True).check(["a.png"])
    with folder(earlier, overwrite=True) as out:
        out.save("c.png", b"new")
    assert out.placed.left == ["a.png"]
    assert listing(earlier) == ["a.png", "c.png", "mine.txt"]
    assert (earlier / "a.png").read_bytes() == b"corrected"


def test_an_original_is_never_replaced_though_we_made_it(earlier):
    with pytest.raises(UsageError, match=r"a\.png is an input of this command"):
        folder(earlier, earlier / "a.png", overwrite=True).check(["a.png"])
    with folder(earlier, earlier / "a.png", overwrite=True) as out:
        out.save("c.png", b"new")
    assert listing(earlier) == ["a.png", "c.png", "mine.txt"]


def test_nothing_done_leaves_all_as_it_was(earlier, tmp_path):
    before = contents(earlier)
    with folder(earlier, overwrite=True) as out:
        out.enclose("labels.txt", b"cat\n")
    assert out.placed is None
    assert contents(earlier) == before
    with folder(tmp_path / "new/place") as out:
        assert (tmp_path / "new/place").is_dir()
    assert not (tmp_path / "new").exists()


def test_an_error_leaves_all_as_it_was(earlier, tmp_path):
    before = contents(earlier)
    for place, options in ((earlier, {"overwrite": True}), (tmp_path / "new", {})):
        with pytest.raises(ZeroDivisionError):
            save(place, "a.png", raising=ZeroDivisionError(), **options)
    assert contents(earlier) == before
    assert not (tmp_path / "new").exists()


def test_an_interrupt_keeps_what_is_better_than_what_was(earlier, tmp_path):
    before = contents(earlier)
    for place, options in (
        (earlier, {"overwrite": True}),
        (tmp_path / "new", {}),
        (tmp_path / "none", {"whole": True}),
    ):
        with pytest.raises(KeyboardInterrupt):
            save(place, "a.png", raising=KeyboardInterrupt(), **options)
    assert contents(earlier) == before
    assert listing(tmp_path / "new") == ["a.png"]
    assert leftovers(tmp_path / "new") == []
    assert not (tmp_path / "none").exists()


def test_events_that_are_not_heard_to_their_end_are_an_interrupt(tmp_path):
    out = folder(tmp_path / "out")

    def work():
        for name in ("a.png", "b.png"):
            out.save(name, b"new")
            yield name, None

    events = Events(out, work)
    assert next(events) == ("a.png", None)
    assert events.placed is None
    events.close()
    assert events.placed is not None
    assert listing(tmp_path / "out") == ["a.png"]
    assert list(events) == []


@pytest.mark.parametrize("calls", range(7))
def test_the_next_run_ends_an_exchange_that_was_cut_off(earlier, calls):
    old = listing(earlier)
    new = ["a.png", "c.png", "d.png", "mine.txt"]
    with pytest.MonkeyPatch.context() as patch:
        fail_after(patch, "replace", calls, Killed())
        try:
            save(earlier, "a.png", "c.png", "d.png", overwrite=True)
        except Killed:
            pass
        else:
            assert calls == 6
    with pytest.raises(UsageError, match="an earlier output stands"):
        folder(earlier)  # which of the two is there, it is there as a whole
    assert listing(earlier) in (old, new)
    assert (earlier / "a.png").read_bytes() == (b"old" if listing(earlier) == old else b"new")
    assert (listing(earlier) == old) == (calls < 2)
    save(earlier, "e.png", overwrite=True)
    assert listing(earlier) == ["e.png", "mine.txt"]
    assert leftovers(earlier) == []


KILLED = """
import os, sys
from pathlib import Path
from maskforge.prediction.saving import Folder
with Folder(Path(sys.argv[1]), "test", overwrite=True) as out:
    out.save("c.png", b"half")
    os.kill(os.getpid(), 9)
"""


def test_what_a_killed_run_left_waiting_is_swept(earlier):
    before = contents(earlier)
    assert subprocess.run([sys.executable, "-c", KILLED, earlier], check=False).returncode == -9
    assert leftovers(earlier) != []
    assert contents(earlier).items() >= before.items()
    save(earlier, "d.png", overwrite=True)
    assert listing(earlier) == ["d.png", "mine.txt"]
    assert leftovers(earlier) == []


def test_a_full_disk_leaves_all_as_it_was(earlier, monkeypatch):
    before = contents(earlier)
    fail_after(monkeypatch, "write", 2)
    with pytest.raises(WriteError, match="could not be written: No space left") as raised:
        save(earlier, "a.png", "c.png", "d.png", overwrite=True)
    assert raised.value.file == str(earlier / "d.png")
    assert contents(earlier) == before


def test_two_runs_at_once_are_one_too_many(tmp_path, monkeypatch):
    monkeypatch.setattr("maskforge.io.lock.WAIT_S", 0.1)
    with folder(tmp_path) as first:
        first.save("a.png", b"first")
        with pytest.raises(UsageError, match="another run is under way"):
            save(tmp_path, "a.png")
    assert contents(tmp_path)["a.png"] == b"first"


def test_who_waited_for_another_run_does_not_replace_it(tmp_path):
    late = folder(tmp_path)
    save(tmp_path, "a.png", data=b"first")
    with pytest.raises(UsageError, match="an earlier output stands"), late:
        late.save("a.png", b"second")
    assert contents(tmp_path)["a.png"] == b"first"
    assert leftovers(tmp_path) == []


def test_an_output_that_is_removed_under_way_says_so(tmp_path):
    def removed():
        with folder(tmp_path / "out") as out:
            out.save("a.png", b"new")
            os.rename(tmp_path / "out", tmp_path / "elsewhere")
            out.save("b.png", b"new")

    with pytest.raises(WriteError, match="moved or removed while it was written"):
        removed()
    assert not (tmp_path / "out").exists()


def test_no_name_is_written_twice(tmp_path):
    with folder(tmp_path) as out:
        out.save("deep/clip_000001.png", b"frame")
        with pytest.raises(WriteError, match="must not have the same name") as raised:
            out.save("deep/Clip_000001.png", b"image")
    assert raised.value.code == "name-collision"
    assert listing(tmp_path) == ["deep", "deep/clip_000001.png"]
    assert (tmp_path / "deep/clip_000001.png").read_bytes() == b"frame"


def test_the_same_file_of_a_stranger_s_is_in_nobody_s_way(tmp_path):
    (tmp_path / "labels.txt").write_bytes(b"cat\n")
    before = (tmp_path / "labels.txt").stat().st_ino
    with folder(tmp_path) as out:
        out.enclose("labels.txt", b"cat\n")
        out.save("a.png", b"new")
    assert (tmp_path / "labels.txt").stat().st_ino == before
    save(tmp_path, "b.png", overwrite=True)
    assert listing(tmp_path) == ["b.png", "labels.txt"]


def test_each_video_has_its_own_frames(tmp_path):
    one, two = (
        Found(clips.write(tmp_path / f"{name}.avi", 2), f"new/{name}") for name in ("a", "b")
    )
    with folder(tmp_path) as out:
        for found, count in ((one, 3), (two, 5)):
            for number in range(count):
                out.add(found, clips.frame(number))
            out.finish()
    assert len(clips.read(tmp_path / "new/a.mp4")) == 3
    assert len(clips.read(tmp_path / "new/b.mp4")) == 5
    with video.Video(tmp_path / "new/b.mp4") as made:
        assert made.fps == pytest.approx(12)


def test_of_a_video_that_changes_its_size_the_frames_before_are_kept(tmp_path):
    found = Found(clips.write(tmp_path / "a.avi", 3), "new/a")
    with folder(tmp_path) as out:
        out.add(found, clips.frame(0))
        out.add(found, clips.frame(1))
        with pytest.raises(WriteError, match="48x32, but has 30x20") as raised:
            out.add(found, np.zeros((20, 30, 3), np.uint8))
        out.finish()
    assert raised.value.file == str(tmp_path / "new/a.mp4")
    assert len(clips.read(tmp_path / "new/a.mp4")) == 2


def test_a_video_that_cannot_be_ended_leaves_nothing_and_the_next_is_written(tmp_path, monkeypatch):
    one, two = (Found(clips.write(tmp_path / f"{n}.avi", 1), f"new/{n}") for n in ("a", "b"))

    def refuse(path, shown, count):
        raise WriteError("the video could not be written to its end", file=str(shown))

    with folder(tmp_path) as out:
        out.add(one, clips.frame(0))
        with monkeypatch.context() as patch:
            patch.setattr(video, "_check", refuse)
            with pytest.raises(WriteError, match="to its end"):
                out.finish()
        out.add(two, clips.frame(1))
        out.finish()
    assert listing(tmp_path / "new") == ["b.mp4"]


def test_of_a_run_that_is_interrupted_no_half_video_is_kept(tmp_path):
    found = Found(clips.write(tmp_path / "a.avi", 1), "new/a")

    def interrupted(*names):
        with folder(tmp_path / "out") as out:
            for name in names:
                out.save(name, b"whole")
            out.add(found, clips.frame(0))
            raise KeyboardInterrupt

    for names in ((), ("new/b.png",)):
        with pytest.raises(KeyboardInterrupt):
            interrupted(*names)
    assert listing(tmp_path / "out") == ["new", "new/b.png"]
    assert leftovers(tmp_path / "out") == []


def test_frames_in_the_way_are_those_that_the_video_has(tmp_path):
    found = Found(clips.write(tmp_path / "clip.avi", 3), "deep/clip")
    (tmp_path / "out/deep").mkdir(parents=True)
    for number in (0, 4, 12):
        (tmp_path / f"out/deep/clip_{number:06}.png").touch()
    out = folder(tmp_path / "out")
    out.check_frames([found, found], ".png")
    (tmp_path / "out/deep/clip_000002.png").touch()
    with pytest.raises(UsageError, match=r"deep/clip_000002\.png was not made by this command"):
        out.check_frames([found], ".png")
    out.check_frames([found], ".npy")
