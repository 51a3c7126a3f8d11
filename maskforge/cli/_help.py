"""What the command line says of itself: help in groups, and what was meant by what is misspelt."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import click

from maskforge import plugins

GROUPS = (
    *("what is read", "data", "classes", "drawing", "network", "schedule", "augmentation"),
    *("background", "prediction", "machine", "output", "run"),
)
"""The order of the groups. What is in one, an option says itself."""

WIDTH = 10_000
"""No terminal is wider: the help takes the whole of it."""

_COLUMN = 34
"""Longer options have their explanation on the next line."""


class Option(click.Option):
    """An option that knows its group. rare: left to --help-all.

    listed: what ``maskforge list`` calls the words that it may be.
    """

    def __init__(
        self, *args: Any, group: str = "run", rare: bool = False, listed: str = "", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.group = group
        self.rare = rare
        if listed:
            self._remark(f"see maskforge list {listed}")
            self.metavar = self.metavar or "NAME"
        elif isinstance(self.type, click.Choice) and self.metavar is None:
            self._remark(", ".join(map(str, self.type.choices)))
            self.metavar = "NAME"

    def _remark(self, text: str) -> None:
        """Put ``text`` in brackets behind the first clause of the help."""
        self.help = re.sub(r"(?=[.:;]( |$))", f" ({text})", self.help or "", count=1)

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        record = super().get_help_record(ctx)
        if record is None:
            return None
        # click tells limits as x>=1; a value beyond them is refused with the same words.
        text = _LIMITS.sub("", record[1])
        return record[0], re.sub(r" +\[", " [", text.removesuffix("[]").rstrip())

    def make_metavar(self, *given: Any, **more: Any) -> str:
        plain = {
            "TEXT": "NAME",
            "INTEGER": "N",
            "FLOAT": "X",
            "INTEGER RANGE": "N",
            "FLOAT RANGE": "X",
        }
        made = super().make_metavar(*given, **more)
        return plain.get(made, made)


_LIMITS = re.compile(r"(?:; |(?<=\[))(?:[\d.]+<=?)?x(?:[<>]=?[\d.]+)?(?=\]$)")

option = partial(click.option, cls=Option)
"""As click.option, with a group."""

path = partial(click.Path, path_type=str)
"""The type of what is a path: the shell completes it. Whether it is there is said by its reader."""


class Command(click.Command):
    """A command with its options in groups: --help tells the common ones, --help-all all."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*super().get_params(ctx), *([_help_all()] if any(_rare(self.params)) else [])]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        whole = bool(ctx.meta.get(__name__))
        groups: dict[str, list[tuple[str, str]]] = {name: [] for name in GROUPS}
        options = [one for one in self.get_params(ctx) if isinstance(one, click.Option)]
        # Within a group, too, the common ones come first.
        for one in sorted(options, key=lambda one: getattr(one, "rare", False)):
            row = one.get_help_record(ctx)
            if row is not None and (whole or not getattr(one, "rare", False)):
                groups.setdefault(getattr(one, "group", "run"), []).append(row)
        terms = [len(term) for group in groups.values() for term, _ in group]
        column = max((long for long in terms if long <= _COLUMN), default=0)
        room = formatter.width - column - 4
        for name, group in groups.items():
            if group:
                with formatter.section(name[0].upper() + name[1:]):
                    formatter.write_dl(
                        [
                            (term.ljust(column), text if whole else _short(text, room))
                            for term, text in group
                        ],
                        col_max=column,
                    )

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            raise no_such_option(self, error, ctx) from error
        except click.MissingParameter as error:
            raise click.UsageError(self._missing(error.param), ctx) from error

    def _missing(self, parameter: click.Parameter | None) -> str:
        """Return what to say where ``parameter`` is not given, with the first example."""
        name = "something"
        if isinstance(parameter, click.Option):
            name = max(parameter.opts, key=len)
        elif parameter is not None:
            name = (parameter.metavar or parameter.name or "").rstrip(".")
        example = re.search(r"Examples:\n +(.*)", inspect.cleandoc(self.help or ""))
        return f"{name} is missing" + (f", as in: {example[1]}" if example else "")


def _short(text: str, room: int) -> str:
    """Return as much of a help text as fits into a line, what is most important first."""
    told, bracket, default = text.partition(" [")
    sentence = re.split(r"(?<=[.]) ", told, maxsplit=1)[0]
    clauses = [sentence, *(re.split(f"{mark} ", sentence)[0] + "." for mark in ";:")]
    clauses = [clause.replace("..", ".") for clause in clauses]
    both = [f"{clause}{bracket}{default}" for clause in clauses]
    return next((one for one in (*both, *clauses) if len(one) <= room), clauses[-1])


def _rare(parameters: Iterable[click.Parameter]) -> Iterable[bool]:
    return (getattr(one, "rare", False) for one in parameters)


def _help_all() -> click.Option:
    def show(ctx: click.Context, param: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing:
            ctx.meta[__name__] = True
            click.echo(ctx.get_help(), color=ctx.color)
            ctx.exit()

    return Option(
        ["--help-all"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=show,
        help="Show all options and exit.",
    )


def command(name: str, **more: Any) -> Callable[[Callable[..., Any]], click.Command]:
    """Return what makes a command of a function."""
    return click.command(name, cls=Command, **more)


def no_such(what: str, typed: str, known: Iterable[str], ctx: click.Context) -> click.UsageError:
    """Return the error for a command or an option that there is not, with the nearest one."""
    return click.UsageError(f"there is no {what} {typed!r}{meant(typed, known)}", ctx)


def no_such_option(
    command: click.Command, error: click.NoSuchOption, ctx: click.Context
) -> click.UsageError:
    """Return what to raise for an option that ``command`` does not have."""
    options = [one for one in command.get_params(ctx) if isinstance(one, click.Option)]
    known = [name for one in options for name in (*one.opts, *one.secondary_opts)]
    return no_such("option", error.option_name, known, ctx)


def meant(typed: str, known: Iterable[str]) -> str:
    """Return ``; did you mean NAME?``, "" where nothing is near."""
    near = plugins.nearest(typed, known)
    return f"; did you mean {near}?" if near else ""


class Choice(click.Choice[str]):
    """One of several words. A mistake is told with the nearest."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        words = [str(word) for word in self.choices]
        typed = str(value)
        if typed in words:
            return super().convert(value, param, ctx)
        # Both stand for &, which a shell that it is not hidden from takes for its own.
        same = typed.replace("+", "&").replace(",", "&")
        if same in words:
            return super().convert(same, param, ctx)
        self.fail(
            f"must be one of {', '.join(words)}, but got {typed!r}{meant(typed, words)}", param, ctx
        )
