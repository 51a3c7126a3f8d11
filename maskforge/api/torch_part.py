"""The way to what needs torch: loaded when it is used, with the cure where torch is missing."""

from __future__ import annotations

import importlib
import os
from types import ModuleType

from maskforge import extras
from maskforge.errors import UsageError


def load(name: str) -> ModuleType:
    """Return the module ``maskforge.training.<name>``. Raises UsageError where torch is missing."""
    # Threads that wait for each other must not take the cores from those that load images.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        importlib.import_module("torch")
    except ImportError as error:
        raise UsageError(f"this needs torch ({error})", cure=extras.install("train")) from error
    return importlib.import_module(f"maskforge.training.{name}")
