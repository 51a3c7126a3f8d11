"""Label image as a NumPy file: int32, -1 where pixels are to be ignored.

The same numbers as in labelme's SegmentationClassNpy. ``numpy.load(path)`` reads it, no pickle.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final

import numpy as np

from maskforge.writers import Scene, _png

TITLE = "NumPy label image"
SUFFIX = ".npy"
FOLDER = "masks"
LOSSLESS = True
COLLECTION: Final = False


@dataclass(frozen=True, slots=True)
class Options:
    """Nothing to choose."""


def encode(scene: Scene, options: Options) -> bytes:
    """Return the .npy file, int32 (height, width)."""
    raster = scene.raster
    ids = np.append(raster.classes.ids, -1).astype("<i4")
    flat = np.repeat(ids[_png.channels(raster)], raster.segments.length)
    file = io.BytesIO()
    np.save(file, flat.reshape(raster.height, raster.width), allow_pickle=False)
    return file.getvalue()
