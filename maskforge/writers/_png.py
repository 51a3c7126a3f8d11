"""What the writers of PNG files share."""

from __future__ import annotations

from functools import lru_cache

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


def channels(raster: Raster) -> Ints:
    """Return the channel by segment, (S,), with the number of classes C for ignore."""
    return raster.classes.channels_of(raster.segment_class)
