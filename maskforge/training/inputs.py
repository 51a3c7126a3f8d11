"""From images as they are decoded to what a network sees: gray or not, its values, its axes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from maskforge.prediction.config import Config

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
"""Of ImageNet's images, RGB, 0 to 1: what pretrained encoders expect; it suits others as well."""

GRAY = (0.299, 0.587, 0.114)
"""How bright red, green and blue are (ITU-R BT.601), as Pillow, OpenCV and TensorFlow have it."""

_VALUES = {
    "imagenet": (MEAN, STD),
    "unit": ((0.0,) * 3, (1.0,) * 3),
    "symmetric": ((0.5,) * 3, (0.5,) * 3),
    "none": ((0.0,) * 3, (1.0,) * 3),  # of values that are not divided before
}
"""Mean and deviation by name, of values from 0 to 1."""


class Inputs(nn.Module):
    """Images (N, H, W, 3) uint8 in RGB to (N, ``channels``, H, W) float32, as the settings say."""

    mean: Tensor
    std: Tensor
    gray: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.channels, self.normalize = config.channels, config.normalize
        self.register_buffer("gray", torch.tensor(GRAY).view(1, 3, 1, 1))
        for name, values in zip(("mean", "std"), _VALUES[config.normalize], strict=True):
            made = torch.tensor(values).view(1, 3, 1, 1)
            self.register_buffer(name, self._brightness(made) if self.channels == 1 else made)

    def forward(self, images: Tensor) -> Tensor:
        """Return what the network sees."""
        x = images.permute(0, 3, 1, 2).float()
        if self.channels == 1:
            x = self._brightness(x)
        if self.normalize != "none":
            x = x / 255
        return (x - self.mean) / self.std

    def _brightness(self, x: Tensor) -> Tensor:
        return (x * self.gray).sum(dim=1, keepdim=True)
