"""A training run on a terminal: a live line, one line an evaluation, and the classes at the end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from maskforge.cli import _scores
from maskforge.cli._console import escape
from maskforge.errors import many
from maskforge.scores.history import Row
from maskforge.training.callbacks import Epoch, Start, Step, Watch

_COLUMNS = ("epoch", "step", "loss", "val loss", "mIoU", "images/s", "time")


class Terminal(Watch):
    """Prints to ``console``; the live line only where that is a terminal.

    verbose: the scores of each class after every evaluation, and not only those of the best one.
    """

    def __init__(self, console: Console, *, verbose: bool = False) -> None:
        self._console = console
        self._verbose = verbose
        self._best: Epoch | None = None
        self._is_headed = False
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self._steps: int | None = None

    def start(self, start: Start) -> None:
        """Print what is trained, and begin the live line."""
        self._steps = start.steps
        kind = "bfloat16" if start.bfloat16 else "float32"
        size = start.config.crop
        length = (
            many(start.config.minutes or 0, "minute")
            if start.steps is None
            else (f"{many(start.steps, 'step')}, {start.epoch_steps} an epoch")
        )
        self._console.print(
            f"{escape(start.config.network)}, {start.parameters:,} parameters, on {start.device} "
            f"({kind}), crops {size[0]}x{size[1]}\n"
            f"{many(start.train, 'image')} to train on, {start.val} held back; {length}"
        )
        if start.trial:
            self._console.print(start.trial)
        if start.steps is not None and start.step >= start.steps:
            told = f"all {start.steps:,} steps are done; --resume --steps {2 * start.steps} goes on"
            self._console.print(told)
        elif start.step:
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
        """Print a line, below the names of its columns."""
        row = epoch.row
        if not self._is_headed:
            self._is_headed = True
            self._console.print(f"[dim]{_line(_COLUMNS)}[/]")
        values = (
            f"{int(row['epoch'])}",
            f"{int(row['step']):,}",
            f"{row['loss']:.4f}",
            f"{row['val_loss']:.4f}",
            f"{100 * row['mean_iou']:.2f}",
            f"{row['images_per_second']:.1f}",
            _duration(row["seconds"]),
        )
        self._console.print(_line(values) + ("  best" if epoch.best else ""))
        if epoch.best and epoch.scores.matrix.any():
            self._best = epoch
        if self._verbose and epoch.scores.matrix.any():
            self._console.print(_scores.table(epoch.scores))

    def close(self) -> None:
        """End the live line, and print the classes at their best."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        if self._best is not None:
            row = self._best.row
            title = f"the best, of epoch {int(row['epoch'])}{_by_image(row)}"
            self._console.print(_scores.table(self._best.scores, title=title))


def _line(cells: Sequence[str]) -> str:
    """Return the cells of a row, right-aligned below the names of their columns."""
    return "  ".join(
        cell.rjust(max(len(name), 6)) for cell, name in zip(cells, _COLUMNS, strict=True)
    )


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
