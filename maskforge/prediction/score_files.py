"""Files of an evaluation: scores as JSON and CSV, a confusion matrix, and the worst images.

``worst/index.jpg`` shows them all; each has a sheet ``worst/01-iou-43.2-NAME.jpg``, by its rank and
its mean IoU in percent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from maskforge.classes import ClassTable
from maskforge.io import files
from maskforge.pictures import comparison, plots, previews
from maskforge.pictures.comparison import Comparison
from maskforge.prediction.saving import Folder
from maskforge.scores import history
from maskforge.scores.scorer import Kept, Scorer, Scores

COMMAND = "evaluate"
"""By which an output is known as one of scores."""

NAMES = ("scores.json", "classes.csv", "images.csv", "confusion.png")
"""The files that :func:`write` makes, besides those in ``worst/``; the last only where
:func:`maskforge.pictures.plots.missing` has nothing to say."""


def write(
    folder: Folder,
    scorer: Scorer,
    classes: ClassTable,
    *,
    note: dict[str, Any] | None = None,
) -> None:
    """Put :data:`NAMES` and ``worst/`` in place. Raises UsageError, WriteError.

    note: what :meth:`Folder.standing` of a later run returns.
    """
    with folder:
        for name, data in _files(scorer, classes):
            folder.save(name, data)
        if note is not None:
            folder.note(note)


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
    made = [
        (to_json(scores) + "\n").encode(),
        history.to_csv(by_class),
        history.to_csv(by_image),
    ]
    if not plots.missing():
        picture = plots.confusion(scores.matrix, scores.names)
        made.append(previews.encode(picture, suffix=".png"))
    yield from zip(NAMES, made, strict=False)
    yield from _worst(scorer, classes)


def _worst(scorer: Scorer, classes: ClassTable) -> Iterator[tuple[str, bytes]]:
    if not scorer.worst:
        return
    ranked = {f"{rank:02d} {kept.score.name}": kept for rank, kept in enumerate(scorer.worst, 1)}

    def load(name: str) -> Comparison:
        return replace(_compared(ranked[name], classes), name=name)

    index = comparison.overview(list(ranked), load, heading="worst images", errors=True)
    yield "worst/index.jpg", previews.encode(index)
    for rank, kept in enumerate(scorer.worst, start=1):
        stem = files.safe_name(kept.score.name).replace("/", "_")
        score = f"{100 * kept.score.mean_iou:.1f}"
        drawn = comparison.sheet(_compared(kept, classes))
        yield f"worst/{rank:02d}-iou-{score}-{stem}.jpg", previews.encode(drawn)


def _compared(kept: Kept, classes: ClassTable) -> Comparison:
    return Comparison(kept.score.name, kept.truth, kept.prediction, classes, kept.image)


def to_json(scores: Scores) -> str:
    """Return the scores as JSON."""
    return json.dumps(scores.as_dict(), ensure_ascii=False, indent=1)
