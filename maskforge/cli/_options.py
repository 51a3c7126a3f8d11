"""What the options of several commands share: kinds of values, and options made of settings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import Field, fields
from typing import Any, Literal, get_args, get_origin

import click

from maskforge import engines, plugins
from maskforge.cli import _choices, _help
from maskforge.conversion.settings import READ, RUN, Settings, described
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


class WorkingSize(click.ParamType[tuple[int, ...]]):
    """``full``, a number for the longer side, or WIDTHxHEIGHT."""

    name = "N|WxH|full"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        if value == "full":
            return ()
        if re.fullmatch(r"[1-9]\d{0,5}", str(value)):
            return (int(value),)
        match = re.fullmatch(r"([1-9]\d{0,5})[xX×]([1-9]\d{0,5})", str(value))
        if match is None:
            self.fail(
                "must be the longer side in pixels such as 512, WIDTHxHEIGHT such as 512x384, or "
                f"full, but got {value!r}",
                param,
                ctx,
            )
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
    """Return the options that every conversion has."""
    return [
        *options_of(Settings),
        *(one for name in _engines() for one in options_of(engines.load(name).Options, f"{name}_")),
        json_option("The result"),
        quiet_option(),
        _help.option("-v", "--verbose", is_flag=True, help="List every problem."),
    ]


def json_option(what: str) -> Callable[[Any], Any]:
    """Return the option for machines."""
    told = f"{what} as JSON on standard output."
    return _help.option("--json", "as_json", is_flag=True, help=told, rare=True)


def quiet_option() -> Callable[[Any], Any]:
    """Return the option for those who want to hear of errors only."""
    return _help.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")


def again() -> list[Callable[[Any], Any]]:
    """Return the options for a place where an earlier run of the same command stands."""
    return [
        _help.option("--overwrite", is_flag=True, help="Replace what an earlier run made there."),
        _help.option(
            "--resume",
            is_flag=True,
            help="Go on with an earlier run: do what is missing or changed.",
        ),
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
    kind: type, prefix: str = "", *, only: Sequence[str] | None = None, rare: bool | None = None
) -> list[Callable[[Any], Any]]:
    """Return an option for each field of a dataclass, as its metadata describe it.

    only: the fields that are meant, None for all. rare: whether they are left to --help-all, None
    for what their metadata say.
    """
    made = []
    for one, hint in described(kind):
        if only is not None and one.name not in only:
            continue
        if one.metadata.get("command", True):
            made.append(_option(one, hint, prefix, rare=rare))
        for flag in one.metadata.get("flags", ()):
            shown = {"group": one.metadata["group"], "rare": flag.rare, "help": flag.help}
            made.append(_help.option(f"--{flag.spelled}", is_flag=True, **shown))
    return made


def _option(one: Field[Any], hint: Any, prefix: str, *, rare: bool | None) -> Callable[[Any], Any]:
    known, default, name = one.metadata, one.default, f"{prefix}{one.name}"
    spelled, help_text = name.strip("_").replace("_", "-"), known.get("help", "")
    help_text = re.sub(r" \((default: .*)\)$", r". [\1]", help_text[:1].upper() + help_text[1:])
    # What is said of a format is about reading it; what is said of an engine is for few.
    shown: dict[str, Any] = {
        "group": known.get("group", RUN if prefix else READ),
        "rare": known.get("rare", bool(prefix)) if rare is None else rare,
    }
    if known.get("multiple"):
        shown |= {"multiple": True, "metavar": known["metavar"]}
        return _help.option(f"--{spelled}", name, help=help_text, **shown)
    if "helpful" in known:
        default, help_text = None, f"{help_text} [default: {known['helpful']}]"
    if hint is bool:
        both = f"--{spelled}/--no-{spelled}" if default else f"--{spelled}"
        told = " [default: yes]" if default else ""
        shown |= {"is_flag": True, "default": default}
        return _help.option(both, name, help=help_text + told, **shown)
    return _help.option(
        *filter(None, (known.get("letter"), f"--{spelled}", name)),
        type=_parameter_type(one, hint),
        default=default,
        show_default=default not in (None, ()),
        metavar=known.get("metavar"),
        help=help_text,
        listed=listed_as(known),
        **shown,
    )


def listed_as(known: Mapping[str, Any]) -> str:
    """Return what ``maskforge list`` calls the choices of a field, "" where it lists none."""
    if known.get("metavar") == "STYLE":
        return "styles"
    return str(known.get("listed") or (known.get("choices") or "").rpartition(".")[2])


def _parameter_type(one: Field[Any], hint: Any) -> Any:
    """Return what click makes of an option whose field has the type ``hint``."""
    known = one.metadata
    if known.get("choices"):
        return _help.Choice(plugins.names(known["choices"]))
    if get_origin(hint) is Literal:
        return _help.Choice(get_args(hint))
    if known.get("least") is not None:
        return click.IntRange(min=known["least"])
    kinds = [hint] if get_origin(hint) is tuple else [*get_args(hint), hint]
    types: dict[Any, Any] = {
        tuple[int, int]: Size(),
        tuple[int, ...]: WorkingSize(),
        tuple[float, ...]: Numbers(),
        tuple[float, float]: Numbers(),
        tuple[str, ...]: Names(),
        **{kind: kind for kind in (int, float)},
    }
    for kind in kinds:
        if kind in types:
            return types[kind]
    metavar = str(known.get("metavar") or "")
    if metavar == "STYLE":
        return _choices.Style()
    is_path = any(word in metavar.split("|") for word in ("PATH", "FILE", "DIR"))
    return _help.path() if is_path else str


def as_option(name: str) -> str:
    """Return how the option of a field is typed."""
    return f"--{name.strip('_').replace('_', '-')}"


@contextmanager
def as_typed(kind: type) -> Iterator[None]:
    """Have a UsageError about fields of ``kind`` name the options that were typed."""
    try:
        yield
    except UsageError as error:
        word = f"(?:{'|'.join(one.name for one in fields(kind))})"
        subject = rf"(?:\ba )?(?<![-\w]){word}(?:(?:, | and ){word})*(?= (?:must|may|contradict)\b)"

        def spelled(text: str) -> str:
            return re.sub(
                subject,
                lambda found: re.sub(
                    word, lambda name: as_option(name[0]), found[0].removeprefix("a ")
                ),
                text,
            )

        raise UsageError(
            spelled(error.message),
            code=error.code,
            file=error.file,
            place=error.place,
            cure=spelled(error.cure),
        ) from error


def apply(function: Callable[..., Any], options: list[Callable[[Any], Any]]) -> Callable[..., Any]:
    """Return ``function`` with ``options``, the first one first in the help."""
    for option in reversed(options):
        function = option(function)
    return function
