"""Polygons to be corrected by hand: another name for ``--as labelme``."""

from maskforge.writers._labelme import (
    COLLECTION,
    FOLDER,
    LOSSLESS,
    SUFFIX,
    TITLE,
    Options,
    encode,
)

__all__ = ["COLLECTION", "FOLDER", "LOSSLESS", "SUFFIX", "TITLE", "Options", "encode"]
