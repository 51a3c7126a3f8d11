"""What the commands around training work on."""

import logging

import pytest
from training import synthetic
from training.commands import SMALL, run


@pytest.fixture(autouse=True)
def quiet_loggers(monkeypatch):
    """torch logs to the standard error of the test that loaded it, which is closed since."""
    monkeypatch.setattr(logging, "raiseExceptions", False)


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A data set in the folder ``data`` of the current one."""
    monkeypatch.chdir(tmp_path)
    return synthetic.folder(tmp_path / "data")


@pytest.fixture
def trained(data):
    """A checkpoint trained on it for two steps."""
    pytest.importorskip("torch")
    assert run("train", "data", "-q", *SMALL) == 0
    return "runs/data/best.pt"
