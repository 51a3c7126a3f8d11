"""Scores of a set together: pooled counts, the worst images, the table for people, the JSON."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from maskforge.scores.scorer import Scorer, Scores

NAMES = ("_background_", "box")
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


def test_the_worked_example() -> None:
    """5 of 100 pixels are an object and all is called background."""
    truth = np.zeros((10, 10), np.uint8)
    truth[0, :5] = 1
    scorer = Scorer(NAMES, 255)
    scorer.add("a", truth, np.zeros_like(truth))
    scores = scorer.scores()
    assert scores.by_class()["iou"].tolist() == [0.95, 0.0]
    assert scores.overall()["mean_iou_present"] == 0.475
    assert scores.overall()["pixel_accuracy"] == 0.95


def test_counts_are_pooled_and_image_means_are_not() -> None:
    truth = np.array([[0, 0, 1, 1]], np.uint8)
    scorer = Scorer(NAMES, 255, keep=1)
    scorer.add("right", truth, truth)
    scorer.add("wrong", truth, 1 - truth)
    scorer.add("void", np.full_like(truth, 255), truth)
    scores = scorer.scores()
    assert scores.matrix.tolist() == [[2, 2], [2, 2]]
    assert scores.overall()["mean_iou_present"] == pytest.approx(1 / 3)
    assert scores.image_iou == scores.image_accuracy == 0.5
    assert [kept.score.name for kept in scorer.worst] == ["wrong"]
    assert math.isnan(scorer.images[2].mean_iou)


def test_nothing_scored_is_no_score() -> None:
    scores = Scorer(NAMES, 255).scores()
    assert math.isnan(scores.overall()["image_mean_iou"])
    assert scores.as_dict()["mean_iou_present"] is None
