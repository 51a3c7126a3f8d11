"""Networks of strangers: onnxruntime itself refuses every tensor that is not in the file.

A model is made hostile in every way that leads to a tensor. Each of them runs while its tensor is
in the file, so it is the place of the tensor that is refused.
"""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from training import synthetic

import maskforge
from maskforge.errors import ReadError
from maskforge.prediction import onnx_network

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
onnx_models = pytest.importorskip("training.onnx_models")
helper = onnx.helper

[[IMAGE, _]] = synthetic.pairs(1)
FLOAT, INT64 = onnx.TensorProto.FLOAT, onnx.TensorProto.INT64


@pytest.fixture(autouse=True, scope="module")
def untried():
    """No trial in another process, which test_bounded_networks.py is about."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onnx_network, "_try_apart", lambda path: None)
        yield


def inside(name="x", values=(1.0, 2.0), kind=FLOAT):
    """Return a tensor that is in the file."""
    return helper.make_tensor(name, kind, [len(values)], values)


def outside(tensor, **entries):
    """Return ``tensor`` with its values elsewhere."""
    moved = onnx.TensorProto(name=tensor.name, dims=tensor.dims, data_type=tensor.data_type)
    moved.data_location = onnx.TensorProto.EXTERNAL
    for key, value in entries.items():
        moved.external_data.add(key=key, value=value)
    return moved


def used(model, name):
    """Add nothing to the probabilities, but by ``name`` and the image, so it must be computed."""
    *nodes, last = (onnx.NodeProto.FromString(n.SerializeToString()) for n in model.graph.node)
    last.input[0] = "all"
    model.graph.initializer.append(helper.make_tensor("nothing", FLOAT, [], [0.0]))
    nodes += [
        helper.make_node("ReduceMax", ["values"], ["most"], keepdims=0),
        helper.make_node("Add", ["most", name], ["sums"]),
        helper.make_node("ReduceMin", ["sums"], ["least"], keepdims=0),
        helper.make_node("Mul", ["least", "nothing"], ["zero"]),
        helper.make_node("Add", ["both", "zero"], ["all"]),
        last,
    ]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def first(model, node):
    model.graph.node.insert(0, node)


def sparse(values, indices):
    made = onnx.SparseTensorProto(dims=[2])
    made.values.CopyFrom(values)
    made.indices.CopyFrom(indices)
    return made


def in_initializer(model, put):
    model.graph.initializer.append(put(inside()))
    used(model, "x")


def in_sparse_values(model, put):
    indices = inside("i", (0, 1), INT64)
    model.graph.sparse_initializer.append(sparse(put(inside()), indices))
    used(model, "x")


def in_sparse_indices(model, put):
    model.graph.sparse_initializer.append(sparse(inside(), put(inside("i", (0, 1), INT64))))
    used(model, "x")


def in_constant(model, put):
    first(model, helper.make_node("Constant", [], ["x"], value=put(inside())))
    used(model, "x")


def in_sparse_constant(model, put):
    made = sparse(put(inside()), inside("i", (0, 1), INT64))
    first(model, helper.make_node("Constant", [], ["x"], sparse_value=made))
    used(model, "x")


def in_another_attribute(model, put):
    model.graph.initializer.append(inside("two", (2,), INT64))
    value = put(inside("x", (1.0,)))
    first(model, helper.make_node("ConstantOfShape", ["two"], ["x"], value=value))
    used(model, "x")


def _branches(model, nodes, initializers):
    """Add a choice between two graphs, of which the first has ``nodes`` and ``initializers``."""
    ends = [helper.make_tensor_value_info("y", FLOAT, [2])]
    then = helper.make_graph(nodes, "then", [], ends, initializers)
    other = helper.make_graph(
        [helper.make_node("Neg", ["w"], ["y"])], "other", [], ends, [inside("w")]
    )
    model.graph.initializer.append(helper.make_tensor("below", FLOAT, [], [-1.0]))
    model.graph.node.insert(2, helper.make_node("ReduceMax", ["values"], ["top"], keepdims=0))
    model.graph.node.insert(3, helper.make_node("Greater", ["top", "below"], ["yes"]))
    choice = helper.make_node("If", ["yes"], ["x"], then_branch=then, else_branch=other)
    model.graph.node.insert(4, choice)
    used(model, "x")


def in_inner_initializer(model, put):
    _branches(model, [helper.make_node("Identity", ["v"], ["y"])], [put(inside("v"))])


def in_inner_constant(model, put):
    _branches(model, [helper.make_node("Constant", [], ["y"], value=put(inside()))], [])


def _function(model, node, **options):
    made = helper.make_function("own", "f", [], ["y"], [node], model.opset_import, **options)
    model.functions.append(made)
    model.opset_import.append(helper.make_opsetid("own", 1))
    first(model, helper.make_node("f", [], ["x"], domain="own"))
    used(model, "x")


def in_function(model, put):
    _function(model, helper.make_node("Constant", [], ["y"], value=put(inside())))


def in_default_of_a_function(model, put):
    node = helper.make_node("Constant", [], ["y"])
    refer = onnx.AttributeProto(name="value", ref_attr_name="v", type=onnx.AttributeProto.TENSOR)
    node.attribute.append(refer)
    _function(model, node, attribute_protos=[helper.make_attribute("v", put(inside()))])


WAYS = [
    in_initializer,
    in_sparse_values,
    in_sparse_indices,
    in_constant,
    in_sparse_constant,
    in_another_attribute,
    in_inner_initializer,
    in_inner_constant,
    in_function,
    in_default_of_a_function,
]
every_way = pytest.mark.parametrize("way", WAYS)


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Return where values could be, by what a tensor says of it; all that can exist do exist."""
    here = tmp_path / "here"
    here.mkdir()
    for folder in (tmp_path, here):
        (folder / "values").write_bytes(bytes(16))
    monkeypatch.chdir(here)
    values = np.array([1.0, 2.0], np.float32)
    address = {"location": "*/_ORT_MEM_ADDR_/*", "offset": str(values.ctypes.data), "length": "8"}
    names = ["values", "./values", "../values", str(tmp_path / "values"), "../here/values", "/", ""]
    names += ["none", ".", "..", os.devnull, f"..{os.devnull}", "../" * 20 + "etc/passwd"]
    # The values of the address are held alive by it.
    yield [*({"location": name} for name in names), {}, address]
    assert values.tolist() == [1.0, 2.0]


