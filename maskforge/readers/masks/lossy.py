"""Masks stored with loss, as JPEG: their few colours are found again, and every pixel is put back.

JPEG leaves areas flat and changes pixels where two areas meet. So the colours of a mask are those
of its flat areas, and they are few and far apart; those of a photograph are neither.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskforge.errors import ReadError

SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".webp", ".avif", ".heic", ".heif")
"""Files that may have been stored with loss; what is in a file decides."""

APART = 48
"""Colours of a set must lie so far apart: the length of the way in RGB, or between grey levels."""

LITTLE = 8
"""Whole areas are off by so much, in levels a channel, since JPEG rounds colours."""

MOST = 32
"""More colours than this are not told apart again."""

# Measured on masks of people (128 pixels and more, JPEG of quality 30 to 95) and on photographs.
_FLAT = 4  # neighbours in an area differ by no more
_CORE = np.ones((3, 3), np.uint8)  # what is thinner is no area: JPEG lays stripes along edges
_IN_AREAS = 0.15  # part of the pixels that lies in areas: masks 0.26 and more
_NEAR = 24  # a pixel that lies so close to a colour was hardly changed
_SHARP = 8  # most pixels of the areas of a mask lie as close as that
_SHARE = 0.95  # so many of them: masks 0.98 and more
_CHANGED = 0.5  # part of the pixels that lies further off than _NEAR: masks less
_AROUND = 33  # what is changed lies no further from an area than a block of JPEG, to each side
_STRANGE = 0.01  # part of the pixels for which that may fail: a photograph has large ones between
_RARE = 0.001  # of the flat pixels; what is rarer is damage
_ECHO = 0.05  # of a colour close by; what is rarer is the damage around that colour
_PIXELS = 1 << 22  # enough of a large mask to find its colours
_BAND = 16
_WEIGHTS = np.array([65536, 256, 1])


class Loss(NamedTuple):
    """Pixels, those more than :data:`LITTLE` from their colours, how far in all, and at most."""

    pixels: int = 0
    moved: int = 0
    total: int = 0
    most: int = 0

    def plus(self, other: Loss) -> Loss:
        """Return the sum."""
        return Loss(
            self.pixels + other.pixels,
            self.moved + other.moved,
            self.total + other.total,
            max(self.most, other.most),
        )


def colors(values: NDArray[np.uint8]) -> list[int] | None:
    """Return the colours of a mask stored with loss, the most frequent first: 0xrrggbb, or levels.

    values: (H, W), or (H, W, 3) in RGB. None where they are too many, too close to each other, or
    not in areas: a photograph.
    """
    import cv2  # only masks with loss need it

    values = _bands(values)
    pixels = values.reshape(*values.shape[:2], -1).astype(np.int16)
    area = _areas(pixels)
    flat = pixels[area]
    if len(flat) < _IN_AREAS * area.size:
        return None
    rows, counts = np.unique(_packed(flat), return_counts=True)
    points = _points(rows, pixels.shape[2])
    order = np.argsort(-counts, kind="stable")
    rows, counts, points = rows[order], counts[order], points[order]
    found: list[tuple[int, int]] = []
    left = np.ones(len(rows), dtype=np.bool_)
    total, sharp = int(counts.sum()), 0
    while left.any():
        top = int(left.argmax())
        way = _distance(points, points[top])
        near = left & (way <= _NEAR)
        share = int(counts[near].sum())
        sharp += int(counts[left & (way <= _SHARP)].sum())
        left &= ~near
        if counts[top] < _RARE * total / _NEAR:
            break  # the rest is thinner still
        if share >= _RARE * total and not _is_echo(points[top], share, found, pixels.shape[2]):
            found.append((int(rows[top]), share))
        if len(found) > MOST:
            return None
    chosen = [color for color, _ in found]
    if sharp < _SHARE * total or gap(chosen, pixels.shape[2]) < APART:
        return None
    away = nearest(values, chosen)[1] > _NEAR
    around = cv2.dilate((area & ~away).astype(np.uint8), np.ones((_AROUND, _AROUND), np.uint8)) > 0
    far_off = np.count_nonzero(away & ~around) > _STRANGE * away.size
    return None if far_off or np.count_nonzero(away) > _CHANGED * away.size else chosen


def nearest(
    values: NDArray[np.uint8], keys: Sequence[int]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return which of ``keys`` is nearest to each pixel, (H, W), and how far it is, at most 255.

    Colours are looked up in steps of 4 a channel, which is little beside :data:`APART`.
    """
    channels = 1 if values.ndim == 2 else 3
    cell: NDArray[Any] = values
    met = np.arange(256)
    if channels == 1:
        shown = met[:, None]
    else:
        cell = values[..., 0].astype(np.int32) >> 2
        for channel in (1, 2):
            cell <<= 6
            cell |= values[..., channel] >> 2
        met = np.flatnonzero(np.bincount(cell.reshape(-1)))
        shown = (met[:, None] >> np.array([12, 6, 0]) & 63) * 4 + 1
    way = np.stack([_distance(shown, key) for key in _points(np.array(keys), channels)], axis=1)
    place, far = np.zeros((2, int(met[-1]) + 1), dtype=np.uint8)
    place[met], far[met] = way.argmin(axis=1), np.minimum(way.min(axis=1), 255)
    return place[cell], far[cell]


