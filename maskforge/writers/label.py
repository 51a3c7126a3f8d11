"""Label image as PNG, one channel: each pixel is its class id, the ignore index 255.

Mode "L", so that Pillow, OpenCV, torchvision, TensorFlow and scikit-image all read the ids; 16 bits
a pixel (ignore index 65535) when the class table has more than 255 ids. Small ids look black: that
is what previews are for. The class table travels in a text chunk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from maskforge.io import png
from maskforge.writers import Scene, _png

TITLE = "label image"
SUFFIX = ".png"
FOLDER = "masks"
LOSSLESS = True
COLLECTION: Final = False


@dataclass(frozen=True, slots=True)
class Options:
    """Nothing to choose."""


def encode(scene: Scene, options: Options) -> bytes:
    """Return the PNG file of class ids."""
    raster = scene.raster
    return png.encode_runs(
        raster.segments.start,
        _png.channels(raster),
        colors=raster.classes.stored,
        height=raster.height,
        width=raster.width,
        text=_png.text(raster.classes),
    )
