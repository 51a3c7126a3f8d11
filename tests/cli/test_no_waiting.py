"""Pipes, devices and folders where a file is read: every command ends at once and says so."""

import os
import signal
from pathlib import Path

import pytest
from training import synthetic
from training.commands import SMALL, run

SECONDS = 20

# What stands where a file should be, X, and the command.
CASES = [
    ("x.pt", "predict X data/images/0.png -o o"),
    ("x.onnx", "predict X data/images/0.png -o o"),
    ("x.png", "predict net.onnx X -o o"),
    ("x.mp4", "predict net.onnx X -o o"),
    ("x.pt", "evaluate X data"),
    ("x.onnx", "evaluate X data"),
    ("x.npy", "evaluate X data"),
    ("x.png", "evaluate data X"),
    ("x.npy", "evaluate data X"),
    ("x.json", "evaluate data X"),
    ("x.txt", "evaluate data data --labels X"),
    ("x.npy", "train X -o r"),
    ("x.json", "train X -o r"),
    ("x.txt", "train data -o r --labels X"),
    ("x.pth", "train data -o r --network fcn8s --encoder-weights X"),
    ("x.safetensors", "train data -o r --network fcn8s --encoder-weights X"),
    ("x", "train data -o r --resume-from X"),
    ("x.pt", "background X data/images -o o"),
    ("x.onnx", "background X data/images -o o"),
    ("x.npy", "background X data/images -o o"),
    ("x.png", "background data/masks data/images -o o --image X"),
    ("x.txt", "background data/masks data/images -o o --labels X"),
    ("x.mp4", "background data/masks X -o o"),
    ("x.pt", "export X"),
    ("x.png", "inspect X"),
    ("x.npy", "inspect X"),
    ("x.txt", "inspect data/masks/0.png --labels X"),
    *(
        (f"x{suffix}", f"{name} X -o c")
        for name in ("labelme", "via", "coco", "ochuman", "masks", "convert")
        for suffix in (".json", ".csv", ".png", ".npy")
    ),
    ("x.txt", "convert data -o c --labels X"),
]


class _Waits(BaseException):
    """Nothing catches it."""


@pytest.fixture
def watched():
    """End what waits."""

    def end(*_):
        raise _Waits

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a data set and a network."""
    folder = tmp_path_factory.mktemp("waiting")
    synthetic.folder(folder / "data", 2)
    if (models := _models()) is not None:
        models.write(folder / "net.onnx")
    return folder


def _models():
    try:
        from training import onnx_models
    except ImportError:
        return None
    return onnx_models


def pipe(path):
    os.mkfifo(path)


def device(path):
    path.symlink_to("/dev/zero")


def folder(path):
    path.mkdir()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in folders")
@pytest.mark.parametrize("make", [pipe, device, folder])
@pytest.mark.parametrize(("name", "command"), CASES)
def test_no_command_waits(place, name, command, make, watched, monkeypatch, capsys):
    if ".onnx" in command or name.endswith(".onnx"):
        pytest.importorskip("onnxruntime")
        if not (place / "net.onnx").exists():
            pytest.skip("there is no network")
    if command.startswith(("train", "export")) or name.endswith(".pt"):
        pytest.importorskip("torch")
    monkeypatch.chdir(place)
    make(Path(name))
    try:
        words = [name if word == "X" else word for word in command.split()]
        small = words[0] == "train" and words[-2] not in ("--encoder-weights", "--resume-from")
        code = run(*words, *(SMALL if small else ()))
    finally:
        path = Path(name)
        path.rmdir() if make is folder else path.unlink()
    captured = capsys.readouterr()
    said = captured.err + captured.out
    assert code in (2, 3)
    assert name in said
    assert "Traceback" not in said
    assert not (place / "o").exists()
    assert not (place / "r").exists()
