"""The training loop, in the order of a textbook.

    trained = train(config, data, out=Path("runs/people"))

The folder ``out`` then holds ``best.pt`` (by mean IoU) and ``last.pt``, from which
``train(…, resume=True)`` goes on to the same numbers that an undisturbed run reaches. With
``overwrite=True`` an earlier run in there is moved to a folder beside.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from maskforge.prediction.config import Config
from maskforge.scores.history import Row
from maskforge.training import checkpoint, losses, memory, models, trial
from maskforge.training.callbacks import Watch
from maskforge.training.device import Machine, find_device
from maskforge.training.distributed import Ranks
from maskforge.training.interrupt import Interrupt, Interrupted, interruptible
from maskforge.training.run import Run, State
from maskforge.training.run_folder import RunFolder
from maskforge.training.samples import Data

SAVE_SECONDS = 300.0
"""Time between checkpoints within an epoch."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What a run came to: its folder, one row for each evaluation, the best mean IoU, the time.

    moved: the folder that an earlier run was moved to, None where there was none.
    """

    out: Path
    history: tuple[Row, ...]
    best: float
    steps: int
    seconds: float
    moved: Path | None = None


def train(
    config: Config,
    data: Data,
    *,
    out: Path,
    watch: Watch | None = None,
    resume: bool = False,
    overwrite: bool = False,
) -> Trained:
    """Train a network on ``data`` as ``config`` says and return what came of it.

    With ``resume`` the settings are those of ``out/last.pt``, but for the machine's and the length
    of the run. With ``overwrite`` an earlier run in ``out`` is moved to a folder beside, once the
    first checkpoint of this one is written. ``watch`` is told of each step and evaluation.

    Raises UsageError for settings that do not fit together, and where something stands in ``out``
    that must stay, MaskforgeError when the loss is no longer a number, and KeyboardInterrupt, after
    ``last.pt`` is written, when the user interrupts.
    """
    check(config)
    with opened(out, resume=resume, overwrite=overwrite) as folder:
        return train_in(folder, config, data, watch=watch)


def check(config: Config) -> None:
    """Raise UsageError for names and a device that are not there; no data are needed."""
    models.check(config.network, config.options)
    losses.parts_of(config.loss)
    find_device(config.device, Ranks.of_environment().local)


def opened(
    out: Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
    source: Path | None = None,
    board: bool = False,
    typed: Sequence[str] = (),
) -> RunFolder:
    """Return the folder of a run, to be entered; of several processes only the first writes."""
    first = Ranks.of_environment().first
    return RunFolder(
        out,
        resume=resume,
        overwrite=overwrite,
        source=source,
        board=board,
        first=first,
        typed=typed,
    )


def saved_in(folder: RunFolder) -> checkpoint.Checkpoint | None:
    """Return what a run in ``folder`` goes on from, None for a new run.

    Raises UsageError where a picture that it will draw stands there and is not ours; ReadError.
    """
    if folder.earlier is None:
        return None
    saved = checkpoint.load(folder.earlier)
    if folder.resume:
        folder.check_previews(after=checkpoint.epoch(saved))
    return saved


@memory.kept()
def train_in(
    folder: RunFolder, config: Config, data: Data, *, watch: Watch | None = None
) -> Trained:
    """Do what :func:`train` does, in a folder that is open."""
    ranks = Ranks.of_environment()
    saved = saved_in(folder)
    machine = Machine.of(trial.recorded(saved, config), local_rank=ranks.local)
    chosen = trial.Chosen({}, "")
    if saved is None and ranks.count == 1 and trial.is_worth(config, data, machine):
        chosen = trial.choose(config, data)
        machine = Machine.of(replace(config, **chosen.settings))
    with ranks.joined(machine.device), interruptible() as interrupt:
        # The run ends in there: what it shares with other processes must not outlive them.
        run = Run.begin(config, data, folder, machine, ranks, watch or Watch(), saved)
        if chosen.settings:
            run.trial, run.told = chosen.settings, chosen.told
        state = _finished(run, interrupt)
        del run
    return Trained(
        folder.path, tuple(state.history), state.best, state.step, state.seconds, folder.moved
    )


def _finished(run: Run, interrupt: Interrupt) -> State:
    try:
        _loop(run, interrupt)
    except Interrupted:
        run.save_last()
        raise KeyboardInterrupt from None
    finally:
        run.watch.close()
    return run.state


def _loop(run: Run, interrupt: Interrupt) -> None:
    """Train until the budget is used up; see the module."""
    config, state, machine, ranks = run.config, run.state, run.machine, run.ranks
    network, optimizer = run.network.train(), run.optimizer
    stream = run.training_batches()
    run.start()
    started, saved = time.monotonic() - state.seconds, time.monotonic()
    while True:
        seconds, stop = ranks.most(
            time.monotonic() - started, float(interrupt.asked), device=machine.device
        )
        state.seconds = seconds
        if stop:
            raise Interrupted("interrupted")
        if run.is_epoch_over() and state.evaluated != state.step:
            run.evaluate(interrupt)
            saved = time.monotonic()
        elif time.monotonic() - saved > SAVE_SECONDS:
            run.save_last()
            saved = time.monotonic()
        if run.is_done():
            return

        # Learning rate, and all randomness of the step: both are functions of the step.
        lr = config.lr * run.lr_factor()
        for group in optimizer.param_groups:
            group["lr"] = lr
        mixed = (config.seed * 1_000_003 + state.step) * ranks.count + ranks.rank
        torch.manual_seed(mixed % 2**63)

        # Forward and backward, in as many parts as the memory asks for.
        optimizer.zero_grad(set_to_none=True)
        total = torch.zeros((), device=machine.device)
        for part in range(config.accumulate):
            batch = next(stream)
            images, targets = machine.images(batch.images), machine.targets(batch.targets)
            with run.gradients_shared(last=part == config.accumulate - 1):
                with machine.autocast():
                    loss = run.step_loss_of(run.forward(images), targets) / config.accumulate
                loss.backward()  # type: ignore[no-untyped-call]
            total += loss.detach()

        # Clip, step, average.
        if config.clip:
            torch.nn.utils.clip_grad_norm_(network.parameters(), config.clip)
        optimizer.step()
        if run.ema is not None:
            run.ema.update(network, state.step)

        # Log.
        state.step += 1
        run.log(ranks.total(total) / ranks.count)
