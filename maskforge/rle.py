"""Run-length encoding of masks as COCO and OCHuman store it.

A mask is read column by column; the counts are the lengths of its runs, by turns of False and
True, beginning with False (so the first count is 0 when the first pixel is True). The compressed
string writes the first three counts as they are and every later one as the difference from the
count two before it; each number in groups of five bits, lowest first, in two's complement, one
ASCII character from "0" on a group, with bit 0x20 set where another group follows.
The definition is ``common/maskApi.c`` of https://github.com/cocodataset/cocoapi
(``rleEncode``, ``rleDecode``, ``rleToString``, ``rleFrString``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maskforge.errors import GeometryError
from maskforge.runs import Ints

_MAX_GROUPS = 7  # 35 bits: more than any count, and far from overflowing 64


def encode(mask: NDArray[np.bool_]) -> str:
    """Return ``mask``, bool (H, W), as a compressed string."""
    values = counts(mask)
    values[3:] -= values[1:-2].copy()
    groups = np.empty((len(values), _MAX_GROUPS), dtype=np.uint8)
    used = np.zeros(groups.shape, dtype=np.bool_)
    more = np.ones(len(values), dtype=np.bool_)
    for index in range(_MAX_GROUPS):
        group = values & 0x1F
        values >>= 5
        used[:, index] = more
        # Done when all that is left is the sign, and bit 0x10 of this group already shows it.
        more = more & (values != -(group >> 4))
        groups[:, index] = group + 48 + 0x20 * more
        if not more.any():
            break
    return groups[used].tobytes().decode("ascii")


def counts(mask: NDArray[np.bool_]) -> Ints:
    """Return ``mask``, bool (H, W), as the list of its run lengths, int64."""
    if mask.dtype != np.bool_ or mask.ndim != 2:
        raise ValueError(f"mask must be bool (H, W), but got {mask.dtype} {mask.shape}")
    flat = mask.ravel(order="F")
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    edges = np.concatenate(([0], changes, [flat.size]))
    lengths = np.diff(edges).astype(np.int64)
    return np.concatenate(([0], lengths)) if flat.size and flat[0] else lengths


def decode(counts: str | bytes | Sequence[int], *, height: int, width: int) -> NDArray[np.bool_]:
    """Return the mask, bool (height, width), of a compressed string or of a list of run lengths.

    Raises GeometryError when ``counts`` is malformed or does not sum up to height times width.
    """
    lengths = _lengths(counts, size=height * width)
    values = np.arange(len(lengths)) % 2 == 1
    return np.repeat(values, lengths).reshape(width, height).T


def decode_window(
    counts: str | bytes | Sequence[int], *, height: int, width: int
) -> tuple[NDArray[np.bool_], int, int]:
    """Return ``(mask, x, y)``: the smallest window that holds every True pixel, and its corner.

    Memory and time go with the window, not with the image. The window of an empty mask is (0, 0)
    in shape. Raises as :func:`decode` does.
    """
    lengths = _lengths(counts, size=height * width)
    stops = np.cumsum(lengths)
    starts, stops = (stops - lengths)[1::2], stops[1::2]
    filled = stops > starts
    starts, stops = starts[filled], stops[filled]
    if not len(starts):
        return np.zeros((0, 0), dtype=np.bool_), 0, 0
    first, last = starts // height, (stops - 1) // height
    left, right = int(first[0]), int(last[-1]) + 1
    if (first == last).all():
        top = int((starts - first * height).min())
        bottom = int((stops - last * height).max())
    else:  # a run that goes on in the next column touches the last row and the first
        top, bottom = 0, height
    rows = bottom - top
    starts = (first - left) * rows + starts - first * height - top
    stops = (last - left) * rows + stops - last * height - top
    edges = np.concatenate(([0], np.stack((starts, stops), axis=1).ravel()))
    edges = np.append(edges, (right - left) * rows)
    values = np.arange(len(edges) - 1) % 2 == 1
    return np.repeat(values, np.diff(edges)).reshape(right - left, rows).T, left, top


def _lengths(counts: str | bytes | Sequence[int], *, size: int) -> Ints:
    if isinstance(counts, str | bytes):
        lengths = _from_string(counts)
    else:
        array = np.asarray(counts if len(counts) else [0])
        if array.ndim != 1 or array.dtype.kind not in "iu":
            raise GeometryError("the counts of an RLE must be one list of whole numbers")
        lengths = array.astype(np.int64)
    if (lengths < 0).any() or (lengths > size).any() or int(lengths.sum()) != size:
        raise GeometryError(
            f"the counts of an RLE must be 0 or more and sum up to height times width, {size}, "
            f"but their sum is {int(lengths.sum())} and the least one {lengths.min()}"
        )
    return lengths


def _from_string(text: str | bytes) -> Ints:
    try:
        data = text.encode("ascii") if isinstance(text, str) else text
    except UnicodeEncodeError as error:
        raise GeometryError("the counts of an RLE must be ASCII text") from error
    groups = np.frombuffer(data, dtype=np.uint8).astype(np.int64) - 48
    if not len(groups):
        return np.zeros(1, dtype=np.int64)
    if groups.min() < 0 or groups.max() > 0x3F or groups[-1] & 0x20:
        raise GeometryError(
            "the counts of an RLE must be characters from '0' to 'o' and whole numbers of them, "
            "but the string is damaged or cut off"
        )
    last = np.flatnonzero(groups & 0x20 == 0)
    first = np.concatenate(([0], last[:-1] + 1))
    if int((last - first).max()) >= _MAX_GROUPS:
        raise GeometryError(f"a count of an RLE must take at most {_MAX_GROUPS} characters")
    shift = 5 * (np.arange(len(groups)) - np.repeat(first, last - first + 1))
    values = np.add.reduceat((groups & 0x1F) << shift, first)
    negative = groups[last] & 0x10 != 0
    values[negative] -= 1 << (shift[last][negative] + 5)
    # Each number from the fourth on is the difference from the one two before it.
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return values
