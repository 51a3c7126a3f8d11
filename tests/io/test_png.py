"""PNG files: pixels, palettes, texts."""

from __future__ import annotations

import hashlib
import io

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from maskforge.io import png
from maskforge.palette import voc_palette

NARROW = np.array([[0, 1, 2], [255, 7, 7]], dtype=np.uint8)


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize(
    ("array", "mode"),
    [
        (NARROW, "L"),
        (NARROW.astype(np.uint16) * 257, "I"),  # "I;16" since Pillow 11
        (np.stack([NARROW, NARROW[::-1], NARROW * 3], axis=2), "RGB"),
    ],
    ids=["8 bit", "16 bit", "RGB"],
)
def test_pixels_come_back(array: NDArray[np.uint8], mode: str) -> None:
    data = png.encode(array)
    image = opened(data)
    assert image.mode.partition(";")[0] == mode
    assert image.size == (3, 2)
    assert (np.asarray(image) == array).all()
    read = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    assert (read == (array[..., ::-1] if array.ndim == 3 else array)).all()


def test_palette_image_holds_ids_and_colours() -> None:
    image = opened(png.encode(NARROW, palette=voc_palette()))
    assert image.mode == "P"
    assert (np.asarray(image) == NARROW).all()
    assert image.getpalette() == voc_palette().reshape(-1).tolist()
    assert image.convert("RGB").getpixel((0, 1)) == (224, 224, 192)


@pytest.mark.parametrize("text", ["plain\nlines\n", "Größe", "人物\n", ""])
def test_texts_come_back(text: str) -> None:
    image = opened(png.encode(NARROW, text={"maskforge:classes": text, "other": "1"}))
    assert image.info["maskforge:classes"] == text
    assert image.info["other"] == "1"


def test_text_with_what_png_cannot_hold() -> None:
    image = opened(png.encode(NARROW, text={"key": "a\0b\ud800"}))
    assert image.info["key"] == "a\ufffdb?"


def test_bytes_never_change() -> None:
    # A constant on purpose: another platform or version must give the same file.
    digest = hashlib.sha256(png.encode(np.kron(NARROW, np.ones((9, 300), dtype=np.uint8))))
    assert digest.hexdigest() == (
        "4470b79d2144c2ea632bce0388797ee0b2da20ffd4a941cff19eab995dd9a6c2"
    )


def test_what_cannot_be_written() -> None:
    with pytest.raises(ValueError, match=r"pixels must be uint8, uint16 or uint8 RGB"):
        png.encode(NARROW.astype(np.int32))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"must be \(H, W\) or \(H, W, 3\), not empty"):
        png.encode(np.zeros((0, 3), dtype=np.uint8))
    with pytest.raises(ValueError, match=r"a palette image must be uint8"):
        png.encode(NARROW.astype(np.uint16), palette=voc_palette())
    with pytest.raises(ValueError, match=r"palette must be \(1 to 256, 3\), but got \(257, 3\)"):
        png.encode(NARROW, palette=voc_palette(257))
