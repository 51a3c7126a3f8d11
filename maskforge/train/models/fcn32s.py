"""FCN-32s: VGG16 made convolutional, its class scores at 1/32 interpolated to the full size.

Long et al., Fully Convolutional Networks for Semantic Segmentation, 2015,
https://arxiv.org/abs/1411.4038. 134.3 M parameters with 21 classes, nearly all of them in the two
layers that were fully connected. What differs from the paper is told in ``_vgg16.py``.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from maskforge.train.models._layers import check_size
from maskforge.train.models._vgg16 import FILTERS, VGG16, score

DIVISOR = 32


def build(
    *,
    in_channels: int,
    num_classes: int,
    filters: Sequence[int] = FILTERS,
    head: int = 4096,
    batch_norm: bool = True,
) -> nn.Module:
    """Return the network; ``filters`` of VGG16's blocks and ``head`` make it smaller."""
    return FCN32s(VGG16(in_channels, filters, head, batch_norm), num_classes)


class FCN32s(nn.Module):
    """See the module. ``divisor`` is what the input's height and width must be multiples of."""

    def __init__(self, backbone: VGG16, num_classes: int) -> None:
        super().__init__()
        self.divisor = DIVISOR
        self.backbone = backbone
        _, _, channels5 = self.backbone.channels
        self.score5 = score(channels5, num_classes)

    def forward(self, x: Tensor) -> Tensor:  # (N, in_channels, H, W)
        """Return logits (N, num_classes, H, W)."""
        check_size(x, self.divisor)
        size = x.shape[-2:]
        _, _, fc7 = self.backbone(x)
        x = self.score5(fc7)  # (N, num_classes, H/32, W/32)
        return F.interpolate(x, size, mode="bilinear", align_corners=False)
