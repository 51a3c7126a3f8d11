"""After Ctrl-C: one line that says what became of the work, and the very command that goes on."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Collection, Sequence
from typing import Any

import click


class Interrupted(KeyboardInterrupt):
    """Ctrl-C in a command that knows what became of its work.

    kept: that in words. dropped: the options, by the names of their parameters, that the command
    must not have to go on; more: the words that it must have.
    """

    def __init__(
        self, kept: str, *, dropped: Collection[str] = (), more: Sequence[str] = ()
    ) -> None:
        super().__init__(kept)
        self.kept = kept
        self.dropped = dropped
        self.more = more


def speaks() -> bool:
    """Whether this process is the one that speaks: of several that train together, the first."""
    return os.environ.get("RANK", "0") == "0"


def told(group: click.Group, typed: Sequence[str], error: BaseException) -> str:
    """Return what to say of an interruption, whatever click made of it."""
    known = error if isinstance(error, Interrupted) else error.__cause__
    name, *words = typed or [""]
    command = group.get_command(click.Context(group), name)
    how, kept = "begin again with", ""
    if isinstance(known, Interrupted):
        kept = f"; {known.kept}"
        if known.more and command is not None:
            how = "begin again with" if "--overwrite" in known.more else "go on with"
            words = [*_without(command, words, known.dropped), *known.more]
    # A training run can go on from its first checkpoint only, and says so itself.
    elif name != "train" and any(one.name == "resume" for one in getattr(command, "params", ())):
        how, words = "go on with", _resumed(words)
    return f"interrupted{kept}; {how}: {_program()} {shlex.join([name, *words])}"


def going_on(typed: Sequence[str], *, dropped: Collection[str], more: Sequence[str]) -> str:
    """Return the command that goes on with a run that ``typed`` began; see :class:`Interrupted`."""
    name, *words = typed
    command = click.get_current_context().command
    return f"{_program()} {shlex.join([name, *_without(command, words, dropped), *more])}"


def _resumed(words: Sequence[str]) -> list[str]:
    kept = [word for word in words if word not in ("--overwrite", "--resume")]
    at = kept.index("--") if "--" in kept else len(kept)
    return [*kept[:at], "--resume", *kept[at:]]


def _without(command: click.Command, words: Sequence[str], dropped: Collection[str]) -> list[str]:
    """Return the words after the command's name, but for the options ``dropped``."""
    values: Any
    values, _, order = command.make_parser(click.Context(command)).parse_args(list(words))
    operands: list[str] = []
    kept: list[str] = []
    for one in dict.fromkeys(order):
        value = values.get(one.name)
        if isinstance(one, click.Argument):
            each = [value] if isinstance(value, str) else value
            operands += [f"./{word}" if word.startswith("-") else word for word in each]
        elif one.name in dropped or not isinstance(one, click.Option):
            continue
        elif one.is_flag:
            kept.append(one.opts[-1] if value or not one.secondary_opts else one.secondary_opts[0])
        else:
            for each in value if one.multiple else [value]:
                kept += [one.opts[-1], each]
    return [*operands, *kept]


def _program() -> str:
    """Return how we were called."""
    if "TORCHELASTIC_RUN_ID" in os.environ:
        count = os.environ.get("LOCAL_WORLD_SIZE", "1")
        return f"torchrun --nproc-per-node {count} -m maskforge"
    return "python -m maskforge" if sys.argv[0].endswith("__main__.py") else "maskforge"
