"""The training run, elsewhere called the trainer: all the loop works on, saved and restored."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from maskforge.errors import MaskforgeError, ReadError, UsageError
from maskforge.prediction.config import BUDGETS, MACHINE, Config
from maskforge.scores import history, metrics
from maskforge.scores.history import Row
from maskforge.scores.scorer import Scores
from maskforge.training import checkpoint, loader, losses, optim, run_files, schedules
from maskforge.training.callbacks import Epoch, Start, Step, Watch
from maskforge.training.device import Machine
from maskforge.training.distributed import Ranks
from maskforge.training.ema import EMA
from maskforge.training.interrupt import Interrupt
from maskforge.training.losses import Loss
from maskforge.training.run_folder import BEST, LAST, RunFolder
from maskforge.training.samples import Data
from maskforge.training.validation import Evaluation, evaluate

STEPS_BETWEEN_EVALUATIONS = 30
EVALUATIONS = 20
"""In a run, about, where steps decide: each scores all that is held back, and draws pictures."""
REPORT_SECONDS = 0.25
_FINE = 100_000  # parts that a run of so many minutes is divided into for the schedule


@dataclass(slots=True)
class State:
    """Where a run is. All but ``history`` and ``plateau`` are numbers; the checkpoint has them all.

    loss: sum of the losses since the last evaluation, over loss_steps steps.
    evaluated: the step of the last evaluation. waited: evaluations since the best one.
    """

    step: int = 0
    seconds: float = 0.0
    evaluated: int = -1
    best: float = -math.inf
    waited: int = 0
    loss: float = 0.0
    loss_steps: int = 0
    history: list[Row] = field(default_factory=list)
    plateau: dict[str, float] = field(default_factory=lambda: asdict(schedules.Plateau()))

    def take(self, row: Row, best: str = "mean-iou") -> bool:
        """Take in an evaluation; return whether it is the best one, by what ``best`` says."""
        loss = row["loss"] if math.isnan(row["val_loss"]) else row["val_loss"]
        plateau = schedules.Plateau(**self.plateau)  # type: ignore[arg-type]
        plateau.report(loss)
        self.plateau = asdict(plateau)
        score = history.score(row, best)
        is_best = score > self.best
        self.best, self.waited = (score, 0) if is_best else (self.best, self.waited + 1)
        self.history.append(row)
        self.evaluated, self.loss, self.loss_steps = self.step, 0.0, 0
        return is_best


@dataclass(slots=True, eq=False)
class Run:
    """One run. ``forward`` is ``network`` as the loop calls it: compiled, spread over processes.

    loss_of: of images of this process; step_loss_of: of those of all processes in a step. trial:
    settings of the machine that a trial chose, which the checkpoint keeps; told: that in words.
    """

    config: Config
    data: Data
    folder: RunFolder
    machine: Machine
    ranks: Ranks
    watch: Watch
    network: nn.Module
    forward: nn.Module
    divisor: int
    optimizer: torch.optim.Optimizer
    ema: EMA | None
    loss_of: Loss
    step_loss_of: Loss
    state: State
    _loss: Tensor
    trial: dict[str, Any] = field(default_factory=dict)
    told: str = ""
    _untold: list[Tensor] = field(default_factory=list)
    _told: float = 0.0
    _since: float = 0.0

    @classmethod
    def begin(
        cls,
        config: Config,
        data: Data,
        folder: RunFolder,
        machine: Machine,
        ranks: Ranks,
        watch: Watch,
        saved: checkpoint.Checkpoint | None = None,
    ) -> Run:
        """Return a run before its first step, or where ``saved`` left it.

        Raises UsageError, and ReadError for a checkpoint that does not hold together.
        """
        _check(config, data, ranks)
        torch.manual_seed(config.seed)
        if saved is None:
            network = checkpoint.build(config, data.classes)
        else:  # which reads no file of encoder weights again
            network = checkpoint.network(saved, path=folder.earlier or folder.path)
        network.to(machine.device, memory_format=machine.memory_format)  # type: ignore[call-overload]
        forward = ranks.spread(network, machine.device)
        if config.compile:
            forward = torch.compile(forward)  # type: ignore[assignment]
        divisor = int(network.divisor)  # type: ignore[arg-type]
        weight = torch.from_numpy(losses.class_weights_of(config, data)).float().to(machine.device)
        loss_of = partial(
            losses.build,
            config.loss,
            ignore_index=data.classes.channels.ignore_index,
            weight=weight,
        )
        run = cls(
            replace(config, crop=config.crop or loader.middle_size(data.train, divisor)),
            data,
            folder,
            machine,
            ranks,
            watch if ranks.first else Watch(),
            network,
            forward,
            divisor,
            optim.optimizer_of(config, network),
            EMA(network, config.ema) if config.ema else None,
            loss_of(),
            loss_of(total=ranks.sum) if ranks.count > 1 else loss_of(),
            State(),
            torch.zeros((), dtype=torch.float64, device=machine.device),
        )
        if saved is not None:
            run._restore(saved)
        return run

    # Where the run is

    @property
    def epoch_steps(self) -> int:
        """Steps in which every image is seen once."""
        return -(-len(self.data.train) // self.config.batch)

    @property
    def epoch(self) -> int:
        """The epoch that the last step belongs to, from 1."""
        return -(-self.state.step // self.epoch_steps)

    @property
    def steps(self) -> int | None:
        """Steps of the whole run; None where minutes decide."""
        return self.config.steps_of(len(self.data.train))

    @property
    def share(self) -> float:
        """How much of the run is done, 0 to 1."""
        if self.steps is not None:
            return self.state.step / self.steps
        return min(1.0, self.state.seconds / (60 * (self.config.minutes or 1)))

    def is_done(self) -> bool:
        """Return whether the budget is used up, or nothing gets better any more."""
        patience = self.config.patience
        return self.share >= 1 or bool(patience and self.state.waited >= patience)

    def is_epoch_over(self) -> bool:
        """Return whether it is time for an evaluation."""
        step, each = self.state.step, self.config.evaluate_every
        apart = max(STEPS_BETWEEN_EVALUATIONS, (self.steps or 0) // EVALUATIONS)
        each = each or -(-apart // self.epoch_steps)
        return step > 0 and (step % (each * self.epoch_steps) == 0 or self.is_done())

    def lr_factor(self) -> float:
        """Return what the learning rate is multiplied with in the coming step."""
        name, steps = self.config.schedule, self.steps
        if name == "plateau":
            return float(self.state.plateau["factor"])
        if steps is None:
            return schedules.factor(name, min(int(self.share * _FINE), _FINE - 1), steps=_FINE)
        return schedules.factor(name, self.state.step, steps=steps)

    # What the loop needs

    def training_batches(self) -> Iterator[loader.Batch]:
        """Yield the batches from the coming step on."""
        return loader.training_batches(
            self.data.train,
            self.config,
            ignore_index=self.data.classes.channels.ignore_index,
            start=self.state.step,
            rank=self.ranks.rank,
            ranks=self.ranks.count,
            workers=self.machine.workers,
        )

    def gradients_shared(self, *, last: bool) -> AbstractContextManager[None]:
        """Return the context of a backward pass: only the ``last`` of a step is shared."""
        if isinstance(self.forward, DistributedDataParallel) and not last:
            return self.forward.no_sync()
        return nullcontext()

    def start(self) -> None:
        """Tell the watch, and write down what is trained on."""
        self._since = time.monotonic()
        self._loss.fill_(self.state.loss)
        parameters = sum(p.numel() for p in self.network.parameters())
        counts = len(self.data.train), len(self.data.val)
        if self.ranks.first:
            run_files.write_setup(self.folder, self.config, self.data, self.trial)
        self.watch.start(
            Start(
                self.config,
                self.folder.path,
                str(self.machine.device),
                self.machine.bfloat16,
                parameters,
                *counts,
                self.steps,
                self.epoch_steps,
                self.state.step,
                self.told,
            )
        )
        if self.folder.is_placed:
            self.watch.placed(None)
        elif self.folder.source is not None and self.ranks.first:
            self._take_over(self.folder.source)

    def log(self, loss: Tensor) -> None:
        """Take the loss of a step; now and then look at it, which makes a GPU wait."""
        self._loss += loss
        self._untold.append(loss)
        self.state.loss_steps += 1
        if time.monotonic() - self._told >= REPORT_SECONDS:
            self._tell()

    def _tell(self) -> None:
        """Tell the watch of the steps it has not heard of."""
        if not self._untold:
            return
        self._told = time.monotonic()
        losses = tuple(torch.stack(self._untold).tolist())
        self._untold = []
        state, mean = self.state, self._mean_loss()
        left = (1 / self.share - 1) * state.seconds if self.share else math.nan
        known = state.history[-1]["mean_iou"] if state.history else math.nan
        lr = self.optimizer.param_groups[0]["lr"]
        self.watch.step(
            Step(state.step, self.epoch, mean, lr, self.share, known, self._rate(), left, losses)
        )

    def evaluate(self, interrupt: Interrupt) -> None:
        """Score the network, write all files, tell the watch. Raises Interrupted."""
        self._tell()
        network = self.network if self.ema is None else self.ema.network
        self.ranks.align(network)
        rate = self._rate()
        found = evaluate(
            network,
            self.data.val,
            num_classes=len(self.data.classes),
            ignore_index=self.data.classes.channels.ignore_index,
            divisor=self.divisor,
            batch=-(-self.config.batch // self.config.accumulate),
            loss_of=self.loss_of,
            machine=self.machine,
            keep=self._shown(),
            ranks=self.ranks,
            stopped=lambda: interrupt.asked,
        )
        iou, accuracy = metrics.image_means(found.images)
        scores = Scores(self.data.classes.names, found.matrix, None, iou, accuracy)
        row = self._row(scores, found, rate)
        best = self.state.take(row, self.config.best)
        self._loss.zero_()
        if self.ranks.first:
            if best:
                self._save(BEST, self._checkpoint(resumable=False))
            self.save_last()
            pictures = run_files.write_progress(
                self.folder, self.state.history, self.data, found.predictions, self.config.best
            )
            self.watch.epoch(Epoch(row, scores, best, pictures))
        self._since = time.monotonic()

    # Checkpoints

    def save_last(self) -> None:
        """Write ``last.pt``, from which the run can go on; the first one puts it in its place."""
        self._tell()
        if self.ranks.first:
            self._save(LAST, self._checkpoint(resumable=True))
            if self.folder.publish():
                self.watch.placed(self.folder.moved)

    def _take_over(self, source: Path) -> None:
        """Write what the run in ``source`` had come to: it goes on in here."""
        if (source / BEST).exists():
            self._save(BEST, checkpoint.load(source / BEST))
        self.save_last()
        if self.state.history:
            run_files.write_progress(
                self.folder, self.state.history, self.data, {}, self.config.best
            )

    def _save(self, name: str, content: checkpoint.Checkpoint) -> None:
        with self.folder.file(name) as file:
            checkpoint.write(file, content)

    def _restore(self, saved: checkpoint.Checkpoint) -> None:
        """Go on from ``saved``. Raises UsageError where settings or data are others."""
        free = MACHINE | dict.fromkeys(BUDGETS)
        ours, theirs = (replace(c, **free) for c in (self.config, saved.config))
        if ours != theirs:
            raise UsageError("a run must be resumed with the settings it was begun with")
        try:
            run: dict[str, Any] = saved.run or {}
            if saved.data != self.data.fingerprint:
                raise UsageError(
                    "a run must be resumed on the data it was begun with, but images, sizes, split "
                    "or classes have changed",
                    cure="begin a new one",
                )
            self.network.load_state_dict(run["network"] or saved.weights)
            if self.ema is not None:
                self.ema.network.load_state_dict(saved.weights)
            self.optimizer.load_state_dict(run["optimizer"])
            self.state = State(**run["state"])
            self.trial = dict(run.get("trial") or {})
        except (KeyError, TypeError, RuntimeError, ValueError, AttributeError) as error:
            if isinstance(error, MaskforgeError):
                raise
            raise ReadError(
                f"the checkpoint must be one to go on from, but: {error}",
                file=str(self.folder.earlier),
            ) from error

    def _checkpoint(self, *, resumable: bool) -> checkpoint.Checkpoint:
        weights = (self.network if self.ema is None else self.ema.network).state_dict()
        self.state.loss = float(self._loss)
        run = {
            "network": None if self.ema is None else self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "state": asdict(self.state),
            "trial": self.trial,
        }
        return checkpoint.Checkpoint(
            self.config,
            self.data.classes,
            self.data.fingerprint,
            checkpoint.finite(self.state.history[-1]) if self.state.history else {},
            weights,
            run if resumable else None,
        )

    # Scores

    def _row(self, scores: Scores, found: Evaluation, rate: float) -> Row:
        overall = scores.overall()
        return {
            "epoch": self.epoch,
            "step": self.state.step,
            "lr": self.optimizer.param_groups[0]["lr"],
            "loss": self._mean_loss(),
            "val_loss": found.loss if len(self.data.val) else math.nan,
            "mean_iou": overall["mean_iou_present"],
            "pixel_accuracy": overall["pixel_accuracy"],
            "image_mean_iou": overall["image_mean_iou"],
            "image_pixel_accuracy": overall["image_pixel_accuracy"],
            **{
                f"iou {name}": float(value)
                for name, value in zip(scores.names, scores.by_class()["iou"], strict=True)
            },
            "images_per_second": rate,
            "seconds": self.state.seconds,
        }

    def _mean_loss(self) -> float:
        mean = float(self._loss) / max(1, self.state.loss_steps)
        if not math.isfinite(mean):
            raise MaskforgeError(
                f"the loss must stay a number, but is {mean} at step {self.state.step}",
                code="bad-field",
                cure="lower --lr, or train with --precision float32",
            )
        return mean

    def _rate(self) -> float:
        seconds = time.monotonic() - self._since
        return self.state.loss_steps * self.config.batch / max(seconds, 1e-9)

    def _shown(self) -> list[int]:
        """Return the validation images, by number, that pictures show: a few, the same always."""
        count = min(run_files.IMAGES, len(self.data.val))
        return [at * len(self.data.val) // count for at in range(count)]


def _check(config: Config, data: Data, ranks: Ranks) -> None:
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
