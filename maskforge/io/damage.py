"""What a power cut or a full disk leaves of a file, told from what a person makes of it."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

_NO_ZEROS = (".png", ".jpg", ".jpeg", ".json", ".jsonl", ".txt", ".csv")
"""Kinds that never end in zeros. A BMP that is black at the top does, as do small zip files."""


def is_cut(path: Path, size: int) -> bool:
    """Tell whether the file is what a power cut or a full disk leaves of one of ``size`` bytes.

    That is: empty, or with zeros at its end that none of its kind has, or begun as its kind is and
    shorter, without the end that its kind has. Nobody's work looks like that.
    """
    found = path.stat().st_size
    if found == 0:
        return size > 0
    with path.open("rb") as file:
        head = file.read(16)
        file.seek(max(0, found - 16))
        tail = file.read(16)
    suffix = path.suffix.lower()
    if found <= size and tail.endswith(b"\0" * min(4, found)) and suffix in _NO_ZEROS:
        return True
    if found >= size:
        return False
    if suffix == ".png":
        signature = b"\x89PNG\r\n\x1a\n"
        return head[:8] == signature[: len(head[:8])] and not tail.endswith(b"IEND\xaeB`\x82")
    if suffix in (".jpg", ".jpeg"):
        return head[:2] == b"\xff\xd8"[: len(head)] and not tail.endswith(b"\xff\xd9")
    if suffix == ".npy":
        return _is_cut_array(path, head, found)
    if suffix == ".json":
        return head[:1] in (b"{", b"[") and not tail.rstrip().endswith((b"}", b"]"))
    if suffix in (".pt", ".pt2"):
        return head[:2] == b"PK"[: len(head)] and not zipfile.is_zipfile(path)
    return False


def _is_cut_array(path: Path, head: bytes, found: int) -> bool:
    import numpy as np

    if head[:6] != b"\x93NUMPY"[: len(head)]:
        return False
    try:
        with path.open("rb") as file:
            read = {
                (1, 0): np.lib.format.read_array_header_1_0,
                (2, 0): np.lib.format.read_array_header_2_0,
            }[np.lib.format.read_magic(file)]
            shape, _, dtype = read(file)
            begin = file.tell()
            if dtype.hasobject:
                file.seek(found - 1)
                return file.read(1) != b"."  # the end of a pickle
    except (ValueError, KeyError, EOFError, struct.error):
        return True
    return found < begin + dtype.itemsize * int(np.prod(shape))
