"""Memory that one step frees is taken again by the next one; the system need not see it between."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# malloc.h of the GNU C library; where thresholds are left to themselves they grow to these values.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4
_USUAL = {_MMAP_MAX: 65536, _MMAP_THRESHOLD: 1 << 25, _TRIM_THRESHOLD: 1 << 26}
_KEEP = {_MMAP_MAX: 0, _TRIM_THRESHOLD: 2**31 - 1}


@contextmanager
def kept() -> Iterator[None]:
    """Have glibc keep what is freed in here; at the end it goes back to the system.

    Else it fetches every large array from the system and gives it back, page by page: a quarter of
    a step of 8 images of 480x360 on a CPU. The peak is higher by as much as the pieces are apart.
    Elsewhere than on glibc nothing is different.
    """
    libc = _glibc()
    if libc is None:
        yield
        return
    _set(libc, _KEEP)
    try:
        yield
    finally:
        _set(libc, _USUAL)
        libc.malloc_trim(0)


def _glibc() -> Any:
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    return libc if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim") else None


def _set(libc: Any, options: dict[int, int]) -> None:
    for option, value in options.items():
        libc.mallopt(option, value)
