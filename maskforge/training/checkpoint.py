"""Checkpoints: files that rebuild network and run alone, and that run no code when they are read.

A file holds tensors, numbers and text only. What a stranger wrote in it is checked before use.

    format    "maskforge-checkpoint/1"
    config    the settings as JSON, see config.py
    classes   the class table as the text of a labels.txt
    data      fingerprint of what it was trained on, see samples.py
    scores    what the weights reached on the validation images, by name
    weights   the state dict of the network to predict with
    run       what the loop needs to go on; not in ``best.pt``
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor, nn

from maskforge.classes import ClassTable
from maskforge.errors import MaskforgeError, ReadError
from maskforge.io import files
from maskforge.prediction.config import Config
from maskforge.training import models, tensors

FORMAT = "maskforge-checkpoint/1"

MOST = 2**13
"""Width, depth and the like of a network that a file describes."""


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """What a checkpoint holds; ``run`` is None where it is only there to predict with."""

    config: Config
    classes: ClassTable
    data: str
    scores: dict[str, float]
    weights: dict[str, Tensor]
    run: dict[str, Any] | None = None


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write ``checkpoint`` to ``path``, whole or not at all. Raises WriteError."""
    with files.atomic(path) as file:
        write(file, checkpoint)


def write(file: BinaryIO, checkpoint: Checkpoint) -> None:
    """Write ``checkpoint`` to an open file. Raises OSError when the system refuses."""
    content = {
        "format": FORMAT,
        "config": checkpoint.config.to_json(),
        "classes": checkpoint.classes.to_text(),
        "data": checkpoint.data,
        "scores": checkpoint.scores,
        "weights": checkpoint.weights,
    }
    if checkpoint.run is not None:
        content["run"] = checkpoint.run
    heard = _Heard(file)
    try:
        torch.save(content, heard)  # type: ignore[arg-type]  # it needs no more than these two
    except RuntimeError as error:
        if heard.refusal is not None:
            raise heard.refusal from error
        raise


class _Heard:
    """A file that remembers what the system said: torch says "enforce fail" instead."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.refusal: OSError | None = None

    def write(self, data: bytes) -> int:
        try:
            return self._file.write(data)
        except OSError as error:
            self.refusal = self.refusal or error
            raise

    def flush(self) -> None:
        try:
            self._file.flush()
        except OSError as error:
            self.refusal = self.refusal or error
            raise


def load(path: Path) -> Checkpoint:
    """Return the checkpoint in ``path``, its tensors in the CPU's memory. Raises ReadError."""
    content = _read(path)
    try:
        weights = content["weights"]
        if not all(isinstance(n, str) and isinstance(w, Tensor) for n, w in weights.items()):
            raise TypeError("weights must be tensors by name")
        _check_held(weights.values())
        classes = ClassTable.from_text(content["classes"])
        if "names" in content:
            classes = classes.renamed(content["names"])
        config = Config.from_json(content["config"])
        scores = {str(name): float(value) for name, value in content["scores"].items()}
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise _refused(path, error) from error
    data = str(content.get("data", ""))
    return Checkpoint(config, classes, data, scores, weights, content.get("run"))


def epoch(checkpoint: Checkpoint) -> int:
    """Return the epoch of the last evaluation of a run that can go on, 0 before the first."""
    try:
        rows = (checkpoint.run or {})["state"]["history"]
        return int(rows[-1]["epoch"]) if rows else 0
    except (KeyError, TypeError, ValueError, AttributeError, LookupError, OverflowError):
        return 0  # whoever goes on from there will say that it does not hold together


def network(checkpoint: Checkpoint, *, path: Path) -> nn.Module:
    """Return the network of the checkpoint read from ``path``, in evaluation mode.

    Raises ReadError where the weights are not those of the network that the settings describe.
    """
    try:
        built = build(checkpoint.config, checkpoint.classes, weights=checkpoint.weights)
        built.load_state_dict(checkpoint.weights)
    except (MaskforgeError, RuntimeError, TypeError, ValueError, ArithmeticError) as error:
        raise _refused(path, error) from error
    return built.eval()


def build(
    config: Config, classes: ClassTable, *, weights: dict[str, Tensor] | None = None
) -> nn.Module:
    """Return the network that ``config`` describes, with random weights.

    Where ``weights`` are given, which will be loaded into it, nothing else is read from a file, and
    memory is taken only after the settings are known to describe a network of their shapes.
    """
    options: dict[str, Any] = dict(config.options)
    made = partial(
        models.build,
        config.network,
        in_channels=config.channels,
        num_classes=1 if config.sigmoid else len(classes),
    )
    if weights is not None:
        options.pop("encoder_weights", None)
        if any(isinstance(value, int) and abs(value) > MOST for value in options.values()):
            raise ValueError(
                f"options of a network must be numbers up to {MOST}, but are {options}"
            )
        if not config.network.startswith("smp"):
            with torch.device("meta"):
                described = made(**options)
            _compare(described.state_dict(), weights)
    return made(**options)


def _check_held(weights: Iterable[Tensor]) -> None:
    """Raise ValueError for tensors that claim more numbers than the file holds."""
    claimed, held = 0, {}
    for weight in weights:
        if weight.layout is not torch.strided or weight.device.type != "cpu":
            raise ValueError("weights must be held in full")
        storage = weight.untyped_storage()
        held[storage.data_ptr()] = storage.nbytes()
        claimed += weight.numel() * weight.element_size()
    if claimed > sum(held.values()):
        raise ValueError("weights must be held in full")


def _compare(described: dict[str, Tensor], weights: dict[str, Tensor]) -> None:
    for name, tensor in described.items():
        shape = tuple(weights[name].shape) if name in weights else None
        if shape != tuple(tensor.shape):
            raise ValueError(f"weight {name} must be {tuple(tensor.shape)}, but got {shape}")


def _read(path: Path) -> dict[str, Any]:
    try:
        content = tensors.read(path)
    except FileNotFoundError as error:
        raise ReadError(
            "there must be a checkpoint, but there is none",
            file=str(path),
            cure="name the folder of the run with --out, or train without --resume",
        ) from error
    except ValueError as error:
        raise _refused(path, error) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise _refused(path, f"it is not marked {FORMAT}")
    return content


def _refused(path: Path, reason: object) -> ReadError:
    return ReadError(
        f"the file must be a checkpoint of maskforge, but: {str(reason).splitlines()[0][:200]}",
        code="wrong-format",
        file=str(path),
    )


def finite(scores: dict[str, float]) -> dict[str, float]:
    """Return the scores that are numbers."""
    return {name: value for name, value in scores.items() if math.isfinite(value)}
