"""``maskforge export``, and what it wrote, used where there is no torch."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from training.commands import SMALL, run
from training.places import leftovers

from maskforge import extras

WITHOUT = """
import sys
for name in ("torch", "onnx", "onnxscript", "tensorboard"):
    sys.modules[name] = None
from maskforge.cli import main
main(sys.argv[1:])
"""


@pytest.fixture
def checkpoint(data):
    """A network trained on the data set for two steps, in the precision that is exported."""
    for name in ("torch", "onnxscript", "onnxruntime"):
        pytest.importorskip(name)
    assert run("train", "data", "-q", "--precision", "float32", *SMALL) == 0
    return "runs/data/best.pt"


def without_torch(*arguments):
    """Run the command line in a process of its own that has no torch."""
    command = [sys.executable, "-W", "error", "-c", WITHOUT, *arguments, "--threads", "1"]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False)


def test_export_then_predict_and_evaluate_without_torch(checkpoint, capsys):
    assert run("export", checkpoint, "-o", "net.onnx") == 0
    said = capsys.readouterr()
    assert re.search(r"H and W multiples of \d; probabilities: float32 \(N, 2, H, W\)", said.err)
    assert "differ from the checkpoint's by" in said.err
    assert said.out == ""

    done = without_torch("predict", "net.onnx", "data/images", "-o", "p", "--flip", "--tile", "32")
    assert (done.returncode, "8 of 8 images predicted" in done.stderr) == (0, True), done.stderr
    view = ("--flip", "--tile", "32", "--threads", "1")
    assert run("predict", checkpoint, "data/images", "-o", "q", *view) == 0
    pairs = [
        [np.asarray(Image.open(folder / f"{number}.png")) for folder in (Path("p"), Path("q"))]
        for number in range(8)
    ]
    assert {found.shape for pair in pairs for found in pair} == {(18, 26)}
    assert np.mean([before != after for before, after in pairs]) < 0.005  # near ties

    done = without_torch("evaluate", "net.onnx", "data", "--json")
    assert done.returncode == 0, done.stderr
    capsys.readouterr()
    assert run("evaluate", checkpoint, "data", "--json", "--threads", "1") == 0
    found, expected = json.loads(done.stdout), json.loads(capsys.readouterr().out)
    assert np.sum(found["confusion_matrix"]) == 2 * (18 * 26 - 6)  # what was held back
    assert found["mean_iou_present"] == pytest.approx(expected["mean_iou_present"], abs=0.01)


def test_torch_tells_nothing_of_its_own(checkpoint):
    """What its exporter lacks, such as torchvision, is no business of the user's."""
    command = [sys.executable, "-m", "maskforge", "export", checkpoint, "-o", "a.onnx"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    first, *_, last = done.stderr.splitlines()
    assert first.startswith("exported: a.onnx, ")
    assert last == "next: maskforge predict a.onnx PHOTOS"


def test_what_is_there_is_kept(checkpoint, capsys):
    beside = Path(checkpoint).with_suffix(".onnx")
    beside.write_bytes(b"precious")
    for again in ((), ("--overwrite",)):
        assert run("export", checkpoint, *again) == 2
        assert "best.onnx was not made by this command" in capsys.readouterr().err
        assert beside.read_bytes() == b"precious"
    beside.unlink()
    assert run("export", checkpoint, "-q") == 0
    made = beside.read_bytes()
    assert run("export", "none.pt", "-o", beside) == 2
    assert "an earlier output stands in 'runs/data': best.onnx" in capsys.readouterr().err
    assert run("export", checkpoint, "--overwrite", "-q") == 0
    assert capsys.readouterr().err == ""
    assert beside.read_bytes() == made
    beside.write_bytes(made + b"tuned")
    assert run("export", checkpoint, "--overwrite") == 2
    assert "best.onnx was changed after maskforge made it" in capsys.readouterr().err
    assert beside.read_bytes() == made + b"tuned"
    assert leftovers("runs/data") == []


def test_without_torch_a_checkpoint_says_what_to_do(data):
    Path("a.pt").write_bytes(b"")
    done = without_torch("predict", "a.pt", "data/images", "-o", "p")
    assert (done.returncode, extras.install("train") in done.stderr) == (2, True)


def test_without_onnxruntime_it_says_what_to_install(checkpoint, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert run("export", checkpoint) == 0
    install = extras.install("onnx", "onnxruntime")
    said = " ".join(capsys.readouterr().err.split())
    assert f"not compared with the checkpoint: {install}, and export again" in said


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("export", "none.pt"), 3, "there is no such file or folder"),
        (("export", "none.pt", "-o", "a.h5"), 2, "a file .onnx or .pt2"),
        (("predict", "none.onnx", "data/images", "-o", "p"), 3, "there is no such file or folder"),
    ],
)
def test_wrong_usage(data, arguments, code, said, capsys):
    pytest.importorskip("torch")
    assert run(*arguments) == code
    assert said in capsys.readouterr().err
