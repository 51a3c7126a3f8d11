"""A small U-Net for people: 32-64-128-128 down, 64-64-32 up, dropout, no batch normalization.

The network of Dipesh Pal's article and notebooks on blurring the background behind people
(https://github.com/Dipeshpal/Image-Segmentation-with-Unet-using-Tensorflow-Keras): at each level
3x3 convolution, ReLU, dropout 0.2, 3x3 convolution, ReLU; 2x2 max pooling down; the nearest pixel
repeated 2x2 up. With 3 channels in and 3 out it has exactly 914,371 parameters.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from maskforge.training.models._layers import check_size, start_weights

DIVISOR = 8


def build(
    *, in_channels: int, num_classes: int, width: int = 32, dropout: float = 0.2
) -> nn.Module:
    """Return the network with ``width`` filters in its first level."""
    return SmallUNet(in_channels, num_classes, width, dropout)


class SmallUNet(nn.Module):
    """See the module. ``divisor`` is what the input's height and width must be multiples of."""

    def __init__(self, in_channels: int, num_classes: int, width: int, dropout: float) -> None:
        super().__init__()
        self.divisor = DIVISOR
        a, b, c = width, 2 * width, 4 * width
        self.down1 = level(in_channels, a, dropout)
        self.down2 = level(a, b, dropout)
        self.down3 = level(b, c, dropout)
        self.bottom = level(c, c, dropout)
        self.up3 = level(c + c, b, dropout)
        self.up2 = level(b + b, b, dropout)
        self.up1 = level(b + a, a, dropout)
        self.classify = nn.Conv2d(a, num_classes, kernel_size=1)
        self.pool = nn.MaxPool2d(2)
        self.grow = nn.Upsample(scale_factor=2, mode="nearest")
        start_weights(self)

    def forward(self, x: Tensor) -> Tensor:  # (N, in_channels, H, W)
        """Return logits (N, num_classes, H, W)."""
        check_size(x, self.divisor)
        d1 = self.down1(x)  # (N, 32, H, W)
        d2 = self.down2(self.pool(d1))  # (N, 64, H/2, W/2)
        d3 = self.down3(self.pool(d2))  # (N, 128, H/4, W/4)
        x = self.bottom(self.pool(d3))  # (N, 128, H/8, W/8)
        x = self.up3(torch.cat([self.grow(x), d3], dim=1))  # (N, 64, H/4, W/4)
        x = self.up2(torch.cat([self.grow(x), d2], dim=1))  # (N, 64, H/2, W/2)
        x = self.up1(torch.cat([self.grow(x), d1], dim=1))  # (N, 32, H, W)
        logits: Tensor = self.classify(x)  # (N, num_classes, H, W)
        return logits


def level(before: int, after: int, dropout: float) -> nn.Sequential:
    """Return convolution, ReLU, dropout, convolution, ReLU."""
    return nn.Sequential(
        nn.Conv2d(before, after, kernel_size=3, padding=1),
        nn.ReLU(inplace=True),
        nn.Dropout(dropout),
        nn.Conv2d(after, after, kernel_size=3, padding=1),
        nn.ReLU(inplace=True),
    )
