"""The ``--help`` of every command, as a user sees it."""

from __future__ import annotations

from click.testing import CliRunner

from maskforge import plugins
from maskforge.cli import cli

_WIDTH = 96


def names() -> list[str]:
    """Return the commands, those of the formats first."""
    return [*plugins.names("readers"), *plugins.names("cli")]


def helps() -> str:
    """Return a section for each command."""
    parts = [_section("maskforge", [])]
    parts += [_section(f"maskforge {name}", [name]) for name in names()]
    return "\n\n".join(parts)


def _section(title: str, command: list[str]) -> str:
    result = CliRunner().invoke(
        cli,
        [*command, "--help"],
        prog_name="maskforge",
        terminal_width=_WIDTH,
        max_content_width=_WIDTH,
    )
    if result.exit_code:
        raise RuntimeError(f"{title} --help failed: {result.output}")
    text = "\n".join(line.rstrip() for line in result.output.strip().splitlines())
    return f"## {title}\n\n```text\n{text}\n```"
