"""Options of the command line for the settings of a training run: one for each field of Config."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from maskforge import plugins, splits
from maskforge.cli import _choices, _help, _options
from maskforge.cli._options import Numbers, Size, WorkingSize
from maskforge.errors import UsageError
from maskforge.prediction.config import Config, Option, with_budget
from maskforge.training.presets import preset


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
    name: str, hint: Any, metadata: Mapping[str, Any], standard: Config
) -> Callable[[Any], Any]:
    spelled, help_text = name.replace("_", "-"), metadata["help"]
    value = getattr(standard, name)
    shown = {"group": metadata["group"], "rare": metadata["rare"]}
    if name == "val":  # a split, as conversions have it
        told, metavar = help_text + _default(value), metadata["metavar"]
        return _help.option(
            "--val", "--split", "split", type=Numbers(), metavar=metavar, help=told, **shown
        )
    if hint is bool:
        both = f"--{spelled}/--no-{spelled}"
        return _help.option(both, name, default=None, help=help_text + _default(value), **shown)
    own: dict[str, Any] = {
        "size": WorkingSize(),
        "crop": Size(),
        "jitter": Size(),
        "network": _choices.Network(),
        "loss": _choices.Loss(),
    }
    kind: Any = hint
    if name in own:
        kind = own[name]
    elif get_origin(hint) is tuple:
        kind = Numbers()
    elif get_origin(hint) is Literal:
        kind = _help.Choice(get_args(hint))
    elif isinstance(hint, UnionType):
        kind = get_args(hint)[0]
    return _help.option(
        f"--{spelled}",
        name,
        type=kind,
        metavar=metadata["metavar"] or None,
        help=help_text + _default(value),
        listed=_options.listed_as(metadata),
        **shown,
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
    changed = splits.held_out({name: value for name, value in given.items() if value is not None})
    if len(changed.get("scale", (1, 1))) != 2:
        shown = ",".join(f"{factor:g}" for factor in changed["scale"])
        raise UsageError(f"--scale must be two factors such as 0.75,1.5, but got {shown}")
    own = {} if "network" in changed else dict(base.options)  # a network named is as its file says
    own |= dict(_pair(text) for text in network_options)
    with _options.as_typed(Config):  # the preset's own budget gives way
        return replace(base, **with_budget(changed), options=own)


def check_options(network: str, typed: Sequence[str]) -> None:
    """Raise UsageError for an option that ``network`` does not have, with the nearest that it has.

    typed: texts NAME=VALUE. Those of a library are known to that only.
    """
    if ":" in network:
        return
    models: Any = plugins.load("training.models", network)
    known = [name for name in inspect.signature(models.build).parameters if name not in _GIVEN]
    for text in typed:
        name, _ = _pair(text)
        if name not in known:
            raise UsageError(
                f"--option must be one of the options of {network}, {', '.join(known)}, "
                f"but got {text!r}{_help.meant(name, known)}"
            )


_GIVEN = ("in_channels", "num_classes")
"""What the data say of a network."""


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
