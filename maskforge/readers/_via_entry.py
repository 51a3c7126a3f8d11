"""What VIA's five containers have in common: images, their regions still as VIA wrote them.

Coordinates and embedded images stay undecoded views of the file until their image's turn comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from maskforge.errors import Problem, ReadError
from maskforge.readers._names import shorten

ABSENT = msgspec.Raw(b"null")
"""The undecoded value of a field that is not there."""


@dataclass(frozen=True, slots=True)
class RawRegion:
    """One region: where it stands, its shape with VIA 2's field names as JSON, its attributes."""

    place: str
    shape: msgspec.Raw
    attributes: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Entry:
    """One image of a VIA file.

    prefix: what makes a region's place complete, such as ``_via_img_metadata["a.jpg12"].``.
    content: everything the file says about the image, for its digest.
    references: other places where the image may be, as the file gives them (URL or path).
    embedded: a JSON string with the image in base64 or as a data URL.
    problems: warnings met on the way. key: what the file knows the image by.
    """

    filename: str
    place: str
    prefix: str
    regions: tuple[RawRegion, ...]
    content: tuple[msgspec.Raw, ...]
    references: tuple[str, ...] = ()
    embedded: msgspec.Raw | None = None
    problems: tuple[Problem, ...] = ()
    key: str = ""


@dataclass(frozen=True, slots=True)
class Project:
    """A whole VIA file: its images, and for each declared region attribute {option id: text}.

    images: to be gone through as often as one likes; it may decode them anew each time.
    """

    images: Iterable[Entry | Problem]
    attributes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def place_of(where: str, key: str) -> str:
    """Return the place of the member ``key`` of the object at ``where``, of bounded length."""
    return f'{where}["{shorten(key)}"]'


def problem_at(error: ReadError, place: str, *, file: str) -> Problem:
    """Return ``error``, whose place is relative to ``place``, as a problem of ``file``."""
    if error.code == "not-json":  # a line and a column would be taken for those of the file
        return Problem(error.code, file, f"{error.message}, {error.place} of it", place, error.cure)
    dot = "." if place and error.place and not error.place.startswith("[") else ""
    return Problem(error.code, file, error.message, f"{place}{dot}{error.place}", error.cure)


def kind(value: object) -> str:
    """Return what a JSON value is, in the words of JSON and short enough for a message."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return f"an array of {len(value)}"
    # Python refuses to write integers of thousands of digits.
    if isinstance(value, int) and value.bit_length() > 256:
        return "a huge integer"
    return shorten(repr(value))
