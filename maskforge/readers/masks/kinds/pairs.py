"""Folders of images and of masks that hold class ids, such as images/ and masks/.

Either may have folders inside, ``train`` and ``val`` among them, or stand in such a folder itself;
lists ``train.txt`` and ``val.txt`` beside them tell the splits too. Or each mask lies beside its
image, and its name says so. Masks are PNG of one channel or with a palette, .npy, or any image
file; masks of 0 and 255, and JPEG of levels that lie far apart, are understood.
"""

from __future__ import annotations

from pathlib import Path

from maskforge.readers.masks import pairing, scanning
from maskforge.readers.masks.dataset import Dataset, Options
from maskforge.readers.masks.kinds._folders import read_pairs


def sniff(path: Path, options: Options) -> str:
    """Return why ``path`` is such a folder, "" when it is not."""
    pairs = pairing.folders(path, options.images)
    if not pairs or options.style is not None or scanning.are_colored(pairing.masks_of(pairs)):
        return ""
    return f"images in {pairs[0].images.name!r}, masks in {pairs[0].masks.name!r}"


def read(path: Path, options: Options) -> Dataset:
    """Return the data set. Raises ReadError, ClassError, UsageError."""
    return read_pairs(path, options, kind="pairs")
