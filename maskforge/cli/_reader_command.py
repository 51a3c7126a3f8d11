"""A command for each reader: ``maskforge labelme dir/``."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import click

from maskforge import plugins


def command(name: str) -> click.Command:
    """Return the command that converts the format of the reader ``name``."""
    from maskforge.cli import _options

    reader = plugins.load("readers", name)
    own = [field.name for field in fields(reader.Options)]
    default = getattr(reader, "DEFAULT_FILE", None)

    def run(sources: tuple[str, ...], **values: Any) -> int:
        from maskforge.cli import _convert

        reader_options = {key: values.pop(key) for key in own}
        return _convert.run(sources or (".",), format=name, reader_options=reader_options, **values)

    argument = click.argument(
        "sources",
        nargs=-1,
        required=default is None,
        metavar="SOURCE..." if default is None else "[SOURCE]...",
    )
    options = [*_options.reader_options(reader), *_options.conversion_options()]
    function = argument(_options.apply(run, options))
    return click.command(name, help=_help(name, reader.TITLE, reader.DEFAULT_OUTPUT, default))(
        function
    )


def _help(name: str, title: str, output: str, default: str | None) -> str:
    where = f" Without SOURCE: {default} in the current folder." if default else ""
    source = f" {default}" if default else " annotations/"
    return f"""Convert {title} to masks; by default --as {output}.

    SOURCE: files and folders; folders are searched.{where} One bad file is reported and the rest
    go on.

    \b
    Examples:
      maskforge {name}{source}
      maskforge {name}{source} --labels labels.txt -o out --split 0.8,0.1,0.1
      maskforge {name}{source} --as color --style black-white
      maskforge {name}{source} --layout voc
      maskforge {name}{source} --as onehot --overlap keep
    """
