"""Instance image as PNG, one channel: each pixel is the number of its instance, 0 where none is.

Instances count from 1 within each image, one for each pair of label and group, in the source's
order. Pixels to be ignored are 0. Mode "L", 16 bits a pixel above 255 instances; a palette PNG in
VOC colours on request, as VOC's SegmentationObject, unless there are more than 255.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from maskforge.errors import GeometryError
from maskforge.io import png
from maskforge.palette import voc_palette
from maskforge.writers import Scene

TITLE = "instance image"
SUFFIX = ".png"
FOLDER = "masks"
LOSSLESS = True
COLLECTION: Final = False


@dataclass(frozen=True, slots=True)
class Options:
    """palette: a palette PNG in VOC colours where the instances are at most 255."""

    palette: bool = False


def encode(scene: Scene, options: Options) -> bytes:
    """Return the PNG file. Raises GeometryError for more than 65535 instances in the image."""
    raster = scene.raster
    count = int(raster.region_instance.max(initial=0))
    if count > 65535:
        raise GeometryError(
            f"an image must have at most 65535 instances, but has {count}", code="too-large"
        )
    wide = count > 255
    numbers = np.arange(count + 1)
    return png.encode_runs(
        raster.segments.start,
        raster.segment_instance,
        colors=numbers.astype(np.uint16) if wide else numbers.astype(np.uint8),
        height=raster.height,
        width=raster.width,
        palette=voc_palette() if options.palette and not wide else None,
    )
