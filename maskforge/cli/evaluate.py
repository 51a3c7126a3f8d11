"""Score a network on data, or a folder of predicted masks on the true ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from maskforge.cli import _annotations, _console, _data, _help, _options, _prediction
from maskforge.cli._console import escape
from maskforge.errors import many


def run(
    predictor: str,
    data: tuple[str, ...],
    *,
    out: str | None,
    part: str | None,
    as_json: bool,
    quiet: bool,
    strict: bool,
    overwrite: bool,
    resume: bool,
    **given: Any,
) -> int:
    """Score CHECKPOINT on DATA, or a folder of predicted masks on DATA, one of true masks, which
    needs no torch. CHECKPOINT may be the folder of a run.

    All images are counted in one confusion matrix, at their full size; ignored pixels are not
    counted. What a prediction holds beyond the classes counts as wrong. The folder of --out then
    holds scores.json, classes.csv, images.csv, confusion.png, and worst/, the images with the
    lowest scores; --overwrite replaces what an earlier run made there, and never another file;
    --resume tells its scores again where network and data are as they were. With --json and no
    --out nothing is written.

    \b
    Examples:
      maskforge evaluate runs/people/best.pt photos-masks/
      maskforge evaluate runs/people/best.pt photos-masks/ --part test -o scores
      maskforge evaluate predicted/ photos-masks/masks/ --json
    """
    from maskforge.api import evaluating
    from maskforge.api.places import place
    from maskforge.api.predicting import is_network, run_of
    from maskforge.cli import _scores
    from maskforge.prediction import score_files
    from maskforge.prediction.sizes import described

    console = _console.console(quiet=quiet or as_json)
    meaning, view = _data.take(given), _prediction.take(given)
    target = Path(out) if out else None
    if target is None and not as_json:
        target = place(f"{run_of(predictor)}-scores", newest=overwrite or resume)
    shown = _data.Shown(console)
    with _annotations.recognised([predictor, *data]), _console.bar(console, "scored") as progress:
        result, write = evaluating.scored(
            predictor,
            data,
            out=target,
            part=part,
            overwrite=overwrite,
            resume=resume,
            strict=strict,
            meaning=meaning,
            view=view,
            look=shown,
            progress=progress,
        )
    shown.problems(result.problems)
    if as_json:
        click.echo(score_files.to_json(result.scores))
    console.print(_scores.table(result.scores))
    full = "" if result.size is None else f" {described(())}"
    console.print(f"scored: {many(len(result.images), 'image')}{full}, {result.reason}")
    if result.size:
        console.print(f"the network sees them {described(result.size)}")
    for line in _scores.lines(result.scores):
        console.print(line)
    if result.missed:
        said = f"{many(result.missed, 'scored pixel')} without a prediction"
        console.print(f"[yellow]{said}: counted as missed[/]")
    write()  # last, so that the scores are told whatever becomes of it
    if target is not None:
        from maskforge.pictures import plots

        pictures = ("worst/index.jpg",) if plots.missing() else ("confusion.png", "worst/index.jpg")
        there = " and ".join(str(target / name) for name in pictures if (target / name).exists())
        console.print(f"to look at: {escape(there)}")
        if plots.missing():
            console.print(f"[yellow]{escape(plots.missing())}[/]")
    if is_network(predictor):
        _console.then(console, ["predict", predictor], more="PHOTOS")
    return result.exit_code


_OPTIONS = [
    _help.option(
        "-o",
        "--out",
        type=_help.path(),
        metavar="DIR",
        help="Folder for scores and pictures. [default: runs/NAME-scores, numbered]",
        group="output",
    ),
    _help.option(
        "--part",
        type=_help.Choice(["train", "val", "test", "all"]),
        group="data",
        help="Which images. [default: what the training held back, else val, test, all]",
    ),
    *_prediction.options(),
    *_data.options(),
    *_options.again(),
    _help.option("--strict", is_flag=True, help="Stop at the first problem in the data."),
    _options.json_option("The scores"),
    _options.quiet_option(),
]

command = _help.command("evaluate")(
    click.argument("predictor", type=_help.path(), metavar="CHECKPOINT|PREDICTIONS")(
        click.argument("data", nargs=-1, required=True, type=_help.path(), metavar="DATA...")(
            _options.apply(run, _OPTIONS)
        )
    )
)
