"""FCN-8s: FCN-32s, and two skips: scores are doubled and summed with those of pool4, then pool3.

Long et al., Fully Convolutional Networks for Semantic Segmentation, 2015,
https://arxiv.org/abs/1411.4038. What differs from the paper is told in ``_vgg16.py``.
"""

from __future__ import annotations

from maskforge.training.models._fcn import DIVISOR as DIVISOR
from maskforge.training.models._fcn import with_skips

build = with_skips(2)
