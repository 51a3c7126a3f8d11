"""Folders of images and of masks that hold class ids, such as images/ and masks/.

Either may have folders inside, ``train`` and ``val`` among them, or stand in such a folder itself;
lists ``train.txt`` and ``val.txt`` beside them tell the splits too. Masks are PNG of one channel or
with a palette, .npy, or any image file without loss; masks of 0 and 255 are understood.
"""

from __future__ import annotations

from pathlib import Path

from maskforge.errors import ReadError
from maskforge.readers.masks import lists, pairing, scanning
from maskforge.readers.masks import meaning as _meaning
from maskforge.readers.masks.dataset import Dataset, Options


def sniff(path: Path, options: Options) -> str:
    """Return why ``path`` is such a folder, "" when it is not."""
    pairs = pairing.folders(path, options.images)
    if not pairs or options.style is not None or scanning.are_colored(pairing.masks_of(pairs)):
        return ""
    return f"images in {pairs[0].images.name!r}, masks in {pairs[0].masks.name!r}"


def read(path: Path, options: Options) -> Dataset:
    """Return the data set. Raises ReadError, ClassError, UsageError."""
    return read_pairs(path, options, kind="pairs")


def read_pairs(path: Path, options: Options, *, kind: str) -> Dataset:
    """Return the data set of the folders below ``path``, whatever its masks hold."""
    pairs = pairing.folders(path, options.images)
    masks = pairing.masks_of(pairs)
    if not masks:
        raise ReadError(
            f"there must be masks in {pairs[0].masks.name!r}, but there are none",
            code="no-mask",
            file=str(path),
            cure="annotations have to be made into masks first: maskforge convert",
        )
    beside = (path, *dict.fromkeys(pair.masks for pair in pairs))
    meaning = _meaning.find(masks, options, beside=beside)
    found, problems = pairing.match_all(pairs, meaning.decoding, root=path)
    examples, notes, strange = lists.by_lists(found, path)
    return Dataset(
        kind,
        path,
        meaning.classes,
        tuple(examples),
        (*meaning.notes, *notes),
        (*meaning.problems, *problems, *strange),
        meaning.first,
    )
