"""U-Net: a path down that sees more and more, a path up that remembers where it was.

Ronneberger et al., U-Net: Convolutional Networks for Biomedical Image Segmentation, 2015,
https://arxiv.org/abs/1505.04597. Filters 64 to 1024, two 3x3 convolutions a level, 2x2 max pooling,
2x2 transposed convolutions, and the features of the way down concatenated on the way up. As is
usual today the convolutions are padded, so that the logits have the input's size, and batch
normalized (which makes their biases superfluous). 31.0 M parameters.

With a ``stride`` of s, blocks of s x s pixels are taken together as the channels of one, and taken
apart again at the end (Shi et al., sub-pixel convolution, https://arxiv.org/abs/1609.05158): all
levels are s times smaller, which is many times faster, and as s * s logits are made for each block,
edges stay as fine as the pixels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maskforge.training.models._layers import check_size, start_weights

DIVISOR = 16


def build(
    *, in_channels: int, num_classes: int, width: int = 64, depth: int = 4, stride: int = 1
) -> nn.Module:
    """Return a U-Net: ``width`` filters at the top, doubled at each of ``depth`` poolings.

    Its input must be divisible by stride * 2 ** depth (:data:`DIVISOR` with the defaults).
    """
    return UNet(in_channels, num_classes, width, depth, stride)


class UNet(nn.Module):
    """See the module. ``divisor`` is what the input's height and width must be multiples of."""

    def __init__(
        self, in_channels: int, num_classes: int, width: int, depth: int, stride: int
    ) -> None:
        if min(width, depth, stride) < 1:
            got = (width, depth, stride)
            raise ValueError(f"width, depth and stride must be at least 1, but got {got}")
        super().__init__()
        self.stride = stride
        self.divisor = stride * 2**depth
        filters = [width * 2**level for level in range(depth + 1)]  # 64, 128, 256, 512, 1024
        self.down = nn.ModuleList(
            two_convolutions(a, b)
            for a, b in zip([in_channels * stride**2, *filters[:-2]], filters[:-1], strict=True)
        )
        self.bottom = two_convolutions(filters[-2], filters[-1])
        self.grow = nn.ModuleList(
            nn.ConvTranspose2d(2 * f, f, kernel_size=2, stride=2) for f in filters[-2::-1]
        )
        self.up = nn.ModuleList(two_convolutions(2 * f, f) for f in filters[-2::-1])
        self.pool = nn.MaxPool2d(2)
        self.classify = nn.Conv2d(width, num_classes * stride**2, kernel_size=1)
        start_weights(self)

    def forward(self, x: Tensor) -> Tensor:  # (N, in_channels, H, W)
        """Return logits (N, num_classes, H, W)."""
        check_size(x, self.divisor)
        x = F.pixel_unshuffle(x, self.stride)  # (N, in_channels * s^2, h = H / s, w = W / s)
        passed = []
        for level in self.down:
            x = level(x)  # (N, 64 * 2^i, h / 2^i, w / 2^i)
            passed.append(x)
            x = self.pool(x)
        x = self.bottom(x)  # (N, 1024, h / 16, w / 16)
        for grow, level in zip(self.grow, self.up, strict=True):
            x = torch.cat([passed.pop(), grow(x)], dim=1)
            x = level(x)  # (N, 64 * 2^i, h / 2^i, w / 2^i)
        return F.pixel_shuffle(self.classify(x), self.stride)  # (N, num_classes, H, W)


def two_convolutions(before: int, after: int) -> nn.Sequential:
    """Return two times: 3x3 convolution, batch normalization, ReLU."""
    return nn.Sequential(
        nn.Conv2d(before, after, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
        nn.Conv2d(after, after, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    )
