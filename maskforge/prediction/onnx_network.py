"""Inference with an exported .onnx file: needs onnxruntime, and neither torch nor onnx.

A network may come from a stranger. onnxruntime itself refuses tensors that lie at an address in
memory, or in a file outside a folder that we name (docs/adr/0018), and those that claim more than
the file holds. A kilobyte can still ask for all memory: by a sparse tensor or functions within
functions while it is loaded, by what expands or loops while it runs. So a network is tried first,
on one small image, in a process of its own whose memory and time are limited; later, where it runs
on images, what it computes lies in an arena of limited size, and it is stopped when it takes far
too long.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from threading import Timer
from typing import Any, NoReturn

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

TRIAL_SECONDS = 120.0
"""The largest networks are loaded and tried in a few seconds."""

TRIAL_BYTES = 2**32
"""Memory of a trial, besides 8 times the file: the weights are held several times over."""

RUN_SECONDS = 600.0
"""A batch that takes longer, and another millisecond for each of its pixels, comes to no end."""

SHARE = 0.75
"""Of the machine's memory: what a network may compute with."""


def network_predictor(
    path: str | os.PathLike[str], *, device: str = "auto", threads: int = 0
) -> Predictor:
    """Return the predictor of the exported network ``path``, looking as in its training.

    device: auto, cpu, cuda or cuda:N; 0 ``threads`` are as many as there are cores. Raises
    ReadError, UsageError.
    """
    file = Path(path)
    model = _read(file)
    load_runtime()  # else the trial would find it missing
    _try_apart(file)
    session = _session(model, file=file, device=device, threads=threads)
    try:
        texts = session.get_modelmeta().custom_metadata_map
    except Exception as error:  # of texts that are none
        raise _refused(file, error) from error
    metadata = Metadata.from_strings(texts, file=file)
    return Predictor(
        _forward(session, metadata, file=file),
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
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # a pipe would keep us waiting
            raise ReadError(
                "a network must be a file, but this is a folder, pipe or device",
                code="unreadable",
                file=str(path),
            )
        if found.st_size > MOST_BYTES:
            raise _refused(path, f"it has more than {MOST_BYTES} bytes")
        with path.open("rb") as file:
            return file.read(found.st_size)
    except OSError as error:
        raise ReadError(
            f"the network cannot be read: {error.strerror}", code="unreadable", file=str(path)
        ) from error


def _try_apart(path: Path) -> None:
    """Load the network ``path`` and run it on one small image, in a process that has limits.

    Raises ReadError for what fails there, or takes more than :data:`TRIAL_BYTES` or
    :data:`TRIAL_SECONDS`.
    """
    most = TRIAL_BYTES + 8 * path.stat().st_size
    code = f"from maskforge.prediction import onnx_network; onnx_network.trial({most})"
    # The modules are those of this process, none from the current folder (-P); and no library
    # takes memory for each core.
    paths = os.pathsep.join(filter(None, sys.path))
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    try:
        with path.open("rb") as file:
            done = subprocess.run(
                [sys.executable, "-P", "-c", code],
                stdin=file,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": paths, **single},
                timeout=TRIAL_SECONDS,
                check=False,
            )
    except subprocess.TimeoutExpired as error:
        raise _refused(
            path, f"it does not come to an end of one small image in {TRIAL_SECONDS:g} seconds"
        ) from error
    if done.returncode == 0:
        return
    reason = f"on one small image it takes more than {most >> 20} MiB, or crashes"
    with suppress(ValueError):  # it said nothing
        told = str(json.loads(done.stdout))
        reason = reason if _OUT_OF_MEMORY.search(told) else told
    raise _refused(path, reason)


def trial(most: int) -> NoReturn:
    """Try the model on standard input in this process, which ends; it is meant for nothing else.

    most: bytes of memory. What is wrong is told as JSON on standard output.
    """
    # Windows has no such limit, macOS keeps none; a lower one that stands cannot be raised.
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    try:
        _run_once(_made(sys.stdin.buffer.read(), device="cpu", threads=1, memory=most))
    except MemoryError:
        os._exit(1)
    except Exception as error:  # the runtime's own have no common base but this
        os.write(1, json.dumps(str(error)[-2000:]).encode())
        os._exit(1)
    os._exit(0)


def _run_once(session: Any) -> None:
    """Run ``session`` on the smallest image. What is none of ours is left to others to refuse."""
    texts = session.get_modelmeta().custom_metadata_map
    ends = [end.name for end in (*session.get_inputs(), *session.get_outputs())]
    try:
        metadata = Metadata.from_strings(texts, file=Path())
    except ReadError:
        return
    if ends == [INPUT, OUTPUT]:
        shape = (1, metadata.divisor, metadata.divisor, 3)
        session.run([OUTPUT], {INPUT: np.zeros(shape, np.uint8)})


def _session(model: bytes, *, file: Path, device: str, threads: int) -> Any:
    """Return onnxruntime's session of ``model``, the bytes of ``file``."""
    try:
        memory = int(SHARE * _memory())
        return _made(model, device=device, threads=threads, memory=memory)
    except UsageError:
        raise
    except Exception as error:  # the runtime's own have no common base but this
        raise _refused(file, error) from error


def _made(model: bytes, *, device: str, threads: int, memory: int) -> Any:
    """Return a session of ``model``; what onnxruntime raises is up to it.

    memory: bytes that it and all other sessions of this process may compute in; 0: no limit.
    """
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
    if memory:
        _limit(memory)
        entries["session.use_env_allocators"] = "1"
    for key, value in entries.items():
        options.add_session_config_entry(key, value)
    return runtime.InferenceSession(
        model,
        options,
        providers=providers,
        enable_fallback=len(providers) > 1,  # else it prints, and tries the same again
    )


@cache
def _limit(memory: int) -> None:
    """Have sessions of this process compute in an arena of so many bytes: there is one for all.

    What they need to load their weights is not in there.
    """
    runtime = load_runtime()
    kind, usual = runtime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, runtime.OrtMemType.DEFAULT
    place = runtime.OrtMemoryInfo("Cpu", kind, 0, usual)
    runtime.create_and_register_allocator(place, runtime.OrtArenaCfg({"max_mem": memory}))


def _memory() -> int:
    """Return the bytes of memory that this machine, or this container, has; 0: it does not say."""
    found = 0
    with suppress(AttributeError, ValueError, OSError):  # Windows
        found = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(ValueError, OSError):  # elsewhere than in a container the file says "max"
        found = min(found, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return found


def _forward(session: Any, metadata: Metadata, *, file: Path) -> Forward:
    ends = [*session.get_inputs(), *session.get_outputs()]
    if [end.name for end in ends] != [INPUT, OUTPUT]:
        raise _refused(file, f"it goes from and to {[end.name for end in ends]}")
    wanted = (
        ("uint8", (None, None, None, 3)),
        ("float", (None, len(metadata.classes), None, None)),
    )
    for end, (kind, shape) in zip(ends, wanted, strict=True):
        if end.type != f"tensor({kind})" or not _may_be(end.shape, shape):
            told = ", ".join("any" if size is None else str(size) for size in shape)
            raise _refused(
                file, f"its {end.name} are {end.type} {end.shape} and not tensor({kind}) ({told})"
            )

    def run(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        options = load_runtime().RunOptions()
        options.log_severity_level = 4
        try:
            with _stopped(options, RUN_SECONDS + images.size / 3000):
                [found] = session.run([OUTPUT], {INPUT: images}, options)
        except Exception as error:
            if options.terminate:
                raise _refused(file, "it does not come to an end") from error
            if _OUT_OF_MEMORY.search(str(error)):
                raise _too_large(file, images) from error
            raise _refused(file, error) from error
        count, height, width = images.shape[:3]
        expected = (count, len(metadata.classes), height, width)
        if not isinstance(found, np.ndarray) or found.dtype != np.float32:
            raise _refused(file, "its probabilities are not float32")
        if found.shape != expected:
            raise _refused(file, f"its probabilities are {found.shape} and not {expected}")
        return found

    return run


def _may_be(declared: list[int | str | None], shape: tuple[int | None, ...]) -> bool:
    """Tell whether what a graph declares of a shape, names and None for any, leads to ``shape``."""
    return len(declared) == len(shape) and all(
        want is None or not isinstance(have, int) or have == want
        for have, want in zip(declared, shape, strict=True)
    )


_OUT_OF_MEMORY = re.compile(r"Failed to allocate|Available memory of|bad_alloc")


@contextmanager
def _stopped(options: Any, seconds: float) -> Iterator[None]:
    """Have a run with ``options`` end with an error when it takes longer, between two nodes."""
    timer = Timer(seconds, setattr, (options, "terminate", True))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


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


def _too_large(file: Path, images: NDArray[np.uint8]) -> ReadError:
    count, height, width = images.shape[:3]
    return ReadError(
        "a network must get by with the memory there is for it, but this one needs more for "
        f"{count} images of {width}x{height}",
        code="too-large",
        file=str(file),
        cure="choose a smaller --batch, --tile or --size",
    )


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