def predictor(path, model):
    path.write_bytes(model.SerializeToString())
    return onnx_network.network_predictor(path, device="cpu", threads=1)


@every_way
def test_a_tensor_in_the_file_is_read(tmp_path, way):
    model = onnx_models.bright()
    way(model, lambda tensor: tensor)
    [values] = predictor(tmp_path / "a.onnx", model).probabilities([IMAGE])
    assert np.allclose(values[1], IMAGE.mean(axis=2) / 255, atol=1e-6)


@every_way
def test_a_tensor_elsewhere_is_refused(places, way):
    for entries in places:
        model = onnx_models.bright()
        way(model, lambda tensor, entries=entries: outside(tensor, **entries))
        with pytest.raises(ReadError, match="a network that maskforge exported") as error:
            predictor(Path("a.onnx"), model)
        assert error.value.file == "a.onnx"
        assert error.value.code == "wrong-format"


def test_the_reason_is_told(tmp_path):
    for way, where, said in (
        (in_initializer, "/etc/passwd", "Absolute path not allowed for external data location"),
        (in_sparse_values, "../values", "external data path escapes model directory"),
        (in_constant, "*/_ORT_MEM_ADDR_/*", "in-memory address marker, which is not allowed"),
    ):
        model = onnx_models.bright()
        way(model, lambda tensor, where=where: outside(tensor, location=where))
        with pytest.raises(ReadError, match=f"(?i){said}"):
            predictor(tmp_path / "a.onnx", model)


def test_a_tensor_without_its_mark_is_not_read(places):
    """It names a file, but not that its values are there; nor are they here."""
    for entries in places:
        tensor = outside(inside(), **entries)
        tensor.ClearField("data_location")
        model = onnx_models.bright()
        in_initializer(model, lambda _, tensor=tensor: tensor)
        with pytest.raises(ReadError):
            predictor(Path("a.onnx"), model)


def test_a_tensor_that_nothing_uses_is_not_read(places):
    """Else it would be refused, as it is where something uses it."""
    for entries in places[:-1]:
        for unmarked in (False, True):
            tensor = outside(inside(), **entries)
            if unmarked:
                tensor.ClearField("data_location")
            model = onnx_models.bright()
            model.graph.initializer.append(tensor)
            model.training_info.add().algorithm.initializer.append(tensor)
            with suppress(ReadError):
                [values] = predictor(Path("a.onnx"), model).probabilities([IMAGE])
                assert np.allclose(values[1], IMAGE.mean(axis=2) / 255, atol=1e-6)


