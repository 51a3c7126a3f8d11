"""Callbacks: who is told how a run goes, so that the loop knows no terminal and no TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from maskforge.prediction.config import Config
from maskforge.scores.history import Row
from maskforge.scores.scorer import Scores


@dataclass(frozen=True, slots=True)
class Start:
    """What is about to be trained. steps: in all, None where minutes decide.

    step: where a resumed run goes on. parameters: of the network. trial: what was tried before, in
    words, "" where nothing was.
    """

    config: Config
    out: Path
    device: str
    bfloat16: bool
    parameters: int
    train: int
    val: int
    steps: int | None
    epoch_steps: int
    step: int = 0
    trial: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A step that is done. loss: mean since the last evaluation. share: of the run, 0 to 1.

    losses: of each step since the last one that was told, this one's last. mean_iou: of the last
    evaluation, nan before. seconds_left: as far as can be told.
    """

    step: int
    epoch: int
    loss: float
    lr: float
    share: float
    mean_iou: float
    images_per_second: float
    seconds_left: float
    losses: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Epoch:
    """An evaluation that is done. pictures: by name.

    They are "curves", where matplotlib is installed, and "previews" of input, truth and prediction,
    if there are images to show.
    """

    row: Row
    scores: Scores
    best: bool
    pictures: Mapping[str, Image.Image]


class Watch:
    """Hears of a run and does nothing; override what is of interest."""

    def start(self, start: Start) -> None:
        """The first step is about to be taken."""

    def placed(self, moved: Path | None) -> None:
        """The run has taken its place in its folder; moved: where an earlier one went, if any."""

    def step(self, step: Step) -> None:
        """A step is done; told a few times a second at most."""

    def epoch(self, epoch: Epoch) -> None:
        """An evaluation is done, and the files are written."""

    def close(self) -> None:
        """The run has ended, well or not."""


class Watches(Watch):
    """Tells several."""

    def __init__(self, watches: Sequence[Watch]) -> None:
        self._watches = tuple(watches)

    def start(self, start: Start) -> None:
        """See :class:`Watch`."""
        for watch in self._watches:
            watch.start(start)

    def placed(self, moved: Path | None) -> None:
        """See :class:`Watch`."""
        for watch in self._watches:
            watch.placed(moved)

    def step(self, step: Step) -> None:
        """See :class:`Watch`."""
        for watch in self._watches:
            watch.step(step)

    def epoch(self, epoch: Epoch) -> None:
        """See :class:`Watch`."""
        for watch in self._watches:
            watch.epoch(epoch)

    def close(self) -> None:
        """See :class:`Watch`."""
        for watch in self._watches:
            watch.close()
