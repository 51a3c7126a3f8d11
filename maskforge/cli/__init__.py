"""The command line: the only package that prints, parses argv or sets an exit code.

Exit codes: 0 clean · 1 finished, with problems in the data (or an output could not be written) ·
2 usage · 3 nothing could be read · 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import click

from maskforge import __version__, plugins
from maskforge.cli._console import plain
from maskforge.errors import ClassError, MaskforgeError, ReadError, UsageError, WriteError

_EXIT_CODES: tuple[tuple[type[MaskforgeError], int], ...] = (
    (UsageError, 2),
    (ClassError, 2),
    (ReadError, 3),
    (WriteError, 1),
    (MaskforgeError, 1),
)


class _Commands(click.Group):
    """One command for each module in ``cli/`` and for each reader; loaded when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*plugins.names("readers"), *plugins.names("cli")]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in (*plugins.names("readers"), "convert"):
            # A conversion multiplies no matrices, and processes without threads start fast.
            os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        if cmd_name in plugins.names("readers"):
            from maskforge.cli import _convert

            return _convert.reader_command(cmd_name)
        if cmd_name in plugins.names("cli"):
            command: click.Command = plugins.load("cli", cmd_name).command
            return command
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List readers and commands by the first line of their source: nothing is imported."""
        for title, package in (("Convert one format", "readers"), ("Commands", "cli")):
            with formatter.section(title):
                formatter.write_dl(
                    [(name, plugins.summary(package, name)) for name in plugins.names(package)]
                )


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="maskforge")
def cli() -> None:
    """Annotations in, training masks out.

    \b
    maskforge labelme dir/                       label PNGs           → dir-masks/
    maskforge via segmentation_train.json        one-hot dictionary   → segmentation_train.npy
    maskforge ochuman --style purple-yellow      colour masks         → ochuman-purple-yellow/

    Each command tells its options and examples with --help. Exit codes: 0 clean, 1 finished with
    problems in the data, 2 wrong usage, 3 nothing could be read, 130 interrupted.
    """


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    sys.exit(_code(argv))


def _code(argv: Sequence[str] | None) -> int:
    try:
        code = cli.main(argv, prog_name="maskforge", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Abort:
        _say("interrupted; what is done is kept: where the command has it, go on with --resume")
        return 130
    except click.ClickException as error:
        error.show()
        return 2
    except MaskforgeError as error:
        _say(str(error))
        return next(code for kind, code in _EXIT_CODES if isinstance(error, kind))
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output left; there is nobody to tell
        return 1
    except OSError as error:  # a full standard output, too many open files
        where = f": {error.filename}" if error.filename else ""
        _say(f"the system refuses to go on: {error.strerror or error}{where}")
        _let_go_of_output()
        return 1
    return code if isinstance(code, int) else 0


def _let_go_of_output() -> None:
    """Lead standard output nowhere: what waits in it would fail a second time at the end."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _say(message: str) -> None:
    click.echo(f"maskforge: {plain(message)}", err=True)
