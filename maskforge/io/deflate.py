"""Deflate for images that are known as runs of equal pixels, without ever touching the pixels.

A label image of two million pixels is some twenty thousand runs. In the stream that PNG compresses
(a filter byte 0 before each row, no filtering) a run is one pixel written out and copies of it, so
the compressed stream (RFC 1950, RFC 1951) follows from the runs alone: literals, matches at the
distance of one pixel, one Huffman code for all (a ready one where there is little to compress, as
making one takes longer than all else), and the checksum as a sum over runs.
The bytes depend on the pixels only, on no library version and on no platform.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskforge.raster.runs import Ints, changes

_LONGEST = 258
"""The longest match."""

_END = 256
_ADLER = 65521
_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)  # RFC 1951, 3.2.7

_LIMIT = 11
"""Longest code in bits. A piece is at most a filter byte, three literals, and a match with five
extra bits and one for its distance: 5 * 11 + 6 bits, so that each fits into one 64-bit word."""


class _Bits(NamedTuple):
    """Bit strings: the lowest ``size`` bits of ``value``, the first one lowest; (N,) uint64."""

    value: NDArray[np.uint64]
    size: NDArray[np.uint64]

    def then(self, other: _Bits) -> _Bits:
        """Return each string followed by the other's."""
        return _Bits(self.value | other.value << self.size, self.size + other.size)

    def at(self, index: Ints) -> _Bits:
        """Return the strings at ``index``."""
        return _Bits(self.value[index], self.size[index])

    def only(self, where: NDArray[np.bool_]) -> _Bits:
        """Return the strings ``where`` true, empty ones elsewhere."""
        return _Bits(self.value * where, self.size * where)


