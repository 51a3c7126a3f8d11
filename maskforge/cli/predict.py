"""Predict masks for images and videos with a trained network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from maskforge import plugins
from maskforge.cli import _console, _options, _prediction, _shots


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
    """Predict a mask for each of IMAGES (files, folders, patterns; images and videos) with the
    network CHECKPOINT.

    Masks have the size of the image, shown upright by its EXIF. What is written is what the
    conversions write, or an overlay to look at, or the probability of each class as a float16 .npy
    file (C, H, W). Of a video an overlay is a video, without sound; all else is a file for each
    frame, clip_000001.png and so on. All is put in place when it is done; --overwrite replaces what
    an earlier run made there, and never another file.

    \b
    Examples:
      maskforge predict runs/people/best.pt photo.jpg -o predicted
      maskforge predict runs/people/best.pt photos/ -o looked-at --as overlay
      maskforge predict runs/people/best.pt 'frames/*.png' -o out --as color --style purple-yellow
      maskforge predict runs/people/best.pt clip.mp4 -o looked-at --as overlay
    """
    from maskforge.prediction import footage, outputs

    console = _console.console(quiet=quiet)
    source, target = Path(network), Path(out)
    _prediction.check(source)
    found = footage.find(images, out=target, command=outputs.COMMAND)
    writer = outputs.Output(target, as_, found, style=style, overwrite=overwrite, spared=[source])
    events = writer.predict(_prediction.predictor(source, _prediction.take(given)))
    return _shots.follow(events, found, console=console, done="predicted", out=out)


OWN = ("overlay", "probabilities")

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
    click.option("--overwrite", is_flag=True, help="Replace what an earlier run made there."),
    click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors."),
]

command = click.command("predict")(
    click.argument("network", metavar="CHECKPOINT")(
        click.argument("images", nargs=-1, required=True, metavar="IMAGES...")(
            _options.apply(run, _OPTIONS)
        )
    )
)