def snapped(values: NDArray[np.uint8], keys: Collection[int], path: Path) -> NDArray[np.uint8]:
    """Return the pixels with every one at the nearest of ``keys``, in the form that they came in.

    Raises ReadError where the keys are too close to each other, or areas have colours that are none
    of them.
    """
    channels = 1 if values.ndim == 2 else 3
    chosen = sorted(key for key in keys if 0 <= key < 256**channels)
    if gap(chosen, channels) < APART or len(chosen) > MOST:
        raise _refused(path, "values change where two areas meet, and lie too close to tell")
    place, far = nearest(values, chosen)
    away = far > _NEAR
    strange = max(16, _STRANGE * away.size)
    if np.count_nonzero(away) > strange:
        flat = away & _areas(values.reshape(*values.shape[:2], -1).astype(np.int16))
        if np.count_nonzero(flat) > strange:
            shown = _shown(values[tuple(np.argwhere(flat)[0])], channels)
            raise _refused(path, f"areas have colours that no class has, such as {shown}")
    if np.count_nonzero(away) > _CHANGED * away.size:
        raise _refused(path, "few of its pixels are in areas: it looks like a photograph")
    return _points(np.array(chosen), channels).astype(np.uint8)[place].reshape(values.shape)


def loss(values: NDArray[np.uint8], keys: Sequence[int]) -> Loss:
    """Return how far the pixels of a mask are from the nearest of ``keys``, in levels a channel."""
    channels = 1 if values.ndim == 2 else 3
    points = _points(np.array(keys), channels)
    place = nearest(values, keys)[0]
    way = np.abs(values.reshape(*place.shape, -1) - points.astype(np.int16)[place]).max(axis=-1)
    moved = way[way > LITTLE]
    return Loss(way.size, moved.size, int(moved.sum()), int(moved.max(initial=0)))


def gap(keys: Collection[int], channels: int) -> float:
    """Return how far apart the two closest of ``keys`` lie; infinite for fewer than two."""
    points = _points(np.array(sorted(keys), dtype=np.int64), channels)
    if len(points) < 2:
        return float("inf")
    between = np.sqrt(((points[:, None] - points) ** 2).sum(axis=2))
    return float(between[~np.eye(len(points), dtype=np.bool_)].min())


def ways(key: int, keys: Sequence[int], channels: int) -> NDArray[np.float64]:
    """Return how far ``key`` is from each of ``keys``, (N,)."""
    return _distance(_points(np.array(keys), channels), _points(np.array([key]), channels)[0])


def _is_echo(
    point: NDArray[np.int64], share: int, found: Sequence[tuple[int, int]], channels: int
) -> bool:
    """Return whether a colour is what JPEG leaves around one that is more frequent."""
    return any(
        share < _ECHO * other
        and _distance(point[None], _points(np.array([color]), channels)[0])[0] < APART
        for color, other in found
    )


def _areas(pixels: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Return (H, W): which pixels lie in areas of (H, W, C), with pixels almost the same around."""
    import cv2

    flat = np.ones(pixels.shape[:2], dtype=np.bool_)
    flat[:, :-1] &= (np.abs(pixels[:, 1:] - pixels[:, :-1]) <= _FLAT).all(axis=2)
    flat[:-1] &= (np.abs(pixels[1:] - pixels[:-1]) <= _FLAT).all(axis=2)
    return np.asarray(cv2.erode(flat.astype(np.uint8), _CORE) > 0)


def _bands(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return bands of rows of a large image, evenly over its height."""
    step = -(-pixels.shape[0] * pixels.shape[1] // _PIXELS)
    return pixels if step <= 1 else pixels[np.arange(len(pixels)) // _BAND % step == 0]


def _distance(points: NDArray[Any], point: NDArray[Any]) -> NDArray[np.float64]:
    """Return the length of the way from each of (N, C) to (C,)."""
    between = points.astype(np.float64) - point
    way: NDArray[np.float64] = np.sqrt(np.einsum("nc,nc->n", between, between))
    return way


def _packed(pixels: NDArray[np.int16]) -> NDArray[np.int64]:
    packed: NDArray[np.int64] = pixels.astype(np.int64) @ _WEIGHTS[-pixels.shape[1] :]
    return packed


def _points(values: NDArray[Any], channels: int) -> NDArray[np.int64]:
    """Return (N, C) of levels, or of colours 0xrrggbb."""
    wide = values.astype(np.int64)[:, None]
    return wide if channels == 1 else wide >> np.array([16, 8, 0]) & 255


def _shown(pixel: NDArray[np.uint8], channels: int) -> str:
    return str(int(pixel)) if channels == 1 else "#{:02x}{:02x}{:02x}".format(*pixel.tolist())


def _refused(path: Path, reason: str) -> ReadError:
    return ReadError(
        "a mask must be stored without loss, or be of few colours that lie far apart, but in this "
        f"file {reason}",
        code="bad-image",
        file=str(path),
        cure="make the masks again as PNG; maskforge inspect shows what is left of them",
    )
