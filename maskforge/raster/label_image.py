"""From a label image to a raster, so that what a network predicts goes through the same writers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskforge.classes import ClassTable
from maskforge.errors import ClassError
from maskforge.raster.overlap import Segments
from maskforge.raster.raster import Raster
from maskforge.raster.runs import changes


def to_raster(label_image: NDArray[np.integer], classes: ClassTable) -> Raster:
    """Return the raster of ``label_image``, integers (H, W): the channel of each pixel's class.

    Channels are places in the class table, as networks and the readers of masks count; the ignore
    index is that of the table by channel. Each class that occurs becomes one region, and no pixel
    is contested; there are no instances. Raises ClassError for a value that is neither.
    """
    channels = classes.channels
    if label_image.ndim != 2 or label_image.size == 0:
        raise ValueError(f"a label image must be (H, W), not empty, but got {label_image.shape}")
    flat = label_image.reshape(-1)
    start = changes(flat).nonzero()[0]
    length = np.diff(np.append(start, flat.size))
    shown, owner = np.unique(flat[start].astype(np.int64), return_inverse=True)
    wrong = ((shown < 0) | (shown >= len(classes))) & (shown != channels.ignore_index)
    if wrong.any():
        raise ClassError(
            f"a label image must hold ids below {len(classes)} or {channels.ignore_index}, "
            f"but got {shown[wrong].tolist()[:8]}"
        )
    ids = classes.stored[np.minimum(shown, len(classes))].astype(np.int64)
    is_region = ids != classes.uncovered  # what is not covered belongs to no region
    number = np.where(is_region, np.cumsum(is_region) - 1, -1)
    owner, regions = number[owner], ids[is_region]
    covered = np.flatnonzero(owner >= 0)
    segments = Segments(start, length, owner, covered, regions[owner[covered]])
    area = np.bincount(owner[covered], weights=length[covered], minlength=len(regions))
    height, width = label_image.shape
    none = np.zeros_like(regions)
    return Raster(height, width, classes, segments, regions, none, area.astype(np.int64))


def resized(label_image: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Return ``label_image`` at ``size`` (height, width): the class at each pixel's center."""
    if label_image.shape == size:
        return label_image
    rows, columns = (
        ((np.arange(new) + 0.5) * (old / new)).astype(np.intp)
        for new, old in zip(size, label_image.shape, strict=True)
    )
    return np.ascontiguousarray(label_image[rows][:, columns])
