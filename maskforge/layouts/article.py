"""``features/N_x.png`` and ``labels/N_y.png``, numbered from 0, all 512x512, masks in colour.

The folders that the published person-segmentation U-Net of OCHuman's users trains from. Which
image N was is in the manifest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from maskforge.classes import ClassTable
from maskforge.layouts import Names, Places
from maskforge.layouts.pairs import closing as closing
from maskforge.rasterize import Raster
