"""Train a network on images and label images."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from maskforge.cli import (
    _again,
    _annotations,
    _console,
    _data,
    _help,
    _options,
    _settings,
    _torch,
)
from maskforge.cli._console import escape
from maskforge.errors import ReadError, UsageError
from maskforge.prediction.config import BUDGETS, MACHINE, names, with_budget
from maskforge.scores.history import best_of, still_rising
from maskforge.training.presets import PRESETS
from maskforge.training.run_folder import BEST, LAST, RunFolder


def run(
    data: tuple[str, ...],
    *,
    out: str | None,
    preset: str | None,
    option: tuple[str, ...],
    encoder_weights: str | None,
    resume: bool,
    resume_from: str | None,
    overwrite: bool,
    strict: bool,
    tensorboard: bool,
    quiet: bool,
    **given: Any,
) -> int:
    """Train a network on DATA, what a conversion wrote or any folder of images and masks.

    The folder of the run then holds best.pt (by mean IoU) and last.pt, history.csv, curves.png, and
    previews/ with the same validation images after each evaluation. Ctrl-C saves and ends;
    --resume goes on. --overwrite removes nothing: the earlier run goes to a folder beside.

    \b
    Examples:
      maskforge train photos-masks/
      maskforge train photos-masks/ -o runs/people --minutes 15
      maskforge train gtFine/ --preset cityscapes --network fcn8s --epochs 50
      maskforge train photos-masks/ -o runs/people --resume
      torchrun --nproc-per-node 2 -m maskforge train photos-masks/
    """
    meaning = _data.Meaning.take(given)
    path = Path(out) if out else Path("runs", _stem(data[0]))
    if encoder_weights is not None:
        option = (*option, f"encoder_weights={encoder_weights}")
    first = os.environ.get("RANK", "0") == "0"
    loop = _torch.load("loop")
    config = None
    source = Path(resume_from) if resume_from else None
    if resume or source is not None:
        _refuse_settings({**given, "preset": preset}, option)
    else:
        config = _settings.config_of(given, preset_name=preset or "default", network_options=option)
        _settings.check_options(config.network, option)
        loop.check(config)
        weights = Path(encoder_weights or "")
        if weights.suffix and not weights.is_file():  # a pipe would keep us waiting
            raise ReadError("the encoder's weights must be a file", file=str(weights))
    _check_data(data)
    console = _console.console(quiet=quiet) if first else _console.nowhere()
    from maskforge.pictures import plots
    from maskforge.prediction.sizes import described
    from maskforge.training import samples
    from maskforge.training import tensorboard as board

    board_too = tensorboard and board.is_installed()
    with loop.opened(
        path, resume=resume, overwrite=overwrite, source=source, board=board_too
    ) as folder:
        if folder.recovered is not None:
            console.print(f"an earlier run is in {escape(str(folder.recovered))}/")
        if config is None:
            config = replace(loop.saved_in(folder).config, **with_budget(_named(given)))
            loop.check(config)
        with _annotations.recognised(data):
            opened = meaning.open(data, part=config.val_part)
        dataset = samples.split_for(opened, config)
        found = _data.checked(dataset, console, strict=strict)
        watch = _watch(console, folder, board=board_too)
        data_items = samples.from_dataset(found, config)
        try:
            trained = loop.train_in(folder, config, data_items, watch=watch)
        except KeyboardInterrupt as error:
            if not folder.is_placed:
                raise
            for line in _told(folder):
                console.print(line)
            raise _again.Interrupted(
                f"saved: {path / LAST}",
                dropped=_NOT_RESUMED,
                more=("--out", str(path), "--resume"),
            ) from error
    best = trained.history[best_of(trained.history, config.best)]["mean_iou"]
    console.print(
        f"[bold]best mIoU {100 * best:.2f}[/] ({described(config.size)}) after "
        f"{_console.many(round(trained.seconds / 60, 1), 'minute')}: {_shown(path / BEST)}"
    )
    curves = "" if plots.missing() else f" and {_shown(path)}/curves.png"
    console.print("\n".join([f"to look at: {_shown(path)}/previews/{curves}", *_told(folder)]))
    if plots.missing():
        console.print(f"[yellow]{escape(plots.missing())}[/]")
    for line in _longer(trained, path):
        console.print(line)
    console.print(f"next: {escape(shlex.join(['maskforge', 'evaluate', str(path / BEST), *data]))}")
    return 1 if found.errors else 0


def _check_data(paths: Sequence[str]) -> None:
    """Raise ReadError for the folder of a run: it would be looked through for masks."""
    for path in paths:
        if any(Path(path, name).is_file() for name in (BEST, LAST)):
            raise ReadError(
                "there must be data, but this is the folder of a run",
                code="wrong-format",
                file=path,
                cure=f"name the data, and the run with --out: maskforge train DATA -o {path} "
                "--resume",
            )


_NOT_RESUMED = (
    *(name for name in names() if name not in MACHINE),
    *("preset", "option", "encoder_weights", "out", "overwrite", "resume", "resume_from"),
)
"""Options that the command which goes on must not have, or has in other words."""


def _named(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


def _refuse_settings(given: dict[str, Any], option: tuple[str, ...]) -> None:
    """Refuse settings of a run that goes on, but for its length and those of the machine."""
    may = (*BUDGETS, *MACHINE)
    refused = [name for name in _named(given) if name not in may]
    if refused or option:
        raise UsageError(
            f"a resumed run keeps its settings, but {[*refused, *option]} are given",
            cure=f"leave them out, or begin a new run; only {list(may)} may change",
        )


def _told(folder: RunFolder) -> Iterator[str]:
    """Yield the lines that say where else something is."""
    if folder.moved is not None:
        yield f"the earlier run: {_shown(folder.moved)}/"
    if folder.left:
        yield (
            f"changed by somebody during the run, and left so: {escape(', '.join(folder.left))} "
            f"(all numbers are in {_shown(folder.path / LAST)} as well)"
        )


def _longer(trained: Any, path: Path) -> Iterator[str]:
    """Yield the line that says that a longer run is worth it, where the scores still rose."""
    gained = still_rising(trained.history)
    if not gained:
        return
    goes_on = _again.going_on(
        click.get_current_context().obj,
        dropped=_NOT_RESUMED,
        more=("--out", str(path), "--resume", "--steps", str(2 * trained.steps)),
    )
    yield (
        f"[yellow]mIoU still rose by {100 * gained:.1f} in the last third: a longer run is "
        f"likely to score higher. It goes on with:[/] {escape(goes_on)}"
    )


def _shown(path: Path) -> str:
    return escape(str(path))


def _watch(console: Any, folder: RunFolder, *, board: bool) -> Any:
    from maskforge.cli._training import Terminal
    from maskforge.training.callbacks import Watch, Watches
    from maskforge.training.tensorboard import Board

    watches: list[Watch] = [Terminal(console)]
    if board:
        watches.append(Board(folder))
    return Watches(watches)


def _stem(path: str) -> str:
    return Path(path).resolve().stem.removesuffix("-masks") or "run"


_OPTIONS = [
    _help.option(
        "-o",
        "--out",
        type=_help.path(),
        metavar="DIR",
        help="Folder of the run. [default: runs/NAME]",
        group="output",
    ),
    _help.option(
        "--preset",
        type=_help.Choice(list(PRESETS)),
        help="Settings to begin with; all others change them. [default: default]",
        listed="presets",
        group="network",
    ),
    _help.option(
        "--option",
        metavar="NAME=VALUE",
        multiple=True,
        group="network",
        help="Option of the network, such as width=16.",
    ),
    _help.option(
        "--encoder-weights",
        type=_help.path(),
        metavar="FILE|NAME",
        group="network",
        rare=True,
        help="Pretrained weights of an smp or fcn network: a local file, or a name that smp knows.",
    ),
    *_settings.options(),
    *_data.options(),
    _help.option("--resume", is_flag=True, help="Go on with the run in --out."),
    _help.option(
        "--resume-from",
        type=_help.path(),
        metavar="DIR",
        rare=True,
        help="Go on, in --out, with the run in DIR, which is only read: one of maskforge 0.1, say.",
    ),
    _help.option(
        "--overwrite",
        is_flag=True,
        help="Move the run in --out to a folder beside it, and begin anew. That happens once the "
        "first checkpoint is written; other files there stay as they are.",
    ),
    _help.option(
        "--strict", is_flag=True, help="Stop at the first problem in the data.", rare=True
    ),
    _help.option(
        "--tensorboard/--no-tensorboard",
        default=True,
        group="output",
        rare=True,
        help="Write for TensorBoard, where it is installed. [default: yes]",
    ),
    _options.quiet_option(),
]

command = _help.command("train")(
    click.argument("data", nargs=-1, required=True, type=_help.path(), metavar="DATA...")(
        _options.apply(run, _OPTIONS)
    )
)
