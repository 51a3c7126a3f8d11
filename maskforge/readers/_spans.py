"""Where the members of a JSON document's lists stand, found without decoding the document.

A file of any size is gone through once, a window at a time, so that memory does not grow with it.
Only brackets and quotes are looked at here: what stands between a member's brackets is checked when
it is decoded, by whoever asked for it.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskforge.errors import ReadError

WINDOW = 1 << 22
"""Bytes that are looked at together, where no member is longer."""

MOST = 1 << 25
"""Bytes that a member may have, about: 32 MiB."""

_KINDS = np.zeros(256, dtype=np.int8)
_QUOTE = 2
_KINDS[ord('"')] = _QUOTE
_KINDS[list(b"[{")] = 1
_KINDS[list(b"]}")] = -1
_TEXT = re.compile(rb'"([^"\\]*(?:\\.[^"\\]*)*)"', re.DOTALL)
_BETWEEN = b", \t\r\n"


class TornError(Exception):
    """Raised for what is not one whole JSON object."""


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """Some members of a list, in order: ``data[start[i]:stop[i]]``, which is at ``offset`` there.

    key: the list's, at the top of the document. first: the number of the first of these members.
    """

    key: str
    first: int
    data: bytes
    offset: int
    start: NDArray[np.int64]
    stop: NDArray[np.int64]

    @property
    def joined(self) -> bytes:
        """All of them as a list by itself, with what stands between them."""
        return b"[%b]" % self.data[int(self.start[0]) : int(self.stop[-1])]

    def one_by_one(self) -> Iterator[tuple[str, bytes]]:
        """Yield each with its place. Raises ReadError where something else stands between them."""
        before = int(self.start[0])
        spans = zip(self.start.tolist(), self.stop.tolist(), strict=True)
        for number, (start, stop) in enumerate(spans, start=self.first):
            if stranger := self.data[before:start].strip(_BETWEEN):
                shown = stranger[:40].decode(errors="replace")
                raise ReadError(
                    f"must be a list of objects, but before [{number}] there is {shown}",
                    place=self.key,
                )
            yield f"{self.key}[{number}]", self.data[start:stop]
            before = stop


def members(read: Callable[[int], bytes], wanted: Collection[str]) -> Iterator[Members]:
    """Yield the members of the lists whose keys are ``wanted``, in the order of the document.

    read: the next bytes of it, at most so many, b"" at the end; they are UTF-8. Members are objects
    or lists.

    Raises TornError for what is not one whole object, UnicodeDecodeError for other text, ReadError
    (without a file) for a list that is none or has other members, and for a member that is too
    long. Damage inside of members is not seen.
    """
    scan, text = _Scan(wanted), codecs.getincrementaldecoder("utf-8")()
    data, offset, size = b"", 0, WINDOW
    while more := read(size):
        text.decode(more)
        data += more
        found, done = scan.look(data, offset)
        yield from found
        if done:
            data, offset, size = data[done:], offset + done, WINDOW
        elif len(data) > MOST:
            raise ReadError(
                f"must be at most {MOST} bytes", code="too-large", place=scan.place or "$"
            )
        else:
            size = len(data)
    text.decode(b"", final=True)
    if not scan.ended or data.strip():
        raise TornError


class _Scan:
    """How far one has come: how many brackets are open, which list that is, members so far."""

    def __init__(self, wanted: Collection[str]) -> None:
        self.wanted = wanted
        self.depth = 0
        self.ended = False
        self.key: str | None = None
        self.count = 0

    @property
    def place(self) -> str:
        return f"{self.key}[{self.count}]" if self.key else ""

    def look(self, data: bytes, offset: int) -> tuple[list[Members], int]:
        """Return the members that are whole in ``data``, and how many bytes are done with.

        Those end behind the last bracket that is no member's inside, so outside of any text.
        """
        places, steps = _brackets(data)
        depths = np.cumsum(steps) + self.depth
        outside = np.flatnonzero(depths <= 2)
        if not len(outside):
            return [], 0
        many = int(outside[-1]) + 1
        places, steps, depths = places[:many], steps[:many], depths[:many]
        if self.ended or depths.min() < 0 or (depths[:-1] == 0).any():
            raise TornError
        if self.depth == 0:
            self._open_document(data, int(places[0]))
        found: list[Members] = []
        edges = np.flatnonzero((depths < 2) | ((depths == 2) & (steps > 0))).tolist()
        since, begin = 0, 0
        for edge in [*edges, many]:
            end = int(places[edge]) if edge < many else int(places[-1]) + 1
            if self.key is not None:
                part = slice(since, edge)
                found += self._members(data, offset, begin, end, places[part], depths[part])
            if edge < many:
                is_list = depths[edge] == 2
                self.key = self._key(data[begin:end], data[end]) if is_list else None
                self.count = 0
            since, begin = edge + 1, end + 1
        self.depth = int(depths[-1])
        self.ended = self.depth == 0
        return found, int(places[-1]) + 1

    def _open_document(self, data: bytes, first: int) -> None:
        if data[:first].removeprefix(codecs.BOM_UTF8).strip():
            raise TornError
        if data[first : first + 1] != b"{":
            raise ReadError(
                "must be an object with images and annotations, but is a list, as results of a "
                "detector are",
                code="wrong-format",
                cure="give the file that lists the images",
            )

    def _key(self, before: bytes, bracket: int) -> str | None:
        """Return the key of what opens here, where it is wanted."""
        named = None
        for text in _TEXT.finditer(before):  # to search for the last one would be quadratic
            named = text
        if named is None or before[named.end() :].strip() != b":":
            raise TornError
        try:
            key = str(json.loads(b'"%b"' % named[1]))
        except ValueError as error:
            raise TornError from error
        if key not in self.wanted:
            return None
        if bracket != ord("["):
            raise ReadError("must be a list, but got an object", place=key)
        return key

    def _members(
        self,
        data: bytes,
        offset: int,
        begin: int,
        end: int,
        places: NDArray[np.int64],
        depths: NDArray[np.int64],
    ) -> list[Members]:
        """Return the members between two brackets, of which ``places`` are what is inside."""
        edges = places[_outermost(depths)]
        start, stop = edges[::2], edges[1::2] + 1
        first, last = (int(start[0]), int(stop[-1])) if len(start) else (end, end)
        if data[begin:first].strip(_BETWEEN) or data[last:end].strip(_BETWEEN):
            raise ReadError("must be a list of objects", place=str(self.key))
        if not len(start):
            return []
        found = Members(str(self.key), self.count, data, offset, start, stop)
        self.count += len(start)
        return [found]


def _outermost(depths: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which brackets are those of members: where depth comes to 3, or back to 2."""
    return np.asarray(np.maximum(depths, np.append(2, depths[:-1])) == 3)


def _brackets(data: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where brackets are that are in no text, and 1 for each that opens, -1 for the others.

    ``data`` begins outside of texts.
    """
    kinds = _KINDS[np.frombuffer(data, dtype=np.uint8)]
    places = np.flatnonzero(kinds)
    kinds = kinds[places]
    quotes = kinds == _QUOTE
    if b'\\"' in data:
        quotes[_escaped(data, places, quotes)] = False
    in_text = np.cumsum(quotes) % 2 == 1
    counted = ~(in_text | (kinds == _QUOTE))
    return places[counted], kinds[counted].astype(np.int64)


def _escaped(
    data: bytes, places: NDArray[np.int64], quotes: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return which of ``places`` are quotes behind an odd number of backslashes."""
    found = np.flatnonzero(quotes)
    found = found[places[found] > 0]
    before = np.frombuffer(data, dtype=np.uint8)[places[found] - 1]
    found = found[before == ord("\\")]
    odd = []
    for index in found.tolist():
        place = begin = int(places[index])
        while begin and data[begin - 1] == ord("\\"):
            begin -= 1
        if (place - begin) % 2:
            odd.append(index)
    return np.array(odd, dtype=np.int64)
