"""Videos, frame by frame: read as far as they go, written whole or not at all.

OpenCV's wheel brings FFmpeg with decoders for about everything, and of encoders those that are free
everywhere: MPEG-4 (mp4v) is the one of them that is quick, small and plays widely. Sound is neither
read nor written.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from maskforge.errors import ReadError, WriteError
from maskforge.io import files

SUFFIXES = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".mts")

WRITTEN = ".mp4"
"""Suffix of the videos that are written."""

MAX_PIXELS = 2**26
"""Larger frames are refused; it is twice 8K, and more than can be written."""

USUAL_FPS = 25.0
"""Frames a second where a file does not say, or says nonsense."""

_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegvideo,mpegts,m4v,asf"
_SLACK = 0.02
"""A part of the frames that a file announces may be missing: some containers only estimate them."""

# FFmpeg, and OpenCV below, would write what they think of a file to the terminal; what matters
# is said by us.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")


class Video:
    """A video file that is read frame by frame; a context.

    fps: frames a second. height, width: of the frames, shown upright. frames: how many the file
    says it has, 0 where it does not. Raises ReadError for a file that is no video, and for frames
    of more than ``max_pixels``, before one is read.
    """

    def __init__(self, path: Path, *, max_pixels: int = MAX_PIXELS) -> None:
        self._path = path
        self._max_pixels = max_pixels
        if not path.is_file():
            raise ReadError(
                "there must be a video, but there is none",
                code="unreadable",
                file=str(path),
                cure="check the path",
            )
        with _quiet(), _guarded(max_pixels):
            self._capture = cv2.VideoCapture(str(path.absolute()), cv2.CAP_FFMPEG)
        if not self._capture.isOpened():
            self._capture.release()
            raise ReadError(
                "the file must be a video, but cannot be opened as one",
                code="bad-video",
                file=str(path),
                cure="see whether a player shows it; if so, convert it: ffmpeg -i IN out.mp4",
            )
        self.width = int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH))
        self.height = int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if math.isfinite(fps) and 0.1 <= fps <= 1000 else USUAL_FPS
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.frames = int(count) if 0 < count < 2**31 else 0
        try:
            self._check_size(self.height, self.width)
        except ReadError:
            self._capture.release()
            raise

    def __enter__(self) -> Video:
        return self

    def __exit__(self, *raised: object) -> None:
        self._capture.release()

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        """Yield the frames, uint8 (H, W, 3) in RGB.

        Raises ReadError after the last one when there should be more.
        """
        read = 0
        while self._capture.grab():
            is_there, frame = self._capture.retrieve()
            if not is_there or frame is None:
                break
            self._check_size(*frame.shape[:2])  # it may change under way
            read += 1
            image: NDArray[Any] = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
            yield image
        if read == 0 or read < self.frames * (1 - _SLACK) - 1:
            raise ReadError(
                f"the video must have {self.frames or 'some'} frames, as it says, "
                f"but only {read} can be read",
                code="bad-video",
                file=str(self._path),
                place=f"frame {read + 1}",
                cure="copy it again: it is cut off or damaged",
            )

    def _check_size(self, height: int, width: int) -> None:
        if not 0 < height * width <= self._max_pixels:
            raise ReadError(
                f"a frame must have 1 to {self._max_pixels} pixels, but has {width}x{height}",
                code="too-large",
                file=str(self._path),
                cure="make it smaller first: ffmpeg -i IN -vf scale=1920:-2 OUT.mp4",
            )


@contextmanager
def writing(
    path: Path, *, fps: float, shown: Path | None = None
) -> Iterator[Callable[[NDArray[np.uint8]], None]]:
    """Make the video ``path``; yield what adds a frame, uint8 (H, W, 3) in RGB.

    Nothing may be at ``path`` yet: it is where a file waits until it takes its place, ``shown``,
    which errors name. All frames must have the size of the first; of an odd height or width one row
    or column is lost. When the block ends well the file is whole, or absent when it has no frame;
    else it is removed. Raises WriteError, with the code "bad-video" for what lies in the frames.
    """
    shown = shown or path
    writer = cv2.VideoWriter()
    made, count, size = False, 0, (0, 0)

    def add(frame: NDArray[np.uint8]) -> None:
        nonlocal made, count, size
        height, width = frame.shape[:2]
        if not count:
            path.touch(exist_ok=False)  # says what is wrong where OpenCV would say nothing
            made = True
            _open(writer, path, shown, fps, width, height)
            size = (height, width)
        elif (height, width) != size:  # OpenCV would leave it out in silence
            raise WriteError(
                f"a frame must have the size of the first, {size[1]}x{size[0]}, "
                f"but has {width}x{height}",
                code="bad-video",
                file=str(shown),
                place=f"frame {count + 1}",
                cure=f"give all one size first: ffmpeg -i IN -vf scale={size[1]}:{size[0]} OUT.mp4",
            )
        with _quiet():  # of a full disk is said what is to be said at the end
            writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        count += 1

    try:
        yield add
        writer.release()
        if count:
            _check(path, shown, count)
        elif made:
            path.unlink(missing_ok=True)
    except BaseException as error:
        writer.release()
        if made:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        if isinstance(error, OSError) and not isinstance(error, WriteError):
            raise files.write_error(shown, error) from error
        raise


def _open(
    writer: cv2.VideoWriter, path: Path, shown: Path, fps: float, width: int, height: int
) -> None:
    # MPEG-4 counts time in fractions of a second whose denominator has 16 bits.
    rate = round(fps, 3 if fps < 65 else 1)
    codec = cv2.VideoWriter.fourcc(*"mp4v")
    size = (width, height)
    with _quiet():
        is_open = writer.open(str(path.absolute()), cv2.CAP_FFMPEG, codec, rate, size, True)
    if not is_open:
        raise WriteError(
            f"a video of {width}x{height} pixels cannot be written: OpenCV has no encoder for it",
            code="bad-video",
            file=str(shown),
            cure="is the size below 2x2 or above 8191x8191? else install opencv-python-headless",
        )


def _check(path: Path, shown: Path, count: int) -> None:
    """Raise an error unless the video is whole: the encoder does not say that a disk is full."""
    try:
        with Video(path) as written:
            whole = written.frames == count
    except ReadError:
        whole = False
    if not whole:
        _check_room(path.parent)
        raise WriteError(
            "the video could not be written to its end",
            code="bad-video",
            file=str(shown),
            cure="is the disk full?",
        )


def _check_room(folder: Path) -> None:
    """Raise the system's OSError where nothing can be written to ``folder``."""
    with tempfile.TemporaryFile(dir=folder) as trial:
        trial.write(bytes(2**20))


@contextmanager
def _guarded(max_pixels: int) -> Iterator[None]:
    """Have FFmpeg open nothing but files of videos: no playlist that leads elsewhere, no network.

    OpenCV reads such options from the environment each time it opens a video.
    """
    name = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
    options = {
        "protocol_whitelist": "file",
        "format_whitelist": _CONTAINERS,
        "max_pixels": str(max_pixels),
    }
    before = os.environ.get(name)
    os.environ[name] = "|".join(f"{key};{value}" for key, value in options.items())
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


@contextmanager
def _quiet() -> Iterator[None]:
    before = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(before)
