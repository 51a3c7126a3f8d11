"""The whole help of every command, as a user sees it."""

from __future__ import annotations

import click
from click.testing import CliRunner

from maskforge.cli import cli

_WIDTH = 96


def names() -> list[str]:
    """Return the commands in the order of the help."""
    return cli.list_commands(click.Context(cli))


def helps() -> str:
    """Return a section for each command."""
    parts = [_section("maskforge", [])]
    parts += [_section(f"maskforge {name}", [name]) for name in names()]
    return "\n\n".join(parts)


def _section(title: str, command: list[str]) -> str:
    rare = "--help-all" in _told([*command, "--help"])
    text = _told([*command, "--help-all" if rare else "--help"])
    return f"## {title}\n\n```text\n{text}\n```"


def _told(arguments: list[str]) -> str:
    result = CliRunner().invoke(
        cli,
        arguments,
        prog_name="maskforge",
        terminal_width=_WIDTH,
        max_content_width=_WIDTH,
    )
    if result.exit_code:
        raise RuntimeError(f"{' '.join(arguments)} failed: {result.output}")
    return "\n".join(line.rstrip() for line in result.output.strip().splitlines())
