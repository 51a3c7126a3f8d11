"""Exponential moving average of the weights, which often scores better than the weights."""

from __future__ import annotations

import copy

import torch
from torch import nn


class EMA:
    """Keeps ``network``, a copy whose weights follow those of the one being trained.

    After each step, average = d * average + (1 - d) * weights, with d = ``decay``, but smaller in
    the first steps, so that the random start is forgotten soon.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Take the weights after ``step``, counted from 0, into the average."""
        decay = min(self.decay, (1 + step) / (10 + step))
        averaged = self.network.state_dict()
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                averaged[name].lerp_(value, 1 - decay)
            else:
                averaged[name].copy_(value)
