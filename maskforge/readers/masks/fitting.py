"""Masks whose size is not that of their image: turned, resized, or refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskforge.errors import ReadError
from maskforge.raster.annotation import MaskFile
from maskforge.raster.label_image import resized
from maskforge.readers.masks.pixels import Header

ASPECT = 0.01
"""Mask and image may differ in the ratio of their sides by this much and still be one picture."""


class Fit(NamedTuple):
    """What makes a mask fit its image: turn it as the image's EXIF says; resize it."""

    turned: bool
    resized: bool


def fit(image: Header, size: tuple[int, ...], mask: MaskFile, path: Path | None) -> Fit:
    """Return what makes a mask of ``size`` (height, width) fit its image.

    Told by the size alone, like the frame of an annotation: that of the upright image or of the
    stored one, else a size with the same ratio of sides. ``path``: the image, where it is a file.
    Raises ReadError for any other size.
    """
    upright, stored = image.upright, (image.height, image.width)
    if size == upright:
        return Fit(turned=False, resized=False)
    if size == stored:
        return Fit(turned=True, resized=False)
    if size != upright[::-1]:
        if _similar(size, upright):
            return Fit(turned=False, resized=True)
        if image.orientation >= 5 and _similar(size, stored):
            return Fit(turned=True, resized=True)
    transposed = size == upright[::-1] or _similar(size, upright[::-1])
    raise ReadError(
        f"the mask must have the shape of its image, {upright[1]}x{upright[0]}, "
        f"but is {size[1]}x{size[0]}" + (": rows and columns are swapped" if transposed else ""),
        code="size-mismatch",
        file=str(mask),
        cure=(
            "transpose or turn the mask, once you have seen which way"
            if transposed
            else f"crop or pad it as the image {path.name if path else ''!r} was, or make it again"
        ),
    )


def apply(how: Fit, ids: NDArray[Any], image: Header) -> NDArray[Any]:
    """Return the label image turned and resized to the upright image, nearest."""
    if how.turned:
        ids = _turn(ids, image.orientation)
    if how.resized:
        ids = resized(ids, image.upright)
    return np.ascontiguousarray(ids)


def _similar(mask: tuple[int, ...], image: tuple[int, ...]) -> bool:
    """Return whether one size is the other times a factor, but for rounding."""
    if abs(mask[0] * image[1] / (mask[1] * image[0]) - 1) <= ASPECT:
        return True
    (h, w), (high, wide) = sorted((mask, image))
    return abs(h - w * high / wide) < 1 and abs(w - h * wide / high) < 1


def _turn(ids: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Return ``ids`` turned as EXIF orientation 5 … 8 says; the others keep a size as it is."""
    turned = {
        5: ids.T,
        6: ids.T[:, ::-1],
        7: ids.T[::-1, ::-1],
        8: ids.T[::-1],
    }
    return turned[orientation]
