"""A trial of some seconds before the first step: how this machine trains the network fastest.

In bfloat16 a step takes half the time where the processor computes in it, and 3 to 20 times as long
where that is only imitated; whether it is, the processor's own word for it does not always tell (a
library may be held back, a virtual machine may say more than it has). So it is measured, on the
CPU: precision, layout of the feature maps, threads. What is chosen is kept in the checkpoint, and a
run that goes on takes it from there.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from maskforge.errors import ReadError, UsageError
from maskforge.prediction.config import Config
from maskforge.training import checkpoint, loader, losses
from maskforge.training.checkpoint import Checkpoint
from maskforge.training.device import Machine
from maskforge.training.samples import Data

SECONDS = 15.0
"""No further way is tried after that."""

WORTH = 200
"""A run of fewer steps is over before the trial has paid."""

PIXELS = 2**17
"""Of a batch that is tried: four images of 192 x 160, or two that are larger."""

MARGINS = {"precision": 0.6, "channels_last": 0.9, "threads": 0.75}
"""What was thought best is left only for what takes less than this share of its time.

Anything looks faster while something else computes for a moment. Bfloat16 that is imitated takes
three times as long at least, and fewer threads pay where there are many: so these ask for more.
"""

SETTINGS = tuple(MARGINS)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The :data:`SETTINGS` that were chosen, by name, and the trial in words."""

    settings: dict[str, Any]
    told: str


def is_worth(config: Config, data: Data, machine: Machine) -> bool:
    """Return whether there is anything to try for a new run."""
    steps = config.steps_of(len(data.train))
    if not config.trial or config.precision != "auto" or machine.device.type != "cpu":
        return False
    return steps is None or steps >= WORTH


def choose(config: Config, data: Data) -> Chosen:
    """Try what ``config`` leaves open, on batches of noise, and return the fastest."""
    started = time.monotonic()
    options = {k: v for k, v in config.options.items() if k != "encoder_weights"}
    network = checkpoint.build(replace(config, options=options), data.classes)
    batch = _batch(config, data, int(network.divisor))  # type: ignore[arg-type]
    threads = torch.get_num_threads()
    thought = "bfloat16" if Machine.of(config).bfloat16 else "float32"
    best: dict[str, Any] = {name: getattr(config, name) for name in SETTINGS}
    best["precision"] = thought
    seconds = first = _seconds(replace(config, **best), network, batch)
    other: float | None = None
    for change in _changes(config, thought, threads):
        if time.monotonic() - started > SECONDS:
            break
        took = _seconds(replace(config, **(best | change)), network, batch)
        torch.set_num_threads(config.threads or threads)
        if "precision" in change:
            other = took / first
        if took < MARGINS[next(iter(change))] * seconds:
            best, seconds = best | change, took
    return Chosen(best, _told(best, thought, other, threads, time.monotonic() - started))


def recorded(saved: Checkpoint | None, config: Config) -> Config:
    """Return ``config`` with what the trial of the run in ``saved`` had chosen.

    Threads that ``config`` asks for stay. Raises ReadError for what no trial has written.
    """
    try:
        known: Mapping[str, Any] = ((saved.run if saved else None) or {}).get("trial") or {}
        found = {name: value for name, value in known.items() if name in SETTINGS}
        if config.threads:
            found.pop("threads", None)
        return Config.from_json(replace(config, **found).to_json())
    except (AttributeError, TypeError, UsageError) as error:
        raise ReadError(f"the checkpoint must be one to go on from, but: {error}") from error


def _changes(config: Config, thought: str, threads: int) -> list[dict[str, Any]]:
    """Return what is tried, one after the other, each on top of the best so far."""
    changes: list[dict[str, Any]] = [
        {"precision": "float32" if thought == "bfloat16" else "bfloat16"}
    ]
    if config.channels_last:
        changes.append({"channels_last": False})
    if not config.threads and threads > 1:
        changes.append({"threads": threads // 2})
    return changes


def _batch(config: Config, data: Data, divisor: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return images and label images of the size that is trained on, but few of them."""
    width, height = config.crop or loader.middle_size(data.train, divisor)
    count = min(config.batch // config.accumulate, max(2, PIXELS // (width * height)))
    noise = np.random.default_rng(0).integers(0, 256, (count, height, width, 3), dtype=np.uint8)
    return noise, noise[..., 0] % len(data.classes)


def _seconds(config: Config, network: nn.Module, batch: tuple[NDArray[Any], NDArray[Any]]) -> float:
    """Return how long forward and backward pass take: the shorter of two, after one to warm up."""
    machine = Machine.of(config)
    network.to(memory_format=machine.memory_format)  # type: ignore[call-overload]
    loss_of = losses.build(config.loss)
    images, targets = machine.images(batch[0]), machine.targets(batch[1])
    found = []
    for _ in range(3):
        started = time.monotonic()
        network.zero_grad(set_to_none=True)
        with machine.autocast():
            loss = loss_of(network(images), targets)
        loss.backward()  # type: ignore[no-untyped-call]
        found.append(time.monotonic() - started)
        if found[0] > SECONDS / 4:
            return found[0]
    return min(found[1:])


def _told(
    best: Mapping[str, Any], thought: str, other: float | None, threads: int, seconds: float
) -> str:
    precision = best["precision"]
    compared = ""
    if other is not None:
        times = other if precision == thought else 1 / other
        rest = "float32" if precision == "bfloat16" else "bfloat16"
        compared = f" (a step in {rest} takes {times:.1f} times as long)"
    layout = "channels last" if best["channels_last"] else "channels first"
    count = best["threads"] or threads
    return (
        f"tried for {seconds:.0f} s what is fastest here: {precision}{compared}, {layout}, "
        f"{count} thread{'' if count == 1 else 's'}"
    )
