"""Where commands speak: on standard error, so that standard output stays for machines."""

from __future__ import annotations

import io
import shlex
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any


def console(*, quiet: bool) -> Any:
    """Return the console that a command speaks on."""
    from maskforge.cli._terminal import Spoken

    return Spoken(stderr=True, highlight=False, soft_wrap=True, quiet=quiet)


def errors(spoken: Any) -> Any:
    """Return the console for errors: ``spoken``, or, where that is quiet, one that is not."""
    return console(quiet=False) if spoken.quiet else spoken


def nowhere() -> Any:
    """Return a console that nobody sees: of several processes only the first one speaks."""
    from rich.console import Console

    return Console(file=io.StringIO())


def then(spoken: Any, words: Sequence[str], *, more: str = "") -> None:
    """Say what to type next: ``words``, and ``more`` for what the user knows."""
    command = f"{shlex.join(['maskforge', *words])} {more}".rstrip()
    spoken.print(f"next: {escape(command)}", soft_wrap=True)


@contextmanager
def bar(spoken: Any, done: str) -> Iterator[Callable[[int, int], None] | None]:
    """Yield what shows how far the work is, called with items done and items in all.

    None where nobody is looking. done: what has been done to them, in a word.
    """
    if not is_watched(spoken):
        yield None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn(done), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    shown = Progress(*columns, console=spoken, transient=True)
    task = shown.add_task(done, total=None)

    def show(count: int, total: int) -> None:
        shown.start()
        shown.update(task, completed=count, total=total)

    try:
        yield show
    finally:
        shown.stop()


def is_watched(spoken: Any) -> bool:
    """Tell whether somebody sees the console as it changes."""
    return bool(spoken.is_terminal and not spoken.quiet)


def plain(text: str) -> str:
    """Return what a file says so that a terminal shows it and obeys none of it.

    Control characters and the marks that turn the direction of text are written as escapes.
    """
    return "".join(_escaped(letter) for letter in text) if _is_odd(text) else text


def escape(text: str) -> str:
    """Return ``text`` as it is printed on a console: plain, and without markup."""
    from rich import markup

    return markup.escape(plain(text))


def _is_odd(text: str) -> bool:
    return not text.isprintable()


def _escaped(letter: str) -> str:
    is_free = letter in "\n\t" or unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co", "Zl")
    return letter if is_free or letter in _JOINERS else letter.encode("unicode_escape").decode()


_JOINERS = "\u200c\u200d"
"""Marks without which some scripts cannot be written."""
