"""A folder to write to: what is there stays, originals always; videos follow one another."""

import os

import numpy as np
import pytest
from train import clips

from maskforge import files, video
from maskforge.errors import WriteError
from maskforge.train.footage import Found
from maskforge.train.saving import Folder


def listing(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def written(path):
    """When a file was written, and which one it is."""
    return path.stat().st_mtime_ns, path.stat().st_ino


def test_what_is_there_is_replaced_only_when_told(tmp_path):
    (tmp_path / "a.png").write_bytes(b"old")
    with pytest.raises(WriteError, match="must not be there yet") as raised:
        Folder(tmp_path, [], overwrite=False).save("a.png", b"new")
    assert "--overwrite" in raised.value.cure
    assert (tmp_path / "a.png").read_bytes() == b"old"
    Folder(tmp_path, [], overwrite=True).save("a.png", b"new")
    assert (tmp_path / "a.png").read_bytes() == b"new"


def test_originals_are_never_replaced_whatever_they_are_called(tmp_path):
    (tmp_path / "a.png").write_bytes(b"old")
    os.link(tmp_path / "a.png", tmp_path / "b.png")
    folder = Folder(tmp_path, [tmp_path / "a.png", tmp_path / "gone.png"], overwrite=True)
    with pytest.raises(WriteError, match="must not take the place of what it is made from"):
        folder.save("b.png", b"new")
    folder.save("gone.png", b"new")
    assert (tmp_path / "b.png").read_bytes() == b"old"


def test_no_name_is_written_twice(tmp_path):
    folder = Folder(tmp_path, [], overwrite=True)
    folder.save("deep/clip_000001.png", b"frame")
    with pytest.raises(WriteError, match="must not have the same name") as raised:
        folder.save("deep/Clip_000001.png", b"image")
    assert raised.value.code == "name-collision"
    assert listing(tmp_path) == ["deep", "deep/clip_000001.png"]
    assert (tmp_path / "deep/clip_000001.png").read_bytes() == b"frame"


def test_ensure_writes_only_what_differs(tmp_path):
    Folder(tmp_path, [], overwrite=False).ensure("labels.txt", b"cat\n")
    before = written(tmp_path / "labels.txt")
    Folder(tmp_path, [], overwrite=True).ensure("labels.txt", b"cat\n")
    assert written(tmp_path / "labels.txt") == before
    for other in (b"cat\ndog\n", b"cat", b"dog\n"):
        with pytest.raises(WriteError, match="must not be there yet"):
            Folder(tmp_path, [], overwrite=False).ensure("labels.txt", other)
    Folder(tmp_path, [], overwrite=True).ensure("labels.txt", b"dog\n")
    assert (tmp_path / "labels.txt").read_bytes() == b"dog\n"


def test_what_killed_runs_left_of_a_file_is_removed_and_no_more(tmp_path):
    left = [
        tmp_path / "deep" / f"{files.part_of(tmp_path / 'a.png')}77{files.PART}",
        tmp_path / "deep" / f"{files.part_of(tmp_path / 'clip.mp4')}77{files.PART}.mp4",
        tmp_path / "deep" / f"{files.part_of(tmp_path / 'other.png')}77{files.PART}",
    ]
    left[0].parent.mkdir()
    for path in left:
        path.write_bytes(b"half")
    folder = Folder(tmp_path, [], overwrite=False)
    folder.save("deep/a.png", b"whole")
    assert folder.free("deep/clip.mp4") == tmp_path / "deep/clip.mp4"
    assert listing(tmp_path) == ["deep", f"deep/{left[2].name}", "deep/a.png"]


def test_each_video_has_its_own_frames(tmp_path):
    one, two = (
        Found(clips.write(tmp_path / f"{name}.avi", 2), f"new/{name}") for name in ("a", "b")
    )
    with Folder(tmp_path, [], overwrite=False) as folder:
        for found, count in ((one, 3), (two, 5)):
            for number in range(count):
                folder.add(found, clips.frame(number))
            folder.finish()
    assert len(clips.read(tmp_path / "new/a.mp4")) == 3
    assert len(clips.read(tmp_path / "new/b.mp4")) == 5
    with video.Video(tmp_path / "new/b.mp4") as made:
        assert made.fps == pytest.approx(12)


def test_of_a_video_that_changes_its_size_the_frames_before_are_kept(tmp_path):
    found = Found(clips.write(tmp_path / "a.avi", 3), "new/a")
    with Folder(tmp_path, [], overwrite=False) as folder:
        folder.add(found, clips.frame(0))
        folder.add(found, clips.frame(1))
        with pytest.raises(WriteError, match="48x32, but has 30x20"):
            folder.add(found, np.zeros((20, 30, 3), np.uint8))
        folder.finish()
    assert len(clips.read(tmp_path / "new/a.mp4")) == 2


def test_a_video_that_cannot_be_ended_leaves_nothing_and_the_next_is_written(tmp_path, monkeypatch):
    one, two = (Found(clips.write(tmp_path / f"{n}.avi", 1), f"new/{n}") for n in ("a", "b"))

    def refuse(part, path, count):
        raise WriteError("the video could not be written to its end", file=str(path))

    with Folder(tmp_path, [], overwrite=False) as folder:
        folder.add(one, clips.frame(0))
        with monkeypatch.context() as patch:
            patch.setattr(video, "_check", refuse)
            with pytest.raises(WriteError, match="to its end"):
                folder.finish()
        folder.add(two, clips.frame(1))
        folder.finish()
    assert listing(tmp_path / "new") == ["b.mp4"]


def test_a_run_that_ends_early_leaves_no_half_video(tmp_path):
    found = Found(clips.write(tmp_path / "a.avi", 1), "new/a")

    def interrupted():
        with Folder(tmp_path, [], overwrite=False) as folder:
            folder.add(found, clips.frame(0))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert listing(tmp_path / "new") == []
