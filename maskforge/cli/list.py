"""List networks, losses, presets, rules, layouts, styles …, a line each."""

from __future__ import annotations

import click

from maskforge.cli import _choices, _help


@_help.command("list")
@click.argument("what", required=False, type=_help.Choice(list(_choices.LISTS)), metavar="[WHAT]")
def command(what: str | None) -> None:
    """List what can be named in a command, a line each.

    WHAT: readers, writers, layouts, rules, styles, kinds, networks, losses, schedules, presets,
    augmentations or engines. Without WHAT: all of them.

    \b
    Examples:
      maskforge list
      maskforge list networks
      maskforge list rules
    """
    for number, name in enumerate([what] if what else _choices.LISTS):
        title, find = _choices.LISTS[name]
        found = find()
        if what is None:
            click.echo(f"{chr(10) if number else ''}{name} ({title})")
        margin = "" if what else "  "
        column = max(map(len, found))
        for one, text in found.items():
            click.echo(f"{margin}{one:<{column}}  {text}")
