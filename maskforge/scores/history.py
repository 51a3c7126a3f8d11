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


def to_csv(rows: Sequence[Mapping[str, float | str]]) -> bytes:
    """Return the rows, which all have the columns of the first, as a CSV file; nan is empty."""
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({name: _cell(value) for name, value in row.items()})
    return text.getvalue().encode()


def _cell(value: float | str) -> str:
    if isinstance(value, str):
        return value
    if math.isnan(value):
        return ""
    return str(int(value)) if value == int(value) else f"{value:.6g}"
