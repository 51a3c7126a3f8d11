"""What the three FCNs share: class scores at several sizes, doubled and summed from coarse to fine.

Long et al., Fully Convolutional Networks for Semantic Segmentation, 2015,
https://arxiv.org/abs/1411.4038. What differs from the paper is told in ``_vgg16.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maskforge.training.models._layers import check_size
from maskforge.training.models._vgg16 import FILTERS, VGG16

DIVISOR = 32


def with_skips(count: int) -> Callable[..., nn.Module]:
    """Return the function ``build`` of the FCN that adds the scores of so many poolings."""

    def build(
        *,
        in_channels: int,
        num_classes: int,
        filters: Sequence[int] = FILTERS,
        head: int = 4096,
        batch_norm: bool = True,
        encoder_weights: str | Path | None = None,
    ) -> nn.Module:
        """Return the network; ``filters`` of VGG16's blocks and ``head`` make it smaller.

        ``encoder_weights`` is a local file with torchvision's weights of vgg16_bn, or of vgg16
        where ``batch_norm`` is not set. Raises ReadError where they do not fit.
        """
        backbone = VGG16(in_channels, filters, head, batch_norm)
        if encoder_weights is not None:
            backbone.load(Path(encoder_weights))
        return FCN(backbone, num_classes, count)

    return build


class FCN(nn.Module):
    """VGG16, its class scores, those of ``skips`` poolings. ``divisor`` is that of the input."""

    def __init__(self, backbone: VGG16, num_classes: int, skips: int) -> None:
        super().__init__()
        self.divisor = DIVISOR
        self.backbone = backbone
        coarse, *fine = backbone.channels[::-1]  # fc7; pool4, pool3
        self.score = score(coarse, num_classes)
        self.skips = nn.ModuleList(score(channels, num_classes) for channels in fine[:skips])
        self.twice = nn.ModuleList(twice(num_classes) for _ in range(skips))

    def forward(self, x: Tensor) -> Tensor:  # (N, in_channels, H, W)
        """Return logits (N, num_classes, H, W)."""
        check_size(x, self.divisor)
        size = x.shape[-2:]
        fc7, *pools = self.backbone(x)[::-1]
        # In bfloat16 oneDNN, up to that of torch 2.13 at least, writes outside its memory in the
        # backward pass from 4096 channels to a few.
        with torch.autocast(x.device.type, enabled=False):
            x = self.score(fc7.float())  # (N, num_classes, H/32, W/32)
        for twice, skip, pool in zip(self.twice, self.skips, pools, strict=False):
            x = twice(x) + skip(pool)  # (N, num_classes, H/16, W/16), (N, num_classes, H/8, W/8)
        return F.interpolate(x, size, mode="bilinear", align_corners=False)


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
