"""The label image as a NumPy file."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray

from maskforge.classes import ClassTable
from maskforge.errors import ReadError
from maskforge.raster.label_image import to_raster
from maskforge.writers import npy

TABLE = ClassTable.from_names(["person"])


def saved(array: NDArray[np.generic]) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def test_int32_with_minus_one_for_ignore() -> None:
    data = npy.encode(to_raster(np.array([[0, 1, 255], [1, 0, 0]]), TABLE), npy.Options())
    array = np.load(io.BytesIO(data))
    assert array.dtype == np.int32
    assert array.tolist() == [[0, 1, -1], [1, 0, 0]]


def test_decode_takes_other_integers_and_says_what_does_not_fit() -> None:
    wide = saved(np.array([[0, -1]], dtype=np.int64))
    assert npy.decode(wide, TABLE, npy.Options()).tolist() == [[0, 255]]
    with pytest.raises(ReadError, match="ids must be -1 to 1, but go from 0 to 2"):
        npy.decode(saved(np.array([[0, 2]])), TABLE, npy.Options())
    with pytest.raises(ReadError, match=r"must be integers \(H, W\)"):
        npy.decode(saved(np.array([0.5])), TABLE, npy.Options())
    with pytest.raises(ReadError, match=r"must be a .npy file"):
        npy.decode(saved(np.array([[{}]])), TABLE, npy.Options())
