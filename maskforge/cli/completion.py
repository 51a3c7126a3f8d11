"""Print the shell code that completes maskforge's commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from maskforge.cli import _help
from maskforge.errors import UsageError


@_help.command("completion")
@click.argument("shell", type=_help.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the shell code that completes maskforge's commands, options and choices.

    \b
    Examples:
      maskforge completion bash >> ~/.bashrc
      maskforge completion zsh >> ~/.zshrc
      maskforge completion fish > ~/.config/fish/completions/maskforge.fish
    """
    from maskforge.cli._main import cli

    kind = get_completion_class(shell)
    if kind is None:
        raise UsageError(f"there is no completion for {shell!r}")
    click.echo(kind(cli, {}, "maskforge", "_MASKFORGE_COMPLETE").source())
