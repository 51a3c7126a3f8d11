"""Metrics of a whole set of images: counted image by image, then given as a table and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskforge.scores import boundary, metrics
from maskforge.scores.metrics import Counts, Floats


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """All scores of one confusion matrix, and of its images where those were counted.

    names: the C class names. matrix: (C, C) int64, rows truth; (C, C + 1) where nothing was
    predicted for some pixels. boundary: boundary IoU by class,
    (C,). image_iou, image_accuracy: see :func:`~maskforge.scores.metrics.image_means`. None: not
    counted.
    """

    names: tuple[str, ...]
    matrix: Counts
    boundary: Floats | None = None
    image_iou: float | None = None
    image_accuracy: float | None = None

    def __post_init__(self) -> None:
        size = len(self.names)
        if self.matrix.shape not in ((size, size), (size, size + 1)):
            raise ValueError(f"matrix must be {(size, size)}, but got {self.matrix.shape}")

    def by_class(self) -> dict[str, Floats]:
        """Return the scores that every class has, each (C,), by name."""
        columns = {
            "iou": metrics.iou(self.matrix),
            "accuracy": metrics.class_accuracy(self.matrix),
            "precision": metrics.precision(self.matrix),
            "recall": metrics.recall(self.matrix),
            "f1": metrics.f1(self.matrix),
        }
        if self.boundary is not None:
            columns["boundary_iou"] = self.boundary
        return columns

    def overall(self) -> dict[str, float]:
        """Return the scores of the whole, by name; each mean IoU carries its denominator."""
        scores = {
            "mean_iou_present": metrics.mean_iou(self.matrix, over="present"),
            "mean_iou_union": metrics.mean_iou(self.matrix, over="union"),
            "mean_iou_all": metrics.mean_iou(self.matrix, over="all"),
            "frequency_weighted_iou": metrics.frequency_weighted_iou(self.matrix),
            "pixel_accuracy": metrics.pixel_accuracy(self.matrix),
            "mean_accuracy": metrics.mean_accuracy(self.matrix),
        }
        if self.boundary is not None:
            scores["mean_boundary_iou"] = metrics.known_mean(self.boundary)
        if self.image_iou is not None:
            scores["image_mean_iou"] = self.image_iou
        if self.image_accuracy is not None:
            scores["image_pixel_accuracy"] = self.image_accuracy
        return scores

    def to_table(self) -> list[list[str]]:
        """Return rows of text: a header, a row for each class, scores in percent, "-" for nan."""
        columns = self.by_class()
        rows = [["id", "class", *(name.replace("_", " ") for name in columns), "pixels"]]
        for k, name in enumerate(self.names):
            cells = [_percent(float(column[k])) for column in columns.values()]
            rows.append([str(k), name, *cells, str(int(self.matrix[k].sum()))])
        return rows

    def as_dict(self) -> dict[str, Any]:
        """Return all of it for JSON: overall scores, one dictionary a class, the matrix.

        A nan is None.
        """
        columns = self.by_class()
        classes = [
            {"id": k, "name": name, "pixels": int(self.matrix[k].sum())}
            | {key: _finite(float(column[k])) for key, column in columns.items()}
            for k, name in enumerate(self.names)
        ]
        overall = {name: _finite(value) for name, value in self.overall().items()}
        return overall | {"classes": classes, "confusion_matrix": self.matrix.tolist()}


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
    truth: NDArray[Any]
    prediction: NDArray[Any]
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
        self._matrix = np.zeros((count, count + 1), np.int64)
        self._boundary = np.zeros((2, count), np.int64)

    def add(
        self,
        name: str,
        truth: NDArray[Any],
        prediction: NDArray[Any],
        *,
        image: NDArray[np.uint8] | None = None,
    ) -> None:
        """Take in one image: label images (H, W) both, ``image`` (H, W, 3) to be drawn with them.

        Raises ValueError for ids out of range.
        """
        count, ignored = len(self.names), self.ignore_index
        matrix = metrics.confusion_matrix(
            truth, prediction, num_classes=count, ignore_index=ignored, nothing=True
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
        matrix = self._matrix if self.nothing else self._matrix[:, :-1]
        return Scores(self.names, matrix, edges, *means)

    def counts(self) -> dict[str, Any]:
        """Return all that was counted, for JSON; see :meth:`restore`."""
        images = [[i.name, _finite(i.mean_iou), _finite(i.pixel_accuracy)] for i in self.images]
        return {
            "matrix": self._matrix.tolist(),
            "boundary": self._boundary.tolist(),
            "images": images,
        }

    def restore(self, counts: Mapping[str, Any]) -> None:
        """Take in what another scorer of the same classes has counted, but no image to draw."""
        self._matrix += np.array(counts["matrix"], np.int64)
        self._boundary += np.array(counts["boundary"], np.int64)
        for name, *values in counts["images"]:
            scores = (np.nan if value is None else value for value in values)
            self.images.append(ImageScore(name, *scores))

    @property
    def nothing(self) -> int:
        """Scored pixels for which nothing was predicted; they count as missed."""
        return int(self._matrix[:, -1].sum())


def _finite(value: float) -> float | None:
    return None if np.isnan(value) else value


def _percent(value: float) -> str:
    return "-" if np.isnan(value) else f"{100 * value:.2f}"
