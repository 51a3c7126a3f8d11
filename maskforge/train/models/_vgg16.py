"""VGG16 with its fully connected layers as convolutions: the backbone of the three FCNs.

Simonyan and Zisserman, Very Deep Convolutional Networks, https://arxiv.org/abs/1409.1556;
turned into a fully convolutional network by Long et al., https://arxiv.org/abs/1411.4038.

Two things differ from the paper. It pads the image by 100 pixels and crops the result back;
here every layer is padded, so that nothing is to be cropped. And the convolutions are batch
normalized (``batch_norm=False`` leaves that out), without which 16 layers hardly train from
scratch.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from maskforge.train.models._layers import start_weights

FILTERS = (64, 128, 256, 512, 512)
LAYERS = (2, 2, 3, 3, 3)


class VGG16(nn.Module):
    """Features at 1/8, 1/16 and 1/32 of the input's size.

    ``filters`` by block, and ``head`` in the two layers that were fully connected. ``channels``
    tells how many the three features have.
    """

    def __init__(
        self, in_channels: int, filters: Sequence[int], head: int, batch_norm: bool
    ) -> None:
        super().__init__()
        if len(filters) != len(LAYERS):
            raise ValueError(f"filters must be {len(LAYERS)} numbers, but got {tuple(filters)}")
        self.channels = (filters[2], filters[3], head)
        before = [in_channels, *filters[:-1]]
        self.blocks = nn.ModuleList(
            _block(a, b, count, batch_norm)
            for a, b, count in zip(before, filters, LAYERS, strict=True)
        )
        self.head = nn.Sequential(
            nn.Conv2d(filters[-1], head, kernel_size=7, padding=3),  # fc6
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            nn.Conv2d(head, head, kernel_size=1),  # fc7
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
        )
        start_weights(self)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:  # (N, in_channels, H, W)
        """Return pool3, pool4 and fc7.

        (N, 256, H/8, W/8), (N, 512, H/16, W/16) and (N, 4096, H/32, W/32).
        """
        pools = []
        for block in self.blocks:
            x = block(x)  # (N, filters, H / 2^i, W / 2^i)
            pools.append(x)
        return pools[2], pools[3], self.head(x)


def _block(before: int, after: int, count: int, batch_norm: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for _ in range(count):
        layers.append(nn.Conv2d(before, after, kernel_size=3, padding=1, bias=not batch_norm))
        layers += [nn.BatchNorm2d(after)] if batch_norm else []
        layers.append(nn.ReLU(inplace=True))
        before = after
    return nn.Sequential(*layers, nn.MaxPool2d(2))


def score(before: int, num_classes: int) -> nn.Conv2d:
    """Return the 1x1 convolution to class scores that starts at 0, as in the paper."""
    layer = nn.Conv2d(before, num_classes, kernel_size=1)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer


def twice(num_classes: int) -> nn.ConvTranspose2d:
    """Return a learned doubling of height and width that starts as bilinear interpolation."""
    layer = nn.ConvTranspose2d(
        num_classes, num_classes, kernel_size=4, stride=2, padding=1, bias=False
    )
    tent = torch.tensor([0.25, 0.75, 0.75, 0.25])
    with torch.no_grad():
        layer.weight.zero_()
        for k in range(num_classes):
            layer.weight[k, k] = tent[:, None] * tent
    return layer
