"""Files of an evaluation: what is written, and what the worst images look like."""

import json

import numpy as np
from PIL import Image
from training import synthetic
from training.places import listing

from maskforge.prediction import score_files
from maskforge.prediction.saving import Folder
from maskforge.scores.scorer import Scorer

NAMES = ("_background_", "box")


def test_files(tmp_path):
    scorer = Scorer(NAMES, 255, keep=2)
    for number, (image, ids) in enumerate(synthetic.pairs(3)):
        guess = np.where(ids == 255, 0, ids)
        guess[:, : 8 * number] = 0
        scorer.add(f"in/{number}", ids, guess, image=image if number else None)
    score_files.write(Folder(tmp_path, "evaluate", overwrite=False), scorer, synthetic.CLASSES)
    assert listing(tmp_path) == [
        "classes.csv",
        "confusion.png",
        "images.csv",
        "scores.json",
        "worst",
        "worst/01_in_2.jpg",
        "worst/02_in_1.jpg",
    ]
    assert (tmp_path / "images.csv").read_text().splitlines()[1] == "in/0,1,1"
    written = json.loads((tmp_path / "scores.json").read_text())
    assert written["confusion_matrix"] == scorer.scores().matrix.tolist()
    with Image.open(tmp_path / "worst/01_in_2.jpg") as picture:
        assert picture.width > 3 * 400


def test_a_score_that_is_none_is_null():
    scores = Scorer(NAMES, 255).scores()
    assert json.loads(score_files.to_json(scores))["mean_iou_present"] is None
