"""What the writers of PNG files share."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from maskforge.classes import ClassTable
from maskforge.raster.raster import Raster
from maskforge.raster.runs import Ints

CLASSES_KEY = "maskforge:classes"
"""Keyword of the PNG text that holds the class table as the text of a labels.txt."""

HASH_KEY = "maskforge:classes-hash"


@lru_cache(maxsize=4)
def text(classes: ClassTable) -> dict[str, str]:
    """Return the texts that a PNG of class ids carries."""
    return {CLASSES_KEY: classes.to_text(), HASH_KEY: classes.hash}


def class_values(raster: Raster) -> Ints:
    """Return the class id by segment, (S,), with the number of classes C for ignore."""
    return np.minimum(raster.segment_class, len(raster.classes))


@lru_cache(maxsize=4)
def stored_ids(classes: ClassTable) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Return what a label image holds for each id, (C + 1,): the ids, then the ignore index."""
    ids = np.append(np.arange(len(classes)), classes.ignore_index)
    return ids.astype(np.uint8) if classes.dtype is np.uint8 else ids.astype(np.uint16)
