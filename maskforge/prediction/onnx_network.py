"""From an exported .onnx file to a predictor: needs onnxruntime, and neither torch nor onnx."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskforge import extras
from maskforge.errors import ReadError, UsageError
from maskforge.prediction import onnx_file
from maskforge.prediction.metadata import CURE, Metadata
from maskforge.prediction.predictor import Forward, Predictor

INPUT = "images"
"""Images (N, H, W, 3) uint8 in RGB, whose sides are multiples of the divisor."""

OUTPUT = "probabilities"
"""The probability of each class, (N, C, H, W) float32."""


def network_predictor(path: Path, *, device: str = "auto", threads: int = 0) -> Predictor:
    """Return the predictor of the exported network ``path``, looking as in its training.

    device: auto, cpu, cuda or cuda:N; 0 ``threads`` are as many as there are cores. Raises
    ReadError, UsageError.
    """
    found = onnx_file.read(path)
    metadata = Metadata.from_strings(found.metadata, file=path)
    return Predictor(
        forward(found.data, metadata, file=path, device=device, threads=threads),
        metadata.classes,
        metadata.divisor,
        metadata.config.size,
        config=metadata.config,
        data=metadata.data,
    )


def forward(
    model: bytes, metadata: Metadata, *, file: Path, device: str = "auto", threads: int = 0
) -> Forward:
    """Return ``model``, the bytes of ``file``, as a function.

    Raises ReadError for a graph that cannot run or is not one of ours, as the function does where
    running it fails; UsageError where onnxruntime or the device is missing.
    """
    runtime = load_runtime()
    providers = _providers(runtime, device)
    options = runtime.SessionOptions()
    options.log_severity_level = 4  # what is wrong comes as an exception
    options.intra_op_num_threads = threads or _cores()
    options.inter_op_num_threads = 1
    # Waiting threads must not take the cores from those that load images.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # A model in another form, which only looks like a file of ours, is not tried.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    try:
        session = runtime.InferenceSession(model, options, providers=providers)
    except Exception as error:  # the runtime's own have no common base but this
        raise _refused(file, error) from error
    ends = [end.name for end in (*session.get_inputs(), *session.get_outputs())]
    if ends != [INPUT, OUTPUT]:
        raise _refused(file, f"it goes from and to {ends}")

    def run(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        try:
            [found] = session.run([OUTPUT], {INPUT: images})
        except Exception as error:
            raise _refused(file, error) from error
        count, height, width = images.shape[:3]
        expected = (count, len(metadata.classes), height, width)
        if not isinstance(found, np.ndarray) or found.dtype != np.float32:
            raise _refused(file, "its probabilities are not float32")
        if found.shape != expected:
            raise _refused(file, f"its probabilities are {found.shape} and not {expected}")
        return found

    return run


def load_runtime() -> Any:
    """Return the module onnxruntime. Raises UsageError with the cure where it is missing."""
    try:
        return importlib.import_module("onnxruntime")
    except ImportError as error:
        raise UsageError(
            f"networks in .onnx files need onnxruntime ({error})",
            cure=extras.install("onnx", "onnxruntime"),
        ) from error


def _providers(runtime: Any, device: str) -> list[str | tuple[str, dict[str, int]]]:
    """Return what the runtime is to compute with."""
    kind, _, number = device.partition(":")
    known = device in ("auto", "cpu", "cuda") or (kind == "cuda" and number.isdecimal())
    if not known or len(number) > 3:
        raise UsageError(f"device must be auto, cpu, cuda or cuda:N, but got {device!r}")
    has_cuda = "CUDAExecutionProvider" in runtime.get_available_providers()
    if kind == "cuda" and not has_cuda:
        raise UsageError(
            f"device must exist, but onnxruntime was built without CUDA, and got {device!r}",
            cure="pip install onnxruntime-gpu in place of onnxruntime, or choose --device cpu",
        )
    if kind == "cpu" or not has_cuda:
        return ["CPUExecutionProvider"]
    cuda = ("CUDAExecutionProvider", {"device_id": int(number or 0)})
    return [cuda, "CPUExecutionProvider"]


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _refused(file: Path, reason: object) -> ReadError:
    text = " ".join(str(reason).split())
    return ReadError(
        f"the file must be a network that maskforge exported and onnxruntime can run, "
        f"but: {text[:400]}",
        code="wrong-format",
        file=str(file),
        cure=CURE,
    )
