"""State dicts and whatever torch saved, read as tensors, numbers and text: no code in them runs."""

from __future__ import annotations

import mmap
import stat
import struct
import warnings
import zipfile
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

_FAILURES = (
    *(OSError, EOFError, RuntimeError, ValueError, LookupError, TypeError, AttributeError),
    *(AssertionError, ArithmeticError, struct.error, zipfile.BadZipFile),
)
"""What torch raises for files that are damaged or none of its own, besides UnpicklingError."""


def read(file: Path) -> Any:
    """Return what is in ``file``, its tensors in the CPU's memory.

    Raises ValueError, in one line, where torch cannot read it so; FileNotFoundError.
    """
    try:
        if not stat.S_ISREG(file.stat().st_mode):  # a pipe would keep us waiting
            raise ValueError("it is a folder, pipe or device")
        _check_stored(file)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd but readable files; what they hold is checked
            return torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise
    except UnpicklingError as error:  # its text tells how to run the code of a stranger
        reason = "it is damaged, or holds more than tensors, numbers and text"
        raise ValueError(reason) from error
    except MemoryError as error:
        raise ValueError("it takes more memory than there is") from error
    except _FAILURES as error:
        reason = str(error).partition("\n")[0][:200] or "it is empty or cut off"
        raise ValueError(reason) from error


def _check_stored(file: Path) -> None:
    """Raise ValueError for what takes more memory than the file has bytes.

    A zip whose parts are compressed, which torch never writes; and the name of a function that
    torch lets a file call, and whose argument says how much memory it takes.
    """
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
        held = sum(entry.file_size for entry in entries)
        packed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
        if packed or held > file.stat().st_size:
            raise ValueError(f"its parts must be stored as they are, but claim {held} bytes")
    with file.open("rb") as opened:
        if not opened.seek(0, 2):
            return
        with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if content.find(b"\nbytearray\n") >= 0:
                raise ValueError("it holds more than tensors, numbers and text")
