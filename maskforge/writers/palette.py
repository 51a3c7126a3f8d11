"""Label image as a palette PNG, mode "P", in the colours of PASCAL VOC.

Each pixel is its class id (ignore 255), and programs show it in colour. Read it with Pillow:
OpenCV and others give the colours instead of the ids.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from maskforge.classes import ClassTable
from maskforge.errors import ClassError
from maskforge.io import png
from maskforge.palette import voc_palette
from maskforge.writers import Scene, _png

TITLE = "palette label image"
SUFFIX = ".png"
FOLDER = "masks"
LOSSLESS = True
COLLECTION: Final = False


@dataclass(frozen=True, slots=True)
class Options:
    """Nothing to choose."""


def encode(scene: Scene, options: Options) -> bytes:
    """Return the PNG file. Raises ClassError for more than 255 classes."""
    raster = scene.raster
    classes = raster.classes
    if classes.dtype is not np.uint8:
        raise ClassError(
            f"a palette PNG holds at most 255 classes, but the class table has {len(classes)}, "
            f"with ids up to {classes.ids[-1]}",
            code="too-large",
            cure="write --as label, which uses 16 bits",
        )
    return png.encode_runs(
        raster.segments.start,
        _png.channels(raster),
        colors=classes.stored,
        height=raster.height,
        width=raster.width,
        palette=_palette(classes),
        text=_png.text(classes),
    )


def _palette(classes: ClassTable) -> NDArray[np.uint8]:
    """Return the colours by number, (256, 3): the table's own, those of VOC for all others."""
    palette = voc_palette().copy()
    palette[list(classes.ids)] = classes.palette
    return palette
