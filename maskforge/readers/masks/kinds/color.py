"""Folders of images and of masks painted in colours, such as the article's features/ and labels/.

The colours are those of a known style, or those that ``--style`` gives.
"""

from __future__ import annotations

from pathlib import Path

from maskforge.readers.masks import pairing, scanning
from maskforge.readers.masks.dataset import Dataset, Options
from maskforge.readers.masks.kinds._folders import read_pairs


def sniff(path: Path, options: Options) -> str:
    """Return why ``path`` is such a folder, "" when it is not."""
    found = pairing.folders(path, options.images)
    if not found:
        return ""
    if options.style is not None:
        return f"masks in {found[0].masks.name!r} and a style"
    if scanning.are_colored(pairing.masks_of(found)):
        return f"coloured masks in {found[0].masks.name!r}"
    return ""


def read(path: Path, options: Options) -> Dataset:
    """Return the data set. Raises ReadError, ClassError, UsageError."""
    return read_pairs(path, options, kind="color")
