"""Small videos for tests: a bright box that wanders to the right over a dark ground."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from maskforge.io import video

HEIGHT, WIDTH = 32, 48


def box(number: int) -> np.ndarray:
    """Return where the box is in frame ``number``, from 0: a mask (H, W)."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[8:24, 6 + 2 * number : 22 + 2 * number] = True
    return mask


def frame(number: int) -> np.ndarray:
    """Return frame ``number``, uint8 (H, W, 3)."""
    image = np.full((HEIGHT, WIDTH, 3), (20, 30, 60), np.uint8)
    image[box(number)] = (230, 200, 180)
    return image


def write(path: Path, count: int = 5) -> Path:
    """Write a video of ``count`` frames, 12 a second: one JPEG after the other."""
    code = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, 12.0, (WIDTH, HEIGHT))
    for number in range(count):
        writer.write(np.ascontiguousarray(frame(number)[..., ::-1]))
    writer.release()
    return path


def read(path: Path) -> list[np.ndarray]:
    """Return the frames of the video ``path``."""
    with video.Video(path) as found:
        return list(found)


def cut(path: Path, part: float = 0.7) -> None:
    """Cut the end off the file ``path``."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
