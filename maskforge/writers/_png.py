"""What the writers of PNG files share."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from maskforge.classes import ClassTable
from maskforge.errors import ReadError
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


def open_image(data: bytes, *modes: str) -> Image.Image:
    """Return the image in ``data``, which must have one of ``modes``. Raises ReadError.

    Pillow before 11 calls 16-bit grey "I", later ones call it "I;16": both are "I;16" here.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=["PNG"])
        image.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise ReadError(f"the mask must be a PNG file, but: {error}", code="bad-image") from error
    if image.mode not in modes and not (image.mode == "I" and "I;16" in modes):
        raise ReadError(
            f"the mask must have mode {' or '.join(modes)}, but has {image.mode}",
            code="bad-image",
            cure="maskforge inspect shows what it holds",
        )
    return image


def pixels(image: Image.Image) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Return the pixels (height, width) of an image of mode "L", "P" or "I;16"."""
    found = np.array(image)
    return found.astype(np.uint8) if found.dtype == np.uint8 else found.astype(np.uint16)


def label_image(image: Image.Image, classes: ClassTable) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Return the ids (height, width) that ``image`` holds. Raises ReadError for unknown ones."""
    ids = pixels(image)
    if ids.dtype != classes.dtype:
        raise ReadError(
            f"the mask must be {np.dtype(classes.dtype)} for {len(classes)} classes, "
            f"but is {ids.dtype}",
            code="bad-image",
        )
    wrong = (ids >= len(classes)) & (ids != classes.ignore_index)
    if wrong.any():
        raise ReadError(
            f"ids must be below {len(classes)} or {classes.ignore_index}, "
            f"but there is {ids[wrong].max()}",
            code="bad-image",
        )
    return ids
