"""The commands under one roof, and what becomes of errors: a message and an exit code."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import click

from maskforge import __version__, plugins
from maskforge.api import words
from maskforge.cli import _again, _help
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
        return [name for names in _road().values() for name in names]

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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = self.list_commands(ctx)
        if args[0] not in known and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise _help.no_such("command", args[0], known, ctx)
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            raise _help.no_such_option(self, error, ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by the first line of their source: nothing is imported."""
        packages = dict.fromkeys(plugins.names("cli"), "cli")
        packages |= dict.fromkeys(plugins.names("readers"), "readers")
        column = max(map(len, packages))
        for title, names in _road().items():
            with formatter.section(title):
                formatter.write_dl(
                    [(name.ljust(column), plugins.summary(packages[name], name)) for name in names]
                )


def _road() -> dict[str, list[str]]:
    """Return the commands in the order in which they are needed, under the titles of the help."""
    readers = [name for name in plugins.names("readers") if name != "masks"]
    road = {
        "From drawings to masks": ["annotate", "convert", *readers, "masks", "inspect"],
        "From masks to a network": ["train", "evaluate", "predict", "background", "export"],
        "About maskforge": ["list", "doctor", "completion"],
    }
    known = {name for names in road.values() for name in names}
    road["About maskforge"] += [name for name in plugins.names("cli") if name not in known]
    return road


@click.command(
    cls=_Commands,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": _help.WIDTH,
    },
)
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


def run(argv: Sequence[str] | None) -> int:
    """Do what ``argv`` says, None for that of the process, and return the exit code."""
    try:
        typed = sys.argv[1:] if argv is None else argv
        with words.typed():
            code = cli.main(argv, prog_name="maskforge", standalone_mode=False, obj=typed)
        sys.stdout.flush()
    except (click.exceptions.Abort, KeyboardInterrupt) as error:
        if _again.speaks():
            told = _again.told(cli, sys.argv[1:] if argv is None else argv, error)
            click.echo(f"maskforge: {plain(told)}", err=True)  # a command in it is copied
        return 130
    except click.ClickException as error:
        from maskforge.cli._terminal import fitted

        shown = io.StringIO()
        error.show(shown)
        click.echo(fitted(shown.getvalue().rstrip("\n")), err=True)
        return 2
    except MaskforgeError as error:
        from maskforge.cli import _sources

        _say(str(_sources.cured(error, sys.argv[1:] if argv is None else argv)))
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
    from maskforge.cli._terminal import fitted

    click.echo(fitted(f"maskforge: {plain(message)}"), err=True)
