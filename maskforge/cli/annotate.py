"""Start labelme on a folder, with the project's labels.txt."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import click

from maskforge import extras
from maskforge.cli import _help
from maskforge.errors import UsageError


@_help.command("annotate")
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@_help.option(
    "--labels",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Class names. [default: labels.txt in FOLDER or in the current folder]",
)
@click.argument("more", nargs=-1, type=click.UNPROCESSED, metavar="[-- LABELME OPTIONS]")
def command(folder: Path, labels: Path | None, more: tuple[str, ...]) -> int:
    """Start labelme on FOLDER with the project's classes, so that labels are chosen, not typed.

    labelme is a program of its own (extra "annotate"); whatever stands after -- goes to it.

    \b
    Examples:
      maskforge annotate photos/
      maskforge annotate photos/ --labels labels.txt -- --keep-prev
    """
    program = shutil.which("labelme")
    if program is None:
        raise UsageError(
            "labelme must be installed to annotate, but it was not found",
            cure=extras.install("annotate"),
        )
    from maskforge.classes import BACKGROUND, IGNORE
    from maskforge.io.label_lists import read_table

    found = labels or next(
        (p for p in (folder / "labels.txt", Path("labels.txt")) if p.is_file()), None
    )
    arguments = [program, str(folder), *more]
    if found is None:
        return subprocess.run(arguments, check=False).returncode
    table = read_table(found)
    magic = [IGNORE] if table.has_ignore else []
    # labelme offers every line as a label: a hole is drawn as _background_.
    lines = "".join(
        f"{name}\n" for name in [*magic, BACKGROUND, *(n for n in table.names if n != BACKGROUND)]
    )
    with tempfile.TemporaryDirectory() as temporary:
        listed = Path(temporary, "labels.txt")
        listed.write_text(lines, encoding="utf-8")
        arguments += ["--labels", str(listed), "--validatelabel", "exact"]
        return subprocess.run(arguments, check=False).returncode
