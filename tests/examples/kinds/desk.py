"""Folders ``photos`` and ``answers``, with masks of class ids."""

from __future__ import annotations

from pathlib import Path

from maskforge.readers.masks import meaning, pairing
from maskforge.readers.masks.dataset import Dataset, Options
from maskforge.readers.masks.pairing import Folders


def sniff(path: Path, options: Options) -> str:
    """Return why ``path`` is such a folder, "" when it is not."""
    both = (path / "photos").is_dir() and (path / "answers").is_dir()
    return "photos and answers" if both else ""


def read(path: Path, options: Options) -> Dataset:
    """Return the data set. Raises ReadError, ClassError, UsageError."""
    pair = Folders(path / "photos", path / "answers")
    found = meaning.find(pairing.masks_of([pair]), options, beside=(path,))
    examples, problems = pairing.match_all([pair], found.decoding, root=path)
    told = (*found.problems, *problems)
    return Dataset("desk", path, found.classes, tuple(examples), found.notes, told)
