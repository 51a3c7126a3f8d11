"""Run-length encoding of masks as COCO and OCHuman store it, read.

A mask is read column by column; the counts are the lengths of its runs, by turns of False and
True, beginning with False (so the first count is 0 when the first pixel is True). The compressed
string writes the first three counts as they are and every later one as the difference from the
count two before it; each number in groups of five bits, lowest first, in two's complement, one
ASCII character from "0" on a group, with bit 0x20 set where another group follows.
The definition is ``common/maskApi.c`` of https://github.com/cocodataset/cocoapi
(``rleDecode``, ``rleFrString``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from maskforge.errors import GeometryError
from maskforge.raster import runs
from maskforge.raster.geometry import Bitmap
from maskforge.raster.runs import Ints

_MAX_GROUPS = 7  # 35 bits: more than any count, and far from overflowing 64


def bitmap(counts: str | bytes | Sequence[int], *, height: int, width: int) -> Bitmap:
    """Return the True pixels of a mask as the smallest bitmap that holds them.

    Time and memory go with the runs, not with the pixels. An empty mask gives a bitmap of no size.
    Raises GeometryError for counts that are malformed or do not sum up to height times width, and
    (code ``too-large``) for too many runs.
    """
    lengths = _lengths(counts, size=height * width)
    filled = lengths[1::2].nonzero()[0]
    if not len(filled):
        return Bitmap.of(np.zeros((0, 0), dtype=np.bool_))
    edges = lengths.cumsum()[: len(lengths) // 2 * 2]  # not the end of a last run of False
    left = int(edges[2 * filled[0]]) // height
    columns = (int(edges[2 * filled[-1] + 1]) - 1) // height + 1 - left
    found = runs.of_columns(edges - left * height, height=height, width=columns)
    top = int(found.start[0]) // columns
    rows = int(found.stop[-1] - 1) // columns + 1 - top
    start, stop = ((ends - top * columns).astype(np.int32) for ends in (found.start, found.stop))
    return Bitmap(start, stop, rows, columns, float(left), float(top))


def _lengths(counts: str | bytes | Sequence[int], *, size: int) -> Ints:
    if isinstance(counts, str | bytes):
        lengths = _from_string(counts)
    else:
        array = np.asarray(counts if len(counts) else [0])
        if array.ndim != 1 or array.dtype.kind not in "iu":
            raise GeometryError("the counts of an RLE must be one list of whole numbers")
        lengths = array.astype(np.int64)
    # As unsigned numbers negative ones are too large as well.
    if int(lengths.view(np.uint64).max()) > size or int(lengths.sum()) != size:
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
    if not data:
        return np.zeros(1, dtype=np.int64)
    groups = np.frombuffer(data, dtype=np.uint8) - np.uint8(48)  # what is below 48 becomes large
    if groups.max() > 0x3F or groups[-1] & 0x20:
        raise GeometryError(
            "the counts of an RLE must be characters from '0' to 'o' and whole numbers of them, "
            "but the string is damaged or cut off"
        )
    last = (groups < 0x20).nonzero()[0]
    size = last.copy()
    size[0] += 1
    size[1:] -= last[:-1]
    longest = int(size.max())
    if longest > _MAX_GROUPS:
        raise GeometryError(f"a count of an RLE must take at most {_MAX_GROUPS} characters")
    digits = (groups & 0x1F).astype(np.int64)
    values = (digits[last] ^ 0x10) - 0x10  # the highest group has the sign
    for place in range(1, longest):
        longer = (size > place).nonzero()[0]
        values[longer] = values[longer] << 5 | digits[last[longer] - place]
    # Each number from the fourth on is the difference from the one two before it.
    values[1::2] = values[1::2].cumsum()
    values[2::2] = values[2::2].cumsum()
    return values
