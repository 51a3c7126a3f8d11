"""Torch on one thread: the networks of the tests are tiny, more threads only wait."""

from __future__ import annotations

import sys

import pytest


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Keep torch to one thread, in tests that have imported it."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
