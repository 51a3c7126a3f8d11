"""From a label image to a raster and back."""

from __future__ import annotations

import numpy as np
import pytest

from maskforge.classes import BACKGROUND, ClassTable
from maskforge.errors import ClassError
from maskforge.raster.label_image import to_raster

TABLE = ClassTable.from_names(["person", "dog"])


def test_the_label_image_comes_back() -> None:
    label_image = np.array([[0, 2, 2, 255], [255, 2, 0, 1]], dtype=np.uint8)
    raster = to_raster(label_image, TABLE)
    assert (raster.label_image() == label_image).all()
    assert raster.pixel_counts == {0: 2, 1: 1, 2: 3, 255: 2}
    assert raster.region_area.tolist() == [1, 3, 2]
    assert raster.contested == {}
    areas = [raster.amodal.mask(number, height=2, width=4).tolist() for number in range(3)]
    assert areas == [(label_image == value).tolist() for value in (1, 2, 255)]
    assert not raster.instance_image().any()
    assert raster.one_hot()[0, 1].tolist() == [0, 0, 1]
    assert raster.one_hot()[0, 3].tolist() == [0, 0, 0]


def test_without_background_and_in_any_integer_dtype() -> None:
    label_image = np.full((3, 2), 2, dtype=np.int64)
    raster = to_raster(label_image, TABLE)
    assert raster.label_image().tolist() == [[2, 2]] * 3
    assert raster.label_image().dtype == np.uint8


def test_what_is_no_label_image() -> None:
    with pytest.raises(ClassError, match=r"ids below 3 or 255, but got \[3, 9\]"):
        to_raster(np.array([[3, 9, 0]]), TABLE)
    with pytest.raises(ClassError, match=r"but got \[-1\]"):
        to_raster(np.array([[-1, 0]]), TABLE)
    with pytest.raises(ValueError, match=r"must be \(H, W\), not empty, but got \(0, 3\)"):
        to_raster(np.zeros((0, 3), dtype=np.uint8), TABLE)


def test_channels_become_the_ids_of_the_table() -> None:
    channels = np.array([[0, 1, 2, 255], [2, 2, 1, 0]], dtype=np.uint8)
    classes = ClassTable(("b", BACKGROUND, "a"), ids=(3, 5, 400))
    raster = to_raster(channels, classes)
    assert raster.label_image().tolist() == [[3, 5, 400, 65535], [400, 400, 5, 3]]
    assert raster.region_class.tolist() == [3, 400, 65535]
    np.testing.assert_array_equal(raster.one_hot().argmax(axis=2)[:, :3], channels[:, :3])


def test_without_a_background_what_is_ignored_is_no_region() -> None:
    raster = to_raster(np.array([[0, 1, 255]], dtype=np.uint8), ClassTable(("a", "b")))
    assert raster.label_image().tolist() == [[0, 1, 255]]
    assert raster.region_class.tolist() == [0, 1]
