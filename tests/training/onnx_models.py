"""ONNX models made by hand: what is bright is the box."""

from __future__ import annotations

import onnx
from onnx import TensorProto, helper
from training import synthetic

from maskforge.prediction.metadata import Metadata

METADATA = Metadata(synthetic.config(), synthetic.CLASSES, 4, "abc")


def bright(*, texts=None, output="probabilities", kind=TensorProto.FLOAT):
    """Return a model with the ends of an exported network and ``texts`` as its metadata."""
    constant = [
        helper.make_tensor("white", TensorProto.FLOAT, [], [255.0]),
        helper.make_tensor("one", TensorProto.FLOAT, [], [1.0]),
    ]
    nodes = [
        helper.make_node("Transpose", ["images"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["planes"], ["values"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["values"], ["gray"], axes=[1], keepdims=1),
        helper.make_node("Div", ["gray", "white"], ["box"]),
        helper.make_node("Sub", ["one", "box"], ["rest"]),
        helper.make_node("Concat", ["rest", "box"], ["both"], axis=1),
        helper.make_node("Cast", ["both"], [output], to=kind),
    ]
    graph = helper.make_graph(
        nodes,
        "bright",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", "H", "W", 3])],
        [helper.make_tensor_value_info(output, kind, ["N", "C", "H", "W"])],
        constant,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, METADATA.to_strings() if texts is None else texts)
    return model


def write(path, model=None):
    """Write a model to ``path`` and return it."""
    onnx.save(bright() if model is None else model, str(path))
    return path