def test_these_are_all_ways_to_a_tensor():
    """Every field of onnx.proto by which a TensorProto is reached; a new one needs a test above."""
    leads, grown = {"TensorProto"}, True
    messages = onnx.ModelProto.DESCRIPTOR.file.message_types_by_name
    while grown:
        found = {
            name
            for name, message in messages.items()
            if any(f.message_type and f.message_type.name in leads for f in message.fields)
        }
        grown, leads = not found <= leads, leads | found
    assert {
        f"{name}.{f.name}"
        for name in leads
        for f in messages[name].fields
        if f.message_type and f.message_type.name in leads
    } == {
        *("ModelProto.graph", "ModelProto.functions"),
        *("ModelProto.training_info", "TrainingInfoProto.initialization"),  # which nothing runs
        "TrainingInfoProto.algorithm",
        *("FunctionProto.node", "FunctionProto.attribute_proto"),
        *("GraphProto.node", "GraphProto.initializer", "GraphProto.sparse_initializer"),
        *("NodeProto.attribute", "AttributeProto.t", "AttributeProto.g"),
        "AttributeProto.sparse_tensor",
        *("SparseTensorProto.values", "SparseTensorProto.indices"),
        # Lists of them, which no operator of the runtime's own has.
        *("AttributeProto.tensors", "AttributeProto.graphs", "AttributeProto.sparse_tensors"),
    }


@pytest.mark.parametrize("name", ["tensors", "graphs", "sparse_tensors"])
def test_lists_of_tensors_are_of_no_operator(tmp_path, name):
    model = onnx_models.bright()
    tensor = outside(inside(), location="/etc/passwd")
    made = {
        "tensors": tensor,
        "graphs": onnx.GraphProto(name="g", initializer=[tensor]),
        "sparse_tensors": sparse(tensor, tensor),
    }
    model.graph.node[0].attribute.append(helper.make_attribute("body", [made[name]]))
    with pytest.raises(ReadError):
        predictor(tmp_path / "a.onnx", model)


def test_graphs_nested_too_deep_are_refused(tmp_path):
    data = onnx.GraphProto(initializer=[inside()]).SerializeToString()
    for tag in [0x32, 0x2A, 0x0A] * 1000 + [0x3A]:  # a graph in an attribute of a node of a graph …
        length, size = len(data), b""
        while length > 127:
            size, length = size + bytes([length & 127 | 128]), length >> 7
        data = bytes([tag]) + size + bytes([length]) + data
    (tmp_path / "a.onnx").write_bytes(data)
    with pytest.raises(ReadError, match="protobuf parsing failed"):
        onnx_network.network_predictor(tmp_path / "a.onnx")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x3a\x09abc",
        b"\x3a",
        b"\x80" * 30,
        b"\x3b\x3c",
        b"\x00\x01",
        b"PK\x03\x04",
        b"ORTM\x00\x00\x00\x00ORTM",
    ],
)
def test_what_is_no_model(tmp_path, data):
    path = tmp_path / "a.onnx"
    path.write_bytes(data)
    with pytest.raises(ReadError, match="a network that maskforge exported") as error:
        onnx_network.network_predictor(path)
    assert error.value.file == str(path)


def test_metadata_that_are_no_text(tmp_path):
    path = tmp_path / "a.onnx"
    whole = onnx_models.bright().SerializeToString()
    assert whole.count(b"maskforge.data") == 1
    path.write_bytes(whole.replace(b"maskforge.data", b"maskforge.d\xffta"))
    with pytest.raises(ReadError, match="can't decode byte 0xff"):
        onnx_network.network_predictor(path)


def test_what_is_refused_is_not_printed(tmp_path):
    """onnxruntime prints, and tries again, where a text of a graph is none."""
    path = tmp_path / "a.onnx"
    path.write_bytes(
        onnx_models.bright().SerializeToString().replace(b"Transpose", b"Transp\xffse")
    )
    code = (
        "import sys; from pathlib import Path; from maskforge.prediction import onnx_network as n"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nn.network_predictor(Path(sys.argv[1]))", str(path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(maskforge.__file__).parents[1])},
    )
    assert "maskforge.errors.ReadError" in done.stderr
    assert done.stdout == ""


def test_no_file(tmp_path):
    with pytest.raises(ReadError, match="cannot be read: No such file"):
        onnx_network.network_predictor(tmp_path / "none.onnx")


def test_no_file_of_this_size(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_network, "MOST_BYTES", 100)
    with pytest.raises(ReadError, match="more than 100 bytes"):
        onnx_network.network_predictor(onnx_models.write(tmp_path / "a.onnx"))


@given(data=st.data())
def test_damage_is_refused_or_harmless(tmp_path_factory, data):
    whole = bytearray(onnx_models.bright().SerializeToString())
    for at in data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=5)):
        whole[at] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.onnx"
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    with suppress(ReadError):
        onnx_network.network_predictor(path, device="cpu", threads=1)
