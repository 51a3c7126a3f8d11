"""Boundary IoU: how well the outlines fit, which on large objects the IoU hardly tells."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskforge.scores.metrics import Counts, Floats, ratio


def boundary_counts(
    truth: NDArray[Any],
    prediction: NDArray[Any],
    *,
    num_classes: int,
    distance: int | None = None,
    ignore_index: int | None = None,
) -> tuple[Counts, Counts]:
    """Count, by class, where the inner boundary bands of truth and prediction meet.

    The band of a class is its pixels at most ``distance`` steps (8-neighbours) from a pixel that
    is not of the class; what is outside the image is not. Add the counts of all images and take
    intersection over union: :func:`boundary_iou`. Unlike the IoU it does not grow with the area,
    so that it still tells a good outline from a poor one on large objects.

    Args:
        truth: Integer (H, W) array of class ids; may hold ``ignore_index``.
        prediction: Integer (H, W) array of class ids.
        num_classes: C.
        distance: Width of the band in pixels; default 2 % of the image's diagonal, at least 1.
        ignore_index: Pixels with this truth are in no band.

    Returns:
        Intersection and union in pixels, both (C,) int64.

    Reference: Cheng et al., Boundary IoU, CVPR 2021, https://arxiv.org/abs/2103.16562
    """
    if truth.shape != prediction.shape or truth.ndim != 2:
        raise ValueError(
            "truth and prediction must have one shape (H, W), "
            f"but got {truth.shape} and {prediction.shape}"
        )
    height, width = truth.shape
    if distance is None:
        distance = max(1, round(0.02 * float(np.hypot(height, width))))
    if distance < 1:
        raise ValueError(f"distance must be at least 1 pixel, but got {distance}")
    counted = np.ones(truth.shape, np.bool_) if ignore_index is None else truth != ignore_index
    # Else what was predicted under ignored pixels would carry the prediction's band elsewhere.
    prediction = np.where(counted, prediction, -1)
    intersection, union = np.zeros((2, num_classes), dtype=np.int64)
    for k in range(num_classes):
        bands = [_band(ids == k, distance) & counted for ids in (truth, prediction)]
        intersection[k] = np.count_nonzero(bands[0] & bands[1])
        union[k] = np.count_nonzero(bands[0] | bands[1])
    return intersection, union


def _band(mask: NDArray[np.bool_], distance: int) -> NDArray[np.bool_]:
    import cv2  # `import maskforge` must not load it

    if not mask.any():
        return mask
    kernel = np.ones((2 * distance + 1, 2 * distance + 1), np.uint8)
    inside = cv2.erode(
        mask.astype(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=(0, 0, 0, 0)
    )
    return np.asarray(mask & (inside == 0))


def boundary_iou(intersection: Counts, union: Counts) -> Floats:
    """Return the boundary IoU by class, (C,), from sums of :func:`boundary_counts`."""
    return ratio(intersection, union)
