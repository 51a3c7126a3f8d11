"""Scores over a set: pooled counts, the worst images, what is held back; and the network's own."""

import json
import math

import numpy as np
import pytest
from PIL import Image
from training import synthetic
from training.places import listing

from maskforge.datasets import check, open_dataset, split
from maskforge.errors import UsageError
from maskforge.prediction import scoring
from maskforge.prediction.saving import Folder
from maskforge.scores import metrics
from maskforge.training import held_out, samples

NAMES = ("_background_", "box")


def test_the_worked_example():
    """5 of 100 pixels are an object and all is called background."""
    truth = np.zeros((10, 10), np.uint8)
    truth[0, :5] = 1
    scorer = scoring.Scorer(NAMES, 255)
    scorer.add("a", truth, np.zeros_like(truth))
    scores = scorer.scores()
    assert scores.by_class()["iou"].tolist() == [0.95, 0.0]
    assert scores.overall()["mean_iou_present"] == 0.475
    assert scores.overall()["pixel_accuracy"] == 0.95


def test_counts_are_pooled_and_image_means_are_not():
    truth = np.array([[0, 0, 1, 1]], np.uint8)
    scorer = scoring.Scorer(NAMES, 255, keep=1)
    scorer.add("right", truth, truth)
    scorer.add("wrong", truth, 1 - truth)
    scorer.add("void", np.full_like(truth, 255), truth)
    scores = scorer.scores()
    assert scores.matrix.tolist() == [[2, 2], [2, 2]]
    assert scores.overall()["mean_iou_present"] == pytest.approx(1 / 3)
    assert scores.image_iou == scores.image_accuracy == 0.5
    assert [kept.score.name for kept in scorer.worst] == ["wrong"]
    assert math.isnan(scorer.images[2].mean_iou)


def test_nothing_scored_is_no_score():
    scores = scoring.Scorer(NAMES, 255).scores()
    assert math.isnan(scores.overall()["image_mean_iou"])
    assert json.loads(scoring.to_json(scores))["mean_iou_present"] is None


def test_files(tmp_path):
    scorer = scoring.Scorer(NAMES, 255, keep=2)
    for number, (image, ids) in enumerate(synthetic.pairs(3)):
        guess = np.where(ids == 255, 0, ids)
        guess[:, : 8 * number] = 0
        scorer.add(f"in/{number}", ids, guess, image=image if number else None)
    scoring.write(Folder(tmp_path, "evaluate", overwrite=False), scorer, synthetic.CLASSES)
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


def held_back(tmp_path, config=None):
    config = config or synthetic.config(val=0.25)
    dataset = open_dataset(synthetic.folder(tmp_path / "data"))
    found = check(held_out.split_as_trained(dataset, config))
    return found, config


def test_what_was_held_back_is_scored_again(tmp_path):
    found, config = held_back(tmp_path)
    trained = samples.from_dataset(found, size=config.size, cache=1)
    chosen = held_out.choose(found, None, trained_on=trained.fingerprint, size=config.size)
    assert [e.name for e in chosen.examples] == list(trained.val.names)
    assert len(chosen.examples) == 2
    assert "held back" in chosen.reason


def test_of_other_data_everything_is_scored(tmp_path):
    found, config = held_back(tmp_path)
    chosen = held_out.choose(found, None, trained_on="others", size=config.size)
    assert len(chosen.examples) == 8
    chosen = held_out.choose(found, "train", trained_on="others", size=config.size)
    assert len(chosen.examples) == 6
    with pytest.raises(UsageError, match="part 'test' has none"):
        held_out.choose(found, "test", trained_on="others", size=config.size)


def test_files_become_items_of_the_working_size(tmp_path):
    found = check(split(open_dataset(synthetic.folder(tmp_path / "data")), val=0.25, seed=0))
    data = samples.from_dataset(found, size=(13,), cache=1)
    assert len(data.train) == 6
    assert set(data.train.sizes) == {(9, 13)}
    image, ids = data.train[2]
    assert image.shape == (9, 13, 3)
    assert ids.shape == (9, 13)
    assert data.train[2][0] is image  # from the cache
    again = samples.from_dataset(found, size=(13,), cache=0)
    assert again.train[2][0] is not again.train[2][0]
    assert again.fingerprint == data.fingerprint
    other = samples.from_dataset(found, size=(12,), cache=0)
    assert other.fingerprint != data.fingerprint
    assert data.counts.sum() == 6 * (18 * 26 - 6)


def test_the_network_is_scored_without_its_padding():
    torch = pytest.importorskip("torch")
    evaluate = pytest.importorskip("maskforge.training.validation")
    losses = pytest.importorskip("maskforge.training.losses")
    machine = pytest.importorskip("maskforge.training.device")

    class Bright(torch.nn.Module):
        def forward(self, x):
            box = x.mean(dim=1, keepdim=True) * 0.5
            return torch.cat([-box, box], dim=1)

    config = synthetic.config()
    pairs = [*synthetic.pairs(3), *synthetic.pairs(2, height=9, width=31, seed=5)]
    stopped = []
    arguments = {
        "num_classes": 2,
        "ignore_index": 255,
        "divisor": 8,
        "batch": 2,
        "loss_of": losses.build("ce"),
        "machine": machine.Machine.of(config),
        "stopped": lambda: bool(stopped),
    }
    network = Bright().train()
    found = evaluate.evaluate(network, samples.Arrays(pairs), keep=[0, 4], **arguments)
    expected = np.zeros((2, 2), np.int64)
    for image, ids in pairs:
        normal = (image / 255 - machine.MEAN) / machine.STD
        guess = (normal.mean(axis=2) > 0).astype(np.uint8)
        expected += metrics.confusion_matrix(ids, guess, num_classes=2, ignore_index=255)
    assert np.array_equal(found.matrix, expected)
    assert {n: p.shape for n, p in found.predictions.items()} == {0: (18, 26), 4: (9, 31)}
    assert found.loss > 0
    assert network.training
    stopped.append(True)
    with pytest.raises(evaluate.Interrupted):
        evaluate.evaluate(network, samples.Arrays(pairs), **arguments)
    assert network.training
