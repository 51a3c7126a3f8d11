"""Scores of a network on data, or of a folder of predicted masks on the true ones."""

from __future__ import annotations

import html
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from maskforge import plugins, splits
from maskforge.api import words
from maskforge.api.dataset import MEANING, Look, Rules, checked, opened
from maskforge.classes import ClassTable
from maskforge.conversion import sources
from maskforge.datasets import Comparison, compare, load, load_pair
from maskforge.datasets.comparing import Strangers
from maskforge.errors import ClassError, Problem, ReadError, UsageError, many
from maskforge.io.label_lists import Labels
from maskforge.io.prefetch import prefetch
from maskforge.labels import name_of_class
from maskforge.palette import display_index, display_palette
from maskforge.readers.masks.dataset import Dataset, Example
from maskforge.scores.scorer import ImageScore, Scorer, Scores

PathLike: TypeAlias = str | os.PathLike[str]

WORST = 8
"""Images that are drawn, those with the lowest scores."""

_PARTS = (*splits.NAMES, "all")


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Scores, of :func:`maskforge.evaluate` and :func:`maskforge.metrics`.

    classes: the class table. scores: all of them, by class and overall. images: name, mean IoU and
    pixel accuracy of each image. problems: what was left out or counts as wrong. reason: which
    images were scored, in words. size: what the network works at, as in its settings, None where
    none did. missed: scored pixels without a prediction, which count as wrong. out: the folder with
    the files, None where none were written. exit_code: what the command would end with: 0 clean, 1
    with problems in the data.
    """

    classes: ClassTable
    scores: Scores
    images: tuple[ImageScore, ...]
    problems: tuple[Problem, ...] = ()
    reason: str = ""
    size: tuple[int, ...] | None = None
    missed: int = 0
    out: Path | None = None
    exit_code: int = 0

    @property
    def mean_iou(self) -> float:
        """Mean IoU over the classes that the truth shows, 0 to 1; nan where there is no pixel."""
        return self.scores.overall()["mean_iou_present"]

    @property
    def pixel_accuracy(self) -> float:
        """Share of the pixels that are right, 0 to 1."""
        return self.scores.overall()["pixel_accuracy"]

    @property
    def iou(self) -> dict[str, float]:
        """IoU by class name; nan for a class that neither truth nor prediction shows."""
        values = self.scores.by_class()["iou"].tolist()
        return dict(zip(self.classes.names, values, strict=True))

    @property
    def confusion(self) -> NDArray[np.int64]:
        """Pixels by true class (rows) and predicted class (columns), int64 (C, C).

        (C, C + 1) where for some pixels nothing was predicted, the last column.
        """
        return self.scores.matrix

    def as_dict(self) -> dict[str, Any]:
        """Return the scores for JSON, as ``maskforge evaluate --json`` has them."""
        return self.scores.as_dict()

    def __str__(self) -> str:
        count = len(self.images)
        return (
            f"{many(count, 'image')}: mIoU {100 * self.mean_iou:.2f}, "
            f"pixel accuracy {100 * self.pixel_accuracy:.2f}"
        )

    def __repr__(self) -> str:
        return f"<Evaluation: {self}>"

    def _repr_html_(self) -> str:
        """Show the scores in a notebook: a row for each class."""
        header, *rows = self.scores.to_table()
        head = "".join(f"<th>{html.escape(name)}</th>" for name in header)
        colors = display_palette()
        made = []
        for at, row in enumerate(rows):
            index = display_index(self.classes.ids[at], self.classes.background)
            swatch = (
                "<span style='display:inline-block;width:1em;height:1em;"
                f"background:rgb{tuple(colors[index].tolist())}'></span> "
            )
            cells = [html.escape(cell) for cell in row]
            cells[1] = swatch + html.escape(name_of_class(row[1]))
            made.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
        return f"<p>{html.escape(str(self))}</p><table><tr>{head}</tr>{''.join(made)}</table>"


class _Found(NamedTuple):
    """What is scored. sources: the files it is in. total: images. problems: known before.

    scored: name, truth, prediction and image (or None) of each, by channel; while they come,
    ``late`` takes what cannot be scored after all, and ``strangers`` what of them is no class.
    identity: that of the network, None without one.
    """

    classes: ClassTable
    sources: Iterable[Path]
    total: int
    scored: Iterator[tuple[str, Any, Any, Any]]
    problems: tuple[Problem, ...]
    late: list[Problem]
    strangers: Strangers
    reason: str
    size: tuple[int, ...] | None = None
    identity: object = None


@words.python()
def evaluate(
    predictor: Any,
    data: Dataset | PathLike | Sequence[PathLike],
    *,
    out: PathLike | None = None,
    part: str | None = None,
    overwrite: bool = False,
    resume: bool = False,
    strict: bool = False,
    device: str = "auto",
    threads: int = 0,
    size: int | str | Sequence[int] | None = None,
    tile: int = 0,
    tile_overlap: float = 0.25,
    flip: bool = False,
    batch: int = 8,
    labels: Labels = None,
    kind: str | None = None,
    ignore: int | None = None,
    style: str | None = None,
    images_from: PathLike | None = None,
    map: Rules = (),
    only: Sequence[str] = (),
    drop: Sequence[str] = (),
    ignore_labels: Sequence[str] = (),
    look: Callable[[Any], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Score a network on data, or a folder of predicted masks on true ones; does what the command
    ``maskforge evaluate`` does.

    predictor: a checkpoint ``.pt``, an export ``.onnx``, the folder of a run, what ``open_network``
    returned, or a folder of predicted masks, which needs no torch. data: what ``open_dataset``
    takes or returned; with a folder of predictions that of the true masks. out: the folder for
    scores and pictures; None: none are written. part: "train", "val", "test" or "all"; None: what
    the training held back, else val, test, all. overwrite: replace what an earlier evaluation made
    in ``out``. resume: its scores stand where network and data are as they were; else as overwrite.
    strict: raise the first problem in the data. device, threads, size, tile,
    tile_overlap, flip, batch: as for ``open_network``. labels, kind, ignore, style, images_from,
    map, only, drop, ignore_labels: as for ``open_dataset``. look: called with what was found in the
    data, before anything is scored. progress: called with images scored and images in all.

    All images are counted in one confusion matrix, at their full size; ignored pixels are not
    counted. What a prediction holds beyond the classes counts as wrong. Raises UsageError,
    ReadError, ClassError, WriteError.
    """
    from maskforge.api import predicting

    if part is not None:
        plugins.choose("part", part, _PARTS)
    said = (labels, kind, ignore, style, images_from, map, only, drop, ignore_labels)
    look_of = (device, threads, size, tile, tile_overlap, flip, batch)
    evaluation, write = scored(
        predictor,
        data,
        out=out,
        part=part,
        overwrite=overwrite,
        resume=resume,
        strict=strict,
        meaning=dict(zip(MEANING, said, strict=True)),
        view=predicting.given_of(dict(zip(predicting.LOOK, look_of, strict=True))),
        look=look,
        progress=progress,
    )
    write()
    return evaluation


