"""Blur, replace or remove the background of images and videos, by a network or by masks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from maskforge.cli import _console, _help, _options, _prediction, _shots
from maskforge.errors import ReadError, UsageError


def run(
    source: str,
    images: tuple[str, ...],
    *,
    out: str | None,
    keep: tuple[str, ...],
    labels: str | None,
    edge: str,
    radius: str | None,
    smooth: float | None,
    overwrite: bool,
    resume: bool,
    quiet: bool,
    **given: Any,
) -> int:
    """Keep the people in IMAGES (files, folders, patterns; images and videos) and blur the
    background, or put something else there.

    What is kept is told by the network CHECKPOINT, or by MASKS, a folder of masks or an output of
    maskforge, which needs no torch; masks belong to images of the same name, clip_000001 to the
    first frame of clip.mp4. A JPEG stays a JPEG; other images become PNG. A video keeps its size
    and frames a second and loses its sound. All is put in place when it is done; --resume keeps
    what an earlier run did of the same images, --overwrite replaces what it made, and never another
    file.

    \b
    Examples:
      maskforge background runs/people/best.pt photos/ -o blurred
      maskforge background runs/people/best.pt clip.mp4 -o out --image beach.jpg
      maskforge background photos-masks/ photos/ -o cut-out --transparent --keep person,dog
    """
    from maskforge.api import predicting
    from maskforge.api.places import place
    from maskforge.prediction import background, footage

    source = str(predicting.named(source))
    picture = Path(given["image"]) if given["image"] else None
    settings = _settings(given, edge=edge, radius=radius, smooth=smooth)
    console = _console.console(quiet=quiet)
    name = f"{predicting.run_of(source)}-background"
    target = Path(out) if out else place(name, newest=overwrite or resume)
    found = footage.find(images, out=target, command=background.COMMAND)
    if smooth is not None and not any(one.is_video for one in found):
        raise UsageError("only videos can be smoothed, but got --smooth and no video")
    is_network, view = predicting.is_network(source), _prediction.take(given)
    if is_network and labels is not None:
        raise UsageError("a network knows its classes, but got --labels")
    if not is_network:
        predicting.refuse(view)
    spared = [path for path in (picture, Path(source) if is_network else None) if path]
    folder = background.place(
        found, target, settings=settings, overwrite=overwrite, resume=resume, spared=spared
    )
    if picture is not None:
        settings = replace(settings, backdrop=_picture(picture))
    foreground: background.Foreground
    if is_network:
        predictor = predicting.open_network(source, **view)
        foreground = background.Predicted(predictor, keep)
    else:
        foreground = _drawn(source, labels, found, keep, console)
    events = background.swap_into(folder, foreground, found, settings=settings)
    return _shots.follow(events, found, console=console, done="done", out=str(target))


def _settings(given: dict[str, Any], *, edge: str, radius: str | None, smooth: float | None) -> Any:
    """Return the settings, and remove what ``given`` says of the backdrop. Raises UsageError."""
    from maskforge.prediction import background

    chosen: dict[str, Any] = {"backdrop": _backdrop(given), "edge": edge}
    if radius is not None:
        if edge == "hard":
            raise UsageError("hard edges stay where they are, but got --radius")
        chosen["radius"] = background.Length.parse(radius)
    if smooth is not None:
        chosen["smooth"] = smooth
    return background.Settings(**chosen)


def _drawn(source: str, labels: str | None, found: Any, keep: tuple[str, ...], console: Any) -> Any:
    from maskforge.cli import _annotations, _data
    from maskforge.datasets import open_masks
    from maskforge.prediction import background

    with _annotations.recognised([source]):
        masks = open_masks(source, labels=labels)
    _data.show_problems(console, masks.problems)
    return background.Drawn(masks, found, keep)


def _backdrop(given: dict[str, Any]) -> Any:
    """Return what is put behind, and remove what ``given`` says of it. Raises UsageError.

    A picture is not read yet.
    """
    from maskforge import palette
    from maskforge.prediction import background

    options = {name: given.pop(name) for name in ("blur", "color", "image", "transparent")}
    wanted = [f"--{name}" for name, value in options.items() if value]
    if len(wanted) > 1:
        raise UsageError(
            f"one thing can stand in the background, but got {', '.join(wanted)}",
            cure="give one of them",
        )
    if options["color"]:
        return background.Color(palette.parse_color(options["color"]))
    if options["transparent"]:
        return background.Transparent()
    if options["blur"]:
        return background.Blur(background.Length.parse(options["blur"]))
    return background.Blur()


def _picture(path: Path) -> Any:
    from maskforge.datasets import read_image
    from maskforge.prediction import background

    if not path.is_file():  # a pipe would keep us waiting
        raise ReadError(
            "there must be an image to put behind, but there is no such file",
            code="unreadable",
            file=str(path),
            cure="check what --image names",
        )
    return background.Picture(read_image(path)[0])


_OPTIONS = [
    _help.option(
        "-o",
        "--out",
        type=_help.path(),
        metavar="DIR",
        help="Folder to write to. [default: runs/NAME-background, numbered]",
        group="output",
    ),
    _help.option(
        "--keep",
        group="background",
        type=_options.Names(),
        default=(),
        help="Classes that are kept. [default: person, else all but the background]",
    ),
    _help.option(
        "--blur",
        group="background",
        metavar="N|N%",
        help="Sigma of the blur: pixels, or percent of the longer side. [default: 2%]",
    ),
    _help.option("--color", group="background", metavar="#RRGGBB", help="Put a colour behind."),
    _help.option(
        "--image",
        group="background",
        type=_help.path(),
        metavar="FILE",
        help="Put an image behind, scaled and cropped to cover.",
    ),
    _help.option(
        "--transparent",
        group="background",
        is_flag=True,
        help="Put nothing behind: PNG with straight alpha.",
    ),
    _help.option(
        "--edge",
        group="background",
        type=_help.Choice(["guided", "feather", "hard"]),
        default="guided",
        show_default=True,
        help="Edges where the image has them, evenly soft, or as cut with scissors.",
    ),
    _help.option(
        "--radius",
        group="background",
        metavar="N|N%",
        help="How far edges may move: pixels, or percent of the longer side. [default: 2%]",
    ),
    _help.option(
        "--smooth",
        group="background",
        type=click.FloatRange(0, 1, max_open=True),
        help="Weight of the frame before in videos, against flicker. [default: 0.4]",
    ),
    _help.option(
        "--labels",
        type=_help.path(),
        group="background",
        rare=True,
        metavar="FILE|A,B,C",
        help="Class names of the masks. [default: those found with them]",
    ),
    *_prediction.options(),
    *_options.again(),
    _options.quiet_option(),
]

command = _help.command("background")(
    click.argument("source", type=_help.path(), metavar="CHECKPOINT|MASKS")(
        click.argument("images", nargs=-1, required=True, type=_help.path(), metavar="IMAGES...")(
            _options.apply(run, _OPTIONS)
        )
    )
)
