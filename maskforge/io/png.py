"""PNG files of label images, from runs or from arrays: fast, small, and the same bytes everywhere.

Written by the PNG specification (W3C, third edition). Rows are not filtered: what a label image
shows is runs of equal ids, which filters only break up.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from maskforge.io import deflate
from maskforge.raster.runs import Ints

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _RGB, _PALETTE = 0, 2, 3


def encode_runs(
    start: Ints,
    value: Ints,
    *,
    colors: NDArray[np.uint8] | NDArray[np.uint16],
    height: int,
    width: int,
    palette: NDArray[np.uint8] | None = None,
    text: Mapping[str, str] | None = None,
) -> bytes:
    """Return the PNG file of an image (height, width) that consists of runs of equal pixels.

    start: (N,) flat index of the first pixel of each run, ascending from 0; a run goes on to the
    next one. value: (N,) row of ``colors`` by run. colors: what a pixel holds, uint8 (K,) for an
    8-bit image, uint16 (K,) for a 16-bit one, uint8 (K, 3) for RGB. palette: uint8 (up to 256, 3),
    RGB, makes an 8-bit image a palette image. text: keys and texts that the file carries.
    """
    pixels, depth, color_type = _form(colors, palette)
    stream = deflate.compress(start, value, colors=pixels, height=height, width=width)
    return _assemble(
        stream, depth, color_type, height=height, width=width, palette=palette, text=text
    )


def encode(
    array: NDArray[np.uint8] | NDArray[np.uint16],
    *,
    palette: NDArray[np.uint8] | None = None,
    text: Mapping[str, str] | None = None,
) -> bytes:
    """Return the PNG file of uint8 (H, W), uint16 (H, W) or uint8 (H, W, 3) RGB.

    palette, text: as for :func:`encode_runs`. Meant for label images; photographs come out large.
    """
    if array.ndim not in (2, 3) or array.size == 0:
        raise ValueError(f"array must be (H, W) or (H, W, 3), not empty, but got {array.shape}")
    height, width = array.shape[:2]
    flat = array.reshape(height * width, *array.shape[2:])
    changed = flat[1:] != flat[:-1]
    start = np.append(0, np.flatnonzero(changed if array.ndim == 2 else changed.any(axis=1)) + 1)
    colors, value = np.unique(flat[start], axis=0, return_inverse=True)
    return encode_runs(
        start,
        value.reshape(-1).astype(np.int64),
        colors=colors,
        height=height,
        width=width,
        palette=palette,
        text=text,
    )


def _form(
    colors: NDArray[np.uint8] | NDArray[np.uint16], palette: NDArray[np.uint8] | None
) -> tuple[NDArray[np.uint8], int, int]:
    """Return the bytes of a pixel by colour (K, B), bits a sample, and the colour type."""
    if palette is not None:
        if colors.ndim != 1 or colors.dtype != np.uint8:
            raise ValueError(
                f"a palette image must be uint8 (H, W), but got {colors.dtype} {colors.shape}"
            )
        if palette.ndim != 2 or palette.shape[1] != 3 or not 1 <= len(palette) <= 256:
            raise ValueError(f"palette must be (1 to 256, 3), but got {palette.shape}")
        return colors[:, None].view(np.uint8), 8, _PALETTE
    if colors.ndim == 1 and colors.dtype == np.uint16:
        return colors.astype(">u2").view(np.uint8).reshape(-1, 2), 16, _GREY
    if colors.dtype != np.uint8 or not (colors.ndim == 1 or colors.shape[1:] == (3,)):
        raise ValueError(
            f"pixels must be uint8, uint16 or uint8 RGB, but got {colors.dtype} {colors.shape[1:]}"
        )
    pixels = colors.reshape(len(colors), -1).view(np.uint8)
    return pixels, 8, _GREY if colors.ndim == 1 else _RGB


def _assemble(
    stream: bytes,
    depth: int,
    color_type: int,
    *,
    height: int,
    width: int,
    palette: NDArray[np.uint8] | None,
    text: Mapping[str, str] | None,
) -> bytes:
    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    parts = [SIGNATURE, _chunk(b"IHDR", size + bytes([depth, color_type, 0, 0, 0]))]
    if palette is not None:
        parts.append(_chunk(b"PLTE", palette.astype(np.uint8).tobytes()))
    parts += [_text(key, value) for key, value in (text or {}).items()]
    return b"".join([*parts, _chunk(b"IDAT", stream), _chunk(b"IEND", b"")])


def _chunk(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(body, zlib.crc32(kind))
    return b"".join([len(body).to_bytes(4, "big"), kind, body, checksum.to_bytes(4, "big")])


@lru_cache(maxsize=16)  # all images of a run carry the same texts
def _text(key: str, text: str) -> bytes:
    """Return a tEXt chunk, which holds Latin-1, or an iTXt chunk, which holds the rest, not NUL."""
    text = text.replace("\0", "\ufffd")
    try:
        return _chunk(b"tEXt", key.encode("latin-1") + b"\0" + text.encode("latin-1"))
    except UnicodeEncodeError:
        # A lone surrogate cannot be UTF-8; a question mark in a comment harms nobody.
        body = text.encode("utf-8", "replace")
        return _chunk(b"iTXt", key.encode("latin-1") + b"\0\0\0\0\0" + body)
