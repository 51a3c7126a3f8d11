"""Foreground and new background put together, without fringes and halos of the old one.

Sources: Forte, Approximate fast foreground colour estimation, ICIP 2021, for the colours where the
foreground is half transparent; Porter, Duff, Compositing digital images, SIGGRAPH 1984, for "over".
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from maskforge.prediction.background.edges import Matte

_REACHES = (0.06, 0.005)
"""From how far colours are fetched, first and next, as fractions of the longer side."""

_ENOUGH = 1024
"""Longer side of the image, in pixels, in which colours are fetched: they change slowly."""

_SIGMA = 4.0
"""A blur is done at the scale where its sigma is about this many pixels."""

_NONE = np.float32(1e-4)
"""A weight as good as none."""

_FAINT = 0.02
"""A weight below which colours, kept in bytes, are too coarse to be divided by it."""


class _Weighted(NamedTuple):
    """Colours (h, w, 3) from 0 to 255, multiplied by their weight (h, w) from 0 to 1; float32."""

    colors: NDArray[Any]
    weight: NDArray[Any]

    def divided(self) -> NDArray[np.float32]:
        """Return the colours alone."""
        found: NDArray[Any] = self.colors / (self.weight + _NONE)[..., None]
        return found


def over(front: NDArray[np.uint8], alpha: Matte, back: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return ``front`` over ``back``, uint8 (H, W, 3) all of them; alpha is that of the front."""
    solid = np.where((alpha >= 1)[..., None], front, back)
    band = (alpha > 0) & (alpha < 1)
    share = alpha[band][:, None]
    solid[band] = np.rint(front[band] * share + back[band] * (1 - share)).astype(np.uint8)
    return solid


def foreground(image: NDArray[np.uint8], alpha: Matte) -> NDArray[np.uint8]:
    """Return the image, uint8 (H, W, 3), with the old background taken out of its edges.

    Where alpha is between 0 and 1 an image shows both; before something else the old background
    would be a fringe. There the colour is estimated from those of foreground and background nearby.
    """
    height, width = alpha.shape
    scale = min(1.0, _ENOUGH / max(alpha.shape))
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    front, back = _weighted(image, alpha, small), _weighted(image, 1 - alpha, small)
    share: NDArray[Any] = cv2.resize(alpha, small, interpolation=cv2.INTER_AREA)[..., None]
    radius, fine = (max(1, round(reach * max(small))) for reach in _REACHES)
    near, behind = _mean(front, radius).divided(), _mean(back, radius).divided()
    seen = cv2.resize(image, small, interpolation=cv2.INTER_AREA).astype(np.float32)
    colors = np.clip(near + share * (seen - share * near - (1 - share) * behind), 0, 255)
    near = _mean(_Weighted(colors * share, share[..., 0]), fine).divided()
    behind = _mean(_Weighted(behind * (1 - share), 1 - share[..., 0]), fine).divided()
    band = (alpha > 0) & (alpha < 1)
    ours: NDArray[Any] = cv2.resize(near, (width, height))[band]
    theirs: NDArray[Any] = cv2.resize(behind, (width, height))[band]
    part = alpha[band][:, None]
    estimated = ours + part * (image[band] - part * ours - (1 - part) * theirs)
    result = image.copy()
    result[band] = np.rint(np.clip(estimated, 0, 255)).astype(np.uint8)
    return result


def blurred(image: NDArray[np.uint8], alpha: Matte, sigma: float) -> NDArray[np.uint8]:
    """Return the background of the image, uint8 (H, W, 3), blurred by a Gaussian.

    What is in front does not shine into it. alpha: that of the foreground. sigma: in pixels, above
    0.
    """
    height, width = alpha.shape
    scale = min(1.0, _SIGMA / sigma)
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    sigmas = {"sigmaX": sigma * small[0] / width, "sigmaY": sigma * small[1] / height}
    reduced = cv2.resize(image, small, interpolation=cv2.INTER_AREA).astype(np.float32)
    colors, weight, plain = (
        cv2.GaussianBlur(part, (0, 0), **sigmas, borderType=cv2.BORDER_REPLICATE)
        for part in (*_weighted(image, 1 - alpha, small), reduced)
    )
    # In a small gap of what is in front there is hardly any background: the image will do.
    divided = np.where((weight < _FAINT)[..., None], plain, _Weighted(colors, weight).divided())
    found = np.rint(np.clip(divided, 0, 255)).astype(np.uint8)
    whole: NDArray[Any] = cv2.resize(found, (width, height), interpolation=cv2.INTER_LINEAR)
    return whole


def cover(picture: NDArray[np.uint8], *, height: int, width: int) -> NDArray[np.uint8]:
    """Return ``picture`` scaled to cover height and width, what is too much cut off on both sides.

    picture, and what is returned: uint8 (H, W, 3).
    """
    scale = max(height / picture.shape[0], width / picture.shape[1])
    # Cut first: a narrow strip would otherwise be blown up beyond all measure.
    high = min(picture.shape[0], max(1, round(height / scale)))
    wide = min(picture.shape[1], max(1, round(width / scale)))
    top, left = (picture.shape[0] - high) // 2, (picture.shape[1] - wide) // 2
    cut = picture[top : top + high, left : left + wide]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    covering: NDArray[Any] = cv2.resize(cut, (width, height), interpolation=how)
    return covering


def _weighted(image: NDArray[np.uint8], weight: Matte, size: tuple[int, int]) -> _Weighted:
    """Return the image weighted pixel by pixel, then reduced to ``size`` (width, height)."""
    # In bytes, since a photograph has many pixels; a weight of 0 leaves nothing.
    levels = np.rint(weight * 255).astype(np.uint8)
    colors = cv2.multiply(image, cv2.merge([levels, levels, levels]), scale=1 / 255)
    colors = cv2.resize(colors, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    share = cv2.resize(levels, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    return _Weighted(colors, share / np.float32(255))


def _mean(values: _Weighted, radius: int) -> _Weighted:
    side = (2 * radius + 1, 2 * radius + 1)
    return _Weighted(*(cv2.blur(v, side, borderType=cv2.BORDER_REFLECT) for v in values))
