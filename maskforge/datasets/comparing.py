"""Two folders of masks, prediction and truth, side by side: scoring needs no more than that."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from maskforge.classes import ClassTable
from maskforge.errors import ClassError, Problem, ReadError
from maskforge.io.label_lists import Labels, Listed
from maskforge.raster.annotation import MaskFile
from maskforge.readers.masks import decoding as _loading
from maskforge.readers.masks import pairing
from maskforge.readers.masks.alone import Side
from maskforge.readers.masks.dataset import Options
from maskforge.readers.masks.decoding import LabelImage


@dataclass(frozen=True, slots=True)
class Pair:
    """A predicted label image and the true one. ``name``: what both are called."""

    name: str
    prediction: MaskFile
    truth: MaskFile


@dataclass(frozen=True, slots=True)
class Comparison:
    """Pairs of label images with one class table. problems: what has no partner."""

    classes: ClassTable
    pairs: tuple[Pair, ...]
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def compare(
    predictions: str | os.PathLike[str],
    truths: str | os.PathLike[str],
    *,
    labels: Labels = None,
    ignore: int | None = None,
) -> Comparison:
    """Return the pairs of label images of the same stem in two folders of masks.

    Either may be a folder of masks, one with ``masks/`` or the like in it, an output of maskforge,
    or a one-hot file. labels: class table, names or the file that lists them; else those of the
    truth or of the predictions. ignore: a value that is not scored. A truth without prediction is
    a problem of severity "error". Raises ReadError, ClassError, UsageError.
    """
    options = Options(labels, ignore)
    truth, prediction = Side.of(Path(truths), options), Side.of(Path(predictions), options)
    if truth.names and prediction.names:
        theirs, ours = prediction.names.classes.names, truth.names.classes.names
        if theirs != ours:
            raise ClassError(
                "predictions and truth must have the same classes, but they have "
                f"{', '.join(theirs)} and {', '.join(ours)}",
                file=str(predictions),
                cure="name the classes of both with --labels, if the ids mean the same",
            )
    meaning = truth.meaning(truth.names or prediction.names, options)
    names = Listed(meaning.classes, meaning.notes[0] if meaning.notes else "truth")
    read = prediction.meaning(names, options)
    if read.classes.names != meaning.classes.names:
        raise ClassError(
            f"predictions tell {len(read.classes)} classes apart, the truth {len(meaning.classes)}",
            file=str(predictions),
        )
    partners = pairing.pair_up(truth.labels, prediction.labels)
    pairs = tuple(
        Pair(name, prediction.label(stem, read), truth.label(name, meaning))
        for name, stem in sorted(partners.items())
    )
    if not pairs:
        raise pairing.nothing(Path(predictions), [])
    problems = [*meaning.problems, *truth.problems, *prediction.problems]
    used = set(partners.values())
    for name, label in truth.labels.items():
        if name not in partners:
            message = "there is no prediction of this name: not scored"
            problems.append(Problem("no-mask", str(label), message))
    for stem, label in prediction.labels.items():
        if stem not in used:
            message = "there is no truth of this name: not scored"
            problems.append(Problem("no-mask", str(label), message, severity="warning"))
    return Comparison(meaning.classes, pairs, meaning.notes, tuple(problems))


def load_pair(pair: Pair, comparison: Comparison) -> tuple[LabelImage, LabelImage]:
    """Return prediction and truth, (H, W) both, of class ids and the ignore index.

    Raises ReadError, also when the sizes differ; ClassError for values that are no class.
    """
    prediction = _loading.read_label(pair.prediction, comparison.classes)
    truth = _loading.read_label(pair.truth, comparison.classes)
    if prediction.shape != truth.shape:
        raise ReadError(
            f"the prediction must have the size of the truth, {truth.shape[1]}x{truth.shape[0]}, "
            f"but is {prediction.shape[1]}x{prediction.shape[0]}",
            code="size-mismatch",
            file=str(pair.prediction),
            cure="predict in the size of the image",
        )
    return prediction, truth
