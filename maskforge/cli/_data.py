"""Options about what training data mean, and what is said of the data that they lead to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from rich.console import Console

from maskforge import plugins
from maskforge.cli import _choices, _console, _help, _options
from maskforge.cli._console import escape
from maskforge.conversion.settings import Settings
from maskforge.errors import Problem
from maskforge.labels import Relabelling

if TYPE_CHECKING:
    from maskforge.datasets import Check, Comparison

_RELABELLING = ("map", "only", "drop", "ignore_labels")
"""Settings of a conversion that say what becomes of labels: here, of class names."""

MOST = 3
"""Problems of one code that are shown."""


def take(given: dict[str, Any]) -> dict[str, Any]:
    """Return what ``given`` says of the data, and remove it there.

    By the names of :data:`maskforge.api.dataset.MEANING`. Raises UsageError.
    """
    Relabelling.of(*(given[name] for name in _RELABELLING))  # a wrong one is told before all else
    from maskforge.api.dataset import MEANING

    return {name: given.pop(name) for name in MEANING}


def options() -> list[Callable[[Any], Any]]:
    """Return the options that :func:`take` takes."""
    option = partial(_help.option, group="data")
    return [
        option(
            "--labels",
            type=_help.path(),
            metavar="FILE|A,B,C",
            help="Class names in the order of their ids. [default: those found with the data]",
        ),
        option(
            "--kind",
            type=_help.Choice(plugins.names("readers.masks.kinds")),
            help="How the data are laid out. [default: found by content]",
            listed="kinds",
            rare=True,
        ),
        option("--ignore", type=int, help="One more pixel value that is not scored.", rare=True),
        option(
            "--style",
            type=_choices.Style(),
            help="Colours of painted masks.",
            listed="styles",
            rare=True,
        ),
        option(
            "--images-from",
            type=_help.path(),
            metavar="DIR",
            help="The images of a one-hot file.",
            rare=True,
        ),
        *_options.options_of(Settings, only=_RELABELLING, rare=True),
    ]


class Shown:
    """Prints what was found in the data, and knows which problems it has told."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told: list[Problem] = []

    def __call__(self, found: Check | Comparison) -> None:
        """Print what is in the data, and the problems."""
        from maskforge.datasets import Check

        if isinstance(found, Check):
            for name, text in found.rows():
                self._console.print(f"[dim]{name:>14}[/]  {escape(text)}")
        self.problems(found.problems)

    def problems(self, found: Sequence[Problem]) -> None:
        """Print those that have not been told."""
        show_problems(self._console, [one for one in found if one not in self._told])
        self._told += found


def show_problems(console: Console, problems: Sequence[Problem]) -> None:
    """Print the problems, of each code the first few; on a quiet console the errors among them."""
    if console.quiet:
        problems = [problem for problem in problems if problem.severity == "error"]
    said = _console.errors(console)
    by_code: dict[str, list[Problem]] = {}
    for problem in problems:
        by_code.setdefault(problem.code, []).append(problem)
    for code, found in by_code.items():
        color = "red" if any(p.severity == "error" for p in found) else "yellow"
        for problem in found[:MOST]:
            said.print(f"[{color}]{code}[/] {escape(str(problem))}")
        if len(found) > MOST:
            said.print(f"[{color}]{code}[/] … and {len(found) - MOST} more")
