"""FCN-8s: FCN-32s, and two skips: scores are doubled and summed with those of pool4, then pool3.

Long et al., Fully Convolutional Networks for Semantic Segmentation, 2015,
https://arxiv.org/abs/1411.4038. What differs from the paper is told in ``_vgg16.py``.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from maskforge.train.models._layers import check_size
from maskforge.train.models._vgg16 import FILTERS, VGG16, score, twice

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
    return FCN8s(VGG16(in_channels, filters, head, batch_norm), num_classes)


class FCN8s(nn.Module):
    """See the module. ``divisor`` is what the input's height and width must be multiples of."""

    def __init__(self, backbone: VGG16, num_classes: int) -> None:
        super().__init__()
        self.divisor = DIVISOR
        self.backbone = backbone
        channels3, channels4, channels5 = self.backbone.channels
        self.score5 = score(channels5, num_classes)
        self.score4 = score(channels4, num_classes)
        self.score3 = score(channels3, num_classes)
        self.twice4 = twice(num_classes)
        self.twice3 = twice(num_classes)

    def forward(self, x: Tensor) -> Tensor:  # (N, in_channels, H, W)
        """Return logits (N, num_classes, H, W)."""
        check_size(x, self.divisor)
        size = x.shape[-2:]
        pool3, pool4, fc7 = self.backbone(x)
        x = self.score5(fc7)  # (N, num_classes, H/32, W/32)
        x = self.twice4(x) + self.score4(pool4)  # (N, num_classes, H/16, W/16)
        x = self.twice3(x) + self.score3(pool3)  # (N, num_classes, H/8, W/8)
        return F.interpolate(x, size, mode="bilinear", align_corners=False)
