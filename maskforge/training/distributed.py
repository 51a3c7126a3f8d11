"""Distributed training: processes with one network, as ``torchrun`` starts them; alone, nothing.

torchrun --nproc-per-node 2 -m maskforge train DATA
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

T = TypeVar("T")


class _Sum(torch.autograd.Function):
    """The sum over all processes. Each of them has a loss that all values went into."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        summed = values.clone()
        dist.all_reduce(summed)
        return summed

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        summed = gradients[0].clone()
        dist.all_reduce(summed)
        return summed


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process, ``rank``, among ``count``. ``local`` is its number on this machine."""

    rank: int = 0
    count: int = 1
    local: int = 0

    @property
    def first(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    @classmethod
    def of_environment(cls) -> Ranks:
        """Return what ``torchrun`` says, or that this process is alone."""
        return cls(
            int(os.environ.get("RANK", 0)),
            int(os.environ.get("WORLD_SIZE", 1)),
            int(os.environ.get("LOCAL_RANK", 0)),
        )

    @contextmanager
    def joined(self, device: torch.device) -> Iterator[None]:
        """Join the other processes, and leave them at the end."""
        if self.count == 1:
            yield
            return
        if device.type == "cuda":
            torch.cuda.set_device(device)
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
        try:
            yield
            # Who left at once would cut connections that a slower process still speaks through.
            self.total(torch.zeros((), device=device))
        finally:
            # A network that still held the group when Python ends would abort the process.
            gc.collect()
            dist.destroy_process_group()

    def spread(self, network: nn.Module, device: torch.device) -> nn.Module:
        """Return ``network`` such that a backward pass averages the gradients of all processes.

        Batch norm becomes that of the images of all processes, in ``network`` itself.
        """
        if self.count == 1:
            return network
        if device.type == "cuda":
            network = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
            return DistributedDataParallel(network, device_ids=[device.index or 0])
        for parent in list(network.modules()):
            for name, child in parent.named_children():
                if type(child) is nn.BatchNorm2d:
                    setattr(parent, name, SharedBatchNorm(child, self))
        return DistributedDataParallel(network)

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum of ``values`` over the processes, of which gradients are known."""
        if self.count == 1:
            return values
        summed: Tensor = _Sum.apply(values)  # type: ignore[no-untyped-call]
        return summed

    def total(self, values: Tensor) -> Tensor:
        """Return the sum of ``values`` over the processes."""
        if self.count > 1:
            dist.all_reduce(values)
        return values

    def joint(self, found: Mapping[int, T]) -> dict[int, T]:
        """Return what all processes have found, by its number."""
        if self.count == 1:
            return dict(found)
        parts: list[Mapping[int, T]] = [{}] * self.count
        dist.all_gather_object(parts, found)
        return {number: value for part in parts for number, value in part.items()}

    def most(self, *values: float, device: torch.device) -> tuple[float, ...]:
        """Return the largest of each of ``values`` over the processes."""
        if self.count == 1:
            return values
        shared = torch.tensor(values, dtype=torch.float64, device=device)
        dist.all_reduce(shared, op=dist.ReduceOp.MAX)
        return tuple(shared.tolist())

    def align(self, network: nn.Module) -> None:
        """Give all processes the buffers (such as running means) of the first one."""
        if self.count > 1:
            for buffer in network.buffers():
                dist.broadcast(buffer, 0)


class SharedBatchNorm(nn.BatchNorm2d):
    """Batch norm over the images of all processes, of which each has as many pixels.

    torch's own of that kind computes on GPUs only.
    """

    def __init__(self, like: nn.BatchNorm2d, ranks: Ranks) -> None:
        super().__init__(like.num_features, like.eps, like.momentum)
        self.load_state_dict(like.state_dict())
        self.train(like.training)
        self._ranks = ranks

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        """Return the normalized features; the running means are those of all processes."""
        if not self.training:
            return super().forward(x)
        wide = x.float()
        count = x.numel() // x.shape[1] * self._ranks.count
        mean = self._ranks.sum(wide.sum(dim=(0, 2, 3))) / count
        wide = wide - mean.view(1, -1, 1, 1)
        variance = self._ranks.sum(wide.square().sum(dim=(0, 2, 3))) / count
        with torch.no_grad():
            unbiased = variance * (count / max(1, count - 1))
            for kept, value in ((self.running_mean, mean), (self.running_var, unbiased)):
                kept.lerp_(value, self.momentum or 0.0)  # type: ignore[union-attr]
            self.num_batches_tracked.add_(1)  # type: ignore[union-attr]
        scale = self.weight * (variance + self.eps).rsqrt()
        return (wide * scale.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)).to(x.dtype)
