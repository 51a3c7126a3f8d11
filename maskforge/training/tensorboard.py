"""The TensorBoard logger: scalars and pictures of a run, where tensorboard is installed."""

from __future__ import annotations

import importlib.util
import math
import os
import re
import socket
import time
from contextlib import suppress
from io import BufferedWriter
from pathlib import Path
from typing import Any

from maskforge.io import files
from maskforge.pictures import previews
from maskforge.training.callbacks import Epoch, Start, Step, Watch
from maskforge.training.run_folder import BOARD, RunFolder

_OF_TRAINING = ("loss", "lr", "images_per_second")
"""Columns of the history that training gives; the others are scores."""


def is_installed() -> bool:
    """Return whether there is a tensorboard to write for."""
    return importlib.util.find_spec("tensorboard") is not None


def tag(column: str) -> str:
    """Return what a column of ``history.csv`` is called: train/loss, val/loss, val/iou/CLASS, …

    What is told of single steps is called step/loss, …

    It has letters, digits and "-_./" only: TensorBoard filters by regular expressions.
    """
    if column in _OF_TRAINING:
        return f"train/{column}"
    name = column.removeprefix("val_").replace("iou ", "iou/", 1)
    return "val/" + re.sub(r"[^-/\w.]+", "_", name)


class Board(Watch):
    """Writes event files to ``tensorboard`` in the folder: ``tensorboard --logdir DIR`` shows them.

    What there is to say before the run is in place is held back until then. The names of the files
    end with the run's id. Raises WriteError. (torch's SummaryWriter writes from a thread, and what
    the system refuses ends as a traceback of that.)
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._held: list[bytes] = []
        self._file: BufferedWriter | None = None
        self._path = Path()

    def start(self, start: Start) -> None:
        """Tell the settings; what an interrupted run wrote after its checkpoint is purged."""
        from tensorboard.compat.proto.event_pb2 import SessionLog
        from torch.utils.tensorboard import summary

        self._add(0, file_version="brain.Event:2")
        self._add(start.step, session_log=SessionLog(status=SessionLog.START))
        settings = f"```\n{start.config.to_json()}\n```"
        self._add(start.step, summary=summary.text("config", settings))  # type: ignore[no-untyped-call]

    def placed(self, moved: Path | None) -> None:
        """Open the file."""
        folder = self._folder.folder(BOARD)
        name = f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}.{os.getpid()}"
        number = 0
        while self._file is None:
            self._path = folder / f"{name}.{number}.{self._folder.id}"
            try:
                self._file = self._path.open("xb")
            except FileExistsError:
                number += 1
            except OSError as error:
                raise files.write_error(self._path, error) from error
        self._write()

    def step(self, step: Step) -> None:
        """Write the loss of each step, learning rate and speed."""
        first = step.step - len(step.losses) + 1
        for number, loss in enumerate(step.losses, first):
            self._scalar("step/loss", loss, number)
        self._scalar("step/lr", step.lr, step.step)
        self._scalar("step/images_per_second", step.images_per_second, step.step)
        self._write()

    def epoch(self, epoch: Epoch) -> None:
        """Write the scores and the pictures."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        at = int(epoch.row["step"])
        for name, value in epoch.row.items():
            if name not in ("epoch", "step", "seconds") and math.isfinite(value):
                self._scalar(tag(name), value, at)
        for name, image in epoch.pictures.items():
            # As JPEG: TensorBoard's checksum takes a microsecond a byte.
            picture = Summary.Image(
                width=image.width,
                height=image.height,
                colorspace=3,
                encoded_image_string=previews.encode(image),
            )
            self._add(at, summary=Summary(value=[Summary.Value(tag=name, image=picture)]))
        self._write()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._write()
            self._file.close()
            self._file = None

    def _scalar(self, name: str, value: float, step: int) -> None:
        from torch.utils.tensorboard import summary

        self._add(step, summary=summary.scalar(name, value))  # type: ignore[no-untyped-call]

    def _add(self, step: int, **what: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        self._held.append(Event(wall_time=time.time(), step=step, **what).SerializeToString())

    def _write(self) -> None:
        from tensorboard.summary.writer.record_writer import RecordWriter

        if self._file is None:
            return
        writer = RecordWriter(self._file)
        try:
            for event in self._held:
                writer.write(event)
            writer.flush()
        except OSError as error:
            with suppress(OSError):
                self._file.close()
            self._file = None
            raise files.write_error(self._path, error) from error
        self._held = []
