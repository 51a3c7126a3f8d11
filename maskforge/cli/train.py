"""Train a network on images and label images."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from maskforge.api import torch_part
from maskforge.cli import _again, _annotations, _console, _data, _help, _options, _settings
from maskforge.cli._console import escape
from maskforge.errors import many
from maskforge.prediction.config import MACHINE, names
from maskforge.scores.history import still_rising
from maskforge.training.presets import PRESETS
from maskforge.training.run_folder import LAST

if TYPE_CHECKING:
    from maskforge.api.training import Training
    from maskforge.training.run_folder import RunFolder


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
    verbose: bool,
    **given: Any,
) -> int:
    """Train a network on DATA, what a conversion wrote or any folder of images and masks.

    The folder of the run then holds best.pt (by mean IoU) and last.pt, history.csv, curves.png, and
    previews/ with the same validation images after each evaluation. Without --out runs are
    numbered. Ctrl-C saves and ends; --resume goes on, without --out with the newest. --overwrite
    removes nothing: the earlier run goes to a folder beside.

    \b
    Examples:
      maskforge train photos-masks/
      maskforge train photos-masks/ -o runs/people --minutes 15
      maskforge train gtFine/ --preset cityscapes --network fcn8s --epochs 50
      maskforge train photos-masks/ -o runs/people --resume
      torchrun --nproc-per-node 2 -m maskforge train photos-masks/
    """
    from maskforge.api import training

    typed = ["maskforge", *(click.get_current_context().obj or ())]
    first = os.environ.get("RANK", "0") == "0"
    meaning = _data.take(given)
    if encoder_weights is not None:
        option = (*option, f"encoder_weights={encoder_weights}")
    config = None
    source = Path(resume_from) if resume_from else None
    if resume or source is not None:
        training.refuse_settings(given, preset, option)
    else:
        config = _settings.config_of(given, preset_name=preset or "default", network_options=option)
        torch_part.load("loop")  # without torch the rest does not matter
        _settings.check_options(config.network, option)
        training.check_weights(Path(encoder_weights or ""))
    console = _console.console(quiet=quiet) if first else _console.nowhere()
    held: list[RunFolder] = []

    def watching(folder: RunFolder) -> Any:
        from maskforge.cli._training import Terminal

        held.append(folder)
        if folder.recovered is not None:
            console.print(f"an earlier run is in {escape(str(folder.recovered))}/")
        return Terminal(console, verbose=verbose)

    try:
        with _annotations.recognised(data):
            result = training.trained(
                data,
                config,
                out=out,
                resume=resume,
                source=source,
                overwrite=overwrite,
                changed=given,
                strict=strict,
                tensorboard=tensorboard,
                meaning=meaning,
                look=_data.Shown(console),
                watching=watching,
                typed=typed,
            )
    except KeyboardInterrupt as error:
        if not held or not held[0].is_placed:
            raise
        path = held[0].path
        for line in _told(held[0]):
            console.print(line)
        raise _again.Interrupted(
            f"saved: {path / LAST}", dropped=_NOT_RESUMED, more=("--out", str(path), "--resume")
        ) from error
    from maskforge.pictures import plots
    from maskforge.prediction.sizes import described

    score = f"best mIoU {100 * result.mean_iou:.2f}[/] ({described(result.size)})"
    if math.isnan(result.mean_iou):
        score = "not scored[/], as nothing was held back,"
    console.print(
        f"[bold]{score} after {many(round(result.seconds / 60, 1), 'minute')}: "
        f"{_shown(result.best)}"
    )
    curves = "" if plots.missing() else f" and {_shown(result.out)}/curves.png"
    seen = f"to look at: {_shown(result.out)}/previews/{curves}"
    console.print("\n".join([seen, *_told(held[0])]))
    if plots.missing():
        console.print(f"[yellow]{escape(plots.missing())}[/]")
    _tell_of_longer(result, console)
    _console.then(console, ["evaluate", str(result.best), *data])
    return result.exit_code


_NOT_RESUMED = (
    *(name for name in names() if name not in MACHINE),
    *("split", "preset", "option", "encoder_weights", "out", "overwrite", "resume", "resume_from"),
)
"""Options that the command which goes on must not have, or has in other words."""


def _told(folder: RunFolder) -> Iterator[str]:
    """Yield the lines that say where else something is."""
    if folder.moved is not None:
        yield f"the earlier run: {_shown(folder.moved)}/"
    if folder.left:
        yield (
            f"changed by somebody during the run, and left so: {escape(', '.join(folder.left))} "
            f"(all numbers are in {_shown(folder.path / LAST)} as well)"
        )


def _tell_of_longer(trained: Training, console: Any) -> None:
    """Say that a longer run is worth it, where the scores still rose."""
    gained = still_rising(trained.history)
    if not gained:
        return
    goes_on = _again.going_on(
        click.get_current_context().obj,
        dropped=_NOT_RESUMED,
        more=("--out", str(trained.out), "--resume", "--steps", str(2 * trained.steps)),
    )
    console.print(
        f"[yellow]mIoU still rose by {100 * gained:.1f} in the last third: a longer run is "
        "likely to score higher. It goes on with:[/]"
    )
    console.print(f"  {escape(goes_on)}", soft_wrap=True)


def _shown(path: Path) -> str:
    return escape(str(path))


_OPTIONS = [
    _help.option(
        "-o",
        "--out",
        type=_help.path(),
        metavar="DIR",
        help="Folder of the run. [default: runs/NAME, numbered]",
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
    _help.option(
        "-v",
        "--verbose",
        is_flag=True,
        help="Scores of each class after every evaluation.",
        rare=True,
    ),
]

command = _help.command("train")(
    click.argument("data", nargs=-1, required=True, type=_help.path(), metavar="DATA...")(
        _options.apply(run, _OPTIONS)
    )
)
