"""What training calls the best score, and what evaluating that checkpoint gives.

They are one number where both are measured at one size, and else each says at which it was.
"""

import csv
import re

import numpy as np
import pytest
from training.commands import SMALL, run

pytestmark = pytest.mark.usefixtures("data")
STEPS = ["--steps", "8", "--val", "0.5"]


def best_of(said):
    """Return the best mean IoU in percent, and the size it was measured at."""
    match = re.search(r"best mIoU ([\d.]+) \((.+?)\) after", said)
    return float(match[1]), match[2]


def evaluated(capsys, *more):
    """Return the mean IoU in percent, and what was said."""
    capsys.readouterr()
    assert run("evaluate", "out/best.pt", "data", "--threads", "1", *more) == 0
    said = capsys.readouterr().err
    return float(re.search(r"mIoU \(classes present\) ([\d.]+)", said)[1]), said


def trained(capsys, *more):
    pytest.importorskip("torch")
    assert run("train", "data", "-o", "out", *SMALL, *STEPS, *more) == 0
    return best_of(capsys.readouterr().err)


def test_at_full_size_they_are_one_number(capsys):
    best, size = trained(capsys)
    assert size == "at full size"
    with open("out/history.csv") as file:
        history = [100 * float(row["mean_iou"]) for row in csv.DictReader(file)]
    assert best == pytest.approx(max(history), abs=0.006)
    found, said = evaluated(capsys)
    assert found == best
    assert "scored: 4 images at full size, what the training held back\n" in said
    assert "the network sees them" not in said
    assert "\nmIoU (classes present) " in said


@pytest.mark.parametrize(
    ("size", "told"), [("13", "with a longer side of at most 13"), ("16x12", "at 16x12")]
)
def test_else_each_says_at_which_size_it_was_measured(size, told, capsys):
    assert trained(capsys, "--size", size)[1] == told
    _, said = evaluated(capsys)
    assert "scored: 4 images at full size, " in said
    assert f"\nthe network sees them {told}\n" in said
    assert f"sees {told}" not in evaluated(capsys, "--size", "20")[1]


def test_images_that_are_no_larger_are_scored_as_in_training(capsys):
    best, size = trained(capsys, "--size", "26")  # the images are 26x18
    assert size == "with a longer side of at most 26"
    assert evaluated(capsys)[0] == best


def test_masks_are_compared_as_they_are(capsys):
    assert run("evaluate", "data/masks", "data") == 0
    assert "\nmIoU (classes present) 100.00 · pixel accuracy 100.00" in capsys.readouterr().err


def test_the_network_sees_what_validation_saw(capsys):
    """Scores of the training are those of the resized pairs, exactly."""
    pytest.importorskip("torch")
    from pathlib import Path

    from maskforge.datasets import check, load, open_dataset
    from maskforge.prediction.sizes import resize, resize_labels
    from maskforge.raster.transform import working_size
    from maskforge.scores import metrics
    from maskforge.training import evaluation_part, torch_network

    best, _ = trained(capsys, "--size", "13", "--precision", "float32")
    predictor = torch_network.network_predictor(Path("out/best.pt"), threads=1)
    split = evaluation_part.split_as_trained(open_dataset("data"), predictor.config)
    found = check(split)
    chosen = evaluation_part.choose(found, None, trained_on=predictor.data, config=predictor.config)
    assert len(open_dataset("data")) == 8
    matrix = np.zeros((2, 2), np.int64)
    for example in chosen.examples:
        image, ids = load(example, split)
        small = working_size(ids.shape, (13,))
        [guess] = predictor.label_images([resize(image, small)])
        truth = resize_labels(ids, small)
        matrix += metrics.confusion_matrix(truth, guess, num_classes=2, ignore_index=255)
    assert 100 * metrics.mean_iou(matrix) == pytest.approx(best, abs=0.006)
