"""What every writer must keep, whichever files lie in the folder."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray
from PIL import Image

from maskforge import plugins, styles, writers
from maskforge.classes import ClassTable
from maskforge.raster.label_image import to_raster
from maskforge.writers import Scene

NAMES = plugins.names("writers")
PER_IMAGE = [n for n in NAMES if not writers.load(n).COLLECTION]
LOSSLESS = [n for n in PER_IMAGE if writers.load(n).LOSSLESS and n != "instance"]
OPTIONS = {"color": {"style": "palette"}}  # the default style has one colour for all classes


@pytest.mark.parametrize("name", NAMES)
def test_has_what_a_writer_has(name: str) -> None:
    writer = plugins.load("writers", name)
    assert writer.TITLE
    assert writer.SUFFIX.startswith(".")
    assert writer.LOSSLESS in (True, False)
    assert writer.FOLDER
    assert writers.kind(writer).suffix == (".png" if writer.COLLECTION else writer.SUFFIX)
    assert dataclasses.is_dataclass(writer.Options)
    writer.Options()  # every option has a default
    assert writer.Options.__dataclass_params__.frozen


@st.composite
def label_images(draw: st.DrawFn) -> tuple[NDArray[np.integer], ClassTable]:
    count = draw(st.sampled_from([1, 2, 5, 254, 255, 256, 300]))
    classes = ClassTable.from_names([f"ü {i}" for i in range(1, count)])
    ids = st.sampled_from([0, 1, 2, count - 1, classes.ignore_index]).filter(
        lambda i: i < count or i == classes.ignore_index
    )
    shape = draw(npst.array_shapes(min_dims=2, max_dims=2, max_side=9))
    return draw(npst.arrays(classes.dtype, shape, elements=ids)), classes


@pytest.mark.parametrize("name", LOSSLESS)
@given(drawn=label_images())
def test_the_file_gives_the_label_image_back(
    name: str, drawn: tuple[NDArray[np.integer], ClassTable]
) -> None:
    label_image, classes = drawn
    if name in ("palette", "color") and len(classes) > 255:
        return  # they refuse, see their own tests
    writer = plugins.load("writers", name)
    options = writer.Options(**OPTIONS.get(name, {}))
    data = writer.encode(Scene(to_raster(label_image, classes)), options)
    assert np.array_equal(read_back(name, data, classes), label_image)


def read_back(name: str, data: bytes, classes: ClassTable) -> NDArray[np.integer]:
    """Return the ids in a file, read as other programs read it."""
    if name == "npy":
        ids = np.load(io.BytesIO(data))
        return np.where(ids < 0, classes.ignore_index, ids)
    pixels = np.asarray(Image.open(io.BytesIO(data)))
    if name != "color":
        return pixels
    colors = styles.parse(OPTIONS["color"]["style"], classes)
    ids = [*range(len(classes)), classes.ignore_index]
    of = {tuple(color): number for color, number in zip(colors.tolist(), ids, strict=True)}
    return np.array([[of[tuple(pixel)] for pixel in row] for row in pixels.tolist()])


@pytest.mark.parametrize("name", NAMES)
def test_same_raster_same_bytes(name: str) -> None:
    writer = plugins.load("writers", name)
    classes = ClassTable.from_names(["a", "b"])
    once, again = (
        writer.encode(
            Scene(to_raster(np.array([[0, 1, 2], [2, 2, 255]]), classes)), writer.Options()
        )
        for _ in range(2)
    )
    assert once == again
