"""Distributed training: processes with one network, as ``torchrun`` starts them; alone, nothing.

torchrun --nproc-per-node 2 -m maskforge train DATA
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

T = TypeVar("T")


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
        """Return ``network`` such that a backward pass averages the gradients of all processes."""
        if self.count == 1:
            return network
        if device.type == "cuda":
            network = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
            return DistributedDataParallel(network, device_ids=[device.index or 0])
        return DistributedDataParallel(network)

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
