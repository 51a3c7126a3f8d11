"""Score a network on data, or a folder of predicted masks on the true ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from maskforge.cli import _annotations, _console, _data, _help, _options, _prediction
from maskforge.errors import ClassError, Problem, UsageError

if TYPE_CHECKING:
    from maskforge.datasets import Dataset
    from maskforge.datasets.comparing import Strangers


class _Found(NamedTuple):
    """What is scored. sources: the files it is in.

    scored: name, truth, prediction and image (or None) of each; while they come, ``late`` takes
    what cannot be scored after all, and ``strangers`` what of them is no class. size: in words the
    size at which they are compared.
    """

    classes: Any
    errors: bool
    sources: Iterable[Path]
    scored: Iterator[tuple[Any, ...]]
    late: Sequence[Problem] = ()
    strangers: Strangers | None = None
    size: str = ""


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
    **given: Any,
) -> int:
    """Score CHECKPOINT on DATA, or a folder of predicted masks on DATA, one of true masks, which
    needs no torch.

    All images are counted in one confusion matrix, at their full size; ignored pixels are not
    counted. What a prediction holds beyond the classes counts as wrong. With --out the folder holds
    scores.json, classes.csv, images.csv, confusion.png, and worst/, the images with the lowest
    scores; --overwrite replaces what an earlier run made there, and never another file.

    \b
    Examples:
      maskforge evaluate runs/people/best.pt photos-masks/
      maskforge evaluate runs/people/best.pt photos-masks/ --part test -o scores
      maskforge evaluate predicted/ photos-masks/masks/ --json
    """
    from maskforge.api.evaluating import WORST
    from maskforge.cli import _scores
    from maskforge.prediction import saving, score_files
    from maskforge.scores.scorer import Scorer

    console = _console.console(quiet=quiet or as_json)
    folder: saving.Folder | None = None
    if out:
        folder = saving.Folder(Path(out), score_files.COMMAND, overwrite=overwrite, whole=True)
        folder.check(score_files.NAMES)
    elif overwrite:
        raise UsageError("only what --out names can be replaced, but got --overwrite alone")
    meaning = _data.Meaning.take(given)
    network = _prediction.named(predictor)
    if network.suffix in _prediction.NETWORKS:
        found = _network(network, data, part, meaning, given, console, strict=strict)
    else:
        _prediction.refuse(given)
        if len(data) != 1 or part is not None:
            raise UsageError("two folders of masks are compared as they are, without --part")
        found = _folders(predictor, data[0], meaning, console, strict=strict)
    ignored = found.classes.channels.ignore_index
    scorer = Scorer(found.classes.names, ignored, WORST if out else 0)
    for name, truth, prediction, image in found.scored:
        scorer.add(name, truth, prediction, image=image)
    _data.show_problems(console, found.late)
    strange = None if found.strangers is None else found.strangers.problem()
    scores = scorer.scores()
    if as_json:
        click.echo(score_files.to_json(scores))
    console.print(_scores.table(scores))
    console.print(
        f"{_console.many(len(scorer.images), 'image')}{found.size} · {_scores.line(scores)}"
    )
    if strange is not None:  # also where all is quiet: the exit code is 1
        said = f"[yellow]{strange.code}[/] {_console.escape(str(strange))}"
        _console.errors(console).print(said)
    nothing = scorer.nothing - (0 if found.strangers is None else found.strangers.pixels)
    if nothing:
        said = f"{_console.many(nothing, 'scored pixel')} without a prediction: counted as missed"
        console.print(f"[yellow]{said}[/]")
    if folder is not None:  # last, so that the scores are told whatever becomes of it
        folder.spare(found.sources)
        score_files.write(folder, scorer, found.classes)
        from maskforge.pictures import plots

        pictures = ("worst/index.jpg",) if plots.missing() else ("confusion.png", "worst/index.jpg")
        there = " and ".join(f"{out}/{name}" for name in pictures if Path(out or "", name).exists())
        console.print(f"to look at: {_console.escape(there)}")
        if plots.missing():
            console.print(f"[yellow]{_console.escape(plots.missing())}[/]")
    return 1 if found.errors or found.late or strange is not None else 0


def _network(
    path: Path,
    data: tuple[str, ...],
    part: str | None,
    meaning: _data.Meaning,
    given: dict[str, Any],
    console: Any,
    *,
    strict: bool,
) -> _Found:
    from maskforge.api.evaluating import predicted
    from maskforge.prediction.sizes import described
    from maskforge.training import evaluation_part

    view = _prediction.take(given)
    predictor = _prediction.predictor(path, view)
    config = predictor.config
    with _annotations.recognised(data):
        try:
            named = meaning._replace(labels=meaning.labels or predictor.classes)
            dataset = named.open(data, part=config.val_part)
        except ClassError as error:
            if meaning.labels is not None:
                raise
            raise _other_classes(predictor.classes.names, meaning.open(data), data) from error
    theirs, ours = dataset.classes.names, predictor.classes.names
    if theirs != ours:
        raise UsageError(
            f"the classes must be those of the network, {list(ours)}, but are {list(theirs)}",
            cure="give --labels as the ids in the masks are, with the network's names",
        )
    found = _data.checked(evaluation_part.split_as_trained(dataset, config), console, strict=strict)
    chosen = evaluation_part.choose(found, part, trained_on=predictor.data, config=config)
    console.print(
        f"scored: {chosen.reason}, {_console.many(len(chosen.examples), 'image')}, "
        f"which the network sees {described(predictor.size)}"
    )

    scored = predicted(predictor, chosen.examples, found.dataset)
    sources = [path, *(p for e in chosen.examples for p in (e.image, e.label.path))]
    full = f" {described(())}"
    return _Found(predictor.classes, bool(found.errors), sources, scored, size=full)


def _other_classes(ours: Sequence[str], dataset: Dataset, data: Sequence[str]) -> ClassError:
    """Return the error for data whose classes are not those of the network."""
    theirs = ", ".join(dataset.classes.names)
    return ClassError(
        f"the network knows {', '.join(ours)}, but the data have {theirs}",
        file=", ".join(data),
        cure="train a network on such data; where only names differ, give --labels as the ids in "
        "the masks are, with the network's names",
    )


def _folders(
    predictions: str, truths: str, meaning: _data.Meaning, console: Any, *, strict: bool
) -> _Found:
    from maskforge.api.evaluating import compared
    from maskforge.conversion.sources import refuse
    from maskforge.datasets import compare
    from maskforge.datasets.comparing import Strangers

    with _annotations.recognised([predictions, truths]):
        found = compare(predictions, truths, labels=meaning.labels, ignore=meaning.ignore)
    _data.show_problems(console, found.problems)
    errors = [problem for problem in found.problems if problem.severity == "error"]
    if strict and errors:
        refuse(errors[0])
    strangers, late = Strangers(), list[Problem]()
    scored = compared(found, strict=strict, late=late, strangers=strangers)
    sources = [label.path for pair in found.pairs for label in (pair.prediction, pair.truth)]
    return _Found(found.classes, bool(errors), sources, scored, late, strangers)


_OPTIONS = [
    _help.option(
        "-o",
        "--out",
        type=_help.path(),
        metavar="DIR",
        help="Write scores and pictures to this folder.",
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
    _help.option("--overwrite", is_flag=True, help="Replace what an earlier run made in --out."),
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
