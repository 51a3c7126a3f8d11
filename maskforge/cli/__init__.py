"""The command line: the only package that prints, parses argv or sets an exit code.

Exit codes: 0 clean · 1 finished, with problems in the data (or an output could not be written) ·
2 usage · 3 nothing could be read · 130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    try:
        from maskforge.cli import _main  # here, so that Ctrl-C while it loads is told in a line

        code = _main.run(argv)
    except KeyboardInterrupt:
        sys.stderr.write("\nmaskforge: interrupted before anything was done\n")
        code = 130
    sys.exit(code)


def __getattr__(name: str) -> Any:
    if name != "cli":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from maskforge.cli import _main

    return _main.cli
