"""Folders of images and of masks: what the kinds with such folders have in common."""

from __future__ import annotations

from pathlib import Path

from maskforge.errors import ReadError
from maskforge.readers.masks import lists, pairing
from maskforge.readers.masks.dataset import Dataset, Options
from maskforge.readers.masks.meaning import find as find_meaning


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
    meaning = find_meaning(masks, options, beside=beside)
    found, problems = pairing.match_all(pairs, meaning.decoding, root=path)
    examples, notes, strange = lists.by_lists(found, path)
    return Dataset(
        kind,
        path,
        meaning.classes,
        tuple(examples),
        (*meaning.notes, *notes),
        (*meaning.problems, *problems, *strange),
    )
