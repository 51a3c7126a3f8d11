"""Label image as a portable graymap, which any editor of text and images can open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from maskforge.errors import ClassError
from maskforge.writers import Scene

TITLE = "portable graymap"
SUFFIX = ".pgm"
FOLDER = "graymaps"
LOSSLESS = True
COLLECTION: Final = False


@dataclass(frozen=True, slots=True)
class Options:
    """Nothing to choose."""


def encode(scene: Scene, options: Options) -> bytes:
    """Return the file. Raises ClassError where an id does not fit into a byte."""
    raster = scene.raster
    ids = raster.label_image()
    if ids.itemsize > 1:
        raise ClassError("a graymap holds ids up to 255", cure="write --as label")
    return b"P5 %d %d 255\n" % (raster.width, raster.height) + ids.tobytes()
