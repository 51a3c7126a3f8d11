"""Data sets a network is trained on: images and label images, found by content, checked, split.

    data = split(open_dataset("data/"), val=0.2, seed=0)
    found = check(data)
    image, label_image = load(data.examples[0], data)

Nothing here needs torch.
"""

from __future__ import annotations

from maskforge.datasets.checking import Check as Check
from maskforge.datasets.checking import check as check
from maskforge.datasets.comparing import Comparison as Comparison
from maskforge.datasets.comparing import Pair as Pair
from maskforge.datasets.comparing import compare as compare
from maskforge.datasets.comparing import load_pair as load_pair
from maskforge.datasets.splitting import split as split
from maskforge.datasets.splitting import with_test as with_test
from maskforge.raster.annotation import Decoding as Decoding
from maskforge.raster.annotation import MaskFile as MaskFile
from maskforge.readers.masks.alone import Masks as Masks
from maskforge.readers.masks.alone import open_masks as open_masks
from maskforge.readers.masks.dataset import Dataset as Dataset
from maskforge.readers.masks.dataset import Example as Example
from maskforge.readers.masks.decoding import load as load
from maskforge.readers.masks.opening import open_dataset as open_dataset
from maskforge.readers.masks.pixels import Header as Header
from maskforge.readers.masks.pixels import color_profile as color_profile
from maskforge.readers.masks.pixels import read_image as read_image
