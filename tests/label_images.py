"""Random label images and masks with all that is hard to trace."""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from maskforge.raster import arcs as arcs_
from maskforge.raster import regions, trace
from maskforge.raster.arcs import Arcs
from maskforge.raster.trace import Outlines

Ids = NDArray[np.integer]

small = arrays(
    np.uint8,
    array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9),
    elements=st.integers(0, 3),
)
"""Label images of classes 0 to 3 with up to 9 by 9 pixels."""

seeds = st.integers(0, 2**32 - 1)


def patches(seed: int, *, height: int, width: int, classes: int = 4, size: int = 12) -> Ids:
    """Return smooth patches of classes 0 … classes-1, some of which are ``size`` pixels wide."""
    random = np.random.default_rng(seed)
    coarse = random.normal(size=(height // size + 2, width // size + 2)).astype(np.float32)
    field = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(field * 1.2 + classes / 2, 0, classes - 1).astype(np.uint8)


def figure(seed: int) -> Ids:
    """Return 0 and 1: holes, islands in holes, bridges of one pixel, diagonal contacts, noise."""
    random = np.random.default_rng(seed)
    height, width = random.integers(2, 36, 2).tolist()
    image = np.zeros((height, width), dtype=np.uint8)
    for _ in range(random.integers(1, 5)):  # frames within frames
        top, left = random.integers(0, (height, width)).tolist()
        bottom, right = random.integers((top, left), (height, width)).tolist()
        on = 1
        while top <= bottom and left <= right:
            image[top : bottom + 1, left : right + 1] = on
            step = int(random.integers(1, 3))
            top, left, bottom, right, on = (
                *(top + step, left + step, bottom - step, right - step),
                1 - on,
            )
    row, column = random.integers(0, (height, width)).tolist()
    for _ in range(random.integers(0, 25)):  # a path that turns, and goes on across corners
        image[row, column] = 1
        down, right = random.integers(-1, 2, 2).tolist()
        row, column = min(max(row + down, 0), height - 1), min(max(column + right, 0), width - 1)
    if random.random() < 0.3:  # a chequered patch
        rows, columns = np.indices(image.shape)
        patch = (slice(0, height // 2 + 1), slice(width // 3, width))
        image[patch] ^= ((rows + columns) % 2).astype(np.uint8)[patch]
    if random.random() < 0.5:
        image ^= random.random(image.shape) < random.choice([0.02, 0.1, 0.5])
    return image


def arcs_in(image: Ids, *, skip: tuple[int, ...] = ()) -> tuple[Outlines, Arcs]:
    """Return the outlines of the regions of an image, and their arcs."""
    found = regions.of_label_image(image, skip=skip)
    ((outlines, _),) = trace.batches(found.runs, width=found.width)
    return outlines, arcs_.of_outlines(outlines, height=found.height, width=found.width)
