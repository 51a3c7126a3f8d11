"""Pictures and scores of arrays that somebody already has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from maskforge.api import words
from maskforge.api.evaluating import Evaluation
from maskforge.classes import BACKGROUND, ClassTable
from maskforge.errors import ClassError, UsageError
from maskforge.io.label_lists import Labels, given
from maskforge.scores.scorer import Scorer


@words.python()
def overlay(
    image: NDArray[np.uint8],
    label_image: ArrayLike,
    classes: Labels,
    *,
    legend: bool = False,
) -> NDArray[np.uint8]:
    """Return ``image`` tinted and outlined by class, as previews are, uint8 (H, W, 3) in RGB.

    image: uint8 (H, W, 3), RGB. label_image: (H, W), class ids, and the ignore index; a raster will
    do. classes: the class table, its names, or the file that lists them. legend: with the names and
    shares of the classes below; then the picture's longer side has 400 to 1024 pixels.

    Raises UsageError for arrays that do not fit, ClassError for an id that the table lacks.
    """
    from PIL import Image

    from maskforge.pictures import previews
    from maskforge.raster.label_image import to_raster

    table = _table(classes)
    channels = _channels("label image", label_image, table)
    shape = (*channels.shape, 3)
    if not isinstance(image, np.ndarray) or image.shape != shape or image.dtype != np.uint8:
        got = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image)
        raise UsageError(f"image must be uint8 {shape}, but got {got}")
    picture, raster = Image.fromarray(image), to_raster(channels, table)
    if legend:
        return np.array(previews.draw(picture, raster))
    return np.array(previews.overlay(picture, raster, picture.size))


@words.python()
def metrics(
    prediction: ArrayLike | Sequence[ArrayLike],
    truth: ArrayLike | Sequence[ArrayLike],
    classes: Labels | int,
) -> Evaluation:
    """Return the scores of predicted label images: one (H, W), or a list of them.

    prediction, truth: class ids, integers (H, W), of one size; lists of as many, whose pixels are
    counted together. Where the truth is ignored nothing is counted; where the prediction is, it is
    missed. classes: the class table, its names, the file that lists them, or how many there are:
    the background, class_1, class_2 ….

    Raises UsageError for arrays that do not fit, ClassError for an id that the table lacks.
    """
    table = _numbered(classes) if isinstance(classes, int) else _table(classes)
    predictions, truths = _several(prediction), _several(truth)
    if len(predictions) != len(truths) or not truths:
        raise UsageError(
            "there must be as many predictions as truths, "
            f"but got {len(predictions)} and {len(truths)}"
        )
    scorer = Scorer(table.names, table.channels.ignore_index)
    for number, pair in enumerate(zip(predictions, truths, strict=True)):
        ours, theirs = (
            _channels(name, ids, table)
            for name, ids in zip(("prediction", "truth"), pair, strict=True)
        )
        if ours.shape != theirs.shape:
            raise UsageError(
                f"prediction and truth must have one shape, but got {ours.shape} and {theirs.shape}"
            )
        scorer.add(str(number), theirs, ours)
    return Evaluation(table, scorer.scores(), tuple(scorer.images))


def _numbered(count: int) -> ClassTable:
    if count < 1:
        raise UsageError(f"there must be 1 class or more, but got {count}")
    return ClassTable((BACKGROUND, *(f"class_{number}" for number in range(1, count))))


def _table(classes: Labels) -> ClassTable:
    listed = given(classes)
    if listed is None:
        raise UsageError("there must be classes, a table or its names, but got None")
    return listed.classes


def _several(arrays: Any) -> list[ArrayLike]:
    """Return the label images: an array (H, W) is one, whatever has one in it is several."""
    if isinstance(arrays, list | tuple) and not np.isscalar(arrays[0] if arrays else 0):
        first = np.asarray(arrays[0])
        return list(arrays) if first.ndim == 2 else [arrays]
    if isinstance(arrays, np.ndarray) and arrays.ndim == 3:
        return list(arrays)
    return [arrays]


def _channels(name: str, ids: ArrayLike, table: ClassTable) -> NDArray[Any]:
    """Return the channels (H, W) of class ids, in the table's dtype by channel."""
    array = np.asarray(ids)
    if array.ndim != 2 or array.size == 0 or array.dtype.kind not in "ui":
        raise UsageError(
            f"{name} must be integers (H, W), not empty, but got {array.dtype} {array.shape}"
        )
    known = np.isin(array, (*table.ids, table.ignore_index))
    if not known.all():
        row, column = np.argwhere(~known)[0].tolist()
        raise ClassError(
            f"{name} must hold ids of the class table or {table.ignore_index}, "
            f"but holds {array[row, column]} at row {row}, column {column} "
            f"({np.count_nonzero(~known):,} such pixels)"
        )
    channels = table.channels_of(array)
    channels[channels == len(table)] = table.channels.ignore_index
    return channels.astype(table.channels.dtype)
