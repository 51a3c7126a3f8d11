"""Options of the command line for the settings of a training run: one for each field of Config."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import click

from maskforge.cli._options import Numbers, Size
from maskforge.errors import UsageError
from maskforge.prediction.config import Config, Option
from maskforge.training.presets import preset


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
        return Size().convert(value, param, ctx)


def options() -> list[Callable[[Any], Any]]:
    """Return an option for each setting that has a help text, without default: None is not given.

    What is not given is left to the preset.
    """
    made = []
    hints, standard = get_type_hints(Config), Config()
    for field in fields(Config):
        if "help" in field.metadata:
            made.append(_option(field.name, hints[field.name], field.metadata, standard))
    return made


def _option(
    name: str, hint: Any, metadata: Mapping[str, str], standard: Config
) -> Callable[[Any], Any]:
    spelled, help_text = name.replace("_", "-"), metadata["help"]
    value = getattr(standard, name)
    if hint is bool:
        both = f"--{spelled}/--no-{spelled}"
        return click.option(both, name, default=None, help=help_text + _default(value))
    kind: Any = hint
    if name == "size":
        kind = WorkingSize()
    elif name == "crop":
        kind = Size()
    elif get_origin(hint) is tuple:
        kind = Numbers()
    elif get_origin(hint) is Literal:
        kind = click.Choice(get_args(hint))
    elif isinstance(hint, UnionType):
        kind = get_args(hint)[0]
    return click.option(
        f"--{spelled}",
        name,
        type=kind,
        metavar=metadata["metavar"] or None,
        help=help_text + _default(value),
    )


def _default(value: object) -> str:
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        shown = "yes" if value else "no"
    elif isinstance(value, tuple):
        shown = ",".join(f"{part:g}" for part in value)
    else:
        shown = str(value)
    return f" [default: {shown}]"


def config_of(
    given: Mapping[str, Any], *, preset_name: str, network_options: tuple[str, ...]
) -> Config:
    """Return the preset's settings changed by those ``given`` that are not None.

    network_options: texts NAME=VALUE. Raises UsageError.
    """
    base = preset(preset_name)
    changed = {name: value for name, value in given.items() if value is not None}
    if len(changed.get("scale", (1, 1))) != 2:
        raise UsageError(f"--scale must be two factors such as 0.75,1.5, not {changed['scale']}")
    own = {} if "network" in changed else dict(base.options)  # a network named is as its file says
    own |= dict(_pair(text) for text in network_options)
    budget = [name for name in ("epochs", "steps", "minutes") if name in changed]
    if budget:  # the preset's own gives way
        changed = {"epochs": None, "steps": None, "minutes": None, **changed}
    return replace(base, **changed, options=own)


def _pair(text: str) -> tuple[str, Option]:
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        raise UsageError(f"an option of the network must be NAME=VALUE, but got {text!r}")
    try:
        read = json.loads(value)
    except ValueError:
        read = value
    if not isinstance(read, str | int | float | bool):
        read = value
    return name.strip().replace("-", "_"), read
