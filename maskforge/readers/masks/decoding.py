"""From an example to its arrays: image upright, label image as class ids, both of one size."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

from maskforge.classes import ClassTable
from maskforge.errors import ClassError, MaskforgeError, ReadError
from maskforge.io import digests
from maskforge.io.onehot import OneHotFile
from maskforge.io.ownership import digest_of
from maskforge.raster.annotation import IGNORED, Decoding, MaskFile
from maskforge.raster.geometry import MAX_PIXELS
from maskforge.readers.masks import fitting, inspection, lossy
from maskforge.readers.masks import pixels as _pixels
from maskforge.readers.masks.dataset import Dataset, Example

LabelImage: TypeAlias = NDArray[Any]
"""Channels and the ignore index by channel, (H, W), uint8 or uint16 by their number."""


def load(example: Example, dataset: Dataset) -> tuple[NDArray[np.uint8], LabelImage]:
    """Return the image, uint8 (H, W, 3) in RGB, upright by EXIF, and its label image, (H, W).

    The label image holds the channels of ``dataset.classes``, and the ignore index of that table
    by channel, in its dtype. Raises ReadError and ClassError, which name the file.
    """
    image, header = _pixels.read_image(example.image, dataset.window)
    ids = read_label(example.label, dataset.classes)
    how = fitting.fit(header, ids.shape, example.label, example.image)
    return image, fitting.apply(how, ids, header)


def read_label(label: MaskFile, classes: ClassTable) -> LabelImage:
    """Return the label image as it is stored, (H, W), decoded to channels of ``classes``.

    Raises ReadError; ClassError for a pixel that the class table has no place for.
    """
    if label.decoding.form == "planes":
        return from_planes(read_planes(label, classes), classes, dict(label.decoding.table))
    return decode(read_values(label)[0], label, classes)


def read_values(label: MaskFile) -> _pixels.Pixels:
    """Return what a mask that is no planes holds; of one stored with loss, what it once held.

    Raises ReadError.
    """
    found = _pixels.read_mask(label.path, colors=label.decoding.form == "colors")
    if not found.lossy or (found.values.ndim == 3) != (label.decoding.form == "colors"):
        return found
    keys = [value for value, _ in label.decoding.table]
    return found._replace(values=lossy.snapped(found.values, keys, label.path))


def digest(mask: MaskFile) -> str:
    """Return the digest of a mask's file, or of its planes. Raises ReadError."""
    try:
        if not mask.key:
            return digest_of(mask.path).digest
        planes = _dictionary(mask.path, mask.path.stat().st_mtime_ns).raw(mask.key)
        return digests.digest(repr(planes.shape).encode() + planes.tobytes())
    except OSError as error:
        raise ReadError(
            f"the mask cannot be read: {error.strerror}", code="unreadable", file=str(mask)
        ) from error


def decode(values: NDArray[Any], label: MaskFile, classes: ClassTable) -> LabelImage:
    """Return the channels of ``values``: integers (H, W), or RGB (H, W, 3). Raises ClassError."""
    keys, ids = _table(label.decoding, classes)
    if label.decoding.form == "colors":
        return _from_colors(values, keys, ids, label, classes)
    if values.ndim != 2:
        raise ReadError(
            "the mask must hold one number a pixel, as the others of the set do, but is in colour",
            code="bad-image",
            file=str(label.path),
        )
    if values.dtype == classes.channels.dtype == np.uint8:
        known, table = _byte_tables(label.decoding, classes)
        # Methods of bytes: several times as fast as indexing with an array.
        data = values.tobytes()
        if data.translate(None, known):
            _refuse(values, ~np.isin(values, keys), label, classes)
        return np.frombuffer(bytearray(data.translate(table)), np.uint8).reshape(values.shape)
    place = np.minimum(np.searchsorted(keys, values), len(keys) - 1)
    wrong = keys[place] != values
    if wrong.any():
        _refuse(values, wrong, label, classes)
    return ids[place]


def read_planes(label: MaskFile, classes: ClassTable) -> NDArray[np.uint8]:
    """Return the planes, (H, W, C) of 0 and 1, of an entry of a one-hot dictionary.

    Raises ReadError; ClassError for another number of channels than there are classes.
    """
    try:
        file = _dictionary(label.path, label.path.stat().st_mtime_ns)
    except OSError as error:
        raise ReadError(
            f"the file cannot be read: {error}", code="unreadable", file=str(label.path)
        ) from error
    if label.key not in file:
        raise ReadError("the dictionary has no such image", file=str(label.path), place=label.key)
    shape, count = file.shape(label.key), len(label.decoding.table) or len(classes)
    if len(shape) != 3 or shape[2] != count or not 0 < shape[0] * shape[1] <= MAX_PIXELS:
        raise ClassError(
            f"planes must be (H, W, {count}), a channel for each class, but are {shape}",
            file=str(label.path),
            place=label.key,
            cure="use the class table that the file was made with",
        )
    return file[label.key]


