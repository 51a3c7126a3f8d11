"""What the options of several commands share: kinds of values, and options made of settings."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import Field, fields
from typing import Any, Literal, get_args, get_origin

import click

from maskforge import engines, plugins
from maskforge.conversion.settings import Settings, described
from maskforge.errors import UsageError


class Size(click.ParamType[tuple[int, int]]):
    """WIDTHxHEIGHT in pixels."""

    name = "WxH"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"(\d+)[xX×](\d+)", str(value))
        if match is None or "0" in match.groups():
            self.fail(f"must be WIDTHxHEIGHT such as 512x512, but got {value!r}", param, ctx)
        return int(match[1]), int(match[2])


class Numbers(click.ParamType[tuple[float, ...]]):
    """Numbers with commas between."""

    name = "F[,F…]"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        if isinstance(value, tuple):
            return value
        try:
            return tuple(float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"must be numbers such as 0.8,0.1,0.1, but got {value!r}", param, ctx)


class Names(click.ParamType[tuple[str, ...]]):
    """Names with commas between."""

    name = "A[,B…]"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        return tuple(part.strip() for part in str(value).split(",") if part.strip())


def conversion_options() -> list[Callable[[Any], Any]]:
    """Return the options that every conversion has, in the order of the help."""
    option = click.option
    return [
        *options_of(Settings),
        *(one for name in _engines() for one in options_of(engines.load(name).Options, f"{name}_")),
        option("--json", "as_json", is_flag=True, help="The result as JSON on standard output."),
        option("-q", "--quiet", is_flag=True, help="Say nothing but errors."),
        option("-v", "--verbose", is_flag=True, help="List every problem."),
    ]


def _engines() -> list[str]:
    """Return the engines that may have options; ours have none, and take a while to load."""
    return [name for name in plugins.names("engines") if name not in ("processes", "serial")]


def engine_options(engine: str | None, given: dict[str, Any]) -> dict[str, Any]:
    """Take the options of all engines out of ``given``; return those of ``engine``.

    Raises UsageError for one of another engine.
    """
    found = {}
    for name in _engines():
        for one in fields(engines.load(name).Options):
            value = given.pop(f"{name}_{one.name}")
            if name == engine:
                found[one.name] = value
            elif value != one.default:
                raise UsageError(
                    f"--{name}-{one.name} must be given with --engine {name} only, but the engine "
                    f"is {engine or 'not named'}"
                )
    return found


def options_of(
    kind: type, prefix: str = "", *, only: Sequence[str] | None = None
) -> list[Callable[[Any], Any]]:
    """Return an option for each field of a dataclass, as its metadata describe it.

    only: the fields that are meant, None for all.
    """
    made = []
    for one, hint in described(kind):
        if only is not None and one.name not in only:
            continue
        if one.metadata.get("command", True):
            made.append(_option(one, hint, prefix))
        for flag in one.metadata.get("flags", ()):
            made.append(click.option(f"--{flag.spelled}", is_flag=True, help=flag.help))
    return made


def _option(one: Field[Any], hint: Any, prefix: str) -> Callable[[Any], Any]:
    known, default, name = one.metadata, one.default, f"{prefix}{one.name}"
    spelled, help_text = name.strip("_").replace("_", "-"), known.get("help", "")
    if known.get("multiple"):
        return click.option(
            f"--{spelled}", name, multiple=True, metavar=known["metavar"], help=help_text
        )
    if "helpful" in known:
        default, help_text = None, f"{help_text} [default: {known['helpful']}]"
    if hint is bool:
        both = f"--{spelled}/--no-{spelled}" if default else f"--{spelled}"
        told = " [default: yes]" if default else ""
        return click.option(both, name, is_flag=True, default=default, help=help_text + told)
    return click.option(
        *filter(None, (known.get("letter"), f"--{spelled}", name)),
        type=_parameter_type(one, hint),
        default=default,
        show_default=default not in (None, ()),
        metavar=known.get("metavar"),
        help=help_text,
    )


def _parameter_type(one: Field[Any], hint: Any) -> Any:
    """Return what click makes of an option whose field has the type ``hint``."""
    if one.metadata.get("choices"):
        return click.Choice(plugins.names(one.metadata["choices"]))
    if get_origin(hint) is Literal:
        return click.Choice(get_args(hint))
    if one.metadata.get("least") is not None:
        return click.IntRange(min=one.metadata["least"])
    kinds = [hint] if get_origin(hint) is tuple else [*get_args(hint), hint]
    known: dict[Any, Any] = {
        tuple[int, int]: Size(),
        tuple[float, ...]: Numbers(),
        tuple[float, float]: Numbers(),
        tuple[str, ...]: Names(),
        **{kind: kind for kind in (str, int, float)},
    }
    return next((known[kind] for kind in kinds if kind in known), str)


def apply(function: Callable[..., Any], options: list[Callable[[Any], Any]]) -> Callable[..., Any]:
    """Return ``function`` with ``options``, the first one first in the help."""
    for option in reversed(options):
        function = option(function)
    return function
