"""Scores of a segmentation: count once, then everything is a function of the counts.

The confusion matrix (C, C) has the truth in its rows and the prediction in its columns, so the
diagonal is what is right, a row's sum what a class has, and a column's sum what it was given.
Add the matrices of all images and score the sum: a mean of per-image scores is another number
(:func:`image_means` gives that one, as a well-known book reports it). A score whose denominator
is 0 is nan, never 0 and never -1.

Why not accuracy alone: where 5 of 100 pixels are an object and all is called background, the
pixel accuracy is 0.95, while the IoUs are 0.95 and 0, and their mean is 0.475.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Counts: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]
Over: TypeAlias = Literal["present", "union", "all"]
Weighting: TypeAlias = Literal["median", "enet", "inverse", "none"]


def confusion_matrix(
    truth: NDArray[Any],
    prediction: NDArray[Any],
    *,
    num_classes: int,
    ignore_index: int | None = None,
) -> Counts:
    """Count pixels by true class and predicted class.

    Args:
        truth: Integer array of class ids, any shape; may hold ``ignore_index``.
        prediction: Integer array of class ids, same shape. What it holds where the truth is
            ignored does not matter.
        num_classes: C; valid class ids are 0 … C-1.
        ignore_index: Pixels with this truth are not counted. Lies outside 0 … C-1.

    Returns:
        (C, C) int64, rows truth, columns prediction.

    Raises:
        ValueError: for shapes that differ, dtypes that are not integers, or ids out of range.
    """
    if truth.shape != prediction.shape:
        raise ValueError(
            "truth and prediction must have one shape, "
            f"but got {truth.shape} and {prediction.shape}"
        )
    if num_classes < 1:
        raise ValueError(f"num_classes must be at least 1, but got {num_classes}")
    if ignore_index is not None and 0 <= ignore_index < num_classes:
        raise ValueError(
            f"ignore_index must lie outside 0 … {num_classes - 1}, but got {ignore_index}"
        )
    rows: NDArray[Any]
    columns: NDArray[Any]
    if truth.dtype == prediction.dtype == np.uint8 and num_classes <= 256:
        # All 256 x 256 pairs are counted in one pass, and looked at afterwards.
        span, ignored = 256, ignore_index
        rows, columns = truth.astype(np.uint16), prediction
    else:
        span, ignored = num_classes + 2, num_classes
        rows = _bins("truth", truth, num_classes, ignore_index)
        columns = _bins("prediction", prediction, num_classes, None)
    counts = np.bincount((rows * span + columns).reshape(-1), minlength=span * span)
    counts = counts.reshape(span, span)
    kept = counts[:num_classes, :num_classes].astype(np.int64)
    outside = int(counts[:num_classes, num_classes:].sum())
    if outside:
        scored = np.ones(truth.shape, np.bool_) if ignore_index is None else truth != ignore_index
        _refuse("prediction", prediction, scored, num_classes, None)
    skipped = int(counts[ignored].sum()) if ignored is not None and 0 <= ignored < span else 0
    if int(kept.sum()) + skipped != truth.size:
        _refuse("truth", truth, np.ones(truth.shape, np.bool_), num_classes, ignore_index)
    return kept


def _bins(
    name: str, ids: NDArray[Any], num_classes: int, ignore_index: int | None
) -> NDArray[np.int64]:
    """Return class ids as they are, C for what is ignored, C + 1 for what must not be."""
    if ids.dtype.kind not in "ui":
        raise ValueError(f"{name} must have an integer dtype, but got {ids.dtype}")
    bins = np.where((ids >= 0) & (ids < num_classes), ids, num_classes + 1).astype(np.int64)
    if ignore_index is not None:
        bins[ids == ignore_index] = num_classes
    return bins


def _refuse(
    name: str,
    ids: NDArray[Any],
    looked_at: NDArray[np.bool_],
    num_classes: int,
    ignore_index: int | None,
) -> NoReturn:
    wrong = looked_at & ((ids < 0) | (ids >= num_classes))
    if ignore_index is not None:
        wrong &= ids != ignore_index
    place = tuple(int(i) for i in np.argwhere(wrong)[0])
    allowed = f"0 … {num_classes - 1}" + ("" if ignore_index is None else f" or {ignore_index}")
    raise ValueError(
        f"{name} must hold class ids {allowed}, but holds {int(ids[place])} at {place} "
        f"({int(wrong.sum())} such pixels)"
    )


def iou(matrix: Counts) -> Floats:
    """Return intersection over union by class, (C,); nan where absent from truth and prediction."""
    hits = np.diagonal(matrix)
    return _ratio(hits, matrix.sum(axis=0) + matrix.sum(axis=1) - hits)


def precision(matrix: Counts) -> Floats:
    """Return by class the share of its predicted pixels that are right, (C,); nan if none are."""
    return _ratio(np.diagonal(matrix), matrix.sum(axis=0))


def recall(matrix: Counts) -> Floats:
    """Return by class the share of its true pixels that were found, (C,); nan if it has none."""
    return _ratio(np.diagonal(matrix), matrix.sum(axis=1))


def class_accuracy(matrix: Counts) -> Floats:
    """Return the accuracy by class, (C,), as segmentation papers use the word: the recall."""
    return recall(matrix)


def f1(matrix: Counts) -> Floats:
    """Return F1, which is the Dice coefficient, by class, (C,); nan where the IoU is nan."""
    return _ratio(2 * np.diagonal(matrix), matrix.sum(axis=0) + matrix.sum(axis=1))


def pixel_accuracy(matrix: Counts) -> float:
    """Return the share of pixels that are right; nan without pixels."""
    return float(_ratio(np.trace(matrix), matrix.sum()))


def mean_accuracy(matrix: Counts) -> float:
    """Return the mean of :func:`class_accuracy` over the classes that the truth has."""
    return _mean(recall(matrix))


def frequency_weighted_iou(matrix: Counts) -> float:
    """Return the mean IoU weighted by the classes' true pixels; nan without pixels."""
    share = _ratio(matrix.sum(axis=1), matrix.sum())
    return float(np.sum(share * np.nan_to_num(iou(matrix))))