def from_planes(
    planes: NDArray[np.uint8], classes: ClassTable, table: Mapping[int, int] | None = None
) -> LabelImage:
    """Return the channels (H, W) of planes (H, W, P); ignore where no plane is 1.

    Where several are, the lowest plane wins, as in an argmax. table: the channel of each plane, or
    IGNORED; where there is none, it is the plane's own number.
    """
    classes = classes.channels
    ids = np.full(planes.shape[:2], classes.ignore_index, dtype=classes.dtype)
    for plane in reversed(range(planes.shape[2])):
        channel = table[plane] if table else plane
        shown = classes.ignore_index if channel == IGNORED else channel
        ids[planes[..., plane] != 0] = shown
    return ids


@lru_cache(maxsize=4)
def _dictionary(path: Path, changed: int) -> OneHotFile:
    """Return an open dictionary, whose index costs a walk through it. ``changed``: when it was."""
    return OneHotFile(path)


def _from_colors(
    pixels: NDArray[Any],
    keys: NDArray[np.int64],
    ids: LabelImage,
    label: MaskFile,
    classes: ClassTable,
) -> LabelImage:
    packed = pack(pixels)
    flat = packed.reshape(-1)
    # Masks are areas: only where the colour changes does it have to be looked up.
    start = np.append(0, np.flatnonzero(flat[1:] != flat[:-1]) + 1)
    place = np.minimum(np.searchsorted(keys, flat[start]), len(keys) - 1)
    if (keys[place] != flat[start]).any():
        _refuse(packed, ~np.isin(packed, keys), label, classes)
    length = np.diff(np.append(start, flat.size))
    return np.repeat(ids[place], length).reshape(packed.shape)


def pack(pixels: NDArray[Any]) -> NDArray[np.int32]:
    """Return 0xrrggbb for the RGB triples of the last axis, uint8."""
    packed = pixels[..., 0].astype(np.int32)
    for channel in (1, 2):
        packed <<= 8
        packed |= pixels[..., channel]
    return packed


@lru_cache(maxsize=32)
def _table(decoding: Decoding, classes: ClassTable) -> tuple[NDArray[np.int64], LabelImage]:
    """Return what pixels hold, ascending, and the channel of each, (N,) both."""
    classes = classes.channels
    pairs = sorted(decoding.table)
    ids = [classes.ignore_index if i == IGNORED else i for _, i in pairs]
    return np.array([value for value, _ in pairs]), np.array(ids, dtype=classes.dtype)


@lru_cache(maxsize=32)
def _byte_tables(decoding: Decoding, classes: ClassTable) -> tuple[bytes, bytes]:
    """Return the bytes that have a class id, and the class id of each of the 256 bytes."""
    pairs = [(int(v), int(i)) for v, i in zip(*_table(decoding, classes), strict=True)]
    ids = {value: class_id for value, class_id in pairs if 0 <= value <= 255}
    return bytes(ids), bytes(ids.get(value, 0) for value in range(256))


def _refuse(
    values: NDArray[Any], wrong: NDArray[np.bool_], label: MaskFile, classes: ClassTable
) -> NoReturn:
    """Raise ClassError with the strange values, where the first one is, and the likely cause."""
    found, pixels = np.unique(values[wrong], return_counts=True)
    row, column = np.unravel_index(int(wrong.argmax()), wrong.shape)
    colored = label.decoding.form == "colors"
    shown = ", ".join(
        f"{f'#{value:06x}' if colored else value} ({count:,} px)"
        for value, count in zip(found[:6].tolist(), pixels[:6].tolist(), strict=True)
    )
    what = "colour" if colored else "value"
    raise ClassError(
        f"every pixel must have a {what} that stands for one of the {len(classes)} classes or "
        f"for ignore, but there is {shown}{' …' if len(found) > 6 else ''}",
        file=str(label.path),
        place=f"row {row}, column {column}",
        cure=likely_cause(label.path) or "name the classes with --labels, or a value with --ignore",
    )


def likely_cause(path: Path) -> str:
    """Return what is probably wrong with the mask ``path``, "" when nothing else strikes."""
    try:
        found = inspection.inspect(path).problems
    except MaskforgeError:
        return ""
    return "; ".join(f"{one.message}: {one.cure}" if one.cure else one.message for one in found)
