"""Export of a checkpoint to a file that runs without maskforge: ONNX, or torch.export's.

The graph takes pictures as they are decoded and gives probabilities: gray, normalizing and softmax
are inside. Before the file is written it is loaded back and compared with the network.
"""

from __future__ import annotations

import importlib
import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from maskforge import extras
from maskforge.errors import MaskforgeError, UsageError
from maskforge.prediction import onnx_network
from maskforge.prediction.config import Config
from maskforge.prediction.metadata import Metadata
from maskforge.prediction.onnx_network import INPUT, OUTPUT
from maskforge.prediction.predictor import Forward
from maskforge.prediction.saving import Folder
from maskforge.training import checkpoint
from maskforge.training.device import probabilities
from maskforge.training.inputs import Inputs

OPSET = 18
"""Of 2022: what torch's exporter makes without converting, and every current runtime takes."""

TOLERANCE = 1e-3
"""Of a probability. Rounding makes 1e-5, another padding or interpolation 1e-2 and more."""

EXTRA_FILE = "maskforge.json"
"""The extra file of a ``.pt2`` archive that holds the metadata."""

# Batch, and height and width in divisors: neither square nor what the graph was made with.
_MADE_WITH = (2, 3, 2)
_CHECKED = ((1, 2, 5), (3, 4, 2))

_LARGEST = 2**31 - 2**22  # bytes; a protocol buffer ends at 2 GiB


