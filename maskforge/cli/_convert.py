"""Run a conversion from the command line and show what came of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click

from maskforge.conversion.conversion import convert
from maskforge.errors import UsageError


def run(
    sources: Sequence[str],
    *,
    format: str | None,  # the word users type
    reader_options: Mapping[str, object],
    palette: bool,
    noviz: bool,
    noobject: bool,
    previews: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    **values: Any,
) -> int:
    """Convert and return the exit code."""
    if palette:
        if values["as_"] not in (None, "label", "palette"):
            raise UsageError(f"--palette and --as {values['as_']} contradict each other")
        values["as_"] = "palette"
    with _progress(show=not (quiet or as_json)) as progress:
        result = convert(
            list(sources),
            format=format,
            reader_options=reader_options,
            previews=previews and not noviz,
            instances=not noobject,
            progress=progress,
            **values,
        )
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
def _progress(*, show: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Show a bar on standard error, on a terminal only, from the first image on.

    Its thread would be in the way of workers, which start before that.
    """
    if not (show and sys.stderr.isatty()):
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("converting"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task("converting", total=None)

    def show_done(done: int, total: int) -> None:
        bar.start()
        bar.update(task, completed=done, total=total)

    try:
        yield show_done
    finally:
        bar.stop()
