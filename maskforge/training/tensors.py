"""State dicts and whatever torch saved, read as tensors, numbers and text: no code in them runs."""

from __future__ import annotations

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
        _check_stored(file)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd but readable files; what they hold is checked
            return torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise
    except UnpicklingError as error:  # its text tells how to run the code of a stranger
        reason = "it is damaged, or holds more than tensors, numbers and text"
        raise ValueError(reason) from error
    except _FAILURES as error:
        reason = str(error).partition("\n")[0][:200] or "it is empty or cut off"
        raise ValueError(reason) from error


def _check_stored(file: Path) -> None:
    """Raise ValueError for a zip that holds more than its size: torch never compresses."""
    if not zipfile.is_zipfile(file):
        return
    with zipfile.ZipFile(file) as archive:
        held = sum(entry.file_size for entry in archive.infolist())
    if held > file.stat().st_size:
        raise ValueError(f"its parts must be stored as they are, but claim {held} bytes")
