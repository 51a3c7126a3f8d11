"""From a label image to a raster, so that what a network predicts goes through the same writers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maskforge.classes import ClassTable
from maskforge.errors import ClassError
from maskforge.raster.overlap import Segments
from maskforge.raster.raster import Raster
from maskforge.raster.runs import changes


def to_raster(label_image: NDArray[np.integer], classes: ClassTable) -> Raster:
    """Return the raster whose label image is ``label_image``, integers (H, W).

    Each class that occurs becomes one region, and no pixel is contested; there are no instances.
    Raises ClassError for a value that is neither a class id nor the ignore index.
    """
    if label_image.ndim != 2 or label_image.size == 0:
        raise ValueError(f"a label image must be (H, W), not empty, but got {label_image.shape}")
    flat = label_image.reshape(-1)
    start = changes(flat).nonzero()[0]
    length = np.diff(np.append(start, flat.size))
    shown, owner = np.unique(flat[start].astype(np.int64), return_inverse=True)
    wrong = ((shown < 0) | (shown >= len(classes))) & (shown != classes.ignore_index)
    if wrong.any():
        raise ClassError(
            f"a label image must hold ids below {len(classes)} or {classes.ignore_index}, "
            f"but got {shown[wrong].tolist()[:8]}"
        )
    owner = owner.astype(np.int64) - (shown[0] == 0)  # the background belongs to no region
    regions = shown[shown > 0]
    covered = np.flatnonzero(owner >= 0)
    segments = Segments(start, length, owner, covered, regions[owner[covered]])
    area = np.bincount(owner[covered], weights=length[covered], minlength=len(regions))
    height, width = label_image.shape
    none = np.zeros_like(regions)
    return Raster(height, width, classes, segments, regions, none, area.astype(np.int64))
