"""Files of an evaluation: scores as JSON and CSV, a confusion matrix, and the worst images."""

from __future__ import annotations

import json
from collections.abc import Iterator

from maskforge.classes import ClassTable
from maskforge.io import files
from maskforge.pictures import plots, previews
from maskforge.prediction.saving import Folder
from maskforge.scores import history
from maskforge.scores.scorer import Scorer, Scores

COMMAND = "evaluate"
"""By which an output is known as one of scores."""

NAMES = ("scores.json", "classes.csv", "images.csv", "confusion.png")
"""The files that :func:`write` makes, besides those in ``worst/``."""


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
