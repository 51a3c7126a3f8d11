"""Resizing, padding and batching of images and label images, for training and inference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[np.uint8]
LabelImage: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16]
Pixels = TypeVar("Pixels", Image, LabelImage)
Size: TypeAlias = tuple[int, int]
"""(height, width) in pixels."""


def described(size: tuple[int, ...]) -> str:
    """Return in words the size that ``size`` of the settings means: "at full size"."""
    if len(size) == 2:
        return f"at {size[0]}x{size[1]}"
    return f"with a longer side of at most {size[0]}" if size else "at full size"


def resize(image: Image, size: Size, interpolation: str = "area") -> Image:
    """Return ``image`` (H, W, 3) at ``size`` (height, width): averaged down, or bilinear up.

    interpolation: as in the settings; "bilinear" also down, and "nearest" takes the pixels that
    :func:`resize_labels` takes.
    """
    if image.shape[:2] == size:
        return image
    if interpolation == "nearest":
        return _nearest(image, size)
    smaller = size[0] * size[1] < image.shape[0] * image.shape[1]
    how = cv2.INTER_AREA if smaller and interpolation == "area" else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size[::-1], interpolation=how), dtype=np.uint8)


def resize_labels(label_image: LabelImage, size: Size) -> LabelImage:
    """Return ``label_image`` at ``size`` (height, width): the class at each pixel's center."""
    return _nearest(label_image, size)


def _nearest(array: Pixels, size: Size) -> Pixels:
    rows, columns = (
        ((np.arange(new) + 0.5) * (old / new)).astype(np.intp)
        for new, old in zip(size, array.shape[:2], strict=True)
    )
    return np.ascontiguousarray(array[rows][:, columns])


def groups(sizes: Sequence[Size], *, divisor: int, batch: int) -> list[tuple[int, ...]]:
    """Return the items by number, at most ``batch`` together, all of one size when padded.

    So what a network says of an image does not depend on what else is in the batch.
    """
    alike: dict[Size, list[int]] = {}
    for number, size in enumerate(sizes):
        alike.setdefault(padded(size, divisor), []).append(number)
    return [
        tuple(numbers[at : at + batch])
        for numbers in alike.values()
        for at in range(0, len(numbers), batch)
    ]


def padded(size: Size, divisor: int) -> Size:
    """Return the next size (height, width) up that ``divisor`` divides."""
    return -(-size[0] // divisor) * divisor, -(-size[1] // divisor) * divisor


def pad(array: NDArray[np.uint8] | LabelImage, divisor: int, value: int) -> NDArray[np.uint8]:
    """Return ``array`` (H, W, …) with ``value`` added at the right and below, as :func:`padded`."""
    height, width = padded((array.shape[0], array.shape[1]), divisor)
    added = [(0, height - array.shape[0]), (0, width - array.shape[1])]
    added += [(0, 0)] * (array.ndim - 2)
    result: NDArray[np.uint8] = np.pad(array, added, constant_values=value)
    return result
