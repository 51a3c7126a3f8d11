"""Where a run, predictions and scores go where nobody says: folders in ``runs/``, numbered."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

RUNS = "runs"


def place(name: str, *, newest: bool = False) -> Path:
    """Return ``runs/NAME``, or the first of ``runs/NAME-2``, ``runs/NAME-3`` … that is free.

    newest: the last of them that stands instead, ``runs/NAME`` where there is none.
    """
    numbered = (Path(RUNS, name if n == 1 else f"{name}-{n}") for n in itertools.count(1))
    stands = None
    while not _is_free(path := next(numbered)):
        stands = path
    return stands if newest and stands is not None else path


def _is_free(path: Path) -> bool:
    """Tell whether nothing is there, or a folder with no more than what a cut off run left."""
    try:
        return all(name.startswith(".maskforge-") for name in os.listdir(path))
    except FileNotFoundError:
        return True
    except OSError:
        return False
