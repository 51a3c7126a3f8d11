"""From what a network or a mask says of each pixel to a matte with soft edges.

A network answers coarsely and a mask has hard steps; the image knows where hair and fingers end.
The guided filter moves the edges there: near each pixel the matte is a linear function of the
image's colours. Sources: He, Sun, Tang, Guided image filtering, TPAMI 2013 (equations 19 to 21, for
a guide in colour); He, Sun, Fast guided filter, arXiv:1505.00996, for working on fewer pixels.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from maskforge.errors import UsageError

Matte: TypeAlias = NDArray[np.float32]
"""How much of each pixel is foreground, (H, W), from 0 to 1."""

Edge: TypeAlias = Literal["guided", "feather", "hard"]
"""How a matte goes from 1 to 0: where the image does, evenly over some pixels, or at once."""

EDGES: tuple[Edge, ...] = get_args(Edge)

RADIUS = 0.02
"""How far edges may move, as a fraction of the longer side."""

EPSILON = 1e-4
"""Variance of colours, from 0 to 1, that is no edge yet: about 2.5 of 255 levels, squared."""

_COARSE = 6
"""The guided filter works at the scale where its radius is about this many pixels."""


def matte(
    probability: NDArray[np.floating] | NDArray[np.bool_],
    image: NDArray[np.uint8],
    *,
    edge: Edge = "guided",
    radius: float | None = None,
) -> Matte:
    """Return how much of each pixel is foreground, float32 (H, W) from 0 to 1.

    probability: that of the foreground, (H, W); of a mask 0 and 1, and 0.5 where it says nothing.
    image: uint8 (H, W, 3), which guides the edges. radius: how far edges may move or soften, in
    pixels; None is :data:`RADIUS` of the longer side. Raises UsageError.
    """
    if edge not in EDGES:
        raise UsageError(f"edge must be one of {list(EDGES)}, but got {edge!r}")
    if probability.shape != image.shape[:2]:
        raise ValueError(
            f"probability must have the size of the image, {image.shape[:2]}, "
            f"but has {probability.shape}"
        )
    longer = max(probability.shape)
    reach = RADIUS * longer if radius is None else min(radius, longer / 4)
    hard: Matte = (probability > 0.5).astype(np.float32)
    if edge == "hard" or reach < 1:
        return hard
    if edge == "feather":
        soft: NDArray[Any] = cv2.GaussianBlur(
            hard, (0, 0), reach / 3, borderType=cv2.BORDER_REPLICATE
        )
        return soft
    # Twice: from afar to find the edge, then from near to follow it. The ends are cut off, because
    # the filter leaves a haze that comes close to 0 and 1 but not there.
    doubt = _stretched(np.asarray(probability, dtype=np.float32), 0.2, 0.8)
    found = _stretched(_guided(image, doubt, reach), 0.25, 0.75)
    return _stretched(_guided(image, found, reach / 2), 0.25, 0.9)


def guided_filter(
    guide: NDArray[np.uint8],
    values: NDArray[np.float32],
    *,
    radius: int,
    epsilon: float = EPSILON,
    step: int = 1,
) -> NDArray[np.float32]:
    """Return ``values`` (H, W) smoothed, but for edges that ``guide`` has too.

    guide: uint8 (H, W, 3). radius: windows have 2 radius + 1 pixels a side. epsilon: variance of
    the guide, counted from 0 to 1, below which it smooths. step: the linear functions are fitted to
    an image reduced by this factor, and applied to the whole one.
    """
    height, width = values.shape
    small = (max(1, width // step), max(1, height // step))
    coarse: NDArray[Any] = cv2.resize(guide, small, interpolation=cv2.INTER_AREA)
    sought: NDArray[Any] = cv2.resize(values, small, interpolation=cv2.INTER_AREA)
    reach = max(1, round(radius / step))
    fitted = _fit(coarse * np.float32(1 / 255), sought, reach, np.float32(epsilon))
    result: NDArray[np.float32] = np.zeros((height, width), dtype=np.float32)
    for channel in range(4):
        weight: NDArray[Any] = cv2.resize(fitted[..., channel], (width, height))
        if channel < 3:
            weight *= guide[..., channel]
            weight *= np.float32(1 / 255)
        result += weight
    return result


def _guided(image: NDArray[np.uint8], values: Matte, reach: float) -> Matte:
    step = max(1, round(reach / _COARSE))
    return guided_filter(image, values, radius=max(1, round(reach)), step=step)


def _fit(
    guide: NDArray[np.float32], values: NDArray[np.float32], radius: int, epsilon: np.float32
) -> NDArray[np.float32]:
    """Return slopes and offset (H, W, 4) of the linear functions that give ``values``, averaged."""
    mean, mean_values = _box(guide, radius), _box(values, radius)
    shared = _box(guide * values[..., None], radius) - mean * mean_values[..., None]
    # The covariance of the colours is symmetric: six of its nine entries say all.
    pairs = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
    rr, rg, rb, gg, gb, bb = (
        _box(guide[..., i] * guide[..., j], radius)
        - mean[..., i] * mean[..., j]
        + (epsilon if i == j else np.float32(0))
        for i, j in pairs
    )
    # Its inverse by cofactors.
    red = np.dstack([gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb])
    green = np.dstack([red[..., 1], rr * bb - rb * rb, rb * rg - rr * gb])
    blue = np.dstack([red[..., 2], green[..., 2], rr * gg - rg * rg])
    determinant = rr * red[..., 0] + rg * red[..., 1] + rb * red[..., 2]
    slopes = red * shared[..., :1] + green * shared[..., 1:2] + blue * shared[..., 2:]
    slopes /= determinant[..., None]
    offset = mean_values - (slopes * mean).sum(axis=2)
    return _box(np.dstack([slopes, offset]), radius)


def _box(array: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    """Return the mean over windows of 2 radius + 1 pixels a side; outside, the image mirrored."""
    side = (2 * radius + 1, 2 * radius + 1)
    mean: NDArray[Any] = cv2.blur(array, side, borderType=cv2.BORDER_REFLECT)
    return mean


def _stretched(values: Matte, low: float, high: float) -> Matte:
    """Return ``values`` with ``low`` and all below it at 0, ``high`` and all above it at 1."""
    stretched: Matte = np.clip((values - np.float32(low)) / np.float32(high - low), 0, 1)
    return stretched
