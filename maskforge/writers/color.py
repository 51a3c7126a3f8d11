"""Colour mask as PNG, three channels, lossless; for people, and for networks that learn colours.

A PNG stores RGB; ``cv2.imread`` turns that into BGR, so that the style ``purple-yellow`` arrives as
the published OCHuman colours, BGR (120, 0, 120) and (50, 235, 235). Two-colour styles paint every
class but the background in one colour. Pixels to be ignored are grey (127, 127, 127).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from maskforge import styles
from maskforge.io import png
from maskforge.writers import Scene, _png

TITLE = "colour mask"
SUFFIX = ".png"
FOLDER = "masks"
LOSSLESS = True
COLLECTION: Final = False


@dataclass(frozen=True, slots=True)
class Options:
    """style: what :func:`maskforge.styles.parse` understands."""

    style: str = "purple-yellow"


def encode(scene: Scene, options: Options) -> bytes:
    """Return the PNG file. Raises UsageError for a style that does not fit the class table."""
    raster = scene.raster
    return png.encode_runs(
        raster.segments.start,
        _png.channels(raster),
        colors=styles.parse(options.style, raster.classes),
        height=raster.height,
        width=raster.width,
    )
