"""What follows from settings and data before the first step: optimizer, class weights, crops."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from maskforge.errors import UsageError
from maskforge.prediction import sizes
from maskforge.prediction.config import Config
from maskforge.scores.metrics import class_weights
from maskforge.training import losses, models
from maskforge.training.distributed import Ranks
from maskforge.training.samples import Data


def optimizer_of(config: Config, network: nn.Module) -> torch.optim.Optimizer:
    """Return the optimizer; biases and normalizations do not decay."""
    weights = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in weights if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in weights if p.ndim <= 1], "weight_decay": 0.0},
    ]
    kind = torch.optim.Adam if config.optimizer == "adam" else torch.optim.AdamW
    return kind([g for g in groups if g["params"]], lr=config.lr, fused=True)


def weights_of(config: Config, data: Data) -> NDArray[np.float64]:
    """Return the weights of the classes, (C,), from the pixels of the training images.

    Raises UsageError where there are none.
    """
    method = config.class_weights
    pixels = data.counts.sum(axis=0)
    if method == "auto":
        # Region losses count every class the same already; weights on top call too much rare.
        by_pixel = not any(name in config.loss for name in ("dice", "tversky", "lovasz"))
        seen = pixels[pixels > 0]
        rare = len(seen) > 0 and seen.max() > 50 * seen.min()
        method = "enet" if by_pixel and rare else "none"
    if not pixels.any():
        raise UsageError("every pixel of the training images is ignored: there is nothing to learn")
    return class_weights(data.counts, method=method)


def middle_size(data: Data, divisor: int) -> tuple[int, int]:
    """Return width and height of the training crops: those of the middle image, rounded up."""
    height, width = np.median(np.array(data.train.sizes), axis=0).astype(int).tolist()
    return sizes.padded((height, width), divisor)[::-1]


def check_names(config: Config) -> None:
    """Raise UsageError for a network, an option of it or a loss that is not known."""
    models.check(config.network, config.options)
    losses.parts_of(config.loss)


def check(config: Config, data: Data, ranks: Ranks) -> None:
    """Raise UsageError for settings that do not fit data or processes."""
    parts = config.accumulate * ranks.count
    if config.batch % parts:
        raise UsageError(
            f"batch must be a multiple of {parts} (accumulations and processes), "
            f"but got {config.batch}"
        )
    if config.sigmoid and len(data.classes) != 2:
        raise UsageError(
            f"sigmoid needs a background and one class, but the data have {len(data.classes)} ids"
        )
    if not len(data.train):
        raise UsageError("there must be images to train on, but there is none")
