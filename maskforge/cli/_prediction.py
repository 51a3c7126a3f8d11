"""Options about how a network looks at images, and the predictor they lead to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from maskforge.cli import _help, _torch
from maskforge.cli._settings import WorkingSize
from maskforge.errors import ReadError, UsageError
from maskforge.prediction.predictor import Predictor

NETWORKS = (".pt", ".onnx")
"""Suffixes of the files that are networks."""


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
        option("--overlap", type=click.FloatRange(0, 0.9), help="Of the tiles. [default: 0.25]"),
        option("--flip", is_flag=True, default=None, help="Average with the mirrored image."),
        option("--batch", type=click.IntRange(min=1), help="Images at once. [default: 8]"),
    ]


_NAMES = ("device", "threads", "size", "tile", "overlap", "flip", "batch")


def take(given: dict[str, Any]) -> dict[str, Any]:
    """Return what ``given`` says of it, and remove it there."""
    taken = {name: given.pop(name) for name in _NAMES}
    return {name: value for name, value in taken.items() if value is not None}


def refuse(given: dict[str, Any]) -> None:
    """Raise UsageError when any of the options is given: there is no network to look."""
    wrong = [f"--{name}" for name in take(given)]
    if wrong:
        raise UsageError(f"masks need no network to look, but got {', '.join(wrong)}")


BEST = "best.pt"
"""The network of a run that is meant where its folder is named."""


def named(path: str) -> Path:
    """Return the network that ``path`` stands for: itself, or the best one of a run's folder."""
    best = Path(path, BEST)
    return best if best.is_file() else Path(path)


def check(path: Path) -> None:
    """Raise UsageError where ``path`` is called like nothing that could be a network."""
    if path.suffix in NETWORKS:
        return
    runs = sorted(path.glob(f"*/{BEST}")) if path.is_dir() else []
    raise UsageError(
        f"a network must be a file {' or '.join(NETWORKS)}, or the folder of a run with {BEST}, "
        f"but got {str(path)!r}",
        cure=f"did you mean {runs[-1].parent}?" if runs else "",
    )


def predictor(path: Path, view: dict[str, Any]) -> Predictor:
    """Return the predictor in ``path``, looking as ``view`` says. Raises ReadError, UsageError."""
    check(path)
    machine = {name: view[name] for name in ("device", "threads") if name in view}
    look = {name: value for name, value in view.items() if name not in machine}
    if path.suffix == ".onnx":
        from maskforge.prediction import onnx_network

        return replace(onnx_network.network_predictor(path, **machine), **look)
    try:
        found: Predictor = _torch.load("torch_network").network_predictor(path, **machine)
    except ReadError as error:
        error.cure = error.cure or "name one that maskforge train has made"
        raise
    return replace(found, **look)
