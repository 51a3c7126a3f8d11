"""Prediction from .onnx files, on models made by hand."""

import re
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from training import synthetic

from maskforge import extras
from maskforge.errors import ReadError, UsageError
from maskforge.prediction import onnx_network

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
onnx_models = pytest.importorskip("training.onnx_models")

[[IMAGE, _]] = synthetic.pairs(1)
EXPECTED = IMAGE.mean(axis=2) / 255


@pytest.fixture(autouse=True)
def untried(monkeypatch):
    """No trial in another process, which test_bounded_networks.py is about."""
    monkeypatch.setattr(onnx_network, "_try_apart", lambda path: None)


@pytest.fixture
def path(tmp_path):
    return onnx_models.write(tmp_path / "a.onnx")


def test_an_image_of_any_size(path):
    predictor = onnx_network.network_predictor(path, device="cpu", threads=1)
    [values] = predictor.probabilities([IMAGE])
    assert values.shape == (2, 18, 26)
    assert np.allclose(values[1], EXPECTED, atol=1e-6)
    assert np.array_equal(predictor.label_images([IMAGE])[0], EXPECTED > 0.5)


def test_the_predictor_is_as_its_metadata(path):
    found, expected = onnx_network.network_predictor(path), onnx_models.METADATA
    assert found.classes == expected.classes
    assert (found.divisor, found.size, found.data) == (4, (), "abc")
    assert found.config == expected.config


@pytest.mark.parametrize("device", ["gpu", "cuda:x", "cuda:99999", "cpu:0"])
def test_devices_that_mean_nothing(path, device):
    with pytest.raises(UsageError, match="auto, cpu, cuda or cuda:N, but got"):
        onnx_network.network_predictor(path, device=device)


def test_a_device_that_is_not_there(path):
    if "CUDAExecutionProvider" in onnx_network.load_runtime().get_available_providers():
        return
    with pytest.raises(UsageError, match="built without CUDA, and got 'cuda:1'") as error:
        onnx_network.network_predictor(path, device="cuda:1")
    assert "onnxruntime-gpu" in error.value.cure


def test_without_the_runtime(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UsageError, match="need onnxruntime") as error:
        onnx_network.network_predictor(path)
    assert error.value.cure == extras.install("onnx", "onnxruntime")


def test_an_older_runtime_is_not_trusted(path, monkeypatch):
    monkeypatch.setattr(onnx_network.load_runtime(), "__version__", "1.26.0")
    with pytest.raises(UsageError, match=r"need onnxruntime 1\.27 or newer, but got 1\.26\.0") as e:
        onnx_network.network_predictor(path)
    assert e.value.cure == extras.install("onnx", "onnxruntime")


def test_the_extra_brings_one_that_is_trusted():
    project = Path(__file__).parents[2] / "pyproject.toml"
    needs = tomllib.loads(project.read_text("utf-8"))["project"]["optional-dependencies"]["onnx"]
    assert f"onnxruntime>={'.'.join(map(str, onnx_network.OLDEST))}" in needs


def with_another_output(texts):
    return onnx_models.bright(texts=texts, output="logits")


def with_an_unknown_operator(texts):
    model = onnx_models.bright(texts=texts)
    model.graph.node[0].op_type = "Harm"
    model.graph.node[0].domain = "custom"
    model.opset_import.add(domain="custom", version=1)
    return model


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (with_another_output, r"it goes from and to \['images', 'logits'\]"),
        (with_an_unknown_operator, "but: .*Harm"),
    ],
)
def test_graphs_that_are_not_ours(tmp_path, make, said):
    path = onnx_models.write(tmp_path / "a.onnx", make(onnx_models.METADATA.to_strings()))
    with pytest.raises(ReadError, match=said) as error:
        onnx_network.network_predictor(path)
    assert error.value.file == str(path)


def test_a_model_of_somebody_else(tmp_path):
    path = onnx_models.write(tmp_path / "a.onnx", onnx_models.bright(texts={"author": "x"}))
    with pytest.raises(ReadError, match="must say of itself") as error:
        onnx_network.network_predictor(path)
    assert error.value.cure == "export it with maskforge export"


