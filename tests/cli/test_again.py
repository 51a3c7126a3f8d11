"""Ctrl-C: one line, and the very command that goes on."""

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from training.commands import SMALL, run

from maskforge.cli import _again, cli

SAMPLES = Path(__file__).parents[2] / "samples"


def told(*typed: str, error: BaseException | None = None) -> str:
    return _again.told(cli, typed, error or KeyboardInterrupt())


@pytest.fixture(autouse=True)
def called(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/usr/bin/maskforge"])


def test_a_conversion_goes_on():
    assert told("labelme", "my photos", "-o", "out", "--overwrite") == (
        "interrupted; go on with: maskforge labelme 'my photos' -o out --resume"
    )
    assert told("labelme", "a", "--resume").endswith("maskforge labelme a --resume")
    assert told("labelme", "-o", "b", "--", "-a").endswith("-o b --resume -- -a")


def test_what_cannot_go_on_begins_again(monkeypatch):
    assert told("inspect", "a b.png") == (
        "interrupted; begin again with: maskforge inspect 'a b.png'"
    )
    monkeypatch.setattr(sys, "argv", ["/x/maskforge/__main__.py"])
    assert told("train", "data").endswith("begin again with: python -m maskforge train data")


def test_while_it_loads_it_is_told_in_a_line_too(monkeypatch, capsys):
    def interrupted(argv: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("maskforge.cli._main.run", interrupted)
    assert run("labelme", "a") == 130
    assert capsys.readouterr().err == "\nmaskforge: interrupted before anything was done\n"


def test_a_run_goes_on_without_its_settings():
    error = _again.Interrupted(
        "saved: r/last.pt", dropped=("lr", "option", "augment"), more=("--out", "r", "--resume")
    )
    typed = ("train", "a b", "--lr", "1", "--option", "a=1", "--option", "b=2", "--no-augment")
    typed += ("--map", "a=b", "--map", "c=d", "--no-tensorboard", "-q", "--threads=2")
    assert told(*typed, error=error) == (
        "interrupted; saved: r/last.pt; go on with: maskforge train 'a b' --map a=b --map c=d "
        "--no-tensorboard --quiet --threads 2 --out r --resume"
    )


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.skipif(os.name == "nt", reason="there are no signals")
def test_what_is_said_goes_on(tmp_path, monkeypatch, workers):
    """Whenever it comes: no traceback, one line, and its command ends well."""
    monkeypatch.chdir(tmp_path)
    python = [sys.executable, "-m", "maskforge"]
    typed = ["labelme", str(SAMPLES / "labelme"), "-o", "my out", "-j", workers]
    environment = {**os.environ, "PYTHONPATH": str(SAMPLES.parent)}
    with subprocess.Popen(
        [*python, *typed],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=environment,
    ) as process:
        limit = time.monotonic() + 30
        while not Path("my out").exists() and process.poll() is None and time.monotonic() < limit:
            time.sleep(0.002)
        os.killpg(process.pid, signal.SIGINT)
        said = process.communicate()[1]
    if process.returncode == 0:
        pytest.skip("it was quicker")
    assert process.returncode == 130
    line = said.strip()
    assert "\n" not in line
    command = line.partition("go on with: python -m maskforge ")[2]
    assert shlex.split(command) == [*typed, "--resume"]
    again = subprocess.run(
        [*python, *shlex.split(command)], env=environment, check=False, capture_output=True
    )
    assert again.returncode == 0
    assert len(list(Path("my out/masks").rglob("*.png"))) == 60


def test_a_training_run_says_how_it_goes_on(data, monkeypatch, capsys):
    pytest.importorskip("torch")
    with monkeypatch.context() as patch:
        patch.setattr("maskforge.training.run.REPORT_SECONDS", 0)
        patch.setattr(
            "maskforge.cli._training.Terminal.step", lambda *_: os.kill(os.getpid(), signal.SIGINT)
        )
        assert run("train", "data", *SMALL) == 130
    said = capsys.readouterr().err
    line = said.strip().splitlines()[-1]
    assert "interrupted; saved: runs/data/last.pt; go on with: maskforge train data" in line
    command = shlex.split(line.partition("go on with: maskforge ")[2])
    assert "--steps" not in command
    assert run(*command) == 0
    assert "going on after step 1" in capsys.readouterr().err
