"""Files of an evaluation: what is written, and what the worst images look like."""

import json

import numpy as np
import pytest
from PIL import Image
from training import synthetic
from training.places import listing

from maskforge.pictures import plots
from maskforge.prediction import score_files
from maskforge.prediction.saving import Folder
from maskforge.scores.scorer import Scorer

NAMES = ("_background_", "box")


def scored(keep=2):
    """Scores of three images; the later ones are worse."""
    scorer = Scorer(NAMES, 255, keep=keep)
    for number, (image, ids) in enumerate(synthetic.pairs(3)):
        guess = np.where(ids == 255, 0, ids)
        guess[:, : 8 * number] = 0
        scorer.add(f"in/{number}", ids, guess, image=image if number else None)
    return scorer


def test_files(tmp_path):
    pytest.importorskip("matplotlib")
    scorer = scored()
    scores = [f"{100 * kept.score.mean_iou:.1f}" for kept in scorer.worst]
    assert scores[0] < scores[1]
    score_files.write(Folder(tmp_path, "evaluate", overwrite=False), scorer, synthetic.CLASSES)
    assert listing(tmp_path) == [
        "classes.csv",
        "confusion.png",
        "images.csv",
        "scores.json",
        "worst",
        f"worst/01-iou-{scores[0]}-in_2.jpg",
        f"worst/02-iou-{scores[1]}-in_1.jpg",
        "worst/index.jpg",
    ]
    assert (tmp_path / "images.csv").read_text().splitlines()[1] == "in/0,1,1"
    written = json.loads((tmp_path / "scores.json").read_text())
    assert written["confusion_matrix"] == scorer.scores().matrix.tolist()
    with Image.open(tmp_path / f"worst/01-iou-{scores[0]}-in_2.jpg") as picture:
        assert 1000 < picture.width <= 1600
        colors = np.asarray(picture.convert("RGB")).reshape(-1, 3).astype(int)
    # What was missed is blue, and nothing was added.
    for color, is_there in (((64, 156, 255), True), ((238, 88, 24), False)):
        near = (abs(colors - color).max(axis=1) < 12).sum()
        assert bool(near > 5000) is is_there


def test_without_matplotlib_all_else_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(plots, "missing", lambda: "no curves.png and confusion.png")
    score_files.write(Folder(tmp_path, "evaluate", overwrite=False), scored(1), synthetic.CLASSES)
    written = listing(tmp_path)
    assert "confusion.png" not in written
    assert {"scores.json", "classes.csv", "images.csv", "worst/index.jpg"} < set(written)


def test_nothing_that_is_worst_leaves_no_folder(tmp_path):
    score_files.write(Folder(tmp_path, "evaluate", overwrite=False), scored(0), synthetic.CLASSES)
    assert "worst" not in listing(tmp_path)


def test_a_score_that_is_none_is_null():
    scores = Scorer(NAMES, 255).scores()
    assert json.loads(score_files.to_json(scores))["mean_iou_present"] is None
