"""Convert annotations of any known format, found by content."""

from __future__ import annotations

from typing import Any

import click

from maskforge.cli import _convert, _help, _options


def run(sources: tuple[str, ...], **given: Any) -> int:
    """Convert SOURCE (files and folders) to masks; the format is found by content.

    What is written by default is what the format's own command writes; options of one format only
    (such as --attribute of VIA) are those of that command.

    \b
    Examples:
      maskforge convert annotations/
      maskforge convert annotations/ --as label -o out --split 0.2
      maskforge convert annotations/ --layout voc --noviz --noobject
    """
    return _convert.run(sources, format=None, reader_options={}, **given)


command = _help.command("convert")(
    click.argument("sources", nargs=-1, required=True, type=_help.path(), metavar="SOURCE...")(
        _options.apply(run, _options.conversion_options())
    )
)
