"""The deflate stream made from runs says what the pixels say."""

from __future__ import annotations

import io
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from maskforge.io import png
from maskforge.io.deflate import _code_lengths, compress


def runs_of(image: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    flat = image.reshape(-1).astype(np.int64)
    start = np.append(0, np.flatnonzero(flat[1:] != flat[:-1]) + 1)
    return start, flat[start]


def rows_of(image: NDArray[np.integer], colors: NDArray[np.uint8]) -> bytes:
    pixels = colors[image].reshape(len(image), -1)
    return np.pad(pixels, ((0, 0), (1, 0))).tobytes()


def check(image: NDArray[np.integer], colors: NDArray[np.uint8]) -> None:
    start, value = runs_of(image)
    height, width = image.shape
    stream = compress(start, value, colors=colors, height=height, width=width)
    assert zlib.decompress(stream) == rows_of(image, colors)


@st.composite
def images(draw: st.DrawFn) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Label images of long and short runs, with colours of which some are zero or equal."""
    height = draw(st.integers(1, 7))
    width = draw(st.sampled_from([1, 2, 3, 5, 90, 259, 600]))
    count = draw(st.integers(1, 5))
    depth = draw(st.integers(1, 3))
    byte = st.sampled_from([0, 0, 1, 128, 255])
    colors = draw(st.lists(st.lists(byte, min_size=3, max_size=3), min_size=count, max_size=count))
    run = st.tuples(
        st.integers(0, count - 1), st.sampled_from([1, 2, 3, 4, 60, 257, 258, 259, 900])
    )
    drawn = draw(st.lists(run, min_size=1, max_size=30))
    flat = np.repeat([value for value, _ in drawn], [length for _, length in drawn])
    image = np.resize(flat, height * width).reshape(height, width)
    return image, np.array(colors, dtype=np.uint8)[:, :depth]


@given(images())
def test_the_stream_unpacks_to_the_rows(drawn: tuple[NDArray[np.int64], NDArray[np.uint8]]) -> None:
    check(*drawn)


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 1), (3, 5), (2, 4096)])
def test_blank_and_full_images(shape: tuple[int, int], depth: int) -> None:
    colors = np.array([[0, 0, 0], [7, 8, 9]], dtype=np.uint8)[:, :depth]
    check(np.zeros(shape, dtype=np.int64), colors)
    check(np.ones(shape, dtype=np.int64), colors)


def test_noise_with_every_byte_value() -> None:
    noise = np.random.default_rng(5).integers(0, 256, (61, 67))
    check(noise, np.arange(256, dtype=np.uint8)[:, None])
    check(noise, np.random.default_rng(6).integers(0, 256, (256, 3)).astype(np.uint8))


def test_codes_are_cut_to_the_limit_and_stay_complete() -> None:
    fibonacci = [1, 1]
    while len(fibonacci) < 30:
        fibonacci.append(fibonacci[-1] + fibonacci[-2])  # the frequencies with the longest codes
    lengths = _code_lengths(fibonacci, limit=11)
    assert max(lengths) <= 11
    assert sum(2.0**-length for length in lengths) == 1.0


def test_skewed_frequencies_within_one_image() -> None:
    values = [value for value in range(24) for _ in range(int(1.6**value))]
    image = np.random.default_rng(1).permutation(values)[: 200 * 300].reshape(200, 300)
    check(image, np.arange(24, dtype=np.uint8)[:, None] + 1)


def test_checksum_of_a_stream_too_long_for_the_exact_sum() -> None:
    height, width = 2**13, 2**14
    start = np.array([0, 5, 2 * width + 3, height * width - 9])
    value = np.array([200, 0, 255, 3])
    colors = np.arange(256, dtype=np.uint8)[:, None]
    stream = compress(start, value, colors=colors, height=height, width=width)
    first = np.zeros(width, dtype=np.uint8)
    first[:5] = 200
    third = np.full(width, 255, dtype=np.uint8)
    third[:3] = 0
    last = np.full(width, 255, dtype=np.uint8)
    last[-9:] = 3
    rows = [first, np.zeros(width, dtype=np.uint8), third]
    rows += [np.full(width, 255, dtype=np.uint8)] * (height - 4) + [last]
    checksum = 1
    for row in rows:
        checksum = zlib.adler32(row, zlib.adler32(b"\0", checksum))
    assert stream[-4:] == checksum.to_bytes(4, "big")


def test_no_larger_than_zlib_by_much_and_readable_by_others() -> None:
    label_image = np.zeros((300, 400), dtype=np.uint8)
    for label in range(1, 30):
        cv2.circle(label_image, (label * 37 % 400, label * 53 % 300), 10 + label, label, -1)
    data = png.encode(label_image)
    packer = zlib.compressobj(9, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
    raw = rows_of(label_image.astype(np.int64), np.arange(256, dtype=np.uint8)[:, None])
    assert len(data) < 1.15 * len(packer.compress(raw) + packer.flush())
    assert (np.asarray(Image.open(io.BytesIO(data))) == label_image).all()
    array = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    assert (array == label_image).all()