def scored(
    predictor: Any,
    data: Dataset | PathLike | Sequence[PathLike],
    *,
    out: PathLike | None,
    part: str | None,
    overwrite: bool,
    resume: bool,
    strict: bool,
    meaning: Mapping[str, Any],
    view: Mapping[str, Any],
    look: Callable[[Any], None] | None,
    progress: Callable[[int, int], None] | None,
) -> tuple[Evaluation, Callable[[], None]]:
    """Return the scores, and what writes the files of ``out``, so that they are told whatever
    becomes of these; see :func:`evaluate`.

    view: what was said of how the network looks.
    """
    from maskforge.api import predicting
    from maskforge.prediction import saving, score_files

    folder: saving.Folder | None = None
    if out is not None:
        folder = saving.Folder(
            Path(out), score_files.COMMAND, overwrite=overwrite, resume=resume, whole=True
        )
        folder.check(score_files.NAMES)
    elif overwrite or resume:
        again, done = ("--overwrite", "replaced") if overwrite else ("--resume", "gone on with")
        raise UsageError(f"only what --out names can be {done}, but got {again} alone")
    is_place = isinstance(predictor, str | os.PathLike)
    places = [data] if isinstance(data, str | os.PathLike) else data
    first = "" if isinstance(places, Dataset) else next(iter(places), "")
    if predicting.is_network(first):
        network, other = os.fspath(first), os.fspath(predictor) if is_place else "DATA"
        raise UsageError(
            "there must be data, but this is a network or the folder of a run",
            file=network,
            cure=f"the network comes first: maskforge evaluate {network} {other}",
        )
    if not is_place or predicting.is_network(predictor):
        found = _network(predictor, data, part, meaning, view, strict=strict, look=look)
    else:
        predicting.refuse(view)
        found = _folders(predictor, data, part, meaning, strict=strict, look=look)
    channels = found.classes.channels
    scorer = Scorer(found.classes.names, channels.ignore_index, WORST if out else 0)
    meant = (found.classes.to_text(), found.classes.ignore_index)
    how = saving.fingerprint(score_files.COMMAND, found.identity, meant)
    of = list(found.sources)
    known = folder.standing(how, of) if folder is not None else None
    if known is not None:
        scorer.restore(known["counts"])
        missed = known["missed"]
    else:
        for count, (name, truth, prediction, image) in enumerate(found.scored, 1):
            scorer.add(name, truth, prediction, image=image)
            if progress is not None:
                progress(count, found.total)
        missed = scorer.nothing - found.strangers.pixels
    strange = found.strangers.problem()
    problems = (*found.problems, *found.late, *([] if strange is None else [strange]))
    is_clean = all(problem.severity != "error" for problem in problems)
    evaluation = Evaluation(
        found.classes,
        scorer.scores(),
        tuple(scorer.images),
        words.problems(problems),
        found.reason,
        found.size,
        missed,
        None if out is None else Path(out),
        0 if is_clean else 1,
    )

    def write() -> None:
        if folder is not None and known is None:
            folder.spare(of)
            is_whole = not found.late and strange is None
            note = {"counts": scorer.counts(), "missed": missed} if is_whole else None
            score_files.write(folder, scorer, found.classes, note=note)

    return evaluation, write


