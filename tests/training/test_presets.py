"""Presets do what their sources do: parameters, optimizer, rates by epoch, input, split, steps."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from training import synthetic
from training.commands import run

from maskforge.classes import ClassTable
from maskforge.datasets import check, open_dataset, with_test
from maskforge.prediction.sizes import resize, resize_labels
from maskforge.training.presets import PRESETS, preset
from maskforge.training.samples import Arrays, Data

torch = pytest.importorskip("torch")
checkpoint = pytest.importorskip("maskforge.training.checkpoint")
inputs = pytest.importorskip("maskforge.training.inputs")
loader = pytest.importorskip("maskforge.training.loader")
losses = pytest.importorskip("maskforge.training.losses")
optim = pytest.importorskip("maskforge.training.optim")
run_ = pytest.importorskip("maskforge.training.run")
samples_ = pytest.importorskip("maskforge.training.samples")
schedules = pytest.importorskip("maskforge.training.schedules")

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
WORKS = ("cityscapes", "book", "article", "portrait")
"""The presets that follow a work of somebody else."""


def table(count):
    return ClassTable.from_names([f"class {n}" for n in range(1, count)])


def test_every_work_is_tested():
    assert {*WORKS, "default", "quick"} == set(PRESETS)


@pytest.mark.parametrize(
    ("name", "classes", "parameters"),
    [
        # Trainable ones, counted in Keras.
        ("cityscapes", 34, 31_047_586),
        ("book", 4, 11_105_892),
        # Three outputs are its colours; here they are as many classes.
        ("article", 3, 914_371),
        # The common U-Net in PyTorch has 31,037,633 with one output.
        ("portrait", 2, 31_037_698),
    ],
)
def test_the_parameters_of_the_source(name, classes, parameters):
    with torch.device("meta"):
        network = checkpoint.build(preset(name), table(classes))
    assert sum(p.numel() for p in network.parameters()) == parameters


@pytest.mark.parametrize("name", WORKS)
def test_adam_at_one_thousandth_and_nothing_else(name):
    config = replace(preset(name), network="unet", options={"width": 2, "depth": 1})
    optimizer = optim.optimizer_of(config, checkpoint.build(config, table(2)))
    assert type(optimizer) is torch.optim.Adam
    for group in optimizer.param_groups:
        assert (group["lr"], group["weight_decay"], group["betas"]) == (1e-3, 0.0, (0.9, 0.999))
    assert (config.clip, config.ema, config.accumulate) == (0.0, 0.0, 1)


EPOCHS = {"cityscapes": 60, "book": 100, "article": 50}
BATCHES = {"cityscapes": 32, "book": 4, "article": 16, "portrait": 16}
RATES = {
    "cityscapes": [(1e-3, 60)],
    "book": [(1e-3, 41), (5e-4, 20), (1e-4, 20), (5e-5, 19)],
    # Its loss stays as it was: Keras waits 10 epochs, and ends at 1e-6.
    "article": [(1e-3, 11), (1e-4, 10), (1e-5, 10), (1e-6, 19)],
    "portrait": [(1e-3, 100)],
}
"""Learning rate, and for how many epochs of a run."""


@pytest.mark.parametrize("name", WORKS)
def test_the_rates_of_each_epoch(name):
    config = preset(name)
    assert (config.epochs, config.batch) == (EPOCHS.get(name), BATCHES[name])
    assert config.evaluate_every == 1
    wanted = [rate for rate, count in RATES[name] for _ in range(count)]
    state, found = run_.State(), []
    for epoch in range(len(wanted)):
        factor = (
            state.plateau["factor"]
            if config.schedule == "plateau"
            else schedules.factor(config.schedule, 3 * epoch + 2, steps=3 * len(wanted))
        )
        found.append(config.lr * factor)
        row = {"mean_iou": 0.5, "image_mean_iou": 0.5, "loss": 0.5, "val_loss": 0.5}
        state.take(row, config.best)
    assert found == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("name", "lowest", "highest"),
    [("cityscapes", -1, 1), ("book", 0, 1), ("article", 0, 1), ("portrait", 0, 1)],
)
def test_the_values_that_the_network_sees(name, lowest, highest):
    images = torch.tensor([[[[0, 0, 0], [255, 255, 255]]]], dtype=torch.uint8)
    assert inputs.Inputs(preset(name))(images).tolist() == [[[[lowest, highest]]] * 3]


@pytest.mark.parametrize("name", WORKS)
def test_every_pixel_counts_the_same_in_the_loss(name):
    """Also where one class has a hundred times the pixels of the other."""
    counts = np.array([[10_000, 100]])
    data = Data(table(2), Arrays([]), Arrays([]), counts)
    config = preset(name)
    assert config.loss == "ce"
    assert losses.class_weights_of(config, data).tolist() == [1, 1]


def row(mean_iou, image_mean_iou, val_loss):
    return {
        "mean_iou": mean_iou, "image_mean_iou": image_mean_iou, "loss": 1.0, "val_loss": val_loss,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "best"), [("book", 1), ("article", 2), ("cityscapes", 0), ("portrait", 0)]
)
def test_what_the_best_one_is(name, best):
    """The book saves what has the best mean over images, the article the lowest loss."""
    rows = [row(0.9, 0.5, 0.3), row(0.8, 0.6, 0.2), row(0.7, 0.4, 0.1)]
    state = run_.State()
    found = [state.take(one, preset(name).best) for one in rows]
    assert max(at for at, is_best in enumerate(found) if is_best) == best


# What a step sees


def test_street_scenes_are_cut_from_nearest_pixels_and_mirrored():
    config = replace(preset("cityscapes"), size=(8, 8), jitter=(11, 9), crop=(8, 8), batch=4)
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (30, 50, 3)).astype(np.uint8)
    ids = rng.integers(0, 3, (30, 50)).astype(np.uint8)
    items = Arrays([(resize(image, (9, 11), "nearest"), resize_labels(ids, (9, 11)))])
    whole, labels = items[0]
    seen = set()
    for batch in islice(loader.training_batches(items, config, ignore_index=255), 24):
        for cut, truth in zip(batch.images, batch.targets, strict=True):
            [at] = [
                (top, left, step)
                for top in range(2)
                for left in range(4)
                for step in (1, -1)
                if np.array_equal(whole[top : top + 8, left : left + 8][:, ::step], cut)
            ]
            top, left, step = at
            assert np.array_equal(labels[top : top + 8, left : left + 8][:, ::step], truth)
            seen.add(at)
    assert len(seen) == 2 * 4 * 2


def test_training_images_are_larger_than_those_of_the_validation(tmp_path):
    dataset = open_dataset(synthetic.folder(tmp_path))
    config = replace(preset("cityscapes"), val=0.25)
    data = samples_.from_dataset(check(samples_.split_for(dataset, config)), config)
    assert (data.train[0][0].shape, data.val[0][0].shape) == ((280, 280, 3), (256, 256, 3))


@pytest.mark.parametrize("name", ["book", "article", "portrait"])
def test_the_others_change_no_image(name):
    config = replace(preset(name), size=(), crop=(26, 18), batch=2)
    pairs = synthetic.pairs(2)
    [batch] = islice(loader.training_batches(Arrays(pairs), config, ignore_index=255), 1)
    for number, image in zip(batch.numbers, batch.images, strict=True):
        assert np.array_equal(image, pairs[number][0])


# The split


@pytest.mark.parametrize(
    ("name", "size"),
    [("cityscapes", (256, 256)), ("book", ()), ("article", (512, 512)), ("portrait", (256, 256))],
)
def test_the_size_of_the_validation(name, size):
    assert preset(name).size == size


def test_a_file_for_testing_is_found_beside_that_for_training(tmp_path):
    for name in ("segmentation_train.npy", "segmentation_test.npy", "train.npy", "restrain.npy"):
        (tmp_path / name).touch()
    (tmp_path / "train").mkdir()
    (tmp_path / "test").touch()

    def found(*names):
        return [path.name for path in with_test([tmp_path / name for name in names])]

    both = ["segmentation_train.npy", "segmentation_test.npy"]
    assert found("segmentation_train.npy") == both
    assert found(*both) == both
    assert found("segmentation_test.npy") == both[1:]
    assert found("train.npy", "train", "restrain.npy") == ["train.npy", "train", "restrain.npy"]


@pytest.mark.parametrize(("name", "part"), [("book", 3 / 12), ("article", 0.3), ("portrait", 0.2)])
def test_what_is_held_back(tmp_path, name, part):
    """The book's is what is called test; a fraction for the others, whatever is called test."""
    synthetic.folder(tmp_path, 12)
    dataset = open_dataset(tmp_path)
    config = preset(name)
    some = [replace(e, split="test" if n < 3 else "train") for n, e in enumerate(dataset.examples)]
    if name != "book":
        some = [replace(e, split=None) for e in some]
    found = samples_.split_for(replace(dataset, examples=tuple(some)), config)
    assert len(found.of("val")) == pytest.approx(12 * part, abs=0.5)
    assert len(found.of("train")) + len(found.of("val")) == 12
    if name == "book":
        assert [e.name for e in found.of("val")] == [e.name for e in some[:3]]
        assert "split: what the data call test is held back" in found.notes


