"""The optimizer: Adam or AdamW, and what decays."""

from __future__ import annotations

import torch
from torch import nn

from maskforge.prediction.config import Config


def optimizer_of(config: Config, network: nn.Module) -> torch.optim.Optimizer:
    """Return the optimizer; biases and normalizations do not decay."""
    weights = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in weights if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in weights if p.ndim <= 1], "weight_decay": 0.0},
    ]
    kind = torch.optim.Adam if config.optimizer == "adam" else torch.optim.AdamW
    return kind([g for g in groups if g["params"]], lr=config.lr, fused=True)
