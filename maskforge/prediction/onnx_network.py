"""Inference with an exported .onnx file: needs onnxruntime, and neither torch nor onnx.

A network may come from a stranger. onnxruntime itself refuses tensors that lie at an address in
memory, or in a file outside a folder that we name (docs/adr/0018).
"""

from __future__ import annotations

import importlib
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskforge import extras
from maskforge.errors import ReadError, UsageError
from maskforge.prediction.metadata import CURE, Metadata
from maskforge.prediction.predictor import Forward, Predictor

INPUT = "images"
"""Images (N, H, W, 3) uint8 in RGB, whose sides are multiples of the divisor."""

OUTPUT = "probabilities"
"""The probability of each class, (N, C, H, W) float32."""


OLDEST = (1, 27)
"""The first onnxruntime that refuses every tensor that is not in the file."""

MOST_BYTES = 2**31
"""No protocol buffer may be larger."""


def network_predictor(path: Path, *, device: str = "auto", threads: int = 0) -> Predictor:
    """Return the predictor of the exported network ``path``, looking as in its training.

    device: auto, cpu, cuda or cuda:N; 0 ``threads`` are as many as there are cores. Raises
    ReadError, UsageError.
    """
    session = _session(_read(path), file=path, device=device, threads=threads)
    try:
        texts = session.get_modelmeta().custom_metadata_map
    except Exception as error:  # of texts that are none
        raise _refused(path, error) from error
    metadata = Metadata.from_strings(texts, file=path)
    return Predictor(
        _forward(session, metadata, file=path),
        metadata.classes,
        metadata.divisor,
        metadata.config.size,
        config=metadata.config,
        data=metadata.data,
    )


def forward(model: bytes, metadata: Metadata, *, file: Path) -> Forward:
    """Return ``model``, the bytes of ``file``, as a function that computes on the CPU.

    Raises ReadError for a graph that cannot run or is not one of ours, as the function does where
    running it fails; UsageError where onnxruntime is missing.
    """
    return _forward(_session(model, file=file, device="cpu", threads=0), metadata, file=file)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ReadError(
            f"the network cannot be read: {error.strerror}", code="unreadable", file=str(path)
        ) from error
    if len(data) > MOST_BYTES:
        raise _refused(path, f"it has more than {MOST_BYTES} bytes")
    return data


def _session(model: bytes, *, file: Path, device: str, threads: int) -> Any:
    """Return onnxruntime's session of ``model``, the bytes of ``file``."""
    runtime = load_runtime()
    providers = _providers(runtime, device)
    options = runtime.SessionOptions()
    options.log_severity_level = 4  # what is wrong comes as an exception
    options.intra_op_num_threads = threads or _cores()
    options.inter_op_num_threads = 1
    entries = {
        # Waiting threads must not take the cores from those that load images.
        "session.intra_op.allow_spinning": "0",
        # A model in another form, which only looks like a file of ours, is not tried.
        "session.load_model_format": "ONNX",
        # Tensors may name files, which the runtime allows below one folder. In this one are none.
        "session.model_external_initializers_file_folder_path": os.devnull,
    }
    for key, value in entries.items():
        options.add_session_config_entry(key, value)
    try:
        return runtime.InferenceSession(
            model,
            options,
            providers=providers,
            enable_fallback=len(providers) > 1,  # else it prints, and tries the same again
        )
    except Exception as error:  # the runtime's own have no common base but this
        raise _refused(file, error) from error


def _forward(session: Any, metadata: Metadata, *, file: Path) -> Forward:
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
    """Return the module onnxruntime. Raises UsageError where it is missing or older than OLDEST."""
    cure = extras.install("onnx", "onnxruntime")
    try:
        runtime = importlib.import_module("onnxruntime")
    except ImportError as error:
        raise UsageError(
            f"networks in .onnx files need onnxruntime ({error})", cure=cure
        ) from error
    version = str(runtime.__version__)
    if tuple(int(number) for number in re.findall(r"\d+", version)[:2]) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise UsageError(
            f"networks in .onnx files need onnxruntime {oldest} or newer, but got {version}",
            cure=cure,
        )
    return runtime


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
    # What it says of itself and of its sources comes first.
    text = " ".join(str(reason).split()).rpartition("[ONNXRuntimeError] : ")[2]
    return ReadError(
        f"the file must be a network that maskforge exported and onnxruntime can run, "
        f"but: {text[-400:]}",
        code="wrong-format",
        file=str(file),
        cure=CURE,
    )
