"""What maskforge 0.1 wrote is read; what it left no list of is not replaced."""

import json
import shutil
from pathlib import Path

import pytest
from training import synthetic
from training.commands import SMALL, run
from training.places import contents

FILES = Path(__file__).parents[1] / "fixtures/v0_1"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """The data set of the files, and a run of 0.1, in the current folder."""
    monkeypatch.chdir(tmp_path)
    synthetic.folder(tmp_path / "data", 6)
    (tmp_path / "run").mkdir()
    for name in ("best.pt", "last.pt", "config.json"):
        shutil.copy(FILES / name, tmp_path / "run")


@pytest.mark.parametrize("name", ["best.pt", "last.pt", "run.onnx"])
def test_a_network_is_scored_and_predicts(name, capsys):
    pytest.importorskip("onnxruntime" if name.endswith(".onnx") else "torch")
    file = FILES / name
    assert run("evaluate", file, "data", "--json", "--threads", "1") == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["mean_iou_present"] == pytest.approx(0.8001, abs=0.02)
    assert run("predict", file, "data/images", "-o", "found", "--threads", "1", "-q") == 0
    assert len(list(Path("found").rglob("*.png"))) >= 6


def test_a_run_without_a_list_is_neither_gone_on_with_nor_replaced(capsys):
    pytest.importorskip("torch")
    before = contents("run")
    for again in ((), ("--resume",), ("--overwrite",)):
        settings = SMALL if again != ("--resume",) else ()
        assert run("train", "data", "-o", "run", *again, *settings) == 2
        said = capsys.readouterr().err
        assert "no list says which of its files maskforge made there" in said
        assert "choose another --out, with --resume-from run to go on with this run" in said
    assert contents("run") == before


def test_a_run_goes_on_in_another_folder(capsys):
    checkpoint = pytest.importorskip("maskforge.training.checkpoint")
    assert checkpoint.load(FILES / "last.pt").run["state"]["step"] == 40
    before = contents("run")
    assert run("train", "data", "-o", "new", "--resume-from", "run", "--threads", "1") == 0
    assert "all 40 steps are done" in capsys.readouterr().err
    assert contents("run") == before
    new, old = (checkpoint.load(Path(name, "best.pt")) for name in ("new", "run"))
    assert new.scores == old.scores
    assert Path("new/history.csv").read_text().count("\n") == 3
    assert checkpoint.epoch(checkpoint.load(Path("new/last.pt"))) == 20
    assert run("train", "data", "-o", "new", "--resume", "-q") == 0
