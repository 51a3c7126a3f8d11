"""Training steps of one network under one set of settings, timed: one turn of steps.py.

The network is named by where it is from, its name there, and its options: "maskforge unet {}".
Prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from typing import Any

import common
import numpy as np
import textbook
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from maskforge.prediction.config import Config
from maskforge.training import losses, models, optim
from maskforge.training.device import Machine
from maskforge.training.ema import EMA
from maskforge.training.models import smp

CLASSES = 2
IGNORED = 255


def build(origin: str, name: str, options: dict[str, Any]) -> nn.Module:
    """Return the network ``name`` of ``origin``: maskforge, textbook, smp or torchvision."""
    network: nn.Module
    if origin == "maskforge":
        network = models.build(name, in_channels=3, num_classes=CLASSES, **options)
    elif origin == "textbook":
        network = getattr(textbook, name)(CLASSES, **options)
    elif origin == "smp":
        make = getattr(smp.load_library(), name)
        network = make(encoder_weights=None, classes=CLASSES, **options)
    else:
        from torchvision.models import segmentation

        make = getattr(segmentation, name)
        network = make(weights=None, weights_backbone=None, num_classes=CLASSES, **options)
    return network


class Stepper:
    """A network in training, under the settings "plain" or "maskforge" (see steps.py)."""

    def __init__(self, network: nn.Module, settings: str, config: Config) -> None:
        self._ours = settings == "maskforge"
        self.machine = Machine.of(config if self._ours else replace(config, channels_last=False))
        self.network = network.to(self.machine.device).train()
        self._clip = config.clip
        self._loss_of = losses.build(config.loss, ignore_index=IGNORED)
        if self._ours:
            network.to(memory_format=self.machine.memory_format)
            self._optimizer = optim.optimizer_of(config, network)
            self._ema = EMA(network, config.ema)
            self._steps = 0
        else:
            self._optimizer = torch.optim.AdamW(network.parameters(), lr=config.lr)

    def step(self, images: common.Image, targets: common.LabelImage) -> None:
        """Forward, backward and update, from arrays (N, H, W, 3) and (N, H, W) on."""
        self._optimizer.zero_grad(set_to_none=True)
        x, y = self.machine.images(images), self.machine.targets(targets)
        if self._ours:
            with self.machine.autocast():
                loss = self._loss_of(self._logits(x), y)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), self._clip)
        else:
            F.cross_entropy(self._logits(x), y, ignore_index=IGNORED).backward()
        self._optimizer.step()
        if self._ours:
            self._ema.update(self.network, self._steps)
            self._steps += 1

    def timed(self, images: common.Image, targets: common.LabelImage) -> float:
        """Return the seconds of a step, what a GPU still has to do included."""
        begin = time.perf_counter()
        self.step(images, targets)
        self.wait()
        return time.perf_counter() - begin

    def wait(self) -> None:
        """Wait for a GPU."""
        if self.machine.device.type == "cuda":
            torch.cuda.synchronize()

    def _logits(self, images: Tensor) -> Tensor:
        logits = self.network(images)
        return logits["out"] if isinstance(logits, dict) else logits  # torchvision has several


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("origin", choices=("maskforge", "textbook", "smp", "torchvision"))
    parser.add_argument("name")
    parser.add_argument("options", type=json.loads, help="JSON")
    parser.add_argument("--settings", choices=("plain", "maskforge"), required=True)
    for name in ("--size", "--batch", "--steps", "--threads"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--device", required=True)
    given = parser.parse_args()
    torch.manual_seed(common.SEED)
    config = Config(device=given.device, threads=given.threads)
    network = build(given.origin, given.name, given.options)
    stepper = Stepper(network, given.settings, config)
    rng = np.random.default_rng(common.SEED)
    shape = (given.batch, given.size, given.size)
    images = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
    targets = rng.integers(0, CLASSES, shape, dtype=np.uint8)
    # The first steps make ready: kernels are chosen, the optimizer takes its memory.
    with FlopCounterMode(display=False) as counter:
        stepper.step(images, targets)
    stepper.timed(images, targets)
    found = {
        "parameters": sum(p.numel() for p in network.parameters()),
        "gflop": counter.get_total_flops() / 1e9,
        "seconds": [stepper.timed(images, targets) for _ in range(given.steps)],
        "gpu_mb": torch.cuda.max_memory_allocated() / 1e6 if given.device != "cpu" else None,
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
