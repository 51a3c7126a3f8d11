"""Scores over a set of label images and predictions, one after the other. Needs no torch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from maskforge.classes import ClassTable
from maskforge.io import files
from maskforge.pictures import plots, previews
from maskforge.prediction.saving import Folder
from maskforge.prediction.sizes import LabelImage
from maskforge.scores import boundary, history, metrics
from maskforge.scores.metrics import Counts
from maskforge.scores.scorer import Scores

COMMAND = "evaluate"
"""By which an output is known as one of scores."""

NAMES = ("scores.json", "classes.csv", "images.csv", "confusion.png")
"""The files that :func:`write` makes, besides those in ``worst/``."""


@dataclass(frozen=True, slots=True)
class ImageScore:
    """The scores of one image: its mean IoU over the classes that its truth shows; nan if none."""

    name: str
    mean_iou: float
    pixel_accuracy: float


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """An image that is kept to be drawn; ``image`` is None where only the masks are known."""

    score: ImageScore
    truth: LabelImage
    prediction: LabelImage
    image: NDArray[np.uint8] | None


@dataclass(slots=True, eq=False)
class Scorer:
    """Counts image by image; :meth:`scores` is over all of them.

    keep: how many images are kept to be drawn, those with the lowest mean IoU.
    """

    names: tuple[str, ...]
    ignore_index: int
    keep: int = 0
    images: list[ImageScore] = field(default_factory=list)
    worst: list[Kept] = field(default_factory=list)
    _matrix: Counts = field(init=False)
    _boundary: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.names)
        self._matrix = np.zeros((count, count), np.int64)
        self._boundary = np.zeros((2, count), np.int64)

    def add(
        self,
        name: str,
        truth: LabelImage,
        prediction: LabelImage,
        *,
        image: NDArray[np.uint8] | None = None,
    ) -> None:
        """Take in one image: label images (H, W) both, ``image`` (H, W, 3) to be drawn with them.

        Raises ValueError for ids out of range.
        """
        count, ignored = len(self.names), self.ignore_index
        matrix = metrics.confusion_matrix(
            truth, prediction, num_classes=count, ignore_index=ignored
        )
        self._matrix += matrix
        self._boundary += boundary.boundary_counts(
            truth, prediction, num_classes=count, ignore_index=ignored
        )
        score = ImageScore(name, metrics.mean_iou(matrix), metrics.pixel_accuracy(matrix))
        self.images.append(score)
        if self.keep and not np.isnan(score.mean_iou):
            self.worst.append(Kept(score, truth, prediction, image))
            self.worst.sort(key=lambda kept: (kept.score.mean_iou, kept.score.name))
            del self.worst[self.keep :]

    def scores(self) -> Scores:
        """Return all scores of the images so far."""
        means = metrics.image_means((i.mean_iou, i.pixel_accuracy) for i in self.images)
        edges = boundary.boundary_iou(self._boundary[0], self._boundary[1])
        return Scores(self.names, self._matrix, edges, *means)


def write(folder: Folder, scorer: Scorer, classes: ClassTable) -> None:
    """Put :data:`NAMES` and ``worst/`` in place. Raises UsageError, WriteError."""
    with folder:
        for name, data in _files(scorer, classes):
            folder.save(name, data)


def _files(scorer: Scorer, classes: ClassTable) -> Iterator[tuple[str, bytes]]:
    scores = scorer.scores()
    columns = scores.by_class()
    by_class: list[dict[str, float | str]] = [
        {"id": k, "class": name, **{key: float(v[k]) for key, v in columns.items()}}
        for k, name in enumerate(scores.names)
    ]
    by_image: list[dict[str, float | str]] = [
        {"image": i.name, "mean_iou": i.mean_iou, "pixel_accuracy": i.pixel_accuracy}
        for i in scorer.images
    ]
    picture = plots.confusion(scores.matrix, scores.names)
    made = (
        (to_json(scores) + "\n").encode(),
        history.to_csv(by_class),
        history.to_csv(by_image),
        previews.encode(picture, suffix=".png"),
    )
    yield from zip(NAMES, made, strict=True)
    for number, kept in enumerate(scorer.worst, start=1):
        drawn = plots.comparison(
            kept.image,
            kept.truth,
            kept.prediction,
            classes=classes,
            title=kept.score.name,
        )
        stem = files.safe_name(kept.score.name).replace("/", "_")
        yield f"worst/{number:02d}_{stem}.jpg", previews.encode(drawn)


def to_json(scores: Scores) -> str:
    """Return the scores as JSON."""
    return json.dumps(scores.as_dict(), ensure_ascii=False, indent=1)