class Deployed(nn.Module):
    """Images (N, H, W, 3) uint8 in RGB to the probability of each class, (N, C, H, W) float32."""

    def __init__(self, network: nn.Module, config: Config) -> None:
        super().__init__()
        self.network = network
        self.inputs = Inputs(config)

    def forward(self, images: Tensor) -> Tensor:
        """Return the probabilities; height and width must be multiples of the divisor."""
        return probabilities(self.network(self.inputs(images)))


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    difference: the largest between a probability of the file and one of the network, over random
    images of several sizes and batches; None where onnxruntime is missing, so that nothing was
    compared.
    """

    path: Path
    size: int
    metadata: Metadata
    difference: float | None


def export(source: Path, target: Path, *, overwrite: bool = False) -> Exported:
    """Write the network of the checkpoint ``source`` to ``target``, one of :data:`SUFFIXES`.

    overwrite: a file that an export has made, and nobody changed, is replaced; no other ever is.
    Raises ReadError for the checkpoint, UsageError for another suffix, a missing package or a file
    that must not be replaced, WriteError, and MaskforgeError where the file would not say what the
    network says. Then all is as it was.
    """
    if target.suffix not in SUFFIXES:
        raise UsageError(
            f"a network is exported to a file {' or '.join(SUFFIXES)}, but got {str(target)!r}"
        )
    encode, loaded = SUFFIXES[target.suffix]
    name = target.name
    folder = Folder(target.parent, "export", [source], overwrite=overwrite, key=name, whole=True)
    folder.check([name])
    saved = checkpoint.load(source)
    network = checkpoint.network(saved, path=source)
    divisor = int(network.divisor)  # type: ignore[arg-type]
    metadata = Metadata(saved.config, saved.classes, divisor, saved.data)
    deployed = Deployed(network, saved.config).eval().requires_grad_(False)
    with warnings.catch_warnings(), torch.no_grad(), _quiet():
        warnings.simplefilter("ignore")  # torch's, of its own future
        data = encode(_program(deployed, divisor), metadata)
        forward = loaded(data, metadata, target)
        difference = None if forward is None else _difference(deployed, forward, divisor)
    if difference is not None and not difference <= TOLERANCE:
        raise MaskforgeError(
            f"the exported network must say what the checkpoint says, to {TOLERANCE}, but the "
            f"probabilities differ by {difference:.2g}; nothing was written",
            file=str(source),
            cure="try another version of torch, and please report it",
        )
    with folder:
        folder.save(name, data)
    return Exported(target, len(data), metadata, difference)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep torch's exporter from telling which packages it could use, and lacks."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _program(deployed: Deployed, divisor: int) -> Any:
    """Return ``deployed`` as torch.export has it, for any batch and multiples of ``divisor``."""
    # A side of one divisor would be a special case to torch, from which 2 is the first that is not.
    height, width = (torch.export.Dim(name, min=2) for name in ("rows", "columns"))
    shape = {0: torch.export.Dim("batch"), 1: divisor * height, 2: divisor * width}
    program = torch.export.export(
        deployed,
        (torch.from_numpy(_images(_MADE_WITH, divisor)),),
        dynamic_shapes=(shape,),
        strict=False,
    )
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # has the paths of this machine
    return program


def _images(numbers: tuple[int, int, int], divisor: int) -> NDArray[np.uint8]:
    count, height, width = numbers
    shape = (count, height * divisor, width * divisor, 3)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def _difference(deployed: Deployed, forward: Forward, divisor: int) -> float:
    worst = []
    for numbers in _CHECKED:
        images = _images(numbers, divisor)
        expected = deployed(torch.from_numpy(images)).numpy()
        worst.append(float(np.abs(forward(images) - expected).max()))
    return float(np.max(worst))  # NaN stays NaN


def _to_onnx(program: Any, metadata: Metadata) -> bytes:
    size = sum(tensor.nbytes for tensor in program.state_dict.values())
    if size > _LARGEST:
        raise UsageError(
            f"an .onnx file must be smaller than 2 GiB, but the weights alone are {size} bytes",
            cure="export to a .pt2 file",
        )
    try:
        onnx = importlib.import_module("onnx")
        importlib.import_module("onnxscript")
    except ImportError as error:
        raise UsageError(
            f"exporting to ONNX needs more ({error})", cure=extras.install("onnx")
        ) from error
    made = torch.onnx.export(
        program,
        input_names=[INPUT],
        output_names=[OUTPUT],
        opset_version=OPSET,
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    model = made.model_proto  # type: ignore[union-attr]
    _tidy(model.graph)
    model.doc_string = (
        f"{INPUT}: (N, H, W, 3) uint8, RGB, H and W multiples of {metadata.divisor}; "
        f"{OUTPUT}: (N, {len(metadata.classes)}, H, W) float32"
    )
    onnx.helper.set_model_props(model, metadata.to_strings())
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def _tidy(graph: Any) -> None:
    """Take out what torch's exporter noted for itself, and name the dimensions for people."""
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        part.ClearField("metadata_props")
    graph.ClearField("value_info")
    for end, names in ((graph.input[0], "NHW"), (graph.output[0], "N HW")):
        for dimension, name in zip(end.type.tensor_type.shape.dim, names, strict=False):
            if dimension.HasField("dim_param"):
                dimension.dim_param = name


def _load_onnx(data: bytes, metadata: Metadata, target: Path) -> Forward | None:
    try:
        onnx_network.load_runtime()
    except UsageError:
        return None
    return onnx_network.forward(data, metadata, file=target)


def _to_torch(program: Any, metadata: Metadata) -> bytes:
    buffer = io.BytesIO()
    text = json.dumps(metadata.to_strings(), indent=1, ensure_ascii=False)
    torch.export.save(program, buffer, extra_files={EXTRA_FILE: text})
    return buffer.getvalue()


def _load_torch(data: bytes, metadata: Metadata, target: Path) -> Forward:
    module = torch.export.load(io.BytesIO(data)).module()

    def forward(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = module(torch.from_numpy(images)).numpy()
        return found

    return forward


SUFFIXES: dict[
    str,
    tuple[Callable[[Any, Metadata], bytes], Callable[[bytes, Metadata, Path], Forward | None]],
] = {".onnx": (_to_onnx, _load_onnx), ".pt2": (_to_torch, _load_torch)}
"""By suffix of the file: how its bytes are made, and how they are run again."""
