"""Predict masks for images and videos with a trained network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from maskforge import plugins
from maskforge.cli import _choices, _console, _help, _options, _prediction, _shots
from maskforge.cli._console import escape
from maskforge.conversion.settings import REGION_OPTIONS, Settings


def run(
    network: str,
    images: tuple[str, ...],
    *,
    out: str | None,
    as_: str,
    style: str | None,
    overwrite: bool,
    resume: bool,
    quiet: bool,
    **given: Any,
) -> int:
    """Predict a mask for each of IMAGES (files, folders, patterns; images and videos) with the
    network CHECKPOINT, a file or the folder of a run.

    Masks have the size of the image, shown upright by its EXIF. What is written is what the
    conversions write, or an overlay to look at, or the probability of each class as a float16 .npy
    file (C, H, W). Of a video an overlay is a video, without sound; all else is a file for each
    frame, clip_000001.png and so on. All is put in place when it is done; --resume keeps what an
    earlier run did of the same images, --overwrite replaces what it made, and never another file.

    \b
    Examples:
      maskforge predict runs/people/best.pt photo.jpg -o predicted
      maskforge predict runs/people/best.pt photos/ -o looked-at --as overlay
      maskforge predict runs/people/best.pt 'frames/*.png' -o out --as color --style purple-yellow
      maskforge predict runs/people/best.pt clip.mp4 -o looked-at --as overlay
    """
    from maskforge.api import predicting
    from maskforge.api.places import place
    from maskforge.prediction import footage, outputs

    console = _console.console(quiet=quiet)
    source = predicting.named(network)
    predicting.check(source)
    name = f"{predicting.run_of(network)}-predicted"
    target = Path(out) if out else place(name, newest=overwrite or resume)
    found = footage.find(images, out=target, command=outputs.COMMAND)
    writer = outputs.Output(
        target,
        as_,
        found,
        style=style,
        options=_regions(as_, given),
        overwrite=overwrite,
        resume=resume,
        spared=[source],
    )
    events = writer.predict(predicting.open_network(source, **_prediction.take(given)))
    code = _shots.follow(events, found, console=console, done="predicted", out=str(target))
    for line in writer.account():
        console.print(f"[dim]{escape(line)}[/]")
    if code != 3:
        _console.then(console, _next(network, as_, str(target), images))
    return code


def _next(network: str, kind: str, out: str, images: tuple[str, ...]) -> list[str]:
    """Return the next command: outlines are corrected, masks say where the background is."""
    if kind in ("labelme", "polygons"):
        return ["annotate", out]
    if kind in REGIONS:
        return ["convert", out]
    return ["background", network if kind in OWN else out, *images]


def _regions(as_: str, given: dict[str, Any]) -> dict[str, object]:
    """Take the options of writers of regions out of ``given``; return those that were typed."""
    from maskforge.conversion.conversion import writer_options

    typed = {name: given.pop(name) for name in REGION_OPTIONS}
    with _options.as_typed(Settings):
        chosen = Settings.of(typed)
    return writer_options(chosen, as_) if as_ not in OWN else {}


OWN = ("overlay", "probabilities")

REGIONS = ("coco", "panoptic", "via", "yolo")
"""Kinds that hold outlines or things, not masks to be used as they are."""

_KINDS = (*(name for name in plugins.names("writers") if name != "instance"), *OWN)

_OPTIONS = [
    _help.option(
        "-o",
        "--out",
        type=_help.path(),
        metavar="DIR",
        help="Folder to write to. [default: runs/NAME-predicted, numbered]",
        group="output",
    ),
    _help.option(
        "--as",
        "as_",
        type=_help.Choice(_KINDS),
        default="label",
        show_default=True,
        help="What to write.",
        group="output",
    ),
    _help.option(
        "--style",
        type=_choices.Style(),
        help="Colours of --as color.",
        listed="styles",
        group="output",
    ),
    *_options.options_of(Settings, only=REGION_OPTIONS),
    *_prediction.options(),
    *_options.again(),
    _options.quiet_option(),
]

command = _help.command("predict")(
    click.argument("network", type=_help.path(), metavar="CHECKPOINT")(
        click.argument("images", nargs=-1, required=True, type=_help.path(), metavar="IMAGES...")(
            _options.apply(run, _OPTIONS)
        )
    )
)
