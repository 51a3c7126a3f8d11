"""Run-length encoding of masks as COCO and OCHuman store it, read and written.

A mask is read column by column; the counts are the lengths of its runs, by turns of False and
True, beginning with False (so the first count is 0 when the first pixel is True). The compressed
string writes the first three counts as they are and every later one as the difference from the
count two before it; each number in groups of five bits, lowest first, in two's complement, one
ASCII character from "0" on a group, with bit 0x20 set where another group follows.
The definition is ``common/maskApi.c`` of https://github.com/cocodataset/cocoapi
(``rleDecode``, ``rleFrString``, ``rleToString``).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from maskforge.errors import GeometryError
from maskforge.raster import runs
from maskforge.raster.geometry import Bitmap
from maskforge.raster.regions import in_rows
from maskforge.raster.runs import Ints, Runs, ascending, changes, check

_MAX_GROUPS = 7  # 35 bits: more than any count, and far from overflowing 64

BATCH = 1 << 20
"""Changes down the columns worked out at once, if no region has more; bounds memory."""


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


def encode(runs: Runs, count: int, *, height: int, width: int) -> list[str]:
    """Return the compressed counts of the regions 0 … count-1 of an image, the string of each.

    Raises GeometryError (code ``too-large``) for a region of too many runs.
    """
    strings: list[str] = []
    for region, lengths in _counted(runs, count, height=height, width=width):
        first = changes(region).nonzero()[0]
        text, begin = _to_string(lengths, np.arange(len(region)) - first[region - region[0]])
        strings += [text[i:j] for i, j in itertools.pairwise([*begin[first].tolist(), len(text)])]
    return strings


def counts(runs: Runs, count: int, *, height: int, width: int) -> list[list[int]]:
    """Return the counts of the regions 0 … count-1 of an image, as numbers.

    Raises GeometryError (code ``too-large``) for a region of too many runs.
    """
    whole: list[list[int]] = []
    for region, lengths in _counted(runs, count, height=height, width=width):
        cuts = [*changes(region).nonzero()[0].tolist(), len(region)]
        numbers = lengths.tolist()
        whole += [numbers[i:j] for i, j in itertools.pairwise(cuts)]
    return whole


def _counted(runs: Runs, count: int, *, height: int, width: int) -> Iterator[tuple[Ints, Ints]]:
    """Yield region and length of each count, some regions at a time; each region has a count."""
    # Down the columns pixels change where a row differs from the one above it. On the line between
    # two rows the ends of the runs above and below, sorted, are by turns where they begin to differ
    # and where they cease to.
    runs = in_rows(runs, width=width)
    size = height * width
    x_bits, y_bits, bits = (n.bit_length() for n in (width, height, size))  # cheaper than division
    row = runs.start // width
    line = (runs.region << y_bits | row) << x_bits
    line -= row * width
    key = np.concatenate([line + runs.start, line + runs.stop])
    key = np.concatenate([key, key + (1 << x_bits)])
    key.sort(kind="stable")  # four ascending stretches, which it merges
    first, length = key[0::2], key[1::2] - key[0::2]
    first, length = first[length > 0], length[length > 0]
    region = first >> x_bits + y_bits
    line = first >> x_bits & (1 << y_bits) - 1
    first &= (1 << x_bits) - 1
    ends = np.searchsorted(region, np.arange(count), side="right")
    total = np.append(0, length.cumsum())
    done = total[ends]  # changes up to the end of each region
    begin = 0
    while begin < count:
        before = int(done[begin - 1]) if begin else 0
        end = max(begin + 1, int(np.searchsorted(done, before + BATCH, side="right")))
        check(int(done[end - 1] - before) // 2)
        here = slice(int(ends[begin - 1]) if begin else 0, int(ends[end - 1]))
        many = length[here]
        column = (first[here] - total[here]).repeat(many)
        column += np.arange(before, before + len(column))
        owner = (region[here] - begin).repeat(many)
        place = (owner + begin << bits) + column * height + line[here].repeat(many)
        # Lines ascend already; what is below the last one is the end of a column, or of all.
        changed = place.take(ascending(owner << x_bits | column))
        changed = changed[changed & (1 << bits) - 1 < size]
        # Where one column ends as the next one begins nothing changes: two at one place cancel.
        twin = changed[1:] == changed[:-1]
        kept = np.ones(len(changed), dtype=np.bool_)
        kept[1:] &= ~twin
        kept[:-1] &= ~twin
        bounds = np.arange(begin, end) << bits
        edges = np.concatenate([bounds, changed[kept], bounds + size])
        edges.sort(kind="stable")
        number = edges >> bits
        inner = number[1:] == number[:-1]
        yield number[1:][inner], np.diff(edges)[inner]
        begin = end


def _to_string(lengths: Ints, place: Ints) -> tuple[str, Ints]:
    """Return the characters of ``lengths``, and where those of each begin.

    place: of each among the counts of its region.
    """
    values = lengths.copy()
    later = (place > 2).nonzero()[0]
    values[later] -= lengths[later - 2]
    size = np.ones(len(values), dtype=np.int64)
    rest = np.where(values < 0, ~values, values) >> 4  # the first group has the sign and four bits
    while rest.any():
        size += rest > 0
        rest >>= 5
    ends = size.cumsum()
    begin = ends - size
    data = np.empty(int(ends[-1]), dtype=np.uint8)
    for group in range(int(size.max())):
        more = (size > group).nonzero()[0]
        characters = values[more] >> 5 * group & 0x1F
        characters |= (size[more] > group + 1) << 5
        data[begin[more] + group] = characters + 48
    return data.tobytes().decode("ascii"), begin
