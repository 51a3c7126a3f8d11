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
    nothing: bool = False,
) -> Counts:
    """Count pixels by true class and predicted class.

    Args:
        truth: Integer array of class ids, any shape; may hold ``ignore_index``.
        prediction: Integer array of class ids, same shape. What it holds where the truth is
            ignored does not matter.
        num_classes: C; valid class ids are 0 … C-1.
        ignore_index: Pixels with this truth are not counted. Lies outside 0 … C-1.
        nothing: The prediction may hold ``ignore_index``, too: it predicts nothing there, which is
            missed by the true class and claimed by none.

    Returns:
        (C, C) int64, rows truth, columns prediction; with ``nothing`` (C, C + 1), the last column
        is where nothing was predicted. All scores take either.

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
        columns = _bins("prediction", prediction, num_classes, ignore_index if nothing else None)
    counts = np.bincount((rows * span + columns).reshape(-1), minlength=span * span)
    counts = counts.reshape(span, span)
    kept = counts[:num_classes, :num_classes].astype(np.int64)
    outside = int(counts[:num_classes, num_classes:].sum())
    if nothing and ignore_index is not None:
        missed = counts[:num_classes, num_classes if span != 256 else ignore_index]
        kept = np.column_stack([kept, missed.astype(np.int64)])
        outside -= int(missed.sum())
    if outside:
        scored = np.ones(truth.shape, np.bool_) if ignore_index is None else truth != ignore_index
        _refuse("prediction", prediction, scored, num_classes, ignore_index if nothing else None)
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
    return ratio(hits, _predicted(matrix) + matrix.sum(axis=1) - hits)


def precision(matrix: Counts) -> Floats:
    """Return by class the share of its predicted pixels that are right, (C,); nan if none are."""
    return ratio(np.diagonal(matrix), _predicted(matrix))


def _predicted(matrix: Counts) -> Counts:
    """Return how many pixels each class was predicted for, (C,)."""
    predicted: Counts = matrix.sum(axis=0)[: len(matrix)]
    return predicted


def recall(matrix: Counts) -> Floats:
    """Return by class the share of its true pixels that were found, (C,); nan if it has none."""
    return ratio(np.diagonal(matrix), matrix.sum(axis=1))


def class_accuracy(matrix: Counts) -> Floats:
    """Return the accuracy by class, (C,), as segmentation papers use the word: the recall."""
    return recall(matrix)


def f1(matrix: Counts) -> Floats:
    """Return F1, which is the Dice coefficient, by class, (C,); nan where the IoU is nan."""
    return ratio(2 * np.diagonal(matrix), _predicted(matrix) + matrix.sum(axis=1))


def pixel_accuracy(matrix: Counts) -> float:
    """Return the share of pixels that are right; nan without pixels."""
    return float(ratio(np.trace(matrix), matrix.sum()))


def mean_accuracy(matrix: Counts) -> float:
    """Return the mean of :func:`class_accuracy` over the classes that the truth has."""
    return known_mean(recall(matrix))


def frequency_weighted_iou(matrix: Counts) -> float:
    """Return the mean IoU weighted by the classes' true pixels; nan without pixels."""
    share = ratio(matrix.sum(axis=1), matrix.sum())
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
        return known_mean(scores[matrix.sum(axis=1) > 0])
    if over == "union":
        return known_mean(scores)
    if over == "all":
        return float(np.mean(np.nan_to_num(scores)))
    raise ValueError(f"over must be 'present', 'union' or 'all', but got {over!r}")


def image_means(scores: Iterable[tuple[float, float]]) -> tuple[float, float]:
    """Return the means over images of the mean IoU and of the pixel accuracy, given those of each.

    The mean IoU of one image is over the classes present in its truth. These are the two numbers
    in chapter 12 of Atienza's "Advanced Deep Learning with TensorFlow 2 and Keras" (2nd ed.).
    They are not those of the pooled matrix: here each image counts the same, whatever it shows.
    An image without counted pixels, where both are nan, does not count; nan without images.
    """
    both = np.array(list(scores), dtype=np.float64).reshape(-1, 2)
    return known_mean(both[:, 0]), known_mean(both[:, 1])


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
        weights = ratio(np.ones(len(pixels)), share * occurs.sum())
    elif method == "median":
        shown = ((table > 0) * table.sum(axis=1, keepdims=True)).sum(axis=0)
        frequency = ratio(pixels, shown)
        weights = ratio(np.full(len(pixels), np.nanmedian(frequency)), frequency)
    else:
        raise ValueError(
            f"method must be 'median', 'enet', 'inverse' or 'none', but got {method!r}"
        )
    return np.where(occurs, weights, 0.0)


def ratio(part: ArrayLike, whole: ArrayLike) -> Floats:
    """Return ``part / whole``, nan where ``whole`` is 0."""
    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    scores: Floats = np.full(np.broadcast_shapes(part.shape, whole.shape), np.nan)
    np.divide(part, whole, out=scores, where=whole > 0)
    return scores


def known_mean(values: Floats) -> float:
    """Return the mean of those values that are not nan; nan if none is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
