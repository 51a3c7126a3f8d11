"""The commands as functions: train, evaluate, predict."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import maskforge
from maskforge.cli import main
from maskforge.errors import ClassError, MaskforgeError, ReadError, UsageError

FAST = {"preset": "quick", "size": 32, "steps": 2, "batch": 2, "device": "cpu", "cache": 8}


def written(path: Path, *, count: int = 6, value: int = 1) -> Path:
    """Write images of a bright square, and its masks."""
    for name in ("images", "masks"):
        (path / name).mkdir(parents=True)
    for n in range(count):
        image, mask = np.zeros((32, 40, 3), np.uint8), np.zeros((32, 40), np.uint8)
        image[n : n + 12, 5:20] = 220
        mask[n : n + 12, 5:20] = value
        Image.fromarray(image).save(path / "images" / f"p{n}.png")
        Image.fromarray(mask).save(path / "masks" / f"p{n}.png")
    (path / "labels.txt").write_text("_background_\nsquare\n")
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> maskforge.Training:
    pytest.importorskip("torch")
    place = tmp_path_factory.mktemp("twins")
    data = written(place / "data")
    return maskforge.train(str(data), out=place / "run", **FAST)


def data_of(trained: maskforge.Training) -> Path:
    return trained.out.parent / "data"


def test_a_training_says_where_and_how_good(trained) -> None:
    assert trained.best == trained.out / "best.pt"
    assert trained.best.is_file()
    assert trained.last.is_file()
    assert trained.steps == 2
    assert trained.history[-1]["step"] == 2
    assert 0 <= trained.mean_iou <= 1
    assert trained.mean_iou == max(row["mean_iou"] for row in trained.history)
    assert trained.problems == ()
    assert str(trained.out) in str(trained)
    assert repr(trained).startswith("<Training: 2 steps, best mIoU ")
    assert "\n" not in repr(trained)


def test_the_settings_are_those_given(trained) -> None:
    config = json.loads((trained.out / "config.json").read_text())
    assert config["size"] == [32]
    assert config["steps"] == 2
    assert config["epochs"] is None
    assert config["batch"] == 2
    assert config["lr"] == 4e-3  # the preset's


def test_a_second_run_is_refused_in_words_of_python(trained) -> None:
    with pytest.raises(UsageError, match="an earlier run stands in") as caught:
        maskforge.train(data_of(trained), out=trained.out, **FAST)
    assert "resume=True goes on with it, overwrite=True moves it" in caught.value.cure
    assert "--" not in str(caught.value)


def test_a_run_goes_on_with_its_settings(trained, tmp_path) -> None:
    with pytest.raises(UsageError, match="a resumed run keeps its settings, but lr"):
        maskforge.train(data_of(trained), out=trained.out, resume=True, lr=1e-3)
    went = maskforge.train(data_of(trained), out=trained.out, resume=True, device="cpu")
    assert went.steps == 2
    assert went.mean_iou == trained.mean_iou
    with pytest.raises(UsageError, match="only one of epochs, steps and minutes"):
        maskforge.train(data_of(trained), out=trained.out, resume=True, steps=3, epochs=3)


def test_the_twin_and_the_command_train_the_same(trained, tmp_path, capsys) -> None:
    arguments = ["train", str(data_of(trained)), "-o", str(tmp_path / "run"), "--preset", "quick"]
    arguments += ["--size", "32", "--steps", "2", "--batch", "2", "--device", "cpu", "-q"]
    with pytest.raises(SystemExit) as stop:
        main([*arguments, "--cache", "8"])
    assert not stop.value.code
    row, *_ = (tmp_path / "run" / "history.csv").read_text().splitlines()[1:]
    assert row.split(",")[3] == f"{trained.history[0]['loss']:.6g}"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"stepps": 3}, "a setting must be .* but got 'stepps'"),
        ({"size": "big"}, "size must be"),
        ({"batch": "many"}, "batch must be int"),
        ({"preset": "fast"}, "preset must be one of"),
        ({"network": "unnet"}, "unnet"),
        ({"options": {"width": [1]}}, "options must be"),
        ({"resume": True, "overwrite": True}, "either gone on with where it is, or begun anew"),
    ],
)
def test_wrong_settings_are_refused_before_data_are_read(given, message, tmp_path) -> None:
    pytest.importorskip("torch")
    with pytest.raises(UsageError, match=message) as caught:
        maskforge.train(tmp_path / "nowhere", out=tmp_path / "run", **given)
    assert "--" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_without_torch_the_cure_is_told(tmp_path, monkeypatch) -> None:
    (tmp_path / "best.pt").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "torch", None)
    for call in (
        lambda: maskforge.train(tmp_path / "nowhere", out=tmp_path / "run"),
        lambda: maskforge.open_network(tmp_path / "best.pt"),
    ):
        with pytest.raises(UsageError, match="this needs torch") as caught:
            call()
        assert "pip install" in caught.value.cure


def test_a_dataset_is_trained_on_as_it_is(trained, tmp_path) -> None:
    ds = maskforge.open_dataset(data_of(trained))
    seen = []
    made = maskforge.train(ds, out=tmp_path / "run", look=seen.append, **FAST)
    assert [row["loss"] for row in made.history] == [row["loss"] for row in trained.history]
    assert len(seen[0].dataset) == 6
    with pytest.raises(UsageError, match="labels must not be given with a data set that is open"):
        maskforge.train(ds, out=tmp_path / "other", labels=["a"], **FAST)


def test_problems_of_data_are_told(trained, tmp_path) -> None:
    data = written(tmp_path / "data")
    Image.new("L", (40, 31)).save(data / "masks" / "p2.png")
    (data / "masks" / "p3.png").write_bytes(b"no image")
    made = maskforge.train(data, out=tmp_path / "run", **FAST)
    assert any(problem.severity == "error" for problem in made.problems)
    with pytest.raises(MaskforgeError):
        maskforge.train(data, out=tmp_path / "strict", strict=True, **FAST)
    assert not (tmp_path / "strict").exists()


def test_ids_that_are_no_class_end_it(tmp_path) -> None:
    pytest.importorskip("torch")
    data = written(tmp_path / "data", value=2)
    with pytest.raises(ClassError) as caught:
        maskforge.train(data, out=tmp_path / "run", labels=["square"], **FAST)
    assert "--" not in str(caught.value)


def test_a_network_is_scored(trained) -> None:
    found = maskforge.evaluate(str(trained.best), data_of(trained))
    assert list(found.classes) == ["_background_", "square"]
    assert found.mean_iou == pytest.approx(trained.mean_iou, abs=0.2)
    assert 0 <= found.pixel_accuracy <= 1
    assert found.confusion.shape == (2, 2)
    assert found.reason == "what the training held back"
    assert len(found.images) == 1
    assert found.exit_code == 0
    everything = maskforge.evaluate(
        trained.best, maskforge.open_dataset(data_of(trained)), part="all", batch=3
    )
    assert len(everything.images) == 6
    with pytest.raises(UsageError, match="part must be one of"):
        maskforge.evaluate(trained.best, data_of(trained), part="some")


def test_the_twin_and_the_command_score_the_same(trained, tmp_path, capsys) -> None:
    out = tmp_path / "scores"
    found = maskforge.evaluate(trained.best, data_of(trained), part="all", out=out)
    assert found.out == out
    assert {path.name for path in out.iterdir()} >= {"scores.json", "confusion.png", "worst"}
    with pytest.raises(SystemExit):
        main(["evaluate", str(trained.best), str(data_of(trained)), "--part", "all", "--json"])
    assert json.loads(capsys.readouterr().out) == found.as_dict()
    with pytest.raises(UsageError) as caught:
        maskforge.evaluate(trained.best, data_of(trained), part="all", out=out)
    assert "overwrite=True" in caught.value.cure


def test_folders_of_masks_are_scored_without_a_network(tmp_path) -> None:
    data = written(tmp_path / "data")
    found = maskforge.evaluate(data / "masks", data / "masks", labels=["square"])
    assert found.mean_iou == 1.0
    assert len(found.images) == 6
    Image.new("L", (40, 32), 9).save(data / "masks" / "p9.png")
    (tmp_path / "said").mkdir()
    for path in (data / "masks").glob("p[0-5].png"):
        (tmp_path / "said" / path.name).write_bytes(path.read_bytes())
    Image.new("L", (40, 32), 9).save(tmp_path / "said" / "p1.png")
    odd = maskforge.evaluate(tmp_path / "said", data / "masks", labels=["square"])
    assert odd.exit_code == 1
    assert odd.mean_iou < 1
    with pytest.raises(UsageError, match="masks need no network to look, but got batch"):
        maskforge.evaluate(data / "masks", data / "masks", batch=3)
    with pytest.raises(UsageError, match="overwrite"):
        maskforge.evaluate(data / "masks", data / "masks", overwrite=True)


def test_images_get_masks(trained, tmp_path) -> None:
    images = data_of(trained) / "images"
    done = []
    found = maskforge.predict(
        trained.best, images, out=tmp_path / "out", progress=lambda n, of: done.append((n, of))
    )
    assert found.out == tmp_path / "out"
    assert [record["name"] for record in found.records] == [f"p{n}" for n in range(6)]
    assert found.records[2]["file"] == "p2.png"
    assert found.records[2]["image"] == str(images / "p2.png")
    assert all((found.out / record["file"]).is_file() for record in found)
    assert found.problems == ()
    assert done[-1] == (6, 6)
    assert str(found) == f"6 images predicted → {tmp_path / 'out'}"
    with pytest.raises(UsageError) as caught:
        maskforge.predict(trained.best, images, out=tmp_path / "out")
    assert "overwrite=True" in str(caught.value)
    assert "--" not in str(caught.value)


def test_what_cannot_be_predicted_is_told(trained, tmp_path) -> None:
    (tmp_path / "bad.png").write_bytes(b"no image")
    good = data_of(trained) / "images" / "p1.png"
    found = maskforge.predict(
        str(trained.best), [tmp_path / "bad.png", str(good)], out=str(tmp_path / "o"), as_="overlay"
    )
    assert [problem.code for problem in found.problems] == ["bad-image"]
    assert [record["file"] for record in found.records] == ["p1.jpg"]
    assert found.exit_code == 1
    with pytest.raises(UsageError, match="as must be one of"):
        maskforge.predict(trained.best, good, out=tmp_path / "p", as_="overlays")
    (tmp_path / "best.h5").write_bytes(b"keras")
    with pytest.raises(UsageError, match=r"a network must be a file .*\.pt"):
        maskforge.predict(tmp_path / "best.h5", good, out=tmp_path / "p")
    with pytest.raises(ReadError, match="there is no such file or folder"):
        maskforge.predict(tmp_path / "runs", good, out=tmp_path / "p")
    with pytest.raises(ReadError):
        maskforge.predict(tmp_path / "no.pt", good, out=tmp_path / "p")


def test_a_network_is_opened(trained) -> None:
    network = maskforge.open_network(str(trained.best), size=64, flip=True, device="cpu")
    assert network.size == (64,)
    assert network.flip
    [ids] = network.label_images([np.zeros((20, 30, 3), np.uint8)])
    assert ids.shape == (20, 30)
    again = maskforge.evaluate(network, data_of(trained), part="all")
    assert len(again.images) == 6
    from maskforge.training.torch_network import network_predictor

    assert network_predictor(str(trained.best)).classes == network.classes
