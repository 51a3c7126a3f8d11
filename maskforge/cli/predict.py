"""Predict masks for images with a trained network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from maskforge import plugins
from maskforge.cli import _options, _prediction

OWN = ("overlay", "probabilities")


def run(
    network: str,
    images: tuple[str, ...],
    *,
    out: str,
    as_: str,
    style: str | None,
    overwrite: bool,
    quiet: bool,
    **given: Any,
) -> int:
    """Predict a mask for each of IMAGES (files, folders, patterns) with the network CHECKPOINT.

    Masks have the size of the image, shown upright by its EXIF. What is written is what the
    conversions write, or an overlay to look at, or the probability of each class as a float16 .npy
    file (C, H, W).

    \b
    Examples:
      maskforge predict runs/people/best.pt photo.jpg -o predicted
      maskforge predict runs/people/best.pt photos/ -o looked-at --as overlay
      maskforge predict runs/people/best.pt 'frames/*.png' -o out --as color --style purple-yellow
    """
    from rich.console import Console
    from rich.markup import escape

    from maskforge.train import outputs

    console = Console(stderr=True, highlight=False, soft_wrap=True, quiet=quiet)
    found = outputs.find_images(images)
    writer = outputs.Output(Path(out), as_, style=style, overwrite=overwrite)
    predictor = _prediction.predictor(Path(network), _prediction.take(given))
    problems = []
    with writer, _bar(console, len(found)) as advance:
        for name, problem in writer.predict(predictor, found):
            if problem is not None:
                problems.append(problem)
                console.print(f"[red]{problem.code}[/] {escape(str(problem))}")
            advance(name)
    done = len(found) - len(problems)
    console.print(f"[bold]{done} of {len(found)} images predicted[/]: {escape(out)}")
    if not done:
        return 3
    return 1 if problems else 0


def _bar(console: Any, total: int) -> Any:
    """Return a context that yields a function to call for each image; a bar on a terminal."""
    from contextlib import contextmanager

    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    @contextmanager
    def shown() -> Any:
        columns = (TextColumn("predicting"), BarColumn(), MofNCompleteColumn())
        with Progress(
            *columns,
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        ) as bar:
            task = bar.add_task("predicting", total=total)
            yield lambda name: bar.advance(task)

    return shown()


_KINDS = (*(name for name in plugins.names("writers") if name != "instance"), *OWN)

_OPTIONS = [
    click.option("-o", "--out", metavar="DIR", required=True, help="Folder to write to."),
    click.option(
        "--as",
        "as_",
        type=click.Choice(_KINDS),
        default="label",
        show_default=True,
        help="What to write.",
    ),
    click.option("--style", metavar="STYLE", help="Colours of --as color."),
    *_prediction.options(),
    click.option("--overwrite", is_flag=True, help="Replace files that are there."),
    click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors."),
]

command = click.command("predict")(
    click.argument("network", metavar="CHECKPOINT")(
        click.argument("images", nargs=-1, required=True, metavar="IMAGES...")(
            _options.apply(run, _OPTIONS)
        )
    )
)
