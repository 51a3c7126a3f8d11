"""Data sets a network is trained on: images and label images, found by content, checked, split.

    data = split(open_dataset("data/"), val=0.2, seed=0)
    found = check(data)
    image, label_image = load(data.examples[0], data)

One file a kind of data set. A kind has

    sniff(path, options) -> str         why ``path`` is of this kind, "" when it is not
    read(path, options) -> Dataset      without decoding an image

and, where it should win over others that see themselves in the same folder, a RANK above 0.
Nothing here needs torch.
"""

from __future__ import annotations

from maskforge.datasets._base import Dataset as Dataset
from maskforge.datasets._base import Decoding as Decoding
from maskforge.datasets._base import Example as Example
from maskforge.datasets._base import Label as Label
from maskforge.datasets._checking import Check as Check
from maskforge.datasets._checking import check as check
from maskforge.datasets._comparing import Comparison as Comparison
from maskforge.datasets._comparing import Pair as Pair
from maskforge.datasets._comparing import compare as compare
from maskforge.datasets._comparing import load_pair as load_pair
from maskforge.datasets._loading import load as load
from maskforge.datasets._masks import Masks as Masks
from maskforge.datasets._masks import open_masks as open_masks
from maskforge.datasets._names import list_text as list_text
from maskforge.datasets._opening import open_dataset as open_dataset
from maskforge.datasets._pixels import Header as Header
from maskforge.datasets._pixels import color_profile as color_profile
from maskforge.datasets._pixels import read_image as read_image
from maskforge.datasets._splitting import split as split
