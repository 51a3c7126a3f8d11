"""Options that several commands share, spelled once.

source arguments, --out --as --style --palette --labels --rule --overlap --priority --unknown
--layout --size --images --no-previews --no-instances --exif --split --seed --max-pixels
    the reader commands, convert
--workers --engine --overwrite --resume --strict --json --quiet --verbose
    the reader commands, convert
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields
from types import ModuleType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import click

from maskforge import plugins


class Size(click.ParamType[tuple[int, int]]):
    """WIDTHxHEIGHT in pixels."""

    name = "WxH"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"(\d+)[xX×](\d+)", str(value))
        if match is None or "0" in match.groups():
            self.fail(f"must be WIDTHxHEIGHT such as 512x512, but got {value!r}", param, ctx)
        return int(match[1]), int(match[2])


class Numbers(click.ParamType[tuple[float, ...]]):
    """Numbers with commas between."""

    name = "F[,F…]"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        if isinstance(value, tuple):
            return value
        try:
            return tuple(float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"must be numbers such as 0.8,0.1,0.1, but got {value!r}", param, ctx)


class Names(click.ParamType[tuple[str, ...]]):
    """Names with commas between."""

    name = "A[,B…]"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        return tuple(part.strip() for part in str(value).split(",") if part.strip())


def _choice(package: str) -> click.Choice[str]:
    return click.Choice(plugins.names(package))


def conversion_options() -> list[Callable[[Any], Any]]:
    """Return the options that every conversion has, in the order of the help."""
    option = click.option
    return [
        option("-o", "--out", metavar="PATH", help="Where to write. [default: beside the source]"),
        option("--as", "as_", type=_choice("writers"), help="What to write."),
        option(
            "--style",
            metavar="STYLE",
            help="Colours of --as color: black-white, white-black, purple-yellow, palette, or "
            "#rrggbb,#rrggbb (background, object) or one colour for each class.",
        ),
        option("--palette", is_flag=True, help="Label PNGs with the VOC palette (--as palette)."),
        option(
            "--labels",
            metavar="FILE|A,B,C",
            help="Class names in the order of their ids. [default: labels.txt beside the source or "
            "in the current folder, else all labels of the input, sorted]",
        ),
        option(
            "--rule",
            type=_choice("rules"),
            default="pixel-center",
            show_default=True,
            help="Which pixels a shape covers: exact (pixel-center), or as another tool does.",
        ),
        option(
            "--overlap",
            type=click.Choice(["last", "first", "smallest", "error", "keep"]),
            default="last",
            show_default=True,
            help="Who wins where regions overlap; keep: all of them, in a one-hot.",
        ),
        option(
            "--priority",
            type=Names(),
            default=(),
            help="Classes from the top down, over --overlap.",
        ),
        option(
            "--unknown",
            type=click.Choice(["error", "skip", "ignore", "background"]),
            default="error",
            show_default=True,
            help="What becomes of labels that are not among the classes.",
        ),
        option(
            "--layout",
            type=_choice("layouts"),
            default="pairs",
            show_default=True,
            help="How the output folder is laid out.",
        ),
        option(
            "--size",
            type=Size(),
            help="Size of the outputs; the geometry is scaled, then rasterized.",
        ),
        option(
            "--images",
            type=click.Choice(["auto", "link", "copy", "none"]),
            default="auto",
            show_default=True,
            help="Put the images beside the masks: as copies, which share their blocks with the "
            "originals where the file system can (auto, copy), as hard links, by which to edit one "
            "is to edit both (link), or not at all.",
        ),
        option("--images-from", metavar="DIR", help="Look for the images in this folder first."),
        option(
            "--assume-size",
            type=Size(),
            help="Size of images that are not found, where the annotation declares none (VIA).",
        ),
        option(
            "--previews/--no-previews",
            "previews",
            default=True,
            help="Write overlays to look at. [default: yes]",
        ),
        option("--noviz", is_flag=True, help="Same as --no-previews."),
        option(
            "--noobject", is_flag=True, help="No instance images in the layouts that have them."
        ),
        option(
            "--exif",
            type=click.Choice(["auto", "upright", "stored"]),
            default="auto",
            show_default=True,
            help="Which way up the annotation is when the image has an EXIF orientation.",
        ),
        option("--split", type=Numbers(), help="Fraction of val, or of train, val and test."),
        option("--seed", type=int, default=0, show_default=True, help="Seed of --split."),
        option(
            "--max-pixels",
            type=click.IntRange(min=1),
            default=2**28,
            show_default=True,
            help="Refuse larger images.",
        ),
        *running_options(),
    ]


def running_options() -> list[Callable[[Any], Any]]:
    """Return the options about how the work is done and shown."""
    option = click.option
    return [
        option(
            "-j",
            "--workers",
            type=click.IntRange(min=1),
            help="Processes. [default: as many as help]",
        ),
        option(
            "--engine", type=_choice("engines"), help="Who does the work. [default: by --workers]"
        ),
        option("--overwrite", is_flag=True, help="Replace an earlier output."),
        option(
            "--resume",
            is_flag=True,
            help="Go on with an earlier run: do what is missing or changed.",
        ),
        option("--strict", is_flag=True, help="Stop at the first problem."),
        option("--json", "as_json", is_flag=True, help="The result as JSON on standard output."),
        option("-q", "--quiet", is_flag=True, help="Say nothing but errors."),
        option("-v", "--verbose", is_flag=True, help="List every problem."),
    ]


def reader_options(reader: ModuleType) -> list[Callable[[Any], Any]]:
    """Return an option for each field of the reader's ``Options``."""
    made = []
    hints = get_type_hints(reader.Options)
    for field in fields(reader.Options):
        kind = _parameter_type(hints[field.name])
        made.append(
            click.option(
                "--" + field.name.replace("_", "-"),
                field.name,
                type=kind,
                default=field.default,
                show_default=field.default is not None,
                metavar=field.metadata.get("metavar"),
                help=field.metadata.get("help"),
            )
        )
    return made


def _parameter_type(hint: Any) -> Any:
    """Return what click makes of an option whose field has the type ``hint``."""
    if get_origin(hint) is Literal:
        return click.Choice(get_args(hint))
    plain = [part for part in get_args(hint) if part is not type(None)] or [hint]
    return plain[0]


def apply(function: Callable[..., Any], options: list[Callable[[Any], Any]]) -> Callable[..., Any]:
    """Return ``function`` with ``options``, the first one first in the help."""
    for option in reversed(options):
        function = option(function)
    return function
