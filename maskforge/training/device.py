"""Device and mixed precision, and the way of a batch into the network and out of it."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maskforge.errors import UsageError
from maskforge.prediction.config import Config
from maskforge.training.inputs import Inputs


@dataclass(frozen=True, slots=True)
class Machine:
    """Where and how the network computes."""

    device: torch.device
    bfloat16: bool
    channels_last: bool
    workers: int
    inputs: Inputs

    @classmethod
    def of(cls, config: Config, *, local_rank: int = 0) -> Machine:
        """Return the machine that ``config`` asks for; sets the number of threads.

        Raises UsageError for a device that is not there.
        """
        if config.threads:
            torch.set_num_threads(config.threads)
        cv2.setNumThreads(1)  # images are loaded in parallel already
        device = find_device(config.device, local_rank)
        bfloat16 = config.precision == "bfloat16"
        if config.precision == "auto":
            bfloat16 = _is_fast_bfloat16(device)
        if device.type == "cuda":
            torch.backends.cudnn.benchmark = True
            torch.set_float32_matmul_precision("high")
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        # On the CPU the network needs the cores, and one thread is fast enough for it.
        most = 1 if device.type == "cpu" else min(8, max(1, (cores or 2) - 1))
        workers = most if config.workers is None else max(1, config.workers)
        return cls(device, bfloat16, config.channels_last, workers, Inputs(config).to(device))

    def autocast(self) -> AbstractContextManager[None]:
        """Return the context in which the network and its loss are computed."""
        context: AbstractContextManager[None] = torch.autocast(
            self.device.type, torch.bfloat16, enabled=self.bfloat16
        )
        return context

    @property
    def memory_format(self) -> torch.memory_format:
        """How feature maps lie in memory."""
        return torch.channels_last if self.channels_last else torch.contiguous_format

    def images(self, images: NDArray[np.uint8]) -> Tensor:
        """Return images (N, H, W, 3) uint8 as the network's input, (N, C, H, W) float32."""
        seen: Tensor = self.inputs(self._moved(torch.from_numpy(images)))
        return seen.contiguous(memory_format=self.memory_format)

    def targets(self, targets: NDArray[np.uint8] | NDArray[np.uint16]) -> Tensor:
        """Return label images (N, H, W) as int64."""
        wide = targets.astype(np.int32) if targets.dtype == np.uint16 else targets
        return self._moved(torch.from_numpy(wide)).long()

    def _moved(self, tensor: Tensor) -> Tensor:
        if self.device.type == "cuda":
            return tensor.pin_memory().to(self.device, non_blocking=True)
        return tensor.to(self.device)


def find_device(name: str, local_rank: int = 0) -> torch.device:
    """Return the device that ``name`` means. Raises UsageError where it is not there."""
    if name == "auto":
        name = f"cuda:{local_rank}" if torch.cuda.is_available() else "cpu"
    elif name == "cuda":
        name = f"cuda:{local_rank}"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UsageError(f"device must be auto, cpu, cuda or cuda:N, but got {name!r}") from error
    if device.type not in ("cpu", "cuda"):
        raise UsageError(f"device must be auto, cpu, cuda or cuda:N, but got {name!r}")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UsageError(
            f"device must exist, but {name!r} does not: torch finds {torch.cuda.device_count()}",
            cure="install the CUDA build of torch, or choose --device cpu",
        )
    return device


def _is_fast_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    has = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(has.get("amx_bf16") or has.get("avx512_bf16") or has.get("amx_tile"))


def probabilities(logits: Tensor) -> Tensor:
    """Return the probability of each class, (N, C, H, W) float32; one logit is a second class."""
    if logits.shape[1] > 1:
        return logits.float().softmax(dim=1)
    found = logits.float().sigmoid()
    return torch.cat([1 - found, found], dim=1)


def decisions(logits: Tensor) -> Tensor:
    """Return the most probable class, (N, H, W) int64."""
    return logits.argmax(dim=1) if logits.shape[1] > 1 else (logits[:, 0] > 0).long()
