"""JSON files to typed values: fast when the file is sound, forgiving where it can be, located.

A sound file is decoded straight into ``msgspec`` structs, which skip what nobody asked for. Only
when that fails are the defects of real files tried, one after the other: a byte order mark or
UTF-16, GB18030 and cp1252 text, and the tokens NaN and Infinity, which JSON does not have.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from maskforge.errors import MaskforgeError, ReadError

T = TypeVar("T")

MAX_BYTES = 1 << 29
"""The largest annotation file that is read into memory: 512 MiB."""

# Opening a pipe would wait for its writer; Windows would change the ends of lines.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)

_MAX_DEPTH = 8
_TOKEN = re.compile(rb'"([^"\\]*(?:\\.[^"\\]*)*)(?:"|\\?\Z)|[][{}:,]', re.DOTALL)
# A string (ended or not, so that a missing quote cannot make this quadratic) or a foreign token.
_STRING_OR_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|NaN|-?Infinity', re.DOTALL)
# The double-byte characters of GB18030; Chinese text seldom has an ASCII byte as the second one.
_GB_PAIR = re.compile(rb"[\x81-\xfe][\x40-\xfe]")
_WORDS = {
    "array": "a list",
    "bool": "true or false",
    "float": "a number",
    "int": "a whole number",
    "object": "an object",
    "str": "text",
}


@contextmanager
def opened(path: Path) -> Iterator[tuple[int, os.stat_result]]:
    """Open the regular file ``path`` for reading: its descriptor and what the system says of it.

    Raises ReadError: ``unreadable`` when it cannot be opened or read.
    """
    try:
        descriptor = os.open(path, _FLAGS)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise ReadError("must be a file, but is not", code="unreadable", file=str(path))
            yield descriptor, status
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        if isinstance(error, MaskforgeError | UnicodeError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise ReadError(f"cannot be read: {reason}", code="unreadable", file=str(path)) from error


def read_bytes(path: Path, *, limit: int = MAX_BYTES) -> bytes:
    """Return the bytes of the regular file ``path``.

    Raises ReadError: ``unreadable`` when it cannot be opened, ``too-large`` beyond ``limit`` bytes.
    """
    with opened(path) as (descriptor, status):
        if status.st_size > limit:
            raise ReadError(
                f"must be at most {limit} bytes, but has {status.st_size}",
                code="too-large",
                file=str(path),
            )
        data = os.read(descriptor, status.st_size)
        while len(data) < status.st_size and (more := os.read(descriptor, status.st_size)):
            data += more  # a system may hand large files out in parts
        return data


def load(data: bytes | msgspec.Raw, into: type[T], *, file: str, place: str = "") -> T:
    """Return the JSON document ``data`` as an ``into``; of duplicate keys the last one wins.

    ``place`` is where in the file ``data`` stands, when it is only a part of it.

    ``into`` is anything msgspec decodes: a Struct, a list, a dict. Fields of type ``msgspec.Raw``
    are views of ``data``, not copies. A NaN or an infinity is an error only where it is used.

    Raises ReadError, with ``file`` in it: ``bad-field`` for a field that is missing or of the
    wrong type, its place written like ``shapes[3].points[0]``; ``not-json`` for anything that is
    no JSON document, its place a line and a column; ``unreadable`` for bytes that are no text.
    """
    try:
        return msgspec.json.decode(data, type=into)
    except (ValueError, RecursionError):  # all that msgspec raises
        pass
    try:
        return _load_defective(utf8(bytes(data), file=file), into, file=file)
    except ReadError as error:
        if place:
            inner = error.place
            joint = "." if inner and not inner.startswith("[") else ""
            error.place = f"{place}{joint}{inner}"
        raise


def pixels(value: float | None, *, file: str, place: str) -> int | None:
    """Return ``value``, an image's declared height or width; a whole number may be a float.

    Raises ReadError when it is no whole number from 1.
    """
    if value is None:
        return None
    if value != int(value) or value < 1:
        raise ReadError(
            f"must be a whole number of pixels from 1, but got {value}", file=file, place=place
        )
    return int(value)


def outline(head: bytes) -> Iterator[str]:
    """Yield the keys in the first bytes of a JSON document as they come, each with its place.

    ``{"images": [{"id": 1`` yields ``images`` and ``images[].id``. The bytes may be cut anywhere;
    what is no JSON yields nothing sensible, and nothing is raised. Keys deeper than eight levels
    end it.
    """
    encoding = json.detect_encoding(head)
    if encoding != "utf-8":
        head = head.decode(encoding, errors="ignore").encode()
    opened: list[str] = []
    here, text = "", b""
    for token in _TOKEN.finditer(head):
        match token.group()[:1]:
            case b'"':
                text = token.group(1)
            case b":" if opened:
                here = f"{opened[-1]}.{text.decode(errors='replace')}".removeprefix(".")
                yield here
            case b",":
                here = opened[-1] if opened else ""
            case b"{" | b"[" as bracket:
                here += "[]" if bracket == b"[" else ""
                opened.append(here)
                if len(opened) > _MAX_DEPTH:
                    return
            case b"}" | b"]" if opened:
                opened.pop()


def is_whole(data: bytes) -> bool:
    """Tell whether ``data`` is a complete JSON document, or was cut off."""
    try:
        msgspec.json.decode(data, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _load_defective(data: bytes, into: type[T], *, file: str) -> T:
    """Decode UTF-8 bytes once more; then, if that may be the cause, without NaN and Infinity."""
    try:
        try:
            return msgspec.json.decode(data, type=into)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            data = _STRING_OR_TOKEN.sub(_out_of_range, data)
            return msgspec.json.decode(data, type=into)
    except msgspec.ValidationError as error:
        raise _bad_field(error, file=file) from error
    except msgspec.DecodeError as error:
        raise _not_json(error, data, file=file) from error
    except RecursionError as error:
        raise ReadError(
            "must not be nested hundreds of levels deep", code="not-json", file=file
        ) from error


def _out_of_range(match: re.Match[bytes]) -> bytes:
    # A number no float can hold: refused with its place where it is used, skipped where it is not.
    found = match.group()
    return found if found.startswith(b'"') else b"1e999"


def utf8(data: bytes, *, file: str) -> bytes:
    """Return the text in ``data`` as UTF-8 without a byte order mark."""
    encoding: str = json.detect_encoding(data)
    if encoding == "utf-8":
        try:
            data.decode(encoding)
            return data
        except UnicodeDecodeError:
            encoding = _legacy_encoding(data)
    try:
        return data.decode(encoding).encode()
    except UnicodeError as error:
        raise ReadError(
            f"must be text in UTF-8, UTF-16, GB18030 or cp1252, but is none ({error})",
            code="unreadable",
            file=file,
        ) from error


def _legacy_encoding(data: bytes) -> str:
    """Tell GB18030 from cp1252, in which "für" would be a valid Chinese character, too."""
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return "cp1252"
    seconds = [pair[1] for pair in _GB_PAIR.findall(data)]
    high = sum(second >= 0x80 for second in seconds)
    return "gb18030" if 2 * high >= len(seconds) else "cp1252"


def _not_json(error: msgspec.DecodeError, data: bytes, *, file: str) -> ReadError:
    text = str(error)
    offset = re.search(r" \(byte (\d+)\)$", text)
    end = int(offset.group(1)) if offset else len(data)
    line = data.count(b"\n", 0, end) + 1
    column = len(data[data.rfind(b"\n", 0, end) + 1 : end].decode(errors="replace")) + 1
    if not data.strip():
        why = "but the file is empty"
    elif not offset:
        why = "but the file ends in the middle: it is truncated"
    else:
        reason = text[: offset.start()].removeprefix("JSON is malformed: ")
        why = f"but there is: {reason}"
    return ReadError(
        f"must be one complete JSON document, {why}",
        code="not-json",
        file=file,
        place=f"line {line}, column {column}",
    )


def _bad_field(error: msgspec.ValidationError, *, file: str) -> ReadError:
    what, _, where = str(error).partition(" - at `$")
    place = where.rstrip("`").lstrip(".")
    if expected := re.fullmatch(r"Expected `(.+)`, got `(.+)`", what):
        message = f"must be {_words(expected[1])}, but got {_words(expected[2])}"
    elif missing := re.fullmatch(r"Object missing required field `(.+)`", what):
        message = f"must have the field {missing[1]!r}, but has not"
    elif "out of range" in what:
        message = "must be a finite number, but got NaN, an infinity or more than a float holds"
    else:
        message = what[:1].lower() + what[1:]
    return ReadError(message, code="bad-field", file=file, place=place)


def _words(types: str) -> str:
    return " or ".join(_WORDS.get(name, name) for name in types.split(" | "))
