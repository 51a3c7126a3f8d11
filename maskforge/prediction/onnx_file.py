"""An .onnx file as bytes and what it says of itself, checked before any runtime sees it.

The file is a protocol buffer (https://protobuf.dev/programming-guides/encoding), the message
ModelProto of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. Tensors in it may name other
files, or addresses in memory, that a runtime would then read; no file from us does, so one that
does is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from maskforge.errors import ReadError
from maskforge.prediction.metadata import CURE

MESSAGES: dict[str, dict[int, str]] = {
    "ModelProto": {7: "GraphProto", 20: "TrainingInfoProto", 25: "FunctionProto"},
    "TrainingInfoProto": {1: "GraphProto", 2: "GraphProto"},
    "FunctionProto": {7: "NodeProto", 11: "AttributeProto"},
    "GraphProto": {1: "NodeProto", 5: "TensorProto", 15: "SparseTensorProto"},
    "NodeProto": {5: "AttributeProto"},
    "AttributeProto": {
        5: "TensorProto",
        6: "GraphProto",
        10: "TensorProto",
        11: "GraphProto",
        22: "SparseTensorProto",
        23: "SparseTensorProto",
    },
    "SparseTensorProto": {1: "TensorProto", 2: "TensorProto"},
    "TensorProto": {},
}
"""By message and number of the field: the messages on the way to a tensor."""

MOST_BYTES = 2**31
"""No protocol buffer may be larger."""

MOST_FIELDS = 2_000_000
"""Networks have thousands; the bytes of a tensor are one field."""

MOST_TEXT = 2**24
"""Bytes of an entry of the metadata."""

_METADATA = 14  # of ModelProto: entries of a key, 1, and a value, 2
_EXTERNAL = (13, 14)  # of TensorProto: where its values are, and that they are there

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class OnnxFile(NamedTuple):
    """The whole file, and its metadata."""

    data: bytes
    metadata: dict[str, str]


class _Field(NamedTuple):
    number: int
    kind: int
    start: int
    end: int
    value: int


def read(path: Path) -> OnnxFile:
    """Return the .onnx file ``path``. Raises ReadError for what is none or names other files."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ReadError(
            f"the network cannot be read: {error.strerror}", code="unreadable", file=str(path)
        ) from error
    try:
        if len(data) > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES} bytes")
        return OnnxFile(data, _metadata(data))
    except (ValueError, IndexError) as error:
        raise ReadError(
            f"the file must be a whole ONNX model that needs no other file, but: {error}",
            code="wrong-format",
            file=str(path),
            cure=CURE,
        ) from error


def _metadata(data: bytes) -> dict[str, str]:
    """Return the metadata of a model. Raises ValueError, IndexError for what cannot be one."""
    metadata: dict[str, str] = {}
    waiting = [("ModelProto", 0, len(data))]  # a list of our own: nesting cannot exhaust the stack
    count = 0
    while waiting:
        message, start, end = waiting.pop()
        for field in _fields(data, start, end):
            count += 1
            if count > MOST_FIELDS:
                raise ValueError(f"it has more than {MOST_FIELDS} fields")
            if message == "TensorProto" and field.number in _EXTERNAL and field.value:
                raise ValueError("a tensor lies outside the file")
            if field.kind != _BYTES:
                continue
            if message == "ModelProto" and field.number == _METADATA:
                if field.end - field.start > MOST_TEXT:
                    raise ValueError(f"its metadata have more than {MOST_TEXT} bytes")
                texts = {
                    f.number: data[f.start : f.end].decode()
                    for f in _fields(data, field.start, field.end)
                    if f.kind == _BYTES and f.number in (1, 2)
                }
                metadata[texts.get(1, "")] = texts.get(2, "")
            elif field.number in MESSAGES[message]:
                waiting.append((MESSAGES[message][field.number], field.start, field.end))
    return metadata


def _fields(data: bytes, start: int, end: int) -> Iterator[_Field]:
    """Yield the fields of the message in ``data[start:end]``; ``value`` is a varint's or a size."""
    while start < end:
        tag, start = _varint(data, start)
        number, kind, value = tag >> 3, tag & 7, 0
        if not 0 < tag < 2**32 or not number:
            raise ValueError(f"byte {start} begins no field")
        if kind == _VARINT:
            value, after = _varint(data, start)
        elif kind == _BYTES:
            value, start = _varint(data, start)
            after = start + value
        elif kind in (_FIXED64, _FIXED32):
            after = start + (8 if kind == _FIXED64 else 4)
        else:
            raise ValueError(f"byte {start} begins no field")
        if after > end:
            raise ValueError("it is cut off")
        yield _Field(number, kind, start, after, value)
        start = after


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number at ``at``, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at += 1
        if byte < 128:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError(f"byte {at} is in no number")
