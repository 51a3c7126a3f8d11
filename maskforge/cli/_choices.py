"""What can be named on the command line: networks, losses, styles … with a line about each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partial
from typing import Any, get_args, get_type_hints

import click

from maskforge import plugins
from maskforge.cli import _help
from maskforge.errors import UsageError, many


def networks() -> dict[str, str]:
    """Return the networks; torch is not needed to know them."""
    found = _of_folder("training.models")
    told = found.pop("smp", None)
    return found if told is None else {**found, "smp:ARCH:ENCODER": told}


def losses() -> dict[str, str]:
    """Return the losses, which may be summed up."""
    return _without_return(plugins.table("training", "losses", "LOSSES"))


def _schedules() -> dict[str, str]:
    from maskforge.prediction.config import Config

    found = _without_return(plugins.table("training", "schedules", "SCHEDULES"))
    told = {name: f"a factor of {text}" for name, text in found.items()}
    told["plateau"] = "a factor that falls when the loss has not got better for a while"
    return {name: told[name] for name in get_args(get_type_hints(Config)["schedule"])}


def _presets() -> dict[str, str]:
    from maskforge.prediction.config import DEFAULT_EPOCHS, DEFAULT_STEPS
    from maskforge.prediction.sizes import described
    from maskforge.training.presets import PRESETS

    made = {}
    for name, config in PRESETS.items():
        if config.minutes:
            length = many(config.minutes, "minute")
        elif config.steps:
            length = many(config.steps, "step")
        else:
            length = many(config.epochs or DEFAULT_EPOCHS, "epoch")
            length += "" if config.epochs else f", {DEFAULT_STEPS:,} steps at least"
        made[name] = f"{config.network}, {config.loss}, {described(config.size)}, {length}"
    return made


def _augmentations() -> dict[str, str]:
    from maskforge.prediction.config import AUGMENTATION, Config

    return {
        f"--{one.name.replace('_', '-')}": _sentence(one.metadata["help"])
        for one in fields(Config)
        if one.metadata.get("group") == AUGMENTATION
    }


def _styles() -> dict[str, str]:
    from maskforge import styles

    def hexed(color: tuple[int, ...]) -> str:
        return "#" + bytes(color).hex()

    told = {
        name: f"background {hexed(background)}, objects {hexed(other)}"
        for name, (background, other) in styles.TWO_COLORS.items()
    }
    named = {name: told.get(name, "a colour for each class") for name in styles.NAMES}
    return {**named, "#rrggbb,#rrggbb": "background and objects; or one colour for each class"}


def _of_folder(package: str) -> dict[str, str]:
    return {
        name: plugins.summary(package, name).replace("``", "") for name in plugins.names(package)
    }


def _without_return(told: Mapping[str, str]) -> dict[str, str]:
    return {name: text.removeprefix("Return ") for name, text in told.items()}


def _sentence(text: str) -> str:
    return text.partition(". ")[0].rstrip(".")


LISTS: dict[str, tuple[str, Callable[[], dict[str, str]]]] = {
    "readers": ("what is read: commands of their own", partial(_of_folder, "readers")),
    "writers": ("what is written: --as", partial(_of_folder, "writers")),
    "layouts": ("where files lie: --layout", partial(_of_folder, "layouts")),
    "rules": ("which pixels a shape covers: --rule", partial(_of_folder, "rules")),
    "styles": ("colours of colour masks: --style", _styles),
    "kinds": ("sets of masks: --kind", partial(_of_folder, "readers.masks.kinds")),
    "networks": ("what is trained: --network", networks),
    "losses": ("what a training lowers, or a sum of them: --loss", losses),
    "schedules": ("how the learning rate changes: --schedule", _schedules),
    "presets": ("settings to begin with: --preset", _presets),
    "augmentations": ("how images are changed at random", _augmentations),
    "engines": ("who does the work of a conversion: --engine", partial(_of_folder, "engines")),
}
"""What can be listed: in words, and how it is found."""


class Network(click.ParamType[str]):
    """The name of a network, or smp:ARCH:ENCODER."""

    name = "NAME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text, known = str(value), networks()
        library = text.partition(":")[0] if ":" in text else ""
        if text in known or library == "smp":
            return text
        self.fail(_wrong(text, known, library or text), param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[Any]:
        return _completed(networks(), incomplete)


class Loss(click.ParamType[str]):
    """The name of a loss, or a sum."""

    name = "NAME[+NAME…]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        known = losses()
        for part in str(value).split("+"):
            if part.strip() not in known:
                self.fail(_wrong(str(value), known, part.strip(), "or a sum"), param, ctx)
        return str(value)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[Any]:
        return _completed(losses(), incomplete)


class Style(click.ParamType[str]):
    """The name of a style, or colours."""

    name = "STYLE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text, known = str(value), _styles()
        if text in known and "#" not in text:
            return text
        if "#" in text or "," in text:
            from maskforge import styles

            try:
                styles.check(text)  # how many colours there must be is known with the classes
            except UsageError as error:
                self.fail(str(error), param, ctx)
            return text
        self.fail(_wrong(text, known, text), param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[Any]:
        return _completed(_styles(), incomplete)


def _wrong(value: str, known: Mapping[str, str], misspelt: str, more: str = "") -> str:
    choices = " ".join(filter(None, [", ".join(known), more]))
    return f"must be one of {choices}, but got {value!r}{_help.meant(misspelt, known)}"


def _completed(known: Mapping[str, str], incomplete: str) -> list[Any]:
    """Return what a shell may complete: words, and nothing that stands for others."""
    from click.shell_completion import CompletionItem

    return [
        CompletionItem(name, help=text)
        for name, text in known.items()
        if name.startswith(incomplete) and name.replace("-", "").isalnum()
    ]
