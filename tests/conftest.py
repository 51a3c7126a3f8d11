"""What all tests share: how hypothesis searches, and a way to ``strategies``."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Test modules are imported by path (importlib mode), so a shared helper needs a place on sys.path.
sys.path.insert(0, str(Path(__file__).parent))

_COMMON = {
    "deadline": None,  # nothing is timed
    "database": None,
    "print_blob": False,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
}
settings.register_profile("default", settings(derandomize=True, max_examples=60, **_COMMON))
settings.register_profile("thorough", settings(derandomize=False, max_examples=2000, **_COMMON))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

_skip = pytest.importorskip


def _of_others(name: str, *more: Any, **still: Any) -> Any:
    """Skip where a package of others is missing: a module of our own that is not there is wrong."""
    if name.partition(".")[0] == "maskforge":
        assert importlib.util.find_spec(name) is not None, f"there is no module {name}"
    return _skip(name, *more, **still)


pytest.importorskip = _of_others
