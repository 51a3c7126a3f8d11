"""Inference with a checkpoint: the one thing that prediction needs torch for."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from maskforge.prediction.predictor import Predictor
from maskforge.training import checkpoint
from maskforge.training.device import Machine, probabilities


def network_predictor(
    path: str | os.PathLike[str], *, device: str = "auto", threads: int = 0
) -> Predictor:
    """Return the predictor of the checkpoint ``path``, looking as in its training.

    device: auto, cpu, cuda or cuda:N; 0 ``threads`` are torch's own choice. Raises ReadError,
    UsageError.
    """
    file = Path(path)
    saved = checkpoint.load(file)
    network = checkpoint.network(saved, path=file)
    machine = Machine.of(replace(saved.config, device=device, threads=threads))
    network.to(machine.device, memory_format=machine.memory_format)  # type: ignore[call-overload]

    def forward(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.inference_mode(), machine.autocast():
            found: NDArray[np.float32] = (
                probabilities(network(machine.images(images))).cpu().numpy()
            )
        return found

    return Predictor(
        forward,
        saved.classes,
        int(network.divisor),  # type: ignore[arg-type]
        saved.config.size,
        config=saved.config,
        data=saved.data,
    )
