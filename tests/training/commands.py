"""The command line in this process, and a run that takes a moment."""

from __future__ import annotations

import pytest

from maskforge.cli import main

SMALL = ["--threads", "1", "--option", "width=4", "--option", "depth=2", "--steps", "2"]
SMALL += ["--size", "full", "--batch", "4", "--no-tensorboard"]


def run(*arguments: object) -> int:
    """Run the command line and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)
