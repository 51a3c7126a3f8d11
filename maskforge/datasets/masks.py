"""Masks by themselves: what they mean, and which of them belongs to an image that comes along."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from maskforge.classes import ClassTable
from maskforge.datasets.comparing import Side
from maskforge.errors import Problem
from maskforge.io import files
from maskforge.io.label_lists import Labels
from maskforge.readers.masks import decoding, fitting, pairing
from maskforge.readers.masks.dataset import Example, Label, Options
from maskforge.readers.masks.decoding import LabelImage
from maskforge.readers.masks.pixels import Header


@dataclass(frozen=True, slots=True)
class Masks:
    """Masks by stem, and the class table that their pixels mean.

    notes: what was decided, in words. problems: what was left out.
    """

    classes: ClassTable
    labels: Mapping[str, Label]
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    def partners(self, names: Iterable[str]) -> dict[str, Label]:
        """Return the mask of each image of ``names``, stems with folders; some may have none.

        As in a data set the names are equal, or differ in their folders or a tail such as
        ``_mask``.
        """
        pairs = pairing.pair_up(names, self.labels)
        return {name: self.labels[stem] for name, stem in pairs.items()}

    def read(self, label: Label, image: Path, header: Header) -> LabelImage:
        """Return the label image (H, W) of the upright image; a mask of another size is resized.

        Raises ReadError for one of another shape, ClassError for values that are no class.
        """
        ids = decoding.read_label(label, self.classes)
        how = fitting.fit(header, ids.shape, Example(image.stem, image, label))
        return fitting.apply(how, ids, header)


def open_masks(
    path: str | os.PathLike[str], *, labels: Labels = None, ignore: int | None = None
) -> Masks:
    """Return the masks in ``path``: a folder of masks, one with ``masks/`` or the like in it, an
    output of maskforge, or a one-hot file.

    labels: class table, names or the file that lists them; else those found with the masks. ignore:
    a value that says nothing. Raises ReadError, ClassError, UsageError.
    """
    options = Options(labels, ignore)
    side = Side.of(Path(path), options)
    meaning = side.meaning(side.names, options)
    return Masks(
        meaning.classes,
        # Images are named so when they are found: in NFC, without what file systems refuse.
        {files.safe_name(stem): side.label(stem, meaning) for stem in side.labels},
        meaning.notes,
        (*meaning.problems, *side.problems),
    )