def mean_iou(matrix: Counts, *, over: Over = "present") -> float:
    """Return the mean IoU; ``over`` names the denominator, because tools differ in it.

    - "present": the classes with true pixels (the default).
    - "union": the classes with true or predicted pixels, so that calling something a class
      that is nowhere costs as much as missing one.
    - "all": all C classes; a class that is nowhere counts 0.
    """
    scores = iou(matrix)
    if over == "present":
        return _mean(scores[matrix.sum(axis=1) > 0])
    if over == "union":
        return _mean(scores)
    if over == "all":
        return float(np.mean(np.nan_to_num(scores)))
    raise ValueError(f"over must be 'present', 'union' or 'all', but got {over!r}")


def image_means(matrices: Iterable[Counts]) -> tuple[float, float]:
    """Return the means over images of the mean IoU and of the pixel accuracy of each.

    The mean IoU of one image is over the classes present in its truth. These are the two numbers
    in chapter 12 of Atienza's "Advanced Deep Learning with TensorFlow 2 and Keras" (2nd ed.).
    They are not those of the pooled matrix: here each image counts the same, whatever it shows.
    An image without counted pixels does not count.
    """
    scores = [(mean_iou(m, over="present"), pixel_accuracy(m)) for m in matrices]
    both = np.array(scores, dtype=np.float64).reshape(-1, 2)
    return _mean(both[:, 0]), _mean(both[:, 1])


def boundary_counts(
    truth: NDArray[Any],
    prediction: NDArray[Any],
    *,
    num_classes: int,
    distance: int | None = None,
    ignore_index: int | None = None,
) -> tuple[Counts, Counts]:
    """Count, by class, where the inner boundary bands of truth and prediction meet.

    The band of a class is its pixels at most ``distance`` steps (8-neighbours) from a pixel that
    is not of the class; what is outside the image is not. Add the counts of all images and take
    intersection over union: :func:`boundary_iou`. Unlike the IoU it does not grow with the area,
    so that it still tells a good outline from a poor one on large objects.

    Args:
        truth: Integer (H, W) array of class ids; may hold ``ignore_index``.
        prediction: Integer (H, W) array of class ids.
        num_classes: C.
        distance: Width of the band in pixels; default 2 % of the image's diagonal, at least 1.
        ignore_index: Pixels with this truth are in no band.

    Returns:
        Intersection and union in pixels, both (C,) int64.

    Reference: Cheng et al., Boundary IoU, CVPR 2021, https://arxiv.org/abs/2103.16562
    """
    if truth.shape != prediction.shape or truth.ndim != 2:
        raise ValueError(
            "truth and prediction must have one shape (H, W), "
            f"but got {truth.shape} and {prediction.shape}"
        )
    height, width = truth.shape
    if distance is None:
        distance = max(1, round(0.02 * float(np.hypot(height, width))))
    if distance < 1:
        raise ValueError(f"distance must be at least 1 pixel, but got {distance}")
    counted = np.ones(truth.shape, np.bool_) if ignore_index is None else truth != ignore_index
    intersection, union = np.zeros((2, num_classes), dtype=np.int64)
    for k in range(num_classes):
        bands = [_band(ids == k, distance) & counted for ids in (truth, prediction)]
        intersection[k] = np.count_nonzero(bands[0] & bands[1])
        union[k] = np.count_nonzero(bands[0] | bands[1])
    return intersection, union


