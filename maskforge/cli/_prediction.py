"""Options about how a network looks at images."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import click

from maskforge.cli import _help
from maskforge.cli._options import WorkingSize


def options() -> list[Callable[[Any], Any]]:
    """Return the options that :func:`take` takes; None is not given."""
    option = partial(_help.option, group="prediction")
    machine = partial(_help.option, group="machine")
    return [
        machine("--device", help="auto, cpu, cuda or cuda:N. [default: auto]"),
        machine("--threads", type=click.IntRange(min=1), help="Threads of the network on the CPU."),
        option(
            "--size",
            type=WorkingSize(),
            help="Size to work at: longer side, WxH or full. [default: that of the training]",
        ),
        option(
            "--tile",
            type=click.IntRange(min=32),
            help="Cut images into overlapping tiles of N pixels. [default: only very large ones]",
        ),
        option(
            "--tile-overlap",
            type=click.FloatRange(0, 0.9),
            help="Part that neighbouring tiles share. [default: 0.25]",
            rare=True,
        ),
        option("--flip", is_flag=True, default=None, help="Average with the mirrored image."),
        option("--batch", type=click.IntRange(min=1), help="Images at once. [default: 8]"),
    ]


def take(given: dict[str, Any]) -> dict[str, Any]:
    """Return what ``given`` says of it, and remove it there.

    By the names of :func:`maskforge.api.predicting.open_network`.
    """
    from maskforge.api.predicting import LOOK

    taken = {name: given.pop(name) for name in LOOK}
    return {name: value for name, value in taken.items() if value is not None}
