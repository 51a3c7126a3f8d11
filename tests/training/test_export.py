"""Export: the file says what the network says, for any batch and size, or there is no file."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from training import synthetic
from training.places import contents, fail_after, listing

import maskforge
from maskforge import extras
from maskforge.classes import ClassTable
from maskforge.errors import MaskforgeError, ReadError, UsageError, WriteError
from maskforge.prediction import onnx_network
from maskforge.prediction.metadata import Metadata

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
onnxruntime = pytest.importorskip("onnxruntime")
checkpoint = pytest.importorskip("maskforge.training.checkpoint")
export = pytest.importorskip("maskforge.training.export")
network = pytest.importorskip("maskforge.training.torch_network")

VGG = {"head": 16}
NETWORKS = {
    "unet": {"width": 4, "depth": 2},
    "unet-small": {"width": 4},
    "fcn32s": VGG,
    "fcn16s": VGG,
    "fcn8s": VGG,
    "fcn-pyramid": {"depth": 11, "width": 2, "layers": 2},
}
THREE = ClassTable.from_names(["box", "bär"])


def save(path, *, classes=synthetic.CLASSES, nan=False, **changes):
    """Write a checkpoint whose weights are all random."""
    config = synthetic.config(**changes)
    torch.manual_seed(0)
    built = checkpoint.build(config, classes)
    for name, weight in built.named_parameters():
        if "score" in name or "classify" in name:
            torch.nn.init.normal_(weight, mean=float("nan") if nan else 0.0, std=0.5)
    checkpoint.save(
        path,
        checkpoint.Checkpoint(config, classes, "data", {}, built.state_dict()),
    )
    return path


OTHERS = [
    {"channels": 1, "normalize": "symmetric", "options": {"upsampling": "unpooling"}},
    {"normalize": "none", "options": {"upsampling": "bilinear", "norm": "after-relu"}},
    {"normalize": "unit", "interpolation": "bilinear", "size": (24, 12)},
]


@pytest.mark.parametrize("changes", OTHERS)
def test_what_the_network_sees_goes_with_it(tmp_path, changes):
    """Gray, values and the way to the working size, into the file and out of it again."""
    small = {"width": 4, "depth": 2} | changes.get("options", {})
    source = save(tmp_path / "a.pt", **(changes | {"options": small}))
    assert export.export(source, tmp_path / "a.onnx").difference < 1e-4
    [image] = np.random.default_rng(5).integers(0, 256, (1, 36, 48, 3), np.uint8)
    own = network.network_predictor(source, device="cpu")
    [expected] = own.probabilities([image])
    [found] = onnx_network.network_predictor(tmp_path / "a.onnx").probabilities([image])
    assert expected.std() > 0.01
    assert np.allclose(found, expected, atol=1e-4)
    kept = onnx_network.network_predictor(tmp_path / "a.onnx").config
    assert kept == own.config == synthetic.config(**(changes | {"options": small}))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a.pt, a.onnx and a.pt2, a network of three classes."""
    path = tmp_path_factory.mktemp("exported")
    save(path / "a.pt", classes=THREE)
    for suffix in export.SUFFIXES:
        done = export.export(path / "a.pt", path / f"a{suffix}")
        assert done.difference < 1e-4
        assert done.size == (path / f"a{suffix}").stat().st_size
    return path


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_is_exported(tmp_path, name):
    sigmoid = name in ("unet", "fcn16s")
    source = save(tmp_path / "a.pt", network=name, options=NETWORKS[name], sigmoid=sigmoid)
    done = export.export(source, tmp_path / "a.onnx")
    assert 0 < done.difference < 1e-4
    divisor = done.metadata.divisor
    [image] = np.random.default_rng(5).integers(0, 256, (1, divisor, 2 * divisor, 3), np.uint8)
    [expected] = network.network_predictor(source, device="cpu").probabilities([image])
    [found] = onnx_network.network_predictor(tmp_path / "a.onnx").probabilities([image])
    assert expected.std() > 0.01
    assert np.allclose(found, expected, atol=1e-4)


def test_both_files_predict_the_same(folder):
    images = [image for image, _ in synthetic.pairs(3)] + [synthetic.pairs(1, height=9)[0][0]]
    expected = network.network_predictor(folder / "a.pt", device="cpu").probabilities(images)
    found = onnx_network.network_predictor(folder / "a.onnx").probabilities(images)
    for before, after in zip(expected, found, strict=True):
        assert np.allclose(before, after, atol=1e-4)
        near = np.diff(np.sort(before, axis=0)[-2:], axis=0)[0] < 1e-3
        assert np.array_equal(before.argmax(axis=0)[~near], after.argmax(axis=0)[~near])
        assert near.mean() < 0.02


