"""Colour mask as PNG, three channels, lossless; for people, and for networks that learn colours.

A PNG stores RGB; ``cv2.imread`` turns that into BGR, so that the style ``purple-yellow`` arrives as
the published OCHuman colours, BGR (120, 0, 120) and (50, 235, 235). Two-colour styles paint every
class but the background in one colour. Pixels to be ignored are grey (127, 127, 127).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskforge import styles
from maskforge.classes import ClassTable
from maskforge.errors import ReadError, UsageError
from maskforge.io import png
from maskforge.raster.raster import Raster
from maskforge.writers import _png

TITLE = "colour mask"
SUFFIX = ".png"
LOSSLESS = True


@dataclass(frozen=True, slots=True)
class Options:
    """style: what :func:`maskforge.styles.parse` understands."""

    style: str = "purple-yellow"


def encode(raster: Raster, options: Options) -> bytes:
    """Return the PNG file. Raises UsageError for a style that does not fit the class table."""
    return png.encode_runs(
        raster.segments.start,
        _png.class_values(raster),
        colors=styles.parse(options.style, raster.classes),
        height=raster.height,
        width=raster.width,
    )


def decode(
    data: bytes, classes: ClassTable, options: Options
) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Return the label image (height, width); of a two-colour style the ids 0 and 1, and ignore.

    Raises ReadError for colours that the style lacks, UsageError for a style that gives two classes
    one colour.
    """
    colors = styles.parse(options.style, classes)
    ids = _png.stored_ids(classes)
    if len(classes) > 2 and (colors[1:-1] == colors[1]).all():
        colors, ids = colors[[0, 1, -1]], ids[[0, 1, -1]]
    if not styles.is_distinct(colors):
        raise UsageError(
            f"to read ids from colours they must be distinct, but style {options.style!r} "
            "gives one colour to two classes"
        )
    pixels = np.asarray(_png.open_image(data, "RGB")).astype(np.uint32)
    packed = _pack(pixels)
    key = _pack(colors.astype(np.uint32))
    order = np.argsort(key)
    place = order[np.minimum(np.searchsorted(key[order], packed), len(key) - 1)]
    wrong = key[place] != packed
    if wrong.any():
        red, green, blue = pixels[wrong][0].tolist()
        raise ReadError(
            f"every colour must be one of style {options.style!r}, "
            f"but there is #{red:02x}{green:02x}{blue:02x}",
            code="bad-image",
        )
    return ids[place]


def _pack(pixels: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return one number for each RGB triple of the last axis."""
    place = np.array([1 << 16, 1 << 8, 1], dtype=np.uint32)
    packed: NDArray[np.uint32] = np.sum(pixels * place, axis=-1, dtype=np.uint32)
    return packed
