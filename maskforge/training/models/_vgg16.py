"""VGG16 with its fully connected layers as convolutions: the backbone of the three FCNs.

Simonyan and Zisserman, Very Deep Convolutional Networks, https://arxiv.org/abs/1409.1556;
turned into a fully convolutional network by Long et al., https://arxiv.org/abs/1411.4038.

Two things differ from the paper. It pads the image by 100 pixels and crops the result back;
here every layer is padded, so that nothing is to be cropped. And the convolutions are batch
normalized (``batch_norm=False`` leaves that out), without which 16 layers hardly train from
scratch. Layers are numbered as torchvision's ``vgg16`` and ``vgg16_bn`` number theirs, so that
files of their weights fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor, nn

from maskforge.training.models import _pretrained
from maskforge.training.models._layers import start_weights

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
        layers: list[nn.Module] = []
        before = in_channels
        for after, count in zip(filters, LAYERS, strict=True):
            for _ in range(count):
                layers.append(nn.Conv2d(before, after, kernel_size=3, padding=1))
                layers += [nn.BatchNorm2d(after)] if batch_norm else []
                layers.append(nn.ReLU(inplace=True))
                before = after
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Conv2d(before, head, kernel_size=7, padding=3),  # fc6
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
        for layer in self.features:
            x = layer(x)
            if isinstance(layer, nn.MaxPool2d):
                pools.append(x)  # (N, filters, H / 2^i, W / 2^i)
        return pools[2], pools[3], self.classifier(x)

    def load(self, file: Path) -> None:
        """Load torchvision's weights, those of fc6 and fc7 too where the file has them.

        Raises ReadError.
        """
        plain = not any(isinstance(layer, nn.BatchNorm2d) for layer in self.features)
        _pretrained.load_encoder(
            self,
            file,
            cure="give torchvision's vgg16, or its vgg16_bn without --option batch_norm=false"
            if plain
            else "give torchvision's vgg16_bn, or its vgg16 with --option batch_norm=false",
            optional="classifier.",
        )
