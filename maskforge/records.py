"""What the manifest says of each image, as JSON until somebody asks: a fifth of the memory."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, overload

import msgspec


def to_json(value: object, *, indent: int = -1) -> bytes:
    """Return JSON in UTF-8, escaped where a name is no text that UTF-8 could hold.

    indent: spaces a level; on one line without it.
    """
    try:
        text = msgspec.json.encode(value)
    except UnicodeEncodeError:
        if indent >= 0:
            return json.dumps(value, indent=indent).encode()
        text = json.dumps(value, separators=(",", ":")).encode()
    return text if indent < 0 else msgspec.json.format(text, indent=indent)


def from_json(line: bytes) -> Any:
    """Return what :func:`to_json` wrote. Raises ValueError for what is no JSON."""
    try:
        return _decode(line)
    except ValueError:
        return json.loads(line)  # which takes half a surrogate pair as well


def parsed(line: bytes) -> Any:
    """Return what a line holds, None where it is no JSON: it was cut or edited."""
    try:
        return from_json(line)
    except ValueError:
        return None


_decode = msgspec.json.Decoder().decode


class Records(Sequence[dict[str, Any]]):
    """A sequence of records; each one that is taken out is a dictionary of its own."""

    def __init__(self, records: Iterable[Mapping[str, Any]] = ()) -> None:
        self.lines: list[bytes] = [to_json(record) for record in records]

    def append(self, record: Mapping[str, Any]) -> None:
        """Add a record at the end."""
        self.lines.append(to_json(record))

    def __setitem__(self, index: int, record: Mapping[str, Any]) -> None:
        self.lines[index] = to_json(record)

    def __len__(self) -> int:
        return len(self.lines)

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, index: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        if isinstance(index, slice):
            return [from_json(line) for line in self.lines[index]]
        found: dict[str, Any] = from_json(self.lines[index])
        return found
