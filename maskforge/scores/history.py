"""What a run has come to so far, evaluation by evaluation: a table that is written whole."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Row: TypeAlias = dict[str, float]
"""One evaluation: epoch, step, lr, loss, val_loss, mean_iou, …, and ``iou CLASS`` for each class.

A score that has no value is nan.
"""


def score(row: Mapping[str, float], best: str = "mean-iou") -> float:
    """Return how good an evaluation is, the higher the better.

    best: what counts, as in the settings: "mean-iou", "image-mean-iou", or "loss", of the
    validation. Without validation images the training loss has to tell.
    """
    column = {"mean-iou": "mean_iou", "image-mean-iou": "image_mean_iou"}.get(best, "")
    known = row[column] if column else -row["val_loss"]
    return -row["loss"] if math.isnan(known) else known


def best_of(rows: Sequence[Mapping[str, float]], best: str = "mean-iou") -> int:
    """Return the number of the row that ``best.pt`` is of: the first with the highest score."""
    return max(range(len(rows)), key=lambda at: (score(rows[at], best), -at))


RISEN = 0.01
"""A mean IoU that was this much higher at the end is likely to rise on."""


def still_rising(rows: Sequence[Mapping[str, float]]) -> float:
    """Return by how much the best mean IoU rose in the last third of the evaluations.

    0 where it is less than :data:`RISEN`, or not known.
    """
    scores = [row["mean_iou"] for row in rows if not math.isnan(row["mean_iou"])]
    last = -(-len(scores) // 3)
    if len(scores) < 2:
        return 0.0
    gained = max(scores[-last:]) - max(scores[:-last])
    return gained if gained >= RISEN else 0.0


def to_csv(rows: Sequence[Mapping[str, float | str]]) -> bytes:
    """Return the rows, which all have the columns of the first, as a CSV file; nan is empty.

    A text that a spreadsheet would take for a formula, as the name of a file or class may be, gets
    an apostrophe before it; numbers stay numbers.
    """
    names = list(rows[0]) if rows else []
    lines = [_line(names)] if rows else []
    lines += [_line([row[name] for name in names]) for row in rows]
    # Names of files may hold bytes that are no text.
    return "".join(lines).encode("utf-8", "surrogateescape")


def _line(values: Sequence[float | str]) -> str:
    text = io.StringIO()
    # It quotes what ends its lines, and both of these end a line for those who read it.
    csv.writer(text, lineterminator="\r\n").writerow(map(_cell, values))
    return text.getvalue()[:-2] + "\n"


_FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # the wide ones count where Chinese or Japanese is written


def _cell(value: float | str) -> str:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    if math.isnan(value):
        return ""
    return str(int(value)) if value == int(value) else f"{value:.6g}"
