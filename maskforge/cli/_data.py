"""Options about what training data mean, and the data set they lead to."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from rich.console import Console

from maskforge import plugins
from maskforge.cli import _choices, _console, _help, _options
from maskforge.cli._console import escape
from maskforge.conversion.settings import Settings
from maskforge.datasets import Check, Dataset, check, open_dataset, with_test
from maskforge.errors import ClassError, MaskforgeError, Problem
from maskforge.io.label_lists import Labels
from maskforge.labels import Relabelling

_RELABELLING = ("map", "only", "drop", "ignore_labels")
"""Settings of a conversion that say what becomes of labels: here, of class names."""

MOST = 3
"""Problems of one code that are shown."""


class Meaning(NamedTuple):
    """What the user said about the data; see :func:`maskforge.datasets.open_dataset`."""

    labels: Labels
    kind: str | None
    ignore: int | None
    style: str | None
    images: str | None
    relabelling: Relabelling

    @classmethod
    def take(cls, given: dict[str, Any]) -> Meaning:
        """Return what ``given`` says of it, and remove it there. Raises UsageError."""
        given["relabelling"] = Relabelling.of(*(given.pop(name) for name in _RELABELLING))
        return cls(*(given.pop(name) for name in cls._fields))

    def open(self, paths: Sequence[str], *, part: str = "val") -> Dataset:
        """Return the data set in ``paths``. Raises UsageError, ReadError, ClassError.

        part: what a training holds back; "test" may lie in a file beside.
        """
        return open_dataset(with_test(paths) if part == "test" else paths, **self._asdict())


def options() -> list[Callable[[Any], Any]]:
    """Return the options that :meth:`Meaning.take` takes."""
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
            "images",
            type=_help.path(),
            metavar="DIR",
            help="The images of a one-hot file.",
            rare=True,
        ),
        *_options.options_of(Settings, only=_RELABELLING, rare=True),
    ]


def checked(dataset: Dataset, console: Console, *, strict: bool) -> Check:
    """Look at the whole data set and print what is in it.

    Raises ClassError for pixels that are no class; with ``strict`` whatever makes an example
    useless.
    """
    workers = min(8, os.cpu_count() or 1) if len(dataset) > 500 else 1
    found = check(dataset, workers=workers)
    for name, text in found.rows():
        console.print(f"[dim]{name:>14}[/]  {escape(text)}")
    show_problems(console, found.problems)
    for problem in found.errors:
        if problem.code == "unknown-label":
            raise ClassError(**_parts(problem))
        if strict:
            raise MaskforgeError(**_parts(problem))
    return found


def _parts(problem: Problem) -> dict[str, str]:
    return {name: text for name, text in problem.as_dict().items() if name != "severity"}


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
