"""Scores of a set together: the table for people, and the JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest

from maskforge.scores.scorer import Scores

MATRIX = np.array([[2, 1, 0, 0], [0, 2, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0]])


def test_scores_as_table_and_as_json() -> None:
    scores = Scores(
        ("_background_", "bottle", "can", "cup"), MATRIX, image_iou=0.5, image_accuracy=0.9
    )
    header, *rows = scores.to_table()
    assert header == ["id", "class", "iou", "accuracy", "precision", "recall", "f1", "pixels"]
    assert rows[1] == ["1", "bottle", "66.67", "100.00", "66.67", "100.00", "80.00", "2"]
    assert rows[3] == ["3", "cup", "-", "-", "-", "-", "-", "0"]
    data = json.loads(json.dumps(scores.as_dict(), allow_nan=False))
    assert data["mean_iou_all"] == pytest.approx((1 / 2 + 2 / 3 + 1 / 2) / 4)
    assert data["image_mean_iou"] == 0.5
    assert data["classes"][3]["iou"] is None
    assert data["confusion_matrix"] == MATRIX.tolist()


def test_scores_carry_the_boundary() -> None:
    scores = Scores(("a", "b"), np.eye(2, dtype=np.int64), boundary=np.array([0.5, np.nan]))
    assert scores.to_table()[0][-2:] == ["boundary iou", "pixels"]
    assert scores.overall()["mean_boundary_iou"] == 0.5


def test_scores_refuse_a_matrix_of_another_size() -> None:
    with pytest.raises(ValueError, match=r"matrix must be \(1, 1\), but got \(4, 4\)"):
        Scores(("a",), MATRIX)
