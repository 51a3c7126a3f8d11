"""A training run on a terminal: one live line, and a table after each evaluation."""

from __future__ import annotations

import math
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from maskforge.cli import _console, _scores
from maskforge.cli._console import escape
from maskforge.scores.history import Row
from maskforge.training.callbacks import Epoch, Start, Step, Watch


class Terminal(Watch):
    """Prints to ``console``; the live line only where that is a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self._steps: int | None = None

    def start(self, start: Start) -> None:
        """Print what is trained, and begin the live line."""
        self._steps = start.steps
        kind = "bfloat16" if start.bfloat16 else "float32"
        size = start.config.crop
        length = (
            _console.many(start.config.minutes or 0, "minute")
            if start.steps is None
            else (f"{_console.many(start.steps, 'step')}, {start.epoch_steps} an epoch")
        )
        self._console.print(
            f"{escape(start.config.network)}, {start.parameters:,} parameters, on {start.device} "
            f"({kind}): {_console.many(start.train, 'image')} to train on, {start.val} held back, "
            f"crops {size[0]}x{size[1]}, {length}"
        )
        if start.trial:
            self._console.print(start.trial)
        if start.step:
            self._console.print(f"going on after step {start.step:,}")
        if self._console.is_terminal:
            columns = (BarColumn(bar_width=24), TextColumn("{task.description}"))
            self._bar = Progress(*columns, console=self._console, transient=True)
            self._task = self._bar.add_task("the first steps take longer", total=1.0)
            self._bar.start()

    def placed(self, moved: Path | None) -> None:
        """Say where the earlier run went."""
        if moved is not None:
            self._console.print(f"the earlier run is now in {escape(str(moved))}/")

    def step(self, step: Step) -> None:
        """Update the live line."""
        if self._bar is None:
            return
        of = f"/{self._steps}" if self._steps else ""
        score = "" if math.isnan(step.mean_iou) else f" · mIoU {100 * step.mean_iou:.1f}"
        self._bar.update(
            self._task,
            completed=step.share,
            description=f"epoch {step.epoch} · step {step.step}{of} · loss {step.loss:.4f}{score} "
            f"· {step.images_per_second:.1f} images/s · {_duration(step.seconds_left)} left",
        )

    def epoch(self, epoch: Epoch) -> None:
        """Print the table of the classes."""
        row = epoch.row
        title = (
            f"epoch {int(row['epoch'])} · step {int(row['step'])} · loss {row['loss']:.4f} · "
            f"validation {row['val_loss']:.4f} · mIoU {100 * row['mean_iou']:.2f}"
            + (" (best)" if epoch.best else "")
            + _by_image(row)
            + f" · {row['images_per_second']:.1f} images/s · {_duration(row['seconds'])}"
        )
        if epoch.scores.matrix.any():
            self._console.print(_scores.table(epoch.scores, title=title))
        else:
            self._console.print(title)

    def close(self) -> None:
        """End the live line."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _by_image(row: Row) -> str:
    """Return the means over images, which other works call mean IoU and accuracy."""
    if math.isnan(row["image_mean_iou"]):
        return ""
    iou, accuracy = 100 * row["image_mean_iou"], 100 * row["image_pixel_accuracy"]
    return f" · per image: mIoU {iou:.2f}, accuracy {accuracy:.2f}"


def _duration(seconds: float) -> str:
    if not math.isfinite(seconds):
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
