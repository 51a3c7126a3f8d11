"""Where commands speak: on standard error, so that standard output stays for machines."""

from __future__ import annotations

import io
from typing import Any


def console(*, quiet: bool) -> Any:
    """Return the console that a command speaks on."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True, quiet=quiet)


def errors(spoken: Any) -> Any:
    """Return the console for errors: ``spoken``, or, where that is quiet, one that is not."""
    return console(quiet=False) if spoken.quiet else spoken


def nowhere() -> Any:
    """Return a console that nobody sees: of several processes only the first one speaks."""
    from rich.console import Console

    return Console(file=io.StringIO())
