"""Label image as a NumPy file: int32, -1 where pixels are to be ignored.

The same numbers as in labelme's SegmentationClassNpy. ``numpy.load(path)`` reads it, no pickle.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskforge.classes import ClassTable
from maskforge.errors import ReadError
from maskforge.raster.raster import Raster
from maskforge.writers import _png

TITLE = "NumPy label image"
SUFFIX = ".npy"
LOSSLESS = True


@dataclass(frozen=True, slots=True)
class Options:
    """Nothing to choose."""


def encode(raster: Raster, options: Options) -> bytes:
    """Return the .npy file, int32 (height, width)."""
    ids = np.append(np.arange(len(raster.classes)), -1).astype("<i4")
    flat = np.repeat(ids[_png.class_values(raster)], raster.segments.length)
    file = io.BytesIO()
    np.save(file, flat.reshape(raster.height, raster.width), allow_pickle=False)
    return file.getvalue()


def decode(
    data: bytes, classes: ClassTable, options: Options
) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Return the label image (height, width). Raises ReadError for anything else than one."""
    try:
        ids = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, OSError, EOFError, SyntaxError) as error:
        raise ReadError(f"the mask must be a .npy file, but: {error}", code="bad-image") from error
    if not isinstance(ids, np.ndarray) or ids.ndim != 2 or ids.dtype.kind not in "iu":
        raise ReadError("the mask must be integers (H, W)", code="bad-image")
    if ids.size and not (ids.min() >= -1 and ids.max() < len(classes)):
        raise ReadError(
            f"ids must be -1 to {len(classes) - 1}, but go from {ids.min()} to {ids.max()}",
            code="bad-image",
        )
    return _png.stored_ids(classes)[np.where(ids < 0, len(classes), ids)]
