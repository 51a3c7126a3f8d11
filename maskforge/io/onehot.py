"""One-hot dictionaries in a ``.npy`` file, image filename → 0/1 planes (H, W, C), read safely.

Such a file (Atienza: Advanced Deep Learning with Keras, chapter 12) is a pickle inside a .npy file,
and ``numpy.load(…, allow_pickle=True)`` runs whatever program a stranger put there. This reader
runs nothing, and it reads one array at a time, so memory does not grow with the file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from maskforge.errors import ReadError
from maskforge.io import unpickle

_HEADER = re.compile(rb"\{'descr': '\|O', 'fortran_order': (True|False), 'shape': \(\), \} *\n")


class OneHotFile(Mapping[str, NDArray[np.uint8]]):
    """A one-hot dictionary file as a mapping; arrays are read when asked for, each one afresh.

    Raises ReadError when the file is anything else than a dictionary of arrays.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        try:
            with open(self.path, "rb") as file:
                _skip_header(file)
                self._arrays = unpickle.arrays(file, size=os.fstat(file.fileno()).st_size)
        except OSError as error:
            raise ReadError(
                f"the file cannot be read: {error}", code="unreadable", file=str(path)
            ) from error
        except ReadError as error:
            error.file = str(path)
            raise

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __getitem__(self, name: str) -> NDArray[np.uint8]:
        """Return the planes of one image, uint8 (H, W, C) of 0 and 1; writeable, not shared.

        Raises ReadError when the array stored under ``name`` holds something else.
        """
        array = self.raw(name)
        if array.ndim != 3 or not ((array == 0) | (array == 1)).all():
            raise ReadError(
                f"planes must be 0 or 1, (H, W, C), but got {array.dtype} {array.shape}"
                + (f" from {array.min()} to {array.max()}" if array.size else ""),
                file=str(self.path),
                place=name,
            )
        return array.astype(np.uint8, copy=False)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of the array stored under ``name``, without reading it."""
        return self._arrays[name].shape

    def raw(self, name: str) -> NDArray[np.generic]:
        """Return the array stored under ``name`` as it is, whatever it holds."""
        entry = self._arrays[name]
        if not isinstance(entry.data, unpickle.Blob) or entry.dtype is None:
            raise TypeError(f"{name!r} must be an array of numbers")  # _unpickle.arrays sees to it
        dtype = np.dtype(entry.dtype.order + entry.dtype.code)
        count = entry.data.size // dtype.itemsize
        flat = np.fromfile(self.path, dtype=dtype, count=count, offset=entry.data.offset)
        if len(flat) != count:
            raise ReadError("the file has become shorter", code="unreadable", file=str(self.path))
        return flat.reshape(entry.shape, order="F" if entry.fortran else "C")


def read_onehot(path: str | os.PathLike[str]) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Yield image filename and planes, uint8 (H, W, C), one image at a time. Raises ReadError."""
    yield from OneHotFile(path).items()


def is_onehot(path: str | os.PathLike[str]) -> bool:
    """Return whether the file begins as a .npy file of one Python object does."""
    try:
        with open(path, "rb") as file:
            _skip_header(file)
    except ReadError:
        return False
    return True


def _skip_header(file: BinaryIO) -> None:
    """Pass over the .npy header, which must be that of a single Python object."""
    start = file.read(8)
    width = 2 if start[6:7] == b"\x01" else 4
    size = int.from_bytes(file.read(width), "little")
    header = file.read(size) if size <= 65536 else b""
    if start[:6] != b"\x93NUMPY" or not _HEADER.fullmatch(header):
        raise ReadError(
            "the file must be a .npy file of a dictionary, as numpy.save writes it",
            code="wrong-format",
        )
