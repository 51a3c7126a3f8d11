"""Masks by themselves: what they mean, and which of them belongs to an image that comes along."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from maskforge.classes import ClassTable
from maskforge.errors import ClassError, Problem, ReadError
from maskforge.io import files, label_lists, onehot
from maskforge.io.label_lists import Labels, Listed
from maskforge.labels import Relabelling
from maskforge.raster.annotation import Decoding, MaskFile
from maskforge.readers.masks import decoding, fitting, majority, naming, pairing
from maskforge.readers.masks import meaning as _meaning
from maskforge.readers.masks.dataset import Meaning, Options, relabelled
from maskforge.readers.masks.decoding import LabelImage
from maskforge.readers.masks.kinds import manifest
from maskforge.readers.masks.pixels import Header


@dataclass(frozen=True, slots=True)
class Masks:
    """Masks by stem, and the class table that their pixels mean.

    notes: what was decided, in words. problems: what was left out.
    """

    classes: ClassTable
    labels: Mapping[str, MaskFile]
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    def partners(self, names: Iterable[str]) -> dict[str, MaskFile]:
        """Return the mask of each image of ``names``, stems with folders; some may have none.

        As in a data set the names are equal, or differ in their folders or a tail such as
        ``_mask``.
        """
        pairs = pairing.pair_up(names, self.labels)
        return {name: self.labels[stem] for name, stem in pairs.items()}

    def read(self, label: MaskFile, image: Path, header: Header) -> LabelImage:
        """Return the label image (H, W) of the upright image; a mask of another size is resized.

        Raises ReadError for one of another shape, ClassError for values that are no class.
        """
        ids = decoding.read_label(label, self.classes)
        how = fitting.fit(header, ids.shape, label, image)
        return fitting.apply(how, ids, header)


def open_masks(
    path: str | os.PathLike[str],
    *,
    labels: Labels = None,
    ignore: int | None = None,
    style: str | None = None,
    relabelling: Relabelling | None = None,
) -> Masks:
    """Return the masks in ``path``: a folder of masks, one with ``masks/`` or the like in it, an
    output of maskforge, or a one-hot file.

    labels: class table, names or the file that lists them; else those found with the masks. ignore:
    a value that says nothing. style: the colours of painted masks. relabelling: what becomes of the
    classes' names. Raises ReadError, ClassError, UsageError.
    """
    options = Options(labels, ignore, style)
    side = Side.of(Path(path), options)
    meaning = side.meaning(side.names, options)
    # Images are named so when they are found: in NFC, without what file systems refuse.
    kept = majority.kept(side.labels, meaning.problems)
    found = {files.safe_name(stem): side.label(stem, meaning) for stem in kept}
    classes, notes = meaning.classes, meaning.notes
    problems = [*meaning.problems, *side.problems]
    if relabelling:
        problems += relabelling.doubts(classes.names, str(path))
        notes = (*notes, *relabelling.told(classes.names))
        classes, change = relabelled(classes, relabelling)
        found = {stem: change(mask) for stem, mask in found.items()}
    return Masks(classes, found, notes, tuple(problems))


_UNKNOWN = Decoding("ids")


@dataclass(frozen=True, slots=True)
class Side:
    """The masks of one side by stem, and the names that they have of their own, if any.

    fixed: the decoding is known, and the labels have it already.
    """

    labels: dict[str, MaskFile]
    names: Listed | None
    problems: list[Problem]
    fixed: bool = False

    @classmethod
    def of(cls, path: Path, options: Options) -> Side:
        """Return the masks in ``path``. Raises ReadError, ClassError."""
        if manifest.sniff(path, options):
            classes, labels = manifest.labels(path, options)
            return cls(labels, Listed(classes, str(path)), [], fixed=True)
        if path.is_file() and onehot.is_onehot(path):
            found = onehot.OneHotFile(path)
            planes = {
                naming.without_suffix(key): MaskFile(path, Decoding("planes"), key) for key in found
            }
            names = label_lists.given(options.labels) or label_lists.beside(path.parent)
            return cls(planes, names, [], fixed=True)
        folder = pairing.masks_in(path)
        paths, problems = pairing.by_stem(folder, pairing.MASK_SUFFIXES)
        if not paths:
            raise ReadError(
                "there must be a folder with masks, or a one-hot file",
                code="no-mask" if path.exists() else "unreadable",
                file=str(path),
            )
        first, *others = paths.values()
        if not others and onehot.is_onehot(first):
            return cls.of(first, options)
        beside = dict.fromkeys((path, folder, folder.parent))
        names = _meaning.find_names(list(paths.values()), options, beside=list(beside))
        labels = {stem: MaskFile(mask, _UNKNOWN) for stem, mask in paths.items()}
        return cls(labels, names, problems)

    def meaning(self, names: Listed | None, options: Options) -> Meaning:
        """Return what the pixels mean when the classes have ``names``, if any."""
        if not self.fixed:
            return _meaning.under_names(
                [label.path for label in self.labels.values()], names, options
            )
        if names is None:
            raise ClassError(
                "one-hot planes do not name their classes", cure="name them with --labels"
            )
        return Meaning(names.classes, _UNKNOWN, (f"classes: {names.origin}",))

    def label(self, stem: str, meaning: Meaning) -> MaskFile:
        """Return the label image ``stem``, decoded as ``meaning`` says."""
        found = self.labels[stem]
        return found if self.fixed else replace(found, decoding=meaning.decoding)