def test_the_file_says_what_it_is(folder):
    session = onnxruntime.InferenceSession(str(folder / "a.onnx"))
    found = Metadata.from_strings(session.get_modelmeta().custom_metadata_map, file=folder)
    saved = checkpoint.load(folder / "a.pt")
    assert found == Metadata(saved.config, THREE, 4, "data")
    [entry], [exit_] = session.get_inputs(), session.get_outputs()
    assert (entry.name, entry.type, entry.shape) == ("images", "tensor(uint8)", ["N", "H", "W", 3])
    assert (exit_.name, exit_.type) == ("probabilities", "tensor(float)")
    assert exit_.shape == ["N", 3, "H", "W"]
    onnx.checker.check_model(str(folder / "a.onnx"), full_check=True)


@pytest.mark.parametrize("suffix", [".onnx", ".pt2"])
def test_no_path_of_this_machine_is_in_it(folder, suffix):
    data = (folder / f"a{suffix}").read_bytes()
    for place in (Path(maskforge.__file__).parent, Path(torch.__file__).parent):
        assert str(place).encode() not in data


ALONE = """
import json, sys
sys.modules["maskforge"] = None
import numpy, torch
extra = {"maskforge.json": ""}
module = torch.export.load("a.pt2", extra_files=extra).module()
print(json.loads(extra["maskforge.json"])["maskforge.classes"])
for name in ("one", "two"):
    found = module(torch.from_numpy(numpy.load(f"{name}.npy")))
    numpy.save(f"{name}-found.npy", found.numpy())
"""


def test_torch_runs_it_where_there_is_no_maskforge(folder):
    rng = np.random.default_rng(3)
    images = {"one": (1, 8, 20, 3), "two": (3, 28, 12, 3)}
    for name, shape in images.items():
        np.save(folder / f"{name}.npy", rng.integers(0, 256, shape, np.uint8))
    done = subprocess.run(
        [sys.executable, "-c", ALONE], cwd=folder, capture_output=True, encoding="utf-8", check=True
    )
    assert done.stdout.split() == ["_background_", "box", "bär"]
    forward = network.network_predictor(folder / "a.pt", device="cpu").forward
    for name, (count, height, width, _) in images.items():
        found = np.load(folder / f"{name}-found.npy")
        assert found.shape == (count, 3, height, width)
        assert np.allclose(found, forward(np.load(folder / f"{name}.npy")), atol=1e-5)


def test_a_file_that_says_something_else_is_not_left(tmp_path):
    source = save(tmp_path / "a.pt", nan=True)
    with pytest.raises(MaskforgeError, match="differ by nan; nothing was written"):
        export.export(source, tmp_path / "a.pt2")
    assert [path.name for path in tmp_path.iterdir()] == ["a.pt"]


def test_an_earlier_file_stands_until_the_new_one_is_complete(tmp_path, monkeypatch):
    source = save(tmp_path / "a.pt")
    export.export(source, tmp_path / "a.pt2")
    before = contents(tmp_path)
    with pytest.raises(UsageError, match="an earlier output stands"):
        export.export(source, tmp_path / "a.pt2")
    for error, raised in ((None, WriteError), (KeyboardInterrupt(), KeyboardInterrupt)):
        save(tmp_path / "b.pt", classes=THREE)
        with monkeypatch.context() as patch:
            fail_after(patch, "write", 0, error)
            with pytest.raises(raised):
                export.export(tmp_path / "b.pt", tmp_path / "a.pt2", overwrite=True)
            with pytest.raises(raised):
                export.export(tmp_path / "b.pt", tmp_path / "new/b.pt2")
        (tmp_path / "b.pt").unlink()
        assert contents(tmp_path) == before
        assert listing(tmp_path) == ["a.pt", "a.pt2"]


def test_without_onnxruntime_nothing_is_compared(tmp_path, monkeypatch):
    source = save(tmp_path / "a.pt")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert export.export(source, tmp_path / "a.onnx").difference is None
    assert (tmp_path / "a.onnx").is_file()


def test_what_is_missing_is_named(tmp_path, monkeypatch):
    source = save(tmp_path / "a.pt")
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(UsageError, match="exporting to ONNX needs more") as error:
        export.export(source, tmp_path / "a.onnx")
    assert error.value.cure == extras.install("onnx")


def test_what_cannot_be_exported(tmp_path, monkeypatch):
    source = save(tmp_path / "a.pt")
    with pytest.raises(UsageError, match=r"a file .onnx or .pt2, but got '.*a.h5'"):
        export.export(source, tmp_path / "a.h5")
    (tmp_path / "b.pt").write_text("{}")
    with pytest.raises(ReadError, match="must be a checkpoint"):
        export.export(tmp_path / "b.pt", tmp_path / "b.onnx")
    monkeypatch.setattr(export, "_LARGEST", 1000)
    with pytest.raises(UsageError, match="smaller than 2 GiB") as error:
        export.export(source, tmp_path / "a.onnx")
    assert error.value.cure == "export to a .pt2 file"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pt", "b.pt"]


def test_metadata_of_the_archive_are_json(folder):
    extra = {export.EXTRA_FILE: ""}
    torch.export.load(folder / "a.pt2", extra_files=extra)
    texts = json.loads(extra[export.EXTRA_FILE])
    assert Metadata.from_strings(texts, file=folder).classes == THREE