def _band(mask: NDArray[np.bool_], distance: int) -> NDArray[np.bool_]:
    import cv2  # `import maskforge` must not load it

    if not mask.any():
        return mask
    kernel = np.ones((2 * distance + 1, 2 * distance + 1), np.uint8)
    inside = cv2.erode(
        mask.astype(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=(0, 0, 0, 0)
    )
    return np.asarray(mask & (inside == 0))


def boundary_iou(intersection: Counts, union: Counts) -> Floats:
    """Return the boundary IoU by class, (C,), from sums of :func:`boundary_counts`."""
    return _ratio(intersection, union)


def class_weights(counts: ArrayLike, *, method: Weighting) -> Floats:
    """Return a weight for each class that makes up for how rarely it is seen.

    Args:
        counts: (N, C) true pixels of each class in each of N images; one (C,) row counts as one
            image.
        method: With p the share of a class among all pixels,
            "enet" is 1 / ln(1.02 + p) (Paszke et al. 2016, https://arxiv.org/abs/1606.02147),
            "inverse" is 1 / (C' p) for the C' classes that occur, and "median" is the median of
            the frequencies over a class's own, where the frequency is its share among the pixels
            of the images that show it (Eigen and Fergus 2015, https://arxiv.org/abs/1411.4734).
            "none" is 1.

    Returns:
        (C,) float64. A class that never occurs has the weight 0, but 1 with "none".
    """
    table = np.atleast_2d(np.asarray(counts, dtype=np.float64))
    if table.ndim != 2 or (table < 0).any() or not table.sum() > 0:
        raise ValueError(f"counts must be (N, C), not negative and not all 0, but got {counts!r}")
    pixels = table.sum(axis=0)
    occurs = pixels > 0
    share = pixels / pixels.sum()
    if method == "none":
        return np.ones(len(pixels))
    if method == "enet":
        weights = 1 / np.log(1.02 + share)
    elif method == "inverse":
        weights = _ratio(np.ones(len(pixels)), share * occurs.sum())
    elif method == "median":
        shown = ((table > 0) * table.sum(axis=1, keepdims=True)).sum(axis=0)
        frequency = _ratio(pixels, shown)
        weights = _ratio(np.full(len(pixels), np.nanmedian(frequency)), frequency)
    else:
        raise ValueError(
            f"method must be 'median', 'enet', 'inverse' or 'none', but got {method!r}"
        )
    return np.where(occurs, weights, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """All scores of one confusion matrix, and of its images where those were counted.

    names: the C class names. matrix: (C, C) int64, rows truth.
    boundary: boundary IoU by class (C,), image_iou, image_accuracy: see :func:`image_means`;
    None where they were not counted.
    """

    names: tuple[str, ...]
    matrix: Counts
    boundary: Floats | None = None
    image_iou: float | None = None
    image_accuracy: float | None = None

    def __post_init__(self) -> None:
        size = len(self.names)
        if self.matrix.shape != (size, size):
            raise ValueError(f"matrix must be {(size, size)}, but got {self.matrix.shape}")

    def by_class(self) -> dict[str, Floats]:
        """Return the scores that every class has, each (C,), by name."""
        columns = {
            "iou": iou(self.matrix),
            "accuracy": class_accuracy(self.matrix),
            "precision": precision(self.matrix),
            "recall": recall(self.matrix),
            "f1": f1(self.matrix),
        }
        if self.boundary is not None:
            columns["boundary_iou"] = self.boundary
        return columns

    def overall(self) -> dict[str, float]:
        """Return the scores of the whole, by name; each mean IoU carries its denominator."""
        scores = {
            "mean_iou_present": mean_iou(self.matrix, over="present"),
            "mean_iou_union": mean_iou(self.matrix, over="union"),
            "mean_iou_all": mean_iou(self.matrix, over="all"),
            "frequency_weighted_iou": frequency_weighted_iou(self.matrix),
            "pixel_accuracy": pixel_accuracy(self.matrix),
            "mean_accuracy": mean_accuracy(self.matrix),
        }
        if self.boundary is not None:
            scores["mean_boundary_iou"] = _mean(self.boundary)
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


def _ratio(part: ArrayLike, whole: ArrayLike) -> Floats:
    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    scores: Floats = np.full(np.broadcast_shapes(part.shape, whole.shape), np.nan)
    np.divide(part, whole, out=scores, where=whole > 0)
    return scores


def _mean(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _finite(value: float) -> float | None:
    return None if np.isnan(value) else value


def _percent(value: float) -> str:
    return "-" if np.isnan(value) else f"{100 * value:.2f}"
