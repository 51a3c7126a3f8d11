"""Say what a mask file really holds: mode, ids, palette, damage."""

from __future__ import annotations

import json
from pathlib import Path

import click

from maskforge.cli._console import plain


@click.command("inspect")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--labels",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The class table that the masks should fit. [default: the one in the mask]",
)
@click.option("--json", "as_json", is_flag=True, help="What was found as JSON on standard output.")
def command(files: tuple[str, ...], *, labels: Path | None, as_json: bool) -> int:
    """Say what mask files really hold: mode, bit depth, size, ids, palette, class table, and what
    is probably wrong with them (JPEG damage, 0/255, painted colours, a palette that OpenCV reads
    as colours …). Exit code 1 when something is.

    \b
    Examples:
      maskforge inspect mask.png
      maskforge inspect dir-masks/masks/*.png --json
      maskforge inspect segmentation_train.npy
    """
    from maskforge.io.label_lists import read_table
    from maskforge.readers.masks.inspection import inspect

    classes = read_table(labels) if labels is not None else None
    found = [inspect(file, classes=classes) for file in files]
    if as_json:
        click.echo(json.dumps([one.as_dict() for one in found], ensure_ascii=False, indent=1))
    else:
        click.echo(plain("\n\n".join(map(str, found))))
    return 1 if any(one.problems for one in found) else 0
