"""Conversions from the command line: a command for each reader, and what all of them do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from maskforge import readers
from maskforge.cli import _console, _help, _options, _sources
from maskforge.conversion.conversion import convert
from maskforge.conversion.settings import Settings
from maskforge.errors import ClassError, ReadError, UsageError


def reader_command(name: str) -> click.Command:
    """Return the command that converts the format of the reader ``name``."""
    reader = readers.load(name)
    own = [one.name for one in fields(reader.Options) if one.metadata.get("command", True)]
    default = reader.DEFAULT_FILE

    def run_reader(sources: tuple[str, ...], **given: Any) -> int:
        reader_options = {key: given.pop(key) for key in own}
        if not sources and not Path(str(default)).is_file():
            raise ReadError(
                "there is no such file in the current folder",
                code="unreadable",
                file=str(default),
                cure=f"name the file or its folder: maskforge {name} SOURCE",
            )
        return run(sources or (".",), format=name, reader_options=reader_options, **given)

    argument = click.argument(
        "sources",
        nargs=-1,
        required=default is None,
        type=_help.path(),
        metavar="SOURCE..." if default is None else "[SOURCE]...",
    )
    options = [*_options.options_of(reader.Options), *_options.conversion_options()]
    where = f" Without SOURCE: {default} in the current folder." if default else ""
    # A file with many images is mostly named itself.
    annotations = "annotations/" if reader.labels else "annotations.json"
    source = f" {default or (annotations if reader.SUFFIXES else f'{name}/')}"
    help_text = f"""Convert {reader.TITLE} to masks; by default --as {reader.DEFAULT_OUTPUT}.

    SOURCE: files and folders; folders are searched.{where} One bad file is reported and the rest
    go on.

    \b
    Examples:
      maskforge {name}{source}
      maskforge {name}{source} --labels labels.txt -o out --split 0.8,0.1,0.1
      maskforge {name}{source} --as color --style black-white
      maskforge {name}{source} --as onehot --overlap keep
    """
    return _help.command(name, help=help_text)(argument(_options.apply(run_reader, options)))


def run(
    sources: Sequence[str],
    *,
    format: str | None,  # the word users type
    reader_options: Mapping[str, object],
    as_json: bool,
    quiet: bool,
    verbose: bool,
    **given: Any,
) -> int:
    """Convert and return the exit code."""
    if given["palette"] and given["as_"] not in (None, "label", "palette"):
        raise UsageError(f"--palette and --as {given['as_']} contradict each other")
    for one in fields(Settings):
        for flag in one.metadata["flags"]:
            if given.pop(flag.spelled):
                given[one.name] = flag.value
    engine_options = _options.engine_options(given["engine"], given)
    with _options.as_typed(Settings):
        Settings.of(given)
    if format is not None:
        options = readers.load(format).Options
        with _options.as_typed(options):
            options(**reader_options)
    with (
        _placed(given),
        _sources.explained(sources, format),
        _console.bar(_console.console(quiet=quiet or as_json), "converting") as progress,
    ):
        result = convert(
            list(sources),
            format=format,
            reader_options=reader_options,
            engine_options=engine_options,
            progress=progress,
            **given,
        )
    if not (result.records or as_json or format is None):
        _sources.tell_of_file(sources, format)
    if as_json:
        click.echo(json.dumps(result.as_dict(), ensure_ascii=False, indent=1))
    elif not quiet or result.exit_code:
        from maskforge.cli import _show

        if quiet:
            _show.show_errors(result, verbose=verbose)
        else:
            _show.show(result, found_by_content=format is None, verbose=verbose)
    return result.exit_code


@contextmanager
def _placed(given: Mapping[str, Any]) -> Iterator[None]:
    """Have a ClassError that is about what was typed, and not about data, name the option."""
    try:
        yield
    except ClassError as error:
        if not (error.file or error.place):
            if any(f"label {name!r} is" in error.message for name in given["priority"]):
                error.place = "--priority"
            elif given["labels"] and error.message.startswith("a class "):
                error.place = "--labels"
        raise
