"""The label image as a NumPy file."""

from __future__ import annotations

import io

import numpy as np

from maskforge.classes import ClassTable
from maskforge.raster.label_image import to_raster
from maskforge.writers import Scene, npy

TABLE = ClassTable.from_names(["person"])


def test_int32_with_minus_one_for_ignore() -> None:
    data = npy.encode(Scene(to_raster(np.array([[0, 1, 255], [1, 0, 0]]), TABLE)), npy.Options())
    array = np.load(io.BytesIO(data))
    assert array.dtype == np.int32
    assert array.tolist() == [[0, 1, -1], [1, 0, 0]]
