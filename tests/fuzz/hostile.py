"""Hostile inputs made by hand: each function writes one, or returns its bytes."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SQUARE = [[5, 5], [40, 5], [40, 30], [5, 30]]


def labelme(
    path: Path,
    shapes: Sequence[dict[str, Any]] = ({"label": "dog", "points": SQUARE},),
    *,
    height: int | None = 60,
    width: int | None = 80,
    image: str = "x.jpg",
    data: str | None = None,
) -> Path:
    """Write a Labelme file."""
    document = {"shapes": list(shapes), "imagePath": image, "imageData": data}
    document |= {"imageHeight": height, "imageWidth": width}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path


def ochuman(path: Path, names: Sequence[str]) -> Path:
    """Write an ochuman.json with one person on each image."""
    person = {"segms": {"outer": [[1, 1, 9, 1, 9, 15]]}, "keypoints": [1]}
    images = [{"file_name": n, "height": 20, "width": 30, "annotations": [person]} for n in names]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"images": images}))
    return path


def via(path: Path, names: Sequence[str], *, label: object = "dog") -> Path:
    """Write VIA 2 annotations with one rectangle on each image."""
    shape = {"name": "rect", "x": 1, "y": 1, "width": 3, "height": 2}
    region = {"shape_attributes": shape, "region_attributes": {"label": label}}
    document = {
        f"{name}{index}": {
            "filename": name,
            "size": index,
            "regions": [region],
            "file_attributes": {},
        }
        for index, name in enumerate(names)
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path


def png_bomb(side: int, *, channels: int = 3) -> bytes:
    """Return a PNG of ``side`` x ``side`` black pixels, a thousandth of that in bytes."""
    row = zlib.compressobj(9)
    block = row.compress(bytes(1 << 20)) + row.flush(zlib.Z_FULL_FLUSH)
    # A block that ends in a full flush stands for itself: the stream is made without compressing.
    start, repeat = block[:2], block[2:]
    size = side * (side * channels + 1)
    stream = start + repeat * (size // (1 << 20) + 1) + b"\x03\x00" + bytes(4)
    header = struct.pack(">IIBBBBB", side, side, 8, {1: 0, 3: 2}[channels], 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", stream)
        + _chunk(b"IEND", b"")
    )


def jpeg_bomb() -> bytes:
    """Return a JPEG that says it is 65500 x 65500 pixels and holds next to none."""
    frame = (
        b"\xff\xc0\x00\x11\x08"
        + struct.pack(">HH", 65500, 65500)
        + b"\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01"
    )
    return (
        b"\xff\xd8"
        + frame
        + b"\xff\xda\x00\x0c\x03\x01\x00\x02\x11\x03\x11\x00\x3f\x00"
        + bytes(40)
        + b"\xff\xd9"
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def large_polygon(path: Path, *, points: int) -> Path:
    """Write a Labelme file with one polygon of very many points that zigzags over the image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    some = ",".join(f"[{i % 500}.5,{i * 7919 % 500}]" for i in range(5000))
    with path.open("w") as file:
        file.write('{"imagePath":"x.jpg","imageData":null,"imageHeight":500,"imageWidth":500,')
        file.write('"shapes":[{"label":"dog","points":[')
        for _ in range(points // 5000 - 1):
            file.write(some + ",")
        file.write(some + "]}]}")
    return path
