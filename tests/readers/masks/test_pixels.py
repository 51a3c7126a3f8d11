"""The pixels of files: one limit of their number holds for what is made and for what is read."""

from __future__ import annotations

import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import maskforge
from maskforge.classes import ClassTable
from maskforge.errors import ReadError
from maskforge.io import images
from maskforge.raster.annotation import Annotation, Region
from maskforge.raster.geometry import Box
from maskforge.readers.masks import pixels
from maskforge.readers.masks.inspection import inspect
from maskforge.writers import Scene, label

CLASSES = ClassTable.from_names(["a", "b"])


def mask(path: Path, *, height: int, width: int) -> Path:
    """Write the label PNG of a box at the right and below, as a conversion does."""
    box = Region("b", (Box(width - 3, height - 2, width, height),))
    made = Annotation(path.name, path, "", (box,), height=height, width=width)
    path.write_bytes(label.encode(Scene(maskforge.rasterize(made, CLASSES)), label.Options()))
    return path


def test_a_large_mask_that_was_made_is_read(tmp_path: Path) -> None:
    """Above the limit that Pillow warns at, and above half of ours."""
    path = mask(tmp_path / "a.png", height=10_000, width=15_000)
    assert pixels.header(path).upright == (10_000, 15_000)
    values = pixels.read_mask(path).values
    assert values.shape == (10_000, 15_000)
    assert values[-2:, -3:].tolist() == [[2, 2, 2]] * 2
    assert np.count_nonzero(values) == 6
    assert [found.pixels for found in inspect(path).values] == [15_000 * 10_000 - 6, 6]


def test_the_largest_mask_that_is_made_is_read(tmp_path: Path) -> None:
    """Above the limit at which Pillow refuses."""
    path = mask(tmp_path / "a.png", height=2**14, width=2**14)
    assert pixels.header(path).upright == (2**14, 2**14)
    data = path.read_bytes()
    for width in (2**14 + 1, 2**31 - 1):
        larger = bytearray(data)
        larger[16:20] = width.to_bytes(4, "big")
        larger[29:33] = zlib.crc32(larger[12:29]).to_bytes(4, "big")
        path.write_bytes(larger)
        with pytest.raises(ReadError, match=f"1 to 268435456 pixels, but has {width}x") as caught:
            pixels.header(path)
        assert caught.value.code == "too-large"


def test_pillows_own_limit_is_lifted_for_one_thread_at_a_time() -> None:
    before, inside = Image.MAX_IMAGE_PIXELS, threading.Event()

    def other() -> None:
        with images.no_other_limit():
            inside.set()

    thread = threading.Thread(target=other)
    with images.no_other_limit():
        thread.start()
        assert not inside.wait(0.05)
        assert Image.MAX_IMAGE_PIXELS is None
    thread.join()
    assert inside.is_set()
    assert before == Image.MAX_IMAGE_PIXELS
