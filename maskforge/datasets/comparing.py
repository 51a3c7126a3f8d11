"""Two folders of masks, prediction and truth, side by side: scoring needs no more than that."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskforge.classes import ClassTable
from maskforge.errors import ClassError, Problem, ReadError
from maskforge.io.label_lists import Labels, Listed
from maskforge.raster.annotation import MaskFile
from maskforge.readers.masks import decoding as _loading
from maskforge.readers.masks import majority, pairing
from maskforge.readers.masks.alone import Side
from maskforge.readers.masks.dataset import Options
from maskforge.readers.masks.decoding import LabelImage

_MOST_VALUES = 256
"""Strange values that are told apart; of what comes later only the pixels are counted."""

_SHOWN = 6
"""Strange values that are told."""

_SHOWN_FILES = 3


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


@dataclass(slots=True)
class Strangers:
    """Scored pixels of predictions whose values stand for no class: wrong, whatever the truth is.

    pixels: how many. values: those of each value, as text. files: the predictions that hold them.
    """

    pixels: int = 0
    values: Counter[str] = field(default_factory=Counter)
    files: list[str] = field(default_factory=list)

    def add(self, values: NDArray[Any], label: MaskFile) -> None:
        """Take in the strange values (N,) of a prediction: integers, or 0xrrggbb of a painted one.

        Nothing is noted where there are none.
        """
        if not values.size:
            return
        self.pixels += values.size
        self.files.append(str(label))
        colored = label.decoding.form == "colors"
        found, counts = np.unique(values, return_counts=True)
        room = _MOST_VALUES - len(self.values)
        for value, count in zip(found.tolist(), counts.tolist(), strict=True):
            name = f"#{value:06x}" if colored else str(value)
            if name in self.values or room > 0:
                room -= name not in self.values
                self.values[name] += count

    def problem(self) -> Problem | None:
        """Return what is to be said of them all, None where there are none."""
        if not self.files:
            return None
        told = self.values.most_common(_SHOWN)
        shown = ", ".join(f"{name} ({count:,} px)" for name, count in told)
        names = ", ".join(Path(file).name for file in self.files[:_SHOWN_FILES])
        more = " …" if len(self.values) > _SHOWN else ""
        count = f" ({len(self.files):,} files)" if len(self.files) > 1 else ""
        others = " …" if len(self.files) > _SHOWN_FILES else ""
        return Problem(
            "mask-values",
            self.files[0],
            "every pixel of a prediction must stand for a class, but "
            f"{self.pixels:,} scored px of {names}{others}{count} hold {shown}{more}: "
            "they count as wrong",
            cure="predict with the classes of the truth, or name those of both with --labels",
        )


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
    a problem of severity "error". What a prediction holds beyond the classes leaves it in its pair:
    see :func:`load_pair`. Raises ReadError, ClassError, UsageError.
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
    truths_left = majority.kept(truth.labels, meaning.problems)
    # A prediction that is odd by its values is scored, pixel by pixel: leaving it out would raise
    # the scores. One that is no mask at all says so when it is loaded.
    doubts = [problem for problem in read.problems if problem.severity != "error"]
    partners = pairing.pair_up(truths_left, prediction.labels)
    pairs = tuple(
        Pair(name, prediction.label(stem, read), truth.label(name, meaning))
        for name, stem in sorted(partners.items())
    )
    if not pairs:
        raise pairing.nothing(Path(predictions), [])
    problems = [*meaning.problems, *doubts, *truth.problems, *prediction.problems]
    used = set(partners.values())
    for name, label in truths_left.items():
        if name not in partners:
            message = "there is no prediction of this name: not scored"
            problems.append(Problem("no-mask", str(label), message))
    for stem, label in prediction.labels.items():
        if stem not in used:
            message = "there is no truth of this name: not scored"
            problems.append(Problem("no-mask", str(label), message, severity="warning"))
    return Comparison(meaning.classes, pairs, meaning.notes, tuple(problems))


def load_pair(
    pair: Pair, comparison: Comparison, *, strangers: Strangers | None = None
) -> tuple[LabelImage, LabelImage]:
    """Return prediction and truth, (H, W) both, of class ids and the ignore index.

    strangers: where given, a value of the prediction that is no class becomes the ignore index,
    which predicts nothing, and is counted there if its pixel is scored.

    Raises ReadError, also when the sizes differ; ClassError for values that are no class.
    """
    classes = comparison.classes
    strange, values = None, None
    if strangers is None or pair.prediction.decoding.form == "planes":
        prediction = _loading.read_label(pair.prediction, classes)
    else:
        prediction, strange, values = _read_any(pair.prediction, classes)
    truth = _loading.read_label(pair.truth, classes)
    if prediction.shape != truth.shape:
        raise ReadError(
            f"the prediction must have the size of the truth, {truth.shape[1]}x{truth.shape[0]}, "
            f"but is {prediction.shape[1]}x{prediction.shape[0]}",
            code="size-mismatch",
            file=str(pair.prediction),
            cure="predict in the size of the image",
        )
    if strangers is not None and strange is not None and values is not None:
        scored = truth != classes.channels.ignore_index
        strangers.add(values[strange & scored], pair.prediction)
    return prediction, truth


def _read_any(
    label: MaskFile, classes: ClassTable
) -> tuple[LabelImage, NDArray[np.bool_] | None, NDArray[Any]]:
    """Return the label image, where it is ignored since values are no class, and the values.

    All are (H, W); None: every value is a class. Raises ReadError.
    """
    pixels = _loading.read_values(label).values
    values = _loading.pack(pixels) if label.decoding.form == "colors" else pixels
    strange = ~np.isin(values, [value for value, _ in label.decoding.table])
    if values.ndim != 2 or not strange.any():
        return _loading.decode(pixels, label, classes), None, values
    known, channels = ~strange, classes.channels
    ids = np.full(values.shape, channels.ignore_index, channels.dtype)
    if known.any():
        ids[known] = _loading.decode(pixels[known][np.newaxis], label, classes)[0]
    return ids, strange, values
