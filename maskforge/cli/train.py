"""Train a network on images and label images."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from maskforge.cli import _console, _data, _options, _settings, _torch
from maskforge.errors import UsageError
from maskforge.train.config import MACHINE, Config
from maskforge.train.presets import PRESETS

FILES = ("last.pt", "best.pt", "config.json", "labels.txt", "train.txt", "val.txt", "history.csv")


def run(
    data: tuple[str, ...],
    *,
    out: str | None,
    preset: str | None,
    option: tuple[str, ...],
    encoder_weights: str | None,
    resume: bool,
    overwrite: bool,
    strict: bool,
    tensorboard: bool,
    quiet: bool,
    **given: Any,
) -> int:
    """Train a network on DATA, what a conversion wrote or any folder of images and masks.

    The folder of the run then holds best.pt (by mean IoU) and last.pt, history.csv, curves.png, and
    previews/ with the same validation images after each evaluation. Ctrl-C saves and ends;
    --resume goes on.

    \b
    Examples:
      maskforge train photos-masks/
      maskforge train photos-masks/ -o runs/people --minutes 15
      maskforge train gtFine/ --preset cityscapes --network fcn8s --epochs 50
      maskforge train photos-masks/ -o runs/people --resume
      torchrun --nproc-per-node 2 -m maskforge train photos-masks/
    """
    meaning = _data.Meaning.take(given)
    folder = Path(out) if out else Path("runs", _stem(data[0]))
    if encoder_weights is not None:
        option = (*option, f"encoder_weights={encoder_weights}")
    first = os.environ.get("RANK", "0") == "0"
    loop = _torch.load("loop")
    config = (
        _resumed(folder, {**given, "preset": preset}, option)
        if resume
        else _settings.config_of(given, preset_name=preset or "default", network_options=option)
    )
    if first and not resume:
        _refuse_standing(folder, overwrite=overwrite)
    console = _console.console(quiet=quiet) if first else _console.nowhere()
    from maskforge.datasets import split
    from maskforge.train import items

    dataset = split(meaning.open(data), val=config.val, seed=config.seed)
    found = _data.checked(dataset, console, strict=strict)
    data_items = items.from_dataset(found, size=config.size, cache=config.cache)
    if first and overwrite and not resume:
        _make_room(folder)
    trained = loop.train(
        config,
        data_items,
        out=folder,
        watch=_watch(console, folder, tensorboard=tensorboard),
        resume=resume,
    )
    best = max((row["mean_iou"] for row in trained.history), default=float("nan"))
    console.print(
        f"[bold]best mIoU {100 * best:.2f}[/] after {trained.seconds / 60:.1f} minutes: "
        f"{folder}/best.pt\nto look at: {folder}/previews/ and {folder}/curves.png"
    )
    return 1 if found.errors else 0


def _resumed(folder: Path, given: dict[str, Any], option: tuple[str, ...]) -> Config:
    """Return the settings of the run in ``folder``, with another machine where one is given."""
    changed = {name: value for name, value in given.items() if value is not None}
    refused = [name for name in changed if name not in MACHINE]
    if refused or option:
        raise UsageError(
            f"a resumed run keeps its settings, but {[*refused, *option]} are given",
            cure=f"leave them out, or begin a new run; only {list(MACHINE)} may change",
        )
    config: Config = _torch.load("checkpoint").load(folder / "last.pt").config
    return replace(config, **changed)


def _refuse_standing(folder: Path, *, overwrite: bool) -> None:
    """Refuse a folder that holds something, unless it is to be replaced and is a run."""
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not overwrite:
        raise UsageError(
            f"{str(folder)!r} must be empty or new, but is not",
            cure="--resume goes on with it, --overwrite replaces it, --out names another place",
        )
    if not (folder / "last.pt").is_file() or not (folder / "config.json").is_file():
        raise UsageError(
            f"{str(folder)!r} must be the folder of a run to be replaced, but is not",
            cure="name another place with --out",
        )


def _make_room(folder: Path) -> None:
    """Remove the files of an earlier run, and nothing else in its folder."""
    for name in (*FILES, "curves.png"):
        (folder / name).unlink(missing_ok=True)
    for pattern in ("previews/epoch_*.png", "tensorboard/events.out.tfevents.*"):
        for path in folder.glob(pattern):
            path.unlink()


def _watch(console: Any, folder: Path, *, tensorboard: bool) -> Any:
    from maskforge.cli._training import Terminal
    from maskforge.train import board
    from maskforge.train.watch import Watch, Watches

    watches: list[Watch] = [Terminal(console)]
    if tensorboard and board.is_installed():
        watches.append(board.Board(folder))
    return Watches(watches)


def _stem(path: str) -> str:
    return Path(path).resolve().stem.removesuffix("-masks") or "run"


_OPTIONS = [
    click.option("-o", "--out", metavar="DIR", help="Folder of the run. [default: runs/NAME]"),
    click.option(
        "--preset",
        type=click.Choice(list(PRESETS)),
        help="Settings to begin with; all others change them. [default: default]",
    ),
    click.option(
        "--option",
        metavar="NAME=VALUE",
        multiple=True,
        help="Option of the network, such as width=16.",
    ),
    click.option(
        "--encoder-weights",
        metavar="FILE|NAME",
        help="Pretrained weights of an smp or fcn network: a local file, or a name that smp knows.",
    ),
    *_settings.options(),
    *_data.options(),
    click.option("--resume", is_flag=True, help="Go on with the run in --out."),
    click.option("--overwrite", is_flag=True, help="Replace the run in --out."),
    click.option("--strict", is_flag=True, help="Stop at the first problem in the data."),
    click.option(
        "--tensorboard/--no-tensorboard",
        default=True,
        help="Write for TensorBoard, where it is installed. [default: yes]",
    ),
    click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors."),
]

command = click.command("train")(
    click.argument("data", nargs=-1, required=True, metavar="DATA...")(
        _options.apply(run, _OPTIONS)
    )
)