def _match_codes() -> tuple[Ints, _Bits]:
    """Return symbol and extra bits by match length 0 … 258; 0 … 2 mean nothing (3.2.5)."""
    symbol = np.zeros(_LONGEST + 1, dtype=np.int64)
    extra = _Bits(*np.zeros((2, _LONGEST + 1), dtype=np.uint64))
    length = 3
    for code in range(257, 285):
        bits = max(0, (code - 261) // 4)
        for offset in range(min(1 << bits, _LONGEST - length)):
            symbol[length + offset] = code
            extra.value[length + offset] = offset
            extra.size[length + offset] = bits
        length += 1 << bits
    symbol[_LONGEST] = 285
    return symbol, extra


_SYMBOL, _EXTRA = _match_codes()


_FEW = 6000
"""With fewer pieces than this a ready code is taken: making one would take longer than all else."""

_TYPICAL = (*[1] * 257, *[60] * 8, *[100] * 4, *[140] * 4, *[200] * 4, *[270] * 4, *[270] * 4, 2300)
"""How often the end and match lengths occur, of 10,000 symbols of usual label images."""

_LITERALS = 4500
"""How often literals do; half of them are background."""


class _Tables(NamedTuple):
    """What is written, in one Huffman code, for the pixels of one colour table.

    header: what announces the code. opening: a filter byte. literals: those that begin a piece, by
    kind (see :func:`compress`). match: by its length. end: of the stream.
    """

    header: _Bits
    opening: _Bits
    literals: _Bits
    match: _Bits
    end: _Bits


class _Pieces(NamedTuple):
    """Stretches of equal pixels in the stream, in order, (N,) each.

    color: row of the colour table. begin, size: first byte in the stream, and number of bytes.
    filtered: whether a filter byte comes just before it that no other piece has taken in.
    """

    color: Ints
    begin: Ints
    size: Ints
    filtered: NDArray[np.bool_]


def compress(
    start: Ints, color: Ints, *, colors: NDArray[np.uint8], height: int, width: int
) -> bytes:
    """Return the zlib stream of the unfiltered rows of an image (height, width).

    start: (N,) flat index of the first pixel of each run, ascending from 0; a run goes on to the
    next one. color: (N,) row of ``colors``. colors: (K, B) bytes of a pixel, B 1, 2 or 3.
    """
    depth = colors.shape[1]
    pieces = _pieces(start, color, colors, height=height, width=width)
    # After one pixel: matches of 258 bytes, and for the rest one match or one or two literals.
    rest = pieces.size - depth
    whole = rest // _LONGEST  # numpy.divmod takes three times as long
    rest -= whole * _LONGEST
    kind = pieces.color * 3 + rest * (rest < 3)
    if len(rest) < _FEW:
        tables = _ready_tables(colors.tobytes(), depth)
    else:
        words = _words(colors)
        frequency = _frequency(np.bincount(kind, minlength=3 * len(colors)).reshape(-1, 3), words)
        frequency[0] += np.count_nonzero(pieces.filtered)
        matches = np.bincount(rest, minlength=_LONGEST + 1)
        matches[:3] = 0
        matches[_LONGEST] += whole.sum()
        frequency += np.bincount(_SYMBOL, matches, minlength=len(frequency)).astype(np.int64)
        tables = _tables(frequency.tolist(), words)
    body = tables.literals.at(kind).then(tables.match.at(rest))
    if pieces.filtered.any():
        body = tables.opening.only(pieces.filtered).then(body)
    stream = _lay_out(tables, body, whole)
    checksum = _adler32(pieces, colors, total=height * (width * depth + 1))
    return b"\x78\x01" + stream + checksum.to_bytes(4, "big")


@lru_cache(maxsize=32)
def _ready_tables(values: bytes, depth: int) -> _Tables:
    """Return the tables of usual label images with colours ``values``, ``depth`` bytes each."""
    frequency = list(_TYPICAL)
    for value in set(values):
        frequency[value] = _LITERALS // len(set(values))
    frequency[0] += _LITERALS // 2
    return _tables(frequency, _words(np.frombuffer(values, np.uint8).reshape(-1, depth)))


def _words(colors: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return for each colour a pixel and the two literals that may follow it, (K, B + 2)."""
    depth = colors.shape[1]
    return colors[:, np.arange(depth + 2) % depth]


def _tables(frequency: Sequence[int], words: NDArray[np.uint8]) -> _Tables:
    """Return the best code for symbols of this frequency, matches at distance of one pixel."""
    depth = words.shape[1] - 2
    lengths = _code_lengths(frequency, limit=_LIMIT)
    code = _codes(lengths)
    distance = _Bits(*np.array([[0], [1]], dtype=np.uint64))
    match = code.at(_SYMBOL).then(_EXTRA).then(distance).only(np.arange(_LONGEST + 1) >= 3)
    header = _Bits(*np.array(_header(lengths, depth=depth), dtype=np.uint64).T)
    opening, end = (code.at(np.array([symbol])) for symbol in (0, _END))
    return _Tables(header, opening, _literals(words, code), match, end)


def _pieces(
    start: Ints, color: Ints, colors: NDArray[np.uint8], *, height: int, width: int
) -> _Pieces:
    """Cut the runs at the ends of rows, but let zero bytes take in the filter bytes they touch."""
    depth = colors.shape[1]
    zero: NDArray[np.bool_] = colors.max(axis=1) == 0
    change = changes(color).nonzero()[0]
    start, color = start.take(change), color.take(change)
    row = start // width
    left = row * width
    empty = zero[color]
    stop = _followed(start, height * width)
    if ((stop > left + width) & ~empty).any():
        parts = np.where(empty, 1, (stop - 1) // width - row + 1)
        index = np.arange(len(parts)).repeat(parts)
        row = np.arange(len(index)) - (parts.cumsum() - parts - row)[index]
        left = row * width
        start, color, empty = np.maximum(start[index], left), color[index], empty[index]
    opens = start == left
    begin = start * depth + row + ~(opens & empty)
    filtered = opens & ~empty
    filtered[1:] &= ~empty[:-1]
    end = _followed(begin - filtered, height * (width * depth + 1))
    return _Pieces(color, begin, end - begin, filtered)


def _followed(values: Ints, last: int) -> Ints:
    """Return the value after each value, ``last`` after the last one."""
    following = np.empty_like(values)
    following[:-1] = values[1:]
    following[-1] = last
    return following


def _frequency(counts: Ints, words: NDArray[np.uint8]) -> Ints:
    """Return how often each symbol occurs, matches left out, (286,); counts: (K, 3) by kind."""
    frequency = np.zeros(286, dtype=np.int64)
    frequency[_END] = 1
    totals = [counts.sum(axis=1)] * (words.shape[1] - 2) + [counts[:, 1:].sum(axis=1), counts[:, 2]]
    for column, total in zip(words.T, totals, strict=True):
        np.add.at(frequency, column, total)
    return frequency


def _literals(words: NDArray[np.uint8], code: _Bits) -> _Bits:
    """Return the literals that begin a piece of each kind, (3 K,)."""
    *pixel, first, second = map(_Bits, *(part[words].T for part in code))
    bits = pixel[0]
    for literal in pixel[1:]:
        bits = bits.then(literal)
    one = bits.then(first)
    kinds = (bits, one, one.then(second))
    return _Bits(*(np.array(part).T.ravel() for part in zip(*kinds, strict=True)))


def _code_lengths(frequency: Sequence[int], *, limit: int) -> list[int]:
    """Return the length in bits of each symbol's Huffman code, 0 for one that does not occur.

    Where the best code is longer than ``limit``, frequencies are evened out until it fits.
    """
    while True:
        heap: list[tuple[int, int, tuple[int, ...]]] = [
            (count, symbol, (symbol,)) for symbol, count in enumerate(frequency) if count
        ]
        heapq.heapify(heap)
        lengths = [0] * len(frequency)
        while len(heap) > 1:
            low, high = heapq.heappop(heap), heapq.heappop(heap)
            members = low[2] + high[2]
            for symbol in members:
                lengths[symbol] += 1
            heapq.heappush(heap, (low[0] + high[0], low[1], members))
        if max(lengths) <= limit:
            return lengths
        frequency = [(count + 1) // 2 for count in frequency]


def _codes(lengths: Sequence[int]) -> _Bits:
    """Return the canonical code of each symbol (3.2.2), first bit lowest."""
    values, code, previous = [0] * len(lengths), 0, 0
    for length, symbol in sorted((n, s) for s, n in enumerate(lengths) if n):
        code <<= length - previous
        values[symbol] = int(f"{code:0{length}b}"[::-1], 2)
        code, previous = code + 1, length
    return _Bits(np.array(values, dtype=np.uint64), np.array(lengths, dtype=np.uint64))


def _header(lengths: Sequence[int], *, depth: int) -> list[tuple[int, int]]:
    """Return the (value, count) of the bit strings that describe the one and last block (3.2.7)."""
    used = max(symbol for symbol, length in enumerate(lengths) if length) + 1
    tokens: list[tuple[int, int, int]] = []  # symbol, extra bits, number of extra bits
    for length, same in itertools.groupby(lengths[:used]):
        count = len(list(same))
        while length == 0 and count >= 3:
            step = min(count, 138)
            tokens.append((17, step - 3, 3) if step <= 10 else (18, step - 11, 7))
            count -= step
        tokens += [(length, 0, 0)] * count
    # Of the distances 1, 2 … only ``depth`` is used; its code has one bit.
    tokens += [(0, 0, 0)] * (depth - 1) + [(1, 0, 0)]
    sizes = _code_lengths(np.bincount([t[0] for t in tokens], minlength=19).tolist(), limit=7)
    code = _codes(sizes)
    sent = max(index for index, symbol in enumerate(_ORDER) if sizes[symbol]) + 1
    bits = [(1, 1), (2, 2), (used - 257, 5), (depth - 1, 5), (sent - 4, 4)]
    bits += [(sizes[symbol], 3) for symbol in _ORDER[:sent]]
    for symbol, extra, count in tokens:
        bits += [(int(code.value[symbol]), sizes[symbol]), (extra, count)]
    return bits


def _lay_out(tables: _Tables, body: _Bits, whole: Ints) -> bytes:
    """Return header, each of ``body`` with ``whole`` longest matches after it, end, as bytes."""
    header, end = tables.header, tables.end
    length = tables.match.size[_LONGEST].astype(np.int64)
    value = np.concatenate([header.value, body.value, end.value])
    sizes = np.concatenate([header.size, body.size, end.size]).view(np.int64)
    sizes[len(header.size) : -1] += whole * length
    offset = sizes.cumsum()
    total = int(offset[-1])
    offset -= sizes
    many = (whole > 0).nonzero()[0]
    if len(many):
        times = whole[many]
        ends = times.cumsum()
        first = offset[many + len(header.size)] + body.size[many].view(np.int64)
        more = (first - (ends - times) * length).repeat(times) + np.arange(ends[-1]) * length
        offset = np.concatenate([offset, more])
        value = np.concatenate([value, tables.match.value[_LONGEST:].repeat(len(more))])

    words = np.zeros(total // 64 + 2, dtype=np.uint64)
    index, shift = offset >> 6, (offset & 63).view(np.uint64)
    # The strings do not overlap, so that adding them is the same as setting their bits.
    np.add.at(words, index, value << shift)
    np.add.at(words, index + 1, value >> np.uint64(1) >> np.uint64(63) - shift)
    return words.astype("<u8", copy=False).tobytes()[: -(-total // 8)]


def _adler32(pieces: _Pieces, colors: NDArray[np.uint8], *, total: int) -> int:
    """Return the checksum of the stream (RFC 1950, section 8.2) as sums over the pieces."""
    depth = colors.shape[1]
    begin, pixels = pieces.begin, pieces.size
    if depth > 1:
        pixels = pixels // depth  # zero bytes may not be whole pixels, but they add nothing
    # Byte i of n counts n - i times; along a run this is an arithmetic series.
    weight = pixels * (total - begin) - depth * (pixels * (pixels - 1) >> 1)
    if total >= 2**27:  # else the sum stays below 255 * total**2, which int64 holds
        weight %= _ADLER
    value = colors.sum(axis=1, dtype=np.int64).take(pieces.color)
    plain, weighted = 1 + int(pixels @ value), total + int(weight @ value)
    if depth > 1:  # the later bytes of a pixel count less
        weighted -= int(pixels @ (colors @ np.arange(depth)).take(pieces.color))
    return weighted % _ADLER << 16 | plain % _ADLER
