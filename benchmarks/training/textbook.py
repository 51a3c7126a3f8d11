"""The networks as tutorials and tools write them: the same layers, nothing thought about speed."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class UNet(nn.Module):
    """Ronneberger's U-Net with padding and batch norm; 31.0 M parameters at ``width`` 64."""

    def __init__(self, classes: int, width: int = 64) -> None:
        super().__init__()
        w = [width * 2**level for level in range(5)]
        self.down1, self.down2 = _double(3, w[0]), _double(w[0], w[1])
        self.down3, self.down4 = _double(w[1], w[2]), _double(w[2], w[3])
        self.bottom = _double(w[3], w[4])
        self.grow4, self.up4 = nn.ConvTranspose2d(w[4], w[3], 2, 2), _double(w[4], w[3])
        self.grow3, self.up3 = nn.ConvTranspose2d(w[3], w[2], 2, 2), _double(w[3], w[2])
        self.grow2, self.up2 = nn.ConvTranspose2d(w[2], w[1], 2, 2), _double(w[2], w[1])
        self.grow1, self.up1 = nn.ConvTranspose2d(w[1], w[0], 2, 2), _double(w[1], w[0])
        self.out = nn.Conv2d(w[0], classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        d1 = self.down1(x)
        d2 = self.down2(F.max_pool2d(d1, 2))
        d3 = self.down3(F.max_pool2d(d2, 2))
        d4 = self.down4(F.max_pool2d(d3, 2))
        x = self.bottom(F.max_pool2d(d4, 2))
        x = self.up4(torch.cat([d4, self.grow4(x)], dim=1))
        x = self.up3(torch.cat([d3, self.grow3(x)], dim=1))
        x = self.up2(torch.cat([d2, self.grow2(x)], dim=1))
        x = self.up1(torch.cat([d1, self.grow1(x)], dim=1))
        return self.out(x)


class SmallUNet(nn.Module):
    """The article's network: 32-64-128-128, dropout 0.2, upsampling, no batch norm."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.down1, self.down2, self.down3 = _dropped(3, 32), _dropped(32, 64), _dropped(64, 128)
        self.bottom = _dropped(128, 128)
        self.up3, self.up2, self.up1 = _dropped(256, 64), _dropped(128, 64), _dropped(96, 32)
        self.out = nn.Conv2d(32, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        d1 = self.down1(x)
        d2 = self.down2(F.max_pool2d(d1, 2))
        d3 = self.down3(F.max_pool2d(d2, 2))
        x = self.bottom(F.max_pool2d(d3, 2))
        x = self.up3(torch.cat([F.interpolate(x, scale_factor=2), d3], dim=1))
        x = self.up2(torch.cat([F.interpolate(x, scale_factor=2), d2], dim=1))
        x = self.up1(torch.cat([F.interpolate(x, scale_factor=2), d1], dim=1))
        return self.out(x)


class PyramidFCN(nn.Module):
    """The book's: ResNet56 v2 to 1/4 of the size, three pyramid layers, two transposed ones."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        before = 16
        for stage, (inner, after) in enumerate(((16, 64), (64, 128), (128, 256))):
            for number in range(6):
                stride = 2 if stage and not number else 1
                blocks.append(_Bottleneck(before, inner, after, stride, bare=not blocks))
                before = after
        self.backbone = nn.Sequential(
            *_normed(3, 16), *blocks, nn.BatchNorm2d(before), nn.ReLU(inplace=True)
        )
        self.shrink2, self.shrink3 = _normed(256, 512, 2), _normed(512, 512, 2)
        self.level1, self.level2, self.level3 = (_normed(c, 256) for c in (256, 512, 512))
        self.up = nn.Sequential(*_grown(1024, 256), *_grown(256, 256))
        self.out = nn.Conv2d(256, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.backbone(x)
        size = x.shape[-2:]
        p1 = F.avg_pool2d(x, 2)
        p2 = self.shrink2(p1)
        p3 = self.shrink3(p2)
        levels = self.level1(p1), self.level2(p2), self.level3(p3)
        enlarged = [F.interpolate(level, size, mode="bilinear") for level in levels]
        return self.out(self.up(torch.cat([x, *enlarged], dim=1)))


class FCN8s(nn.Module):
    """Long's FCN-8s on torchvision's VGG16 with batch norm."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        from torchvision.models import vgg16_bn

        layers = vgg16_bn(weights=None).features
        self.pool3, self.pool4, self.pool5 = layers[:24], layers[24:34], layers[34:]
        self.head = nn.Sequential(
            *(nn.Conv2d(512, 4096, 7, padding=3), nn.ReLU(inplace=True), nn.Dropout(0.5)),
            *(nn.Conv2d(4096, 4096, 1), nn.ReLU(inplace=True), nn.Dropout(0.5)),
        )
        self.score5, self.score4, self.score3 = (
            nn.Conv2d(channels, classes, 1) for channels in (4096, 512, 256)
        )
        self.twice5 = nn.ConvTranspose2d(classes, classes, 4, 2, 1, bias=False)
        self.twice4 = nn.ConvTranspose2d(classes, classes, 4, 2, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        size = x.shape[-2:]
        p3 = self.pool3(x)
        p4 = self.pool4(p3)
        x = self.head(self.pool5(p4))
        with torch.autocast(x.device.type, enabled=False):  # else oneDNN ends the process: _fcn.py
            x = self.score5(x.float())
        x = self.twice5(x) + self.score4(p4)
        x = self.twice4(x) + self.score3(p3)
        return F.interpolate(x, size, mode="bilinear")


class _Bottleneck(nn.Module):
    def __init__(self, before: int, inner: int, after: int, stride: int, *, bare: bool) -> None:
        super().__init__()
        self.first = nn.Sequential() if bare else _activated(before)
        self.main = nn.Sequential(
            nn.Conv2d(before, inner, 1, stride),
            *(*_activated(inner), nn.Conv2d(inner, inner, 3, padding=1)),
            *(*_activated(inner), nn.Conv2d(inner, after, 1)),
        )
        same = before == after and stride == 1
        self.shortcut = nn.Sequential() if same else nn.Conv2d(before, after, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.main(self.first(x))


def _activated(channels: int) -> nn.Sequential:
    return nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU(inplace=True))


def _normed(before: int, after: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, stride, 1), nn.BatchNorm2d(after), nn.ReLU(inplace=True)
    )


def _grown(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.ConvTranspose2d(before, after, 3, 2, 1, 1), nn.BatchNorm2d(after), nn.ReLU(inplace=True)
    )


def _double(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(*_normed(before, after), *_normed(after, after))


def _dropped(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        *(nn.Conv2d(before, after, 3, padding=1), nn.ReLU(inplace=True), nn.Dropout(0.2)),
        *(nn.Conv2d(after, after, 3, padding=1), nn.ReLU(inplace=True)),
    )