def with_four_channels(model):
    model.graph.input[0].type.tensor_type.shape.dim[3].dim_value = 4


def with_rows_of_any_length(model):
    model.graph.input[0].type.tensor_type.shape.dim[3].dim_param = "C"


def with_another_class(model):
    model.graph.node[5].input.append("box")


def without_classes(model):
    last = model.graph.node[6]
    model.graph.node.append(onnx.helper.make_node("ReduceMax", ["all"], list(last.output)))
    last.output[0] = "all"
    del model.graph.output[0].type.tensor_type.shape.dim[:]
    for _ in range(4):
        model.graph.output[0].type.tensor_type.shape.dim.add().dim_value = 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (with_four_channels, "its images are tensor(uint8) ['N', 'H', 'W', 4] and not "),
        (with_four_channels, "] and not tensor(uint8) (any, any, any, 3) ("),
        (with_another_class, "its probabilities are tensor(float) ['N', 3, 'H', 'W'] and not "),
        (with_another_class, "] and not tensor(float) (any, 2, any, any) ("),
        (without_classes, "[1, 1, 1, 1] and not tensor(float) (any, 2, any, any)"),
    ],
)
def test_ends_of_another_shape_are_refused_before_it_runs(tmp_path, change, said):
    model = onnx_models.bright()
    change(model)
    path = onnx_models.write(tmp_path / "a.onnx", model)
    with pytest.raises(ReadError, match=re.escape(said)) as error:
        onnx_network.network_predictor(path)
    assert error.value.file == str(path)


def test_an_end_that_does_not_say_how_many_channels_is_seen_when_it_runs(tmp_path):
    model = onnx_models.bright()
    with_rows_of_any_length(model)
    found = onnx_network.network_predictor(onnx_models.write(tmp_path / "a.onnx", model))
    [values] = found.probabilities([IMAGE])
    assert np.allclose(values[1], EXPECTED, atol=1e-6)


def test_probabilities_of_another_kind(tmp_path):
    path = onnx_models.write(tmp_path / "a.onnx", onnx_models.bright(kind=onnx.TensorProto.DOUBLE))
    with pytest.raises(ReadError, match=r"its probabilities are tensor\(double\) .* and not"):
        onnx_network.network_predictor(path)


def test_sizes_may_be_declared(tmp_path):
    model = onnx_models.bright()
    for end, shape, kind in (
        ("input", [1, 20, 28, 3], "UINT8"),
        ("output", [1, 2, 20, 28], "FLOAT"),
    ):
        info = getattr(model.graph, end)[0]
        kind = getattr(onnx.TensorProto, kind)
        info.CopyFrom(onnx.helper.make_tensor_value_info(info.name, kind, shape))
    found = onnx_network.network_predictor(onnx_models.write(tmp_path / "a.onnx", model))
    [values] = found.probabilities([IMAGE])
    assert np.allclose(values[1], EXPECTED, atol=1e-6)


def test_probabilities_of_another_shape(tmp_path):
    model = onnx_models.bright()
    model.graph.node[1].input[0] = "half"
    model.graph.node.insert(
        1,
        onnx.helper.make_node("MaxPool", ["planes"], ["half"], kernel_shape=[1, 1], strides=[1, 2]),
    )
    found = onnx_network.network_predictor(onnx_models.write(tmp_path / "a.onnx", model))
    with pytest.raises(ReadError, match=r"\(1, 2, 20, 14\) and not \(1, 2, 20, 28\)"):
        found.probabilities([IMAGE])


def test_a_graph_that_fails_while_it_runs(tmp_path):
    model = onnx_models.bright()
    model.graph.initializer.append(onnx.helper.make_tensor("wrong", 7, [2], [3, 5]))
    model.graph.node[0].output[0] = "before"
    model.graph.node.insert(1, onnx.helper.make_node("Reshape", ["before", "wrong"], ["planes"]))
    path = onnx_models.write(tmp_path / "a.onnx", model)
    with pytest.raises(ReadError, match="must be a network that maskforge exported") as error:
        onnx_network.network_predictor(path).probabilities([IMAGE])
    assert error.value.file == str(path)
