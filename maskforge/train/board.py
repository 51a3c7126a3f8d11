"""TensorBoard: scalars and pictures of a run, where tensorboard is installed."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from maskforge.train.watch import Epoch, Start, Step, Watch

FOLDER = "tensorboard"


def is_installed() -> bool:
    """Return whether there is a tensorboard to write for."""
    return importlib.util.find_spec("tensorboard") is not None


class Board(Watch):
    """Writes event files to ``out/tensorboard``: ``tensorboard --logdir out`` shows them."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._writer: Any = None

    def start(self, start: Start) -> None:
        """Open the file; what an interrupted run wrote after its checkpoint is purged."""
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(self._out / FOLDER, purge_step=start.step)
        self._writer.add_text("config", f"```\n{start.config.to_json()}\n```", start.step)

    def step(self, step: Step) -> None:
        """Write loss, learning rate and speed."""
        self._writer.add_scalar("train/loss", step.loss, step.step)
        self._writer.add_scalar("train/lr", step.lr, step.step)
        self._writer.add_scalar("train/images_per_second", step.images_per_second, step.step)

    def epoch(self, epoch: Epoch) -> None:
        """Write the scores and the pictures, and flush."""
        at = int(epoch.row["step"])
        for name, value in epoch.row.items():
            if name not in ("epoch", "step", "lr", "seconds") and math.isfinite(value):
                self._writer.add_scalar(f"val/{name}", value, at)
        for name, path in (("previews", epoch.preview), ("curves", self._out / "curves.png")):
            if path is not None:
                with Image.open(path) as image:
                    self._writer.add_image(name, np.asarray(image), at, dataformats="HWC")
        self._writer.flush()

    def close(self) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()
