"""Data augmentation: image and label image changed together, at random but repeatably.

    rng = generator(seed=1, epoch=3, index=17)
    image, label_image = augment(image, label_image, settings=Augment(), rng=rng)

What happens to an image depends on nothing but the numbers given to :func:`generator`, so it is the
same for any number of workers and after a resume. All moves (mirror, scale, rotation, crop) are put
together into one affine map and done at once: the image is interpolated once, bilinearly, and the
label image takes the nearest pixel, so that no class id is invented. What comes from outside the
image is black and has the ignore index.

Shapes: image (H, W, C) uint8 with C at most 4, label image (H, W) uint8 or uint16; returned are
(height, width, C) and (height, width) of the same dtypes. Nothing is changed in place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from maskforge.prediction.sizes import Image, LabelImage

Matrix: TypeAlias = NDArray[np.float64]
"""(2, 3): pixel coordinates x, y of the source to those of the result; centers lie at +0.5."""


@dataclass(frozen=True, slots=True)
class Augment:
    """How far the random changes go. Every field at 0 and ``scale`` at (1, 1) is: no change.

    flip: probability of a left-right mirror.
    scale: lowest and highest factor of the size; the factor is drawn on a logarithmic scale. The
        result is cropped, or filled up, to the size asked for, at a random place.
    rotate: highest rotation about the center, in degrees, either way.
    color: strength, 0 to 1, of random changes of brightness, contrast, saturation and tint.
    blur: probability of a Gaussian blur, with a standard deviation of 0.3 to 2 pixels.
    """

    flip: float = 0.5
    scale: tuple[float, float] = (0.75, 1.5)
    rotate: float = 10.0
    color: float = 0.3
    blur: float = 0.1

    def __post_init__(self) -> None:
        low, high = self.scale
        if not 0 < low <= high:
            raise ValueError(f"scale must be two numbers 0 < low <= high, but got {self.scale}")
        for name in ("flip", "color", "blur"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be within 0 … 1, but got {getattr(self, name)}")
        if not 0 <= self.rotate <= 180:
            raise ValueError(f"rotate must be within 0 … 180 degrees, but got {self.rotate}")


NONE = Augment(flip=0, scale=(1, 1), rotate=0, color=0, blur=0)
"""No change, unless the size asked for is another one: then a random crop of that size."""

CITYSCAPES = Augment(flip=0.5, scale=(280 / 256, 280 / 256), rotate=0, color=0, blur=0)
"""Enlarged from 256 to 280 pixels, cut back to 256 at a random place, mirrored half of the time."""


def generator(*, seed: int, epoch: int, index: int) -> np.random.Generator:
    """Return the random numbers for image ``index`` in ``epoch``, whichever worker asks."""
    return np.random.default_rng([seed, epoch, index])


def augment(
    image: Image,
    label_image: LabelImage,
    *,
    settings: Augment,
    rng: np.random.Generator,
    height: int | None = None,
    width: int | None = None,
    ignore_index: int = 255,
) -> tuple[Image, LabelImage]:
    """Return image and label image changed at random, by default as large as before.

    Raises ValueError for arrays that are not what the module says.
    """
    _check(image, label_image)
    size = (height or image.shape[0], width or image.shape[1])
    matrix = _random_move(image.shape[:2], size, settings, rng)
    image, label_image = move(
        image, label_image, matrix, height=size[0], width=size[1], ignore_index=ignore_index
    )
    if settings.color:
        image = recolor(image, strength=settings.color, rng=rng)
    if settings.blur and rng.random() < settings.blur:
        image = blur(image, sigma=float(rng.uniform(0.3, 2.0)))
    return image, label_image


def move(
    image: Image,
    label_image: LabelImage,
    matrix: Matrix,
    *,
    height: int,
    width: int,
    ignore_index: int = 255,
) -> tuple[Image, LabelImage]:
    """Return both arrays mapped by ``matrix`` into (height, width).

    Enlarging and turning interpolates the image bilinearly; where it shrinks below a half, it is
    smoothed before, so that it does not flicker.
    """
    _check(image, label_image)
    if image.shape[:2] == (height, width) and np.array_equal(matrix, np.eye(2, 3)):
        return image.copy(), label_image.copy()
    # OpenCV counts pixel centers as whole numbers: half a pixel off ours on either side.
    shifted = matrix.copy()
    shifted[:, 2] += matrix[:, :2] @ np.array([0.5, 0.5]) - 0.5
    factor = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if factor < 0.5:
        image = blur(image, sigma=0.5 * (1 / factor - 1))
    moved = cv2.warpAffine(
        image, shifted, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT
    )
    labels: NDArray[Any] = cv2.warpAffine(
        label_image,
        shifted,
        (width, height),
        flags=cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(ignore_index, 0, 0, 0),
    )
    return _same_kind(moved, image), labels


def recolor(image: Image, *, strength: float, rng: np.random.Generator) -> Image:
    """Return the image with another brightness, contrast, tint and, for RGB, saturation."""
    channels = image.shape[2]
    brightness, contrast, saturation = np.exp(rng.uniform(-strength, strength, 3))
    tint = np.exp(rng.uniform(-strength, strength, channels) / 4)
    values = np.arange(256)[:, None] * brightness * tint
    middle = float(np.mean(cv2.mean(image)[:channels])) * brightness
    table = np.clip((values - middle) * contrast + middle, 0, 255).astype(np.uint8)
    changed = cv2.LUT(image, table.reshape(1, 256, channels))
    if channels != 3:
        return _same_kind(changed, image)
    gray = cv2.cvtColor(cv2.cvtColor(changed, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    mixed = cv2.addWeighted(changed, float(saturation), gray, 1 - float(saturation), 0.0)
    return _same_kind(mixed, image)


def blur(image: Image, *, sigma: float) -> Image:
    """Return the image under a Gaussian of standard deviation ``sigma`` pixels."""
    return _same_kind(cv2.GaussianBlur(image, (0, 0), sigma), image)


def _random_move(
    before: tuple[int, ...], after: tuple[int, int], settings: Augment, rng: np.random.Generator
) -> Matrix:
    low, high = settings.scale
    factor = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    angle = np.deg2rad(rng.uniform(-settings.rotate, settings.rotate))
    mirror = -1.0 if rng.random() < settings.flip else 1.0
    scaled = [max(1, round(size * factor)) for size in before]
    # Whole pixels: where nothing is scaled or turned, nothing is interpolated either.
    top, left = (
        int(rng.integers(min(0, full - cut), max(0, full - cut) + 1))
        for full, cut in zip(scaled, after, strict=True)
    )
    # About the center: mirror and scale each axis, then turn.
    scale = np.diag([mirror * scaled[1] / before[1], scaled[0] / before[0]])
    cos, sin = np.cos(angle), np.sin(angle)
    linear = np.array([[cos, -sin], [sin, cos]]) @ scale
    center = np.array([before[1], before[0]]) / 2
    target = np.array([scaled[1], scaled[0]]) / 2 - (left, top)
    return np.column_stack([linear, target - linear @ center])


def _same_kind(result: NDArray[Any], image: Image) -> Image:
    """Return OpenCV's ``result`` with the axis of a single channel, which it drops."""
    return np.asarray(result, dtype=np.uint8).reshape(*result.shape[:2], image.shape[2])


def _check(image: NDArray[Any], label_image: NDArray[Any]) -> None:
    if image.ndim != 3 or image.dtype != np.uint8 or 0 in image.shape or image.shape[2] > 4:
        raise ValueError(
            "image must be (H, W, C) uint8, not empty, C at most 4, "
            f"but got {image.shape} {image.dtype}"
        )
    if label_image.shape != image.shape[:2] or label_image.dtype not in (np.uint8, np.uint16):
        raise ValueError(
            f"label image must be {image.shape[:2]} uint8 or uint16, "
            f"but got {label_image.shape} {label_image.dtype}"
        )
