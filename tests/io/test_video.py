"""Videos: what is written is read again; what is cut off, hostile or no video is said."""

import errno
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from maskforge.errors import ReadError, WriteError
from maskforge.io import video


def frames(count, *, height=32, width=48):
    """Frames that tell their number by a red bar, and top from bottom by green."""
    for number in range(count):
        frame = np.zeros((height, width, 3), np.uint8)
        frame[:, : 4 * (number + 1), 0] = 220
        frame[height // 2 :, :, 1] = 180
        yield frame


def motion_jpeg(path, count, *, fps=12.5):
    """Write a video as many cameras do: one JPEG after the other."""
    writer = cv2.VideoWriter(
        str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"MJPG"), fps, (48, 32)
    )
    for frame in frames(count):
        writer.write(frame[..., ::-1])
    writer.release()
    return path


def written(path, count, *, fps=25.0, **size):
    with video.writing(path, fps=fps) as add:
        for frame in frames(count, **size):
            add(frame)
    return path


def test_a_video_is_read_frame_by_frame_in_rgb(tmp_path):
    with video.Video(motion_jpeg(tmp_path / "a.avi", 7)) as found:
        assert (found.height, found.width, found.frames) == (32, 48, 7)
        assert found.fps == pytest.approx(12.5)
        read = list(found)
    assert len(read) == 7
    for one, expected in zip(read, frames(7), strict=True):
        assert one.dtype == np.uint8
        assert np.abs(one.astype(int) - expected).mean() < 12


@pytest.mark.parametrize("fps", [10.0, 24000 / 1001, 119.88, 17.123456])
def test_what_is_written_is_read_again(tmp_path, fps):
    path = written(tmp_path / "b.mp4", 6, fps=fps)
    assert os.listdir(tmp_path) == ["b.mp4"]
    with video.Video(path) as found:
        assert found.fps == pytest.approx(fps, rel=1e-3)
        read = list(found)
    assert len(read) == found.frames == 6
    for one, expected in zip(read, frames(6), strict=True):
        assert np.abs(one.astype(int) - expected).mean() < 12


def test_of_an_odd_size_the_last_row_and_column_are_lost(tmp_path):
    with video.Video(written(tmp_path / "odd.mp4", 2, height=33, width=47)) as found:
        assert next(iter(found)).shape == (32, 46, 3)


def test_a_video_without_frames_is_not_there(tmp_path):
    written(tmp_path / "none.mp4", 0)
    assert os.listdir(tmp_path) == []


def test_what_fails_under_way_leaves_nothing(tmp_path):
    def fail():
        with video.writing(tmp_path / "half.mp4", fps=25) as add:
            add(next(frames(1)))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert os.listdir(tmp_path) == []


def test_what_is_there_is_not_replaced(tmp_path):
    path = tmp_path / "kept.mp4"
    path.write_bytes(b"old")
    with pytest.raises(WriteError, match="could not be written: File exists"):
        written(path, 1)
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("full", [False, True])
def test_a_video_that_is_not_whole_is_not_there(tmp_path, monkeypatch, full):
    """The encoder does not say that a disk is full, so the disk itself is asked."""

    def no_room(folder):
        if full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def cut_off(path):
        raise ReadError("the file must be a video")

    monkeypatch.setattr(video, "_check_room", no_room)
    monkeypatch.setattr(video, "Video", cut_off)
    made = video.writing(tmp_path / "waits.mp4", fps=25, shown=Path("out/a.mp4"))
    said = "No space left" if full else "to its end"
    with pytest.raises(WriteError, match=said) as raised, made as add:
        add(next(frames(1)))
    assert raised.value.code == ("not-written" if full else "bad-video")
    assert raised.value.file == "out/a.mp4"
    assert os.listdir(tmp_path) == []


def test_what_cannot_be_written(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(WriteError, match="could not be written"):
        written(tmp_path / "file" / "a.mp4", 1)
    with pytest.raises(WriteError, match="a video of 1x1 pixels cannot be written") as raised:
        written(tmp_path / "tiny.mp4", 1, height=1, width=1)
    assert raised.value.code == "bad-video"
    assert os.listdir(tmp_path) == ["file"]


def test_frames_of_a_video_that_is_cut_off_are_read(tmp_path):
    data = motion_jpeg(tmp_path / "whole.avi", 20).read_bytes()
    (tmp_path / "cut.avi").write_bytes(data[: len(data) * 2 // 3])
    read = []
    found = video.Video(tmp_path / "cut.avi")
    with found, pytest.raises(ReadError, match=r"must have 20 frames, .* but only") as raised:
        read.extend(found)
    assert 5 < len(read) < 20
    assert raised.value.code == "bad-video"
    assert raised.value.place == f"frame {len(read) + 1}"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("empty.mp4", b""),
        ("text.mp4", b"no video" * 99),
        ("list.mp4", b"ffconcat version 1.0\nfile whole.avi\n"),
        ("list.ts", b"#EXTM3U\n#EXTINF:1,\nwhole.avi\n#EXT-X-ENDLIST\n"),
    ],
)
def test_what_is_no_video(tmp_path, name, data, capfd):
    motion_jpeg(tmp_path / "whole.avi", 3)
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ReadError, match="must be a video, but cannot be opened") as raised:
        video.Video(tmp_path / name)
    assert raised.value.code == "bad-video"
    assert capfd.readouterr().err == ""
    with pytest.raises(ReadError, match="there must be a video, but there is none"):
        video.Video(tmp_path / "nowhere.mp4")


def test_giant_frames_are_refused(tmp_path):
    path = motion_jpeg(tmp_path / "a.avi", 2)
    with pytest.raises(ReadError, match="1 to 1535 pixels, but has 48x32") as raised:
        video.Video(path, max_pixels=1535)
    assert raised.value.code == "too-large"


def test_the_environment_is_left_as_it_was(tmp_path, monkeypatch):
    path, name = motion_jpeg(tmp_path / "a.avi", 2), "OPENCV_FFMPEG_CAPTURE_OPTIONS"
    monkeypatch.delenv(name, raising=False)
    video.Video(path)
    assert name not in os.environ
    monkeypatch.setenv(name, "rtsp_transport;udp")
    video.Video(path)
    assert os.environ[name] == "rtsp_transport;udp"


def test_a_frame_of_another_size_is_refused(tmp_path):
    def mixed():
        with video.writing(tmp_path / "a.mp4", fps=25) as add:
            add(np.zeros((32, 48, 3), np.uint8))
            add(np.zeros((48, 32, 3), np.uint8))

    with pytest.raises(WriteError, match="size of the first, 48x32, but has 32x48") as raised:
        mixed()
    assert raised.value.place == "frame 2"
    assert "scale=48:32" in raised.value.cure
    assert os.listdir(tmp_path) == []


def test_a_colon_in_a_path_is_no_protocol(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("12:30").mkdir()
    written(Path("12:30/a.mp4"), 1)
    with video.Video(Path("12:30/a.mp4")) as frames:
        assert len(list(frames)) == 1
