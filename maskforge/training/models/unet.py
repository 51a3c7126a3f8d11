"""U-Net: a path down that sees more and more, a path up that remembers where it was.

Ronneberger et al., U-Net: Convolutional Networks for Biomedical Image Segmentation, 2015,
https://arxiv.org/abs/1505.04597. Filters 64 to 1024, two 3x3 convolutions a level, 2x2 max pooling,
2x2 transposed convolutions, and the features of the way down concatenated on the way up. As is
usual today the convolutions are padded, so that the logits have the input's size, and batch
normalized (which makes their biases superfluous). 31.0 M parameters.

``norm`` says where they are normalized: ``before-relu``, or ``after-relu`` as many write it in
Keras, where biases count and the transposed convolutions are followed by both too. ``upsampling``
is one of the three ways that Long et al. name (https://arxiv.org/abs/1411.4038): ``transposed``, a
learned convolution; ``bilinear`` interpolation; ``unpooling``, which puts a feature back where the
pooling of its level had found the largest and zeros elsewhere (Zeiler and Fergus,
https://arxiv.org/abs/1311.2901). Before the latter two a 1x1 convolution halves the features.

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


NORMS = ("before-relu", "after-relu")
UPSAMPLINGS = ("transposed", "bilinear", "unpooling")


def build(
    *,
    in_channels: int,
    num_classes: int,
    width: int = 64,
    depth: int = 4,
    stride: int = 1,
    norm: str = "before-relu",
    upsampling: str = "transposed",
) -> nn.Module:
    """Return a U-Net: ``width`` filters at the top, doubled at each of ``depth`` poolings.

    Its input must be divisible by stride * 2 ** depth (:data:`DIVISOR` with the defaults).
    """
    for name, value, known in (("norm", norm, NORMS), ("upsampling", upsampling, UPSAMPLINGS)):
        if value not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}, but got {value!r}")
    return UNet(in_channels, num_classes, width, depth, stride, norm, upsampling)


class UNet(nn.Module):
    """See the module. ``divisor`` is what the input's height and width must be multiples of."""

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        width: int,
        depth: int,
        stride: int,
        norm: str,
        upsampling: str,
    ) -> None:
        if min(width, depth, stride) < 1:
            got = (width, depth, stride)
            raise ValueError(f"width, depth and stride must be at least 1, but got {got}")
        super().__init__()
        self.stride, self.upsampling = stride, upsampling
        self.divisor = stride * 2**depth
        filters = [width * 2**level for level in range(depth + 1)]  # 64, 128, 256, 512, 1024
        self.down = nn.ModuleList(
            two_convolutions(a, b, norm)
            for a, b in zip([in_channels * stride**2, *filters[:-2]], filters[:-1], strict=True)
        )
        self.bottom = two_convolutions(filters[-2], filters[-1], norm)
        self.grow = nn.ModuleList(halving(2 * f, f, norm, upsampling) for f in filters[-2::-1])
        self.up = nn.ModuleList(two_convolutions(2 * f, f, norm) for f in filters[-2::-1])
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
            across, x = passed.pop(), grow(x)
            if self.upsampling == "bilinear":
                x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            elif self.upsampling == "unpooling":
                x = unpooled(x, across)
            x = torch.cat([across, x], dim=1)
            x = level(x)  # (N, 64 * 2^i, h / 2^i, w / 2^i)
        return F.pixel_shuffle(self.classify(x), self.stride)  # (N, num_classes, H, W)


def halving(before: int, after: int, norm: str, upsampling: str) -> nn.Module:
    """Return what has ``after`` features of ``before``, at twice the size where that is learned."""
    layer: nn.Module = (
        nn.ConvTranspose2d(before, after, kernel_size=2, stride=2)
        if upsampling == "transposed"
        else nn.Conv2d(before, after, kernel_size=1)
    )
    if norm == "before-relu":
        return layer
    return nn.Sequential(layer, nn.ReLU(inplace=True), nn.BatchNorm2d(after))


def unpooled(x: Tensor, before: Tensor) -> Tensor:
    """Return ``x`` (N, C, h, w) at (N, C, 2h, 2w): each value where 2x2 of ``before`` are largest.

    Of equals it is the first. Elsewhere there are zeros.
    """
    count, channels, height, width = x.shape
    blocks = F.pixel_unshuffle(before, 2).view(count, channels, 4, height, width)
    where = blocks.argmax(dim=2, keepdim=True)
    four = torch.arange(4, device=x.device).view(1, 1, 4, 1, 1)
    return F.pixel_shuffle((x.unsqueeze(2) * (where == four)).flatten(1, 2), 2)


def two_convolutions(before: int, after: int, norm: str) -> nn.Sequential:
    """Return two times: 3x3 convolution, batch normalization, ReLU; or the latter in turn."""
    if norm == "after-relu":
        return nn.Sequential(
            nn.Conv2d(before, after, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.BatchNorm2d(after),
            nn.Conv2d(after, after, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.BatchNorm2d(after),
        )
    return nn.Sequential(
        nn.Conv2d(before, after, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
        nn.Conv2d(after, after, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    )
