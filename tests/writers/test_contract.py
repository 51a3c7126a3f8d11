"""What every writer must keep, whichever files lie in the folder."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from maskforge import plugins
from maskforge.classes import ClassTable
from maskforge.errors import ReadError
from maskforge.raster.label_image import to_raster

NAMES = plugins.names("writers")
PER_IMAGE = [n for n in NAMES if not hasattr(plugins.load("writers", n), "COLLECTION")]
OPTIONS = {"color": {"style": "palette"}}  # the default style has one colour for all classes


@pytest.mark.parametrize("name", NAMES)
def test_has_what_a_writer_has(name: str) -> None:
    writer = plugins.load("writers", name)
    assert writer.TITLE
    assert writer.SUFFIX.startswith(".")
    assert writer.LOSSLESS in (True, False)
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


@pytest.mark.parametrize("name", [n for n in PER_IMAGE if n != "instance"])
@given(drawn=label_images())
def test_decode_gives_the_label_image_back(
    name: str, drawn: tuple[NDArray[np.integer], ClassTable]
) -> None:
    label_image, classes = drawn
    if name in ("palette", "color") and len(classes) > 255:
        return  # they refuse, see their own tests
    writer = plugins.load("writers", name)
    options = writer.Options(**OPTIONS.get(name, {}))
    data = writer.encode(to_raster(label_image, classes), options)
    back = writer.decode(data, classes, options)
    assert back.dtype == label_image.dtype
    assert np.array_equal(back, label_image)


@pytest.mark.parametrize("name", PER_IMAGE)
def test_same_raster_same_bytes(name: str) -> None:
    writer = plugins.load("writers", name)
    classes = ClassTable.from_names(["a", "b"])
    once, again = (
        writer.encode(to_raster(np.array([[0, 1, 2], [2, 2, 255]]), classes), writer.Options())
        for _ in range(2)
    )
    assert once == again


@pytest.mark.parametrize("name", PER_IMAGE)
@pytest.mark.parametrize("data", [b"", b"hello", b"\x89PNG\r\n\x1a\n", b"\x93NUMPY\x01\x00"])
def test_decode_refuses_what_it_did_not_write(name: str, data: bytes) -> None:
    writer = plugins.load("writers", name)
    with pytest.raises(ReadError, match="the mask must be a"):
        writer.decode(data, ClassTable.from_names(["a"]), writer.Options())
