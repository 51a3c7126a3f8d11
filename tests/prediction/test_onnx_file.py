"""The bytes of an .onnx file: its metadata as onnx reads them, and nothing outside the file."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskforge.errors import ReadError
from maskforge.prediction import onnx_file

onnx = pytest.importorskip("onnx")
onnx_models = pytest.importorskip("training.onnx_models")


def test_the_table_has_every_way_to_a_tensor():
    """Every message field of onnx.proto that leads to a TensorProto is in MESSAGES."""
    leads = {"TensorProto"}
    messages = onnx.ModelProto.DESCRIPTOR.file.message_types_by_name
    grown = True
    while grown:
        found = {
            name
            for name, message in messages.items()
            if any(
                f.message_type is not None and f.message_type.name in leads for f in message.fields
            )
        }
        grown = not found <= leads
        leads |= found
    expected = {
        name: {
            f.number: f.message_type.name
            for f in messages[name].fields
            if f.message_type is not None and f.message_type.name in leads
        }
        for name in leads
    }
    assert expected == onnx_file.MESSAGES


def test_metadata_are_what_onnx_reads(tmp_path):
    model = onnx_models.bright(texts={"a": "ä\n", "b": "", "": "c"})
    found = onnx_file.read(onnx_models.write(tmp_path / "a.onnx", model))
    assert found.metadata == {"a": "ä\n", "b": "", "": "c"}
    assert found.data == (tmp_path / "a.onnx").read_bytes()


def outside():
    """Return a tensor whose values are in another file."""
    tensor = onnx.TensorProto(name="x", dims=[2], data_type=1, data_location=1)
    tensor.external_data.add(key="location", value="/etc/passwd")
    return tensor


def in_initializer(model):
    model.graph.initializer.append(outside())


def in_sparse_initializer(model):
    model.graph.sparse_initializer.add().values.CopyFrom(outside())


def in_attribute(model):
    model.graph.node[0].attribute.append(onnx.helper.make_attribute("value", outside()))


def in_inner_graph(model):
    inner = onnx.GraphProto(name="inner", initializer=[outside()])
    attribute = onnx.helper.make_attribute("body", onnx.GraphProto(name="outer"))
    attribute.g.node.add().attribute.append(onnx.helper.make_attribute("body", [inner]))
    model.graph.node[0].attribute.append(attribute)


def in_function(model):
    attribute = onnx.helper.make_attribute("value", outside())
    model.functions.add(name="f", domain="d").node.add(op_type="Constant").attribute.append(
        attribute
    )


def without_its_mark(model):
    tensor = outside()
    tensor.ClearField("data_location")
    model.graph.initializer.append(tensor)


def without_a_place(model):
    tensor = outside()
    tensor.ClearField("external_data")
    model.graph.initializer.append(tensor)


@pytest.mark.parametrize(
    "put",
    [
        in_initializer,
        in_sparse_initializer,
        in_attribute,
        in_inner_graph,
        in_function,
        without_its_mark,
        without_a_place,
    ],
)
def test_tensors_outside_the_file_are_refused(tmp_path, put):
    model = onnx_models.bright()
    put(model)
    path = tmp_path / "a.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ReadError, match="a tensor lies outside the file"):
        onnx_file.read(path)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x3a\x09abc", "it is cut off"),
        (b"\x3a", "index out of range"),
        (b"\x80" * 30, "is in no number"),
        (b"\x3b\x3c", "begins no field"),
        (b"\x00\x01", "begins no field"),
        (b"\x72\x03\x0a\x01\xff", "utf-8"),
        (b"PK\x03\x04", "begins no field"),
    ],
)
def test_what_is_no_model(tmp_path, data, said):
    path = tmp_path / "a.onnx"
    path.write_bytes(data)
    with pytest.raises(ReadError, match=said):
        onnx_file.read(path)


def test_limits(tmp_path, monkeypatch):
    path = onnx_models.write(tmp_path / "a.onnx")
    monkeypatch.setattr(onnx_file, "MOST_FIELDS", 20)
    with pytest.raises(ReadError, match="more than 20 fields"):
        onnx_file.read(path)
    path.write_bytes(onnx_models.bright(texts={"a": "x" * 90}).SerializeToString())
    monkeypatch.setattr(onnx_file, "MOST_FIELDS", 2000)
    monkeypatch.setattr(onnx_file, "MOST_TEXT", 80)
    with pytest.raises(ReadError, match="its metadata have more than 80 bytes"):
        onnx_file.read(path)
    monkeypatch.setattr(onnx_file, "MOST_BYTES", 100)
    with pytest.raises(ReadError, match="more than 100 bytes"):
        onnx_file.read(path)


def test_no_file(tmp_path):
    with pytest.raises(ReadError, match="cannot be read: No such file"):
        onnx_file.read(tmp_path / "none.onnx")


def test_nothing_is_nested_too_deep_to_be_seen(tmp_path):
    data = onnx.GraphProto(initializer=[outside()]).SerializeToString()
    tags = [0x32, 0x2A, 0x0A] * 1000 + [0x3A]  # a graph in an attribute of a node of a graph …
    for tag in tags:
        length, size = len(data), b""
        while length > 127:
            size, length = size + bytes([length & 127 | 128]), length >> 7
        data = bytes([tag]) + size + bytes([length]) + data
    path = tmp_path / "a.onnx"
    path.write_bytes(data)
    with pytest.raises(ReadError, match="a tensor lies outside the file"):
        onnx_file.read(path)


@given(data=st.data())
def test_damage_is_refused_or_harmless(tmp_path, data):
    whole = bytearray(onnx_models.bright().SerializeToString())
    for at in data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=5)):
        whole[at] = data.draw(st.integers(0, 255))
    path = tmp_path / "a.onnx"
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    with suppress(ReadError):
        found = onnx_file.read(path)
        assert all(isinstance(text, str) for text in found.metadata.values())