# Some steps of each, on the samples


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


TINY = ("--steps", "3", "--threads", "1", "--no-tensorboard", "-q", "-o", "out")


def trained(data, name, *more):
    """Train for some steps, predict and score; return the settings and the history."""
    assert run("train", data, "--preset", name, *TINY, *more) == 0
    with Path("out/history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows[-1]["step"] == "3"
    assert float(rows[-1]["image_pixel_accuracy"]) > 0
    assert run("evaluate", "out/best.pt", data, "--json") == 0
    return json.loads(Path("out/config.json").read_text()), rows


def test_steps_of_the_street(place):
    assert run("labelme", SAMPLES / "labelme/more", "-o", "masks", "--no-previews", "-q") in (0, 1)
    small = ("--option", "width=2", "--option", "depth=2", "--batch", "2")
    small += ("--size", "16x16", "--jitter", "18x18", "--crop", "16x16")
    config, _ = trained("masks", "cityscapes", *small)
    assert config["options"] == {"norm": "after-relu", "width": 2, "depth": 2}
    assert config["jitter"] == [18, 18]


def test_steps_of_the_book(place, capsys):
    """It scores what lies beside, in the file for testing, also when it is evaluated later."""
    for part in ("train", "test"):
        source = SAMPLES / f"via/segmentation_{part}.json"
        assert run("via", source, "-o", f"segmentation_{part}.npy", "--no-previews", "-q") == 0
    capsys.readouterr()
    small = ("--option", "depth=11", "--option", "width=2", "--size", "32x32")
    _, rows = trained("segmentation_train.npy", "book", *small)
    scores = json.loads(capsys.readouterr().out)
    assert len(Path("out/val.txt").read_text().splitlines()) == 12
    assert {"image_mean_iou", "image_pixel_accuracy"} <= scores.keys() & rows[0].keys()
    assert sum(sum(counts) for counts in scores["confusion_matrix"]) == 12 * 160 * 120


STYLES = {
    "purple-yellow": ((120, 0, 120), (235, 235, 50)),  # RGB
    "black-white": ((0, 0, 0), (255, 255, 255)),
    "white-black": ((255, 255, 255), (0, 0, 0)),
}


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """The folders of the article: features, and masks of 0 and 1."""
    source, out = (tmp_path_factory.mktemp(name) for name in ("ochuman", "people"))
    (source / "images").mkdir()
    known = json.loads((SAMPLES / "ochuman/ochuman.json").read_text())
    known["images"] = known["images"][:6]
    (source / "ochuman.json").write_text(json.dumps(known))
    for image in known["images"]:
        shutil.copy(SAMPLES / "ochuman/images" / image["file_name"], source / "images")
    options = ("--style", "black-white", "--layout", "article", "--no-previews", "-q")
    assert run("ochuman", source, "-o", out, *options) == 0
    return out


@pytest.mark.parametrize("style", STYLES)
def test_steps_of_the_article(place, people, style):
    """In its three styles, with its folders and its masks, which are JPEG files."""
    colors = np.array(STYLES[style], np.uint8)
    for folder in ("features", "labels"):
        (place / f"data/{folder}").mkdir(parents=True)
    for number in range(6):
        with Image.open(people / f"features/{number}_x.png") as image:
            image.save(f"data/features/{number}_x.jpg", quality=95)
        with Image.open(people / f"labels/{number}_y.png") as mask:
            ids = (np.asarray(mask.convert("L")) > 127).astype(np.intp)
        Image.fromarray(colors[ids]).save(f"data/labels/{number}_y.jpg", quality=95)
    small = ("--option", "width=2", "--size", "32x32", "--batch", "2", "--style", style)
    config, rows = trained("data", "article", *small)
    assert (config["schedule"], config["best"]) == ("plateau", "loss")
    assert [row["epoch"] for row in rows] == ["1", "2"]  # 3 steps, 2 an epoch
    assert sorted(path.name for path in Path("out/previews").iterdir()) == [
        "epoch_001.png", "epoch_002.png",
    ]  # fmt: skip
    assert rows[0]["val_loss"] != rows[1]["val_loss"]
    known = checkpoint.load(Path("out/best.pt")).scores["val_loss"]
    assert known == pytest.approx(min(float(row["val_loss"]) for row in rows), rel=1e-4)


@pytest.mark.parametrize("kind", ["softmax", "sigmoid"])
def test_steps_of_the_portraits(place, kind):
    """Folders JPEGImages and SegmentationClass, a part held back by its rate."""
    for folder in ("JPEGImages", "SegmentationClass"):
        (place / f"data/{folder}").mkdir(parents=True)
    for number, (image, ids) in enumerate(synthetic.pairs(10)):
        Image.fromarray(image).save(f"data/JPEGImages/{number}.jpg")
        mask = Image.fromarray(ids, "P")
        mask.putpalette([0, 0, 0, 128, 0, 0])
        mask.save(f"data/SegmentationClass/{number}.png")
    small = ("--option", "width=2", "--option", "depth=2", "--size", "16x16", "--batch", "2")
    small += ("--labels", "person", "--val", "0.3")
    config, _ = trained("data", "portrait", *small, *(["--sigmoid"] if kind == "sigmoid" else []))
    assert config["sigmoid"] == (kind == "sigmoid")
    assert len(Path("out/val.txt").read_text().splitlines()) == 3
