"""FCN-32s: VGG16 made convolutional, its class scores at 1/32 interpolated to the full size.

Long et al., Fully Convolutional Networks for Semantic Segmentation, 2015,
https://arxiv.org/abs/1411.4038. 134.3 M parameters with 21 classes, nearly all of them in the two
layers that were fully connected. What differs from the paper is told in ``_vgg16.py``.
"""

from __future__ import annotations

from maskforge.training.models._fcn import DIVISOR as DIVISOR
from maskforge.training.models._fcn import with_skips

build = with_skips(0)
