"""The way to the part that needs torch: loaded when a command runs, with the cure when missing."""

from __future__ import annotations

import importlib
from types import ModuleType

from maskforge.errors import UsageError


def load(name: str) -> ModuleType:
    """Return the module ``maskforge.train.<name>``. Raises UsageError where torch is missing."""
    try:
        importlib.import_module("torch")
    except ImportError as error:
        raise UsageError(
            f"this command needs torch ({error})", cure='pip install "maskforge[train]"'
        ) from error
    return importlib.import_module(f"maskforge.train.{name}")
