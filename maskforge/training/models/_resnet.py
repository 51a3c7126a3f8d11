"""The CIFAR kind of ResNet, v1 (depth 6n + 2) and v2 (depth 9n + 2), without its classifier.

He et al., Deep Residual Learning, https://arxiv.org/abs/1512.03385 (v1, section 4.2), and Identity
Mappings in Deep Residual Networks, https://arxiv.org/abs/1603.05027 (v2). Three stages of n blocks
at the full, the half and the quarter size. v1: two 3x3 convolutions a block, 16, 32, 64 filters,
ReLU after the sum. v2: a bottleneck of 1x1, 3x3, 1x1 a block, each behind batch normalization and
ReLU, 64, 128, 256 filters out. Convolutions right before a normalization have no bias, because
that would take it away again, unless ``bias`` asks for it.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from maskforge.training.models._layers import start_weights


class ResNet(nn.Module):
    """Features (N, channels, H/4, W/4) of images (N, in_channels, H, W).

    ``width`` is the number of filters of the first convolution, 16 in the papers.
    """

    def __init__(
        self, in_channels: int, depth: int, version: int, width: int = 16, bias: bool = False
    ) -> None:
        super().__init__()
        count = blocks_for(depth, version)
        self.channels = 4 * width if version == 1 else 16 * width
        self.stem = nn.Sequential(
            nn.Conv2d(in_channels, width, kernel_size=3, padding=1, bias=bias),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        )
        blocks: list[nn.Module] = []
        before = width
        for stage in range(3):
            inner = before  # of a bottleneck: 16, 64, 128
            after = width * 2**stage if version == 1 else 4 * width * 2**stage
            for k in range(count):
                stride = 2 if stage > 0 and k == 0 else 1
                blocks.append(
                    BlockV1(before, after, stride, bias)
                    if version == 1
                    else BlockV2(before, inner, after, stride, bias, first=not blocks)
                )
                before = after
        self.blocks = nn.Sequential(*blocks)
        last = [] if version == 1 else [nn.BatchNorm2d(before), nn.ReLU(inplace=True)]
        self.last = nn.Sequential(*last)
        start_weights(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return the features."""
        features: Tensor = self.last(self.blocks(self.stem(x)))
        return features


def blocks_for(depth: int, version: int) -> int:
    """Return the blocks of a stage, n; raises ValueError where there is no such network."""
    if version not in (1, 2):
        raise ValueError(f"version must be 1 or 2, but got {version}")
    layers = 6 if version == 1 else 9
    if depth < layers + 2 or (depth - 2) % layers:
        raise ValueError(f"depth of a ResNet v{version} must be {layers}n + 2, but got {depth}")
    return (depth - 2) // layers


class BlockV1(nn.Module):
    """Convolution, ReLU, convolution, plus the input, ReLU; both convolutions batch normalized."""

    def __init__(self, before: int, after: int, stride: int, bias: bool) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(before, after, kernel_size=3, stride=stride, padding=1, bias=bias),
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
            nn.Conv2d(after, after, kernel_size=3, padding=1, bias=bias),
            nn.BatchNorm2d(after),
        )
        self.shortcut = _shortcut(before, after, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Return features (N, after, H / stride, W / stride)."""
        return F.relu(self.main(x) + self.shortcut(x))


class BlockV2(nn.Module):
    """Three times normalization, ReLU and convolution, plus the input as it came.

    The ``first`` block of all leaves out the first two, which the stem has done.
    """

    def __init__(
        self, before: int, inner: int, after: int, stride: int, bias: bool, *, first: bool
    ) -> None:
        super().__init__()
        self.main = nn.Sequential(
            *([] if first else [nn.BatchNorm2d(before), nn.ReLU(inplace=True)]),
            nn.Conv2d(before, inner, kernel_size=1, stride=stride, bias=bias),
            nn.BatchNorm2d(inner),
            nn.ReLU(inplace=True),
            nn.Conv2d(inner, inner, kernel_size=3, padding=1, bias=bias),
            nn.BatchNorm2d(inner),
            nn.ReLU(inplace=True),
            nn.Conv2d(inner, after, kernel_size=1),
        )
        self.shortcut = _shortcut(before, after, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Return features (N, after, H / stride, W / stride)."""
        features: Tensor = self.main(x) + self.shortcut(x)
        return features


def _shortcut(before: int, after: int, stride: int) -> nn.Module:
    if before == after and stride == 1:
        return nn.Identity()
    return nn.Conv2d(before, after, kernel_size=1, stride=stride)
