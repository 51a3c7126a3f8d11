"""Pictures to bytes and values to JSON, the same bytes every time."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from PIL import Image

UPRIGHT_IS_TURNED_RIGHT = 6
"""EXIF orientation: to be seen upright, the stored picture must be turned by 90° to the right."""


def jpeg(picture: Image.Image, *, orientation: int | None = None) -> bytes:
    """Return ``picture`` as a JPEG file."""
    buffer = io.BytesIO()
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    picture.save(buffer, "JPEG", quality=88, optimize=True, exif=exif)
    return buffer.getvalue()


def png(picture: Image.Image) -> bytes:
    """Return ``picture`` as a PNG file."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def put(path: Path, content: bytes) -> None:
    """Write ``content``, with the folders it needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def put_json(
    path: Path, value: dict[str, Any], *, indent: int | None, ascii_only: bool = True
) -> None:
    """Write ``value`` as JSON, spaced as json.dump or, with no indent, as a browser spaces it."""
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only, separators=separators)
    put(path, text.encode("utf-8"))
