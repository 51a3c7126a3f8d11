"""The one-hot dictionary, as NumPy itself reads it."""

from __future__ import annotations

import io
import pickletools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from maskforge import rasterize
from maskforge.classes import ClassTable
from maskforge.errors import WriteError
from maskforge.layouts import Names
from maskforge.raster.annotation import Annotation, Region
from maskforge.raster.geometry import Box
from maskforge.raster.label_image import to_raster
from maskforge.writers import Scene
from maskforge.writers.onehot import Collection, OneHotWriter, Options, encode

TABLE = ClassTable.from_names(["person", "dog"])
PLANES = npst.arrays(
    np.uint8, npst.array_shapes(min_dims=3, max_dims=3, max_side=6), elements=st.integers(0, 1)
)


def written(images: dict[str, NDArray[np.uint8]]) -> bytes:
    file = io.BytesIO()
    writer = OneHotWriter(file)
    for name, planes in images.items():
        writer.add(name, planes)
    writer.close()
    return file.getvalue()


@given(st.dictionaries(st.text(max_size=20), PLANES, max_size=5))
def test_numpy_loads_the_dictionary(images: dict[str, NDArray[np.uint8]]) -> None:
    loaded = np.load(io.BytesIO(written(images)), allow_pickle=True)
    assert loaded.shape == ()
    for found in (loaded.item(), loaded.flat[0]):
        assert list(found) == list(images)
        for name, planes in images.items():
            assert found[name].dtype == np.uint8
            assert np.array_equal(found[name], planes)
            assert found[name].shape == planes.shape


def test_loaded_arrays_can_be_written_to_and_share_nothing() -> None:
    ones = np.ones((20, 30, 4), dtype=np.uint8)
    found = np.load(io.BytesIO(written({"a": ones, "b": ones})), allow_pickle=True).item()
    found["a"][0] = 7
    assert found["a"].flags.owndata or found["a"].flags.writeable
    assert found["b"].max() == 1


def test_no_private_name_of_numpy_in_the_file() -> None:
    data = written({"a.jpg": np.zeros((2, 3, 2), dtype=np.uint8)})
    file = io.BytesIO(data)
    file.seek(128)
    named = {arg for op, arg, _ in pickletools.genops(file) if op.name == "GLOBAL"}
    assert named == {"numpy ndarray", "numpy dtype"}


def test_arrays_that_are_views_are_written_as_they_look() -> None:
    planes = np.arange(24, dtype=np.uint8).reshape(2, 3, 4) % 2
    found = np.load(
        io.BytesIO(written({"a": planes[:, ::-1].transpose(1, 0, 2)})), allow_pickle=True
    )
    assert np.array_equal(found.item()["a"], planes[:, ::-1].transpose(1, 0, 2))


def test_a_name_only_once_and_planes_only() -> None:
    writer = OneHotWriter(io.BytesIO())
    writer.add("a", np.zeros((1, 2, 3), dtype=np.uint8))
    with pytest.raises(WriteError, match="must occur once in a one-hot dictionary, but 'a'"):
        writer.add("a", np.zeros((1, 2, 3), dtype=np.uint8))
    with pytest.raises(ValueError, match=r"must be uint8 \(H, W, C\), but got bool \(1, 2, 3\)"):
        writer.add("b", np.zeros((1, 2, 3), dtype=np.bool_))  # type: ignore[arg-type]


def test_collection_gives_twins_a_key_of_their_own() -> None:
    file = io.BytesIO()
    collection = Collection(file, TABLE, Options())
    piece = encode(Scene(to_raster(np.array([[0, 1, 255]]), TABLE)), Options())
    keys = [
        collection.add(piece, Names(stem, 0, ".png", name="day/img.jpg"))
        for stem in ("a/img", "b/img", "b/img")
    ]
    collection.close()
    assert keys == ["img.jpg", "b/img.jpg", "b/img-2.jpg"]
    found = np.load(io.BytesIO(file.getvalue()), allow_pickle=True).item()
    assert list(found) == keys
    assert found["b/img.jpg"].tolist() == [[[1, 0, 0], [0, 1, 0], [0, 0, 0]]]


@pytest.mark.parametrize(("keep", "middle"), [(False, [0, 0, 1]), (True, [0, 1, 1])])
def test_overlaps_are_kept_on_request(keep: bool, middle: list[int]) -> None:
    regions = (Region("person", (Box(0, 0, 2, 1),)), Region("dog", (Box(1, 0, 3, 1),)))
    raster = rasterize(Annotation("a", Path("a"), "", regions, height=1, width=4), TABLE)
    file = io.BytesIO()
    options = Options(keep_overlaps=keep)
    collection = Collection(file, TABLE, options)
    collection.add(encode(Scene(raster), options), Names("a", 0, ".png", name="a.png"))
    collection.close()
    planes = np.load(io.BytesIO(file.getvalue()), allow_pickle=True).item()["a.png"]
    assert planes.tolist() == [[[0, 1, 0], middle, [0, 0, 1], [1, 0, 0]]]