def predicted(
    predictor: Any, examples: Sequence[Example], dataset: Dataset
) -> Iterator[tuple[str, Any, Any, Any]]:
    """Yield name, truth, prediction and image of each example, as a network sees it."""
    size = predictor.batch
    groups = [examples[at : at + size] for at in range(0, len(examples), size)]
    read = prefetch(lambda group: [load(e, dataset) for e in group], groups, workers=2)
    for group, pairs in zip(groups, read, strict=True):
        made = predictor.label_images([image for image, _ in pairs])
        for example, (image, truth), ids in zip(group, pairs, made, strict=True):
            yield example.name, truth, ids, image


def compared(
    found: Comparison, *, strict: bool, late: list[Problem], strangers: Strangers
) -> Iterator[tuple[str, Any, Any, Any]]:
    """Yield name, truth, prediction and None of each pair of masks.

    late: takes what cannot be scored after all; where that is everything, or with ``strict``, it is
    raised. strangers: takes what of predictions is no class.
    """
    for pair in found.pairs:
        try:
            prediction, truth = load_pair(pair, found, strangers=None if strict else strangers)
        except ReadError as error:
            problem = error.problem(file=str(pair.prediction))
            late.append(replace(problem, message=f"{problem.message}: not scored"))
            if strict or len(late) == len(found.pairs):  # of nothing there are no scores
                raise
            continue
        yield pair.name, truth, prediction, None


def _network(
    network: Any,
    data: Dataset | PathLike | Sequence[PathLike],
    part: str | None,
    meaning: Mapping[str, Any],
    view: Mapping[str, Any],
    *,
    strict: bool,
    look: Look | None,
) -> _Found:
    from maskforge.api import predicting
    from maskforge.training import evaluation_part

    predictor = predicting.taken(network, view)
    config = predictor.config
    try:
        dataset = opened(data, meaning, classes=predictor.classes, part=config.val_part)
    except ClassError as error:
        if meaning["labels"] is not None or isinstance(data, Dataset):
            raise
        raise _other_classes(predictor.classes.names, opened(data, meaning), data) from error
    theirs, ours = dataset.classes.names, predictor.classes.names
    if theirs != ours:
        raise UsageError(
            f"the classes must be those of the network, {list(ours)}, but are {list(theirs)}",
            cure="give --labels as the ids in the masks are, with the network's names",
        )
    split = evaluation_part.split_as_trained(dataset, config)
    found = checked(split, strict=strict, look=look)
    chosen = evaluation_part.choose(found, part, trained_on=predictor.data, config=config)

    files = [p for e in chosen.examples for p in (e.image, e.label.path)]
    own = [predicting.named(network)] if isinstance(network, str | os.PathLike) else []
    return _Found(
        predictor.classes,
        [*own, *files],
        len(chosen.examples),
        predicted(predictor, chosen.examples, found.dataset),
        found.problems,
        [],
        Strangers(),
        chosen.reason,
        predictor.size,
        predictor.identity,
    )


def _other_classes(ours: Sequence[str], dataset: Dataset, data: Any) -> ClassError:
    """Return the error for data whose classes are not those of the network."""
    theirs = ", ".join(dataset.classes.names)
    places = [data] if isinstance(data, str | os.PathLike) else data
    return ClassError(
        f"the network knows {', '.join(ours)}, but the data have {theirs}",
        file=", ".join(map(str, places)),
        cure="train a network on such data; where only names differ, give --labels as the ids in "
        "the masks are, with the network's names",
    )


def _folders(
    predictions: PathLike,
    truths: Any,
    part: str | None,
    meaning: Mapping[str, Any],
    *,
    strict: bool,
    look: Callable[[Comparison], None] | None,
) -> _Found:
    if not isinstance(truths, str | os.PathLike):
        several = list(truths) if isinstance(truths, list | tuple) else []
        truths = several[0] if len(several) == 1 else None
    if truths is None or part is not None:
        raise UsageError("two folders of masks are compared as they are, without --part")
    found = compare(predictions, truths, labels=meaning["labels"], ignore=meaning["ignore"])
    if look is not None:
        look(found)
    errors = [problem for problem in found.problems if problem.severity == "error"]
    if strict and errors:
        sources.refuse(errors[0])
    strangers, late = Strangers(), list[Problem]()
    scored = compared(found, strict=strict, late=late, strangers=strangers)
    files = [label.path for pair in found.pairs for label in (pair.prediction, pair.truth)]
    return _Found(
        found.classes,
        files,
        len(found.pairs),
        scored,
        found.problems,
        late,
        strangers,
        "masks of the same name",
    )
