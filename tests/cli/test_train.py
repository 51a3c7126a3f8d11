"""``maskforge train`` on files."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from train.commands import SMALL, run

from maskforge.cli import _settings

pytestmark = pytest.mark.usefixtures("data")


def test_train_says_what_it_does(tmp_path, capsys):
    pytest.importorskip("torch")
    assert run("train", "data", "-o", "out", *SMALL) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    for said in (
        "6 images to train on, 2 held back",
        "2 steps",
        "box",
        "best mIoU",
        "out/previews",
    ):
        assert said in captured.err
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"best.pt", "last.pt", "history.csv", "curves.png", "previews"} <= names
    config = json.loads((tmp_path / "out/config.json").read_text())
    assert config["options"] == {"width": 4, "depth": 2, "stride": 2}
    assert config["crop"] == [32, 24]


def test_an_earlier_run_is_kept_unless_told(trained, capsys):
    assert run("train", "data", "-q", *SMALL) == 2
    assert "--resume goes on with it" in capsys.readouterr().err
    assert run("train", "data", "-q", "--overwrite", *SMALL) == 0


def test_resume_keeps_its_settings(trained, capsys):
    assert run("train", "data", "--resume", "--lr", "1") == 2
    assert "a resumed run keeps its settings" in capsys.readouterr().err
    assert run("train", "data", "--resume", "--preset", "quick") == 2
    assert "['preset'] are given" in capsys.readouterr().err
    assert run("train", "data", "--resume", "--threads", "1") == 0
    assert "going on after step 2" in capsys.readouterr().err
    assert run("train", "data", "-o", "nowhere", "--resume") == 3


def test_ctrl_c_saves_and_ends_well(monkeypatch, capsys):
    pytest.importorskip("torch")
    with monkeypatch.context() as patch:
        patch.setattr("maskforge.train.session.REPORT_SECONDS", 0)
        patch.setattr(
            "maskforge.cli._training.Terminal.step", lambda *_: os.kill(os.getpid(), signal.SIGINT)
        )
        assert run("train", "data", *SMALL) == 130
    assert "go on with --resume" in capsys.readouterr().err
    assert run("train", "data", "--resume") == 0
    assert "going on after step 1" in capsys.readouterr().err


def test_a_value_outside_the_classes_ends_the_run_before_it_begins(tmp_path, capsys):
    pytest.importorskip("torch")
    Image.fromarray(np.full((18, 26), 7, np.uint8)).save(tmp_path / "data/masks/3.png")
    assert run("train", "data", *SMALL) == 2
    said = capsys.readouterr().err
    assert "3.png" in said
    assert "7" in said
    assert not (tmp_path / "runs/data/last.pt").exists()


def test_a_mask_of_another_shape_is_left_out_and_told(tmp_path, capsys):
    pytest.importorskip("torch")
    Image.fromarray(np.zeros((26, 18), np.uint8)).save(tmp_path / "data/masks/3.png")
    assert run("train", "data", *SMALL) == 1
    assert "size-mismatch" in capsys.readouterr().err
    assert run("train", "data", "--overwrite", "--strict", *SMALL) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--option", "width"), "must be NAME=VALUE"),
        (("--size", "12x"), "must be WIDTHxHEIGHT"),
        (("--scale", "2"), "must be two factors"),
        (("--epochs", "1", "--minutes", "1"), "only one of epochs, steps and minutes"),
        (("--preset", "fast"), "cityscapes"),
        (("--network", "fcn8"), "did you mean"),
    ],
)
def test_wrong_usage(arguments, said, capsys):
    pytest.importorskip("torch")
    assert run("train", "data", *arguments) == 2
    assert said in capsys.readouterr().err


def test_tensorboard(tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("tensorboard")
    code = "import sys; from maskforge.cli import main; main(sys.argv[1:])"
    arguments = ["train", "data", "-q", *SMALL[:-1]]
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True)
    events = list((tmp_path / "runs/data/tensorboard").iterdir())
    assert b"val/mean_iou" in events[0].read_bytes()


def test_without_torch_the_cure_is_told(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch", None)
    for arguments in (
        ("train", "data"),
        ("evaluate", "a.pt", "data"),
        ("predict", "a.pt", "data/images", "-o", "x"),
    ):
        assert run(*arguments) == 2
        assert 'pip install "maskforge[train]"' in capsys.readouterr().err


def test_help_needs_no_torch():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from maskforge.cli import cli\n"
        "for name in ('train', 'evaluate', 'predict'):\n"
        "    try: cli.main([name, '--help'], prog_name='maskforge')\n"
        "    except SystemExit as ended: assert ended.code == 0\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Examples:") == 3


def test_a_network_that_is_named_has_its_own_options():
    chosen = _settings.config_of({"network": "unet"}, preset_name="default", network_options=())
    assert chosen.options == {}
    kept = _settings.config_of({"lr": 0.1}, preset_name="default", network_options=("width=8",))
    assert kept.options == {"width": 8, "stride": 2}
