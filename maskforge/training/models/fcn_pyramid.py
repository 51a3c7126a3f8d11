"""FCN on a feature pyramid: ResNet56 v2 at 1/4 of the size, smaller layers upon it, all summed up.

The network of chapter 12 of Atienza's "Advanced Deep Learning with TensorFlow 2 and Keras"
(2nd edition, https://github.com/PacktPublishing/Advanced-Deep-Learning-with-Keras). The backbone's
features (1/4) are averaged 2x2 to the first pyramid layer (1/8); each further one is a 3x3
convolution of stride 2 to 512 filters. Each layer goes through a 3x3 convolution to 256 filters and
is interpolated to 1/4; all are concatenated with the backbone's features, then two 3x3 transposed
convolutions of stride 2 reach the full size, where a 1x1 convolution classifies each pixel. Batch
normalization and ReLU follow every convolution but the last. With 3 layers and 4 classes there are
11.1 M parameters, with the book's biases (``bias``), which the normalization takes away again,
11,105,892.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maskforge.training.models._layers import check_size, start_weights
from maskforge.training.models._resnet import ResNet

DIVISOR = 32


def build(
    *,
    in_channels: int,
    num_classes: int,
    layers: int = 3,
    depth: int = 56,
    version: int = 2,
    width: int = 16,
    bias: bool = False,
) -> nn.Module:
    """Return the network.

    ``layers`` is the number of pyramid layers below the backbone's features, ``depth`` and
    ``version`` are those of the ResNet (6n + 2 for 1, 9n + 2 for 2), and ``width`` is the number of
    its first filters; the pyramid has 16 and 32 times as many. ``bias``: every convolution has
    biases, also before a normalization. The input must be divisible by
    4 * 2 ** layers (:data:`DIVISOR` with 3 layers).
    """
    if layers < 1:
        raise ValueError(f"layers must be at least 1, but got {layers}")
    backbone = ResNet(in_channels, depth, version, width, bias)
    return PyramidFCN(backbone, num_classes, layers, 16 * width, bias)


class PyramidFCN(nn.Module):
    """See the module. ``divisor`` is what the input's height and width must be multiples of."""

    def __init__(
        self, backbone: ResNet, num_classes: int, layers: int, filters: int, bias: bool
    ) -> None:
        super().__init__()
        self.divisor = 4 * 2**layers
        below = [backbone.channels] + [2 * filters] * (layers - 1)
        self.shrink = nn.ModuleList(
            [nn.AvgPool2d(2)]
            + [convolution(f, 2 * filters, stride=2, bias=bias) for f in below[:-1]]
        )
        self.level = nn.ModuleList(convolution(f, filters, stride=1, bias=bias) for f in below)
        self.up = nn.Sequential(
            *twice(backbone.channels + layers * filters, filters, bias=bias),
            *twice(filters, filters, bias=bias),
        )
        self.classify = nn.Conv2d(filters, num_classes, kernel_size=1)
        start_weights(self)
        self.backbone = backbone  # has its weights

    def forward(self, x: Tensor) -> Tensor:  # (N, in_channels, H, W)
        """Return logits (N, num_classes, H, W)."""
        check_size(x, self.divisor)
        x = self.backbone(x)  # (N, 256, H/4, W/4)
        size = x.shape[-2:]
        features = [x]
        for shrink, level in zip(self.shrink, self.level, strict=True):
            x = shrink(x)  # (N, 256, H/8, W/8), (N, 512, H/16, W/16), (N, 512, H/32, W/32)
            features.append(F.interpolate(level(x), size, mode="bilinear", align_corners=False))
        x = self.up(torch.cat(features, dim=1))  # (N, 1024, H/4, W/4) -> (N, 256, H, W)
        logits: Tensor = self.classify(x)  # (N, num_classes, H, W)
        return logits


def convolution(before: int, after: int, *, stride: int, bias: bool) -> nn.Sequential:
    """Return 3x3 convolution, batch normalization, ReLU."""
    return nn.Sequential(
        nn.Conv2d(before, after, kernel_size=3, stride=stride, padding=1, bias=bias),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    )


def twice(before: int, after: int, *, bias: bool) -> nn.Sequential:
    """Return 3x3 transposed convolution of stride 2, batch normalization, ReLU."""
    return nn.Sequential(
        nn.ConvTranspose2d(
            before, after, kernel_size=3, stride=2, padding=1, output_padding=1, bias=bias
        ),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    )
