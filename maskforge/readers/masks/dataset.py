"""What a data set is: pairs of an image and a label image, a class table, and what was noticed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path

from maskforge.classes import ClassTable
from maskforge.errors import Problem, UsageError
from maskforge.io.images import Window
from maskforge.io.label_lists import Labels
from maskforge.labels import Relabelling
from maskforge.raster.annotation import IGNORED, Decoding, MaskFile


@dataclass(frozen=True, slots=True)
class Example:
    """One image and its label image. ``name`` is unique in its data set, with forward slashes.

    split: "train", "val" or "test", None where nothing says which. digest: of the image's file,
    where it is known.
    """

    name: str
    image: Path
    label: MaskFile
    split: str | None = None
    digest: str | None = None

    @property
    def picture(self) -> str:
        """What examples of one and the same picture have in common."""
        return self.digest or str(self.image)


@dataclass(frozen=True, slots=True)
class Dataset:
    """Images and label images of one class table. Picklable.

    kind: the module of :mod:`maskforge.datasets` that found it. notes: what was decided, in words.
    problems: what was left out or looks wrong. has_void: whether something says what is ignored:
    the user, the list of classes, a manifest. window: the values of images of more than 8 bits that
    are loaded as black and white, None for the lowest and the highest of each.
    """

    kind: str
    root: Path
    classes: ClassTable
    examples: tuple[Example, ...]
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    has_void: bool = False
    window: Window | None = None

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.examples)

    def of(self, split: str) -> tuple[Example, ...]:
        """Return the examples of ``split``."""
        return tuple(example for example in self.examples if example.split == split)


@dataclass(frozen=True, slots=True)
class Options:
    """What the user says about the data.

    labels: the class table, its names or the file that lists them. ignore: a pixel value that is
    neither trained nor scored. style: colours of the masks, as after ``--style``. images: the
    folder of the images, where they do not lie with the masks.
    """

    labels: Labels = None
    ignore: int | None = None
    style: str | None = None
    images: Path | None = None

    def refuse(self, kind: str, *names: str) -> None:
        """Raise UsageError for those of ``names`` that are given, but say nothing to ``kind``."""
        given = [name for name in names if getattr(self, name) is not None]
        if given:
            raise UsageError(f"{given[0]} must not be given for a data set of kind {kind}")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the pixels of a set of masks mean, and what was decided to find out."""

    classes: ClassTable
    decoding: Decoding
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def id_decoding(classes: ClassTable, *, ignore: int | None = None) -> Decoding:
    """Return how ids are stored in label images: as they are, ignore at the top or as -1.

    ignore: one more value that stands for ignore.
    """
    top = 255 if classes.ids[-1] < 255 else 65535
    table = {-1: IGNORED, top: IGNORED, classes.ignore_index: IGNORED}
    table |= {class_id: channel for channel, class_id in enumerate(classes.ids)}
    if ignore is not None:
        table[ignore] = IGNORED
    return Decoding("ids", tuple(table.items()))


def only(decoding: Decoding, values: Collection[int]) -> Decoding:
    """Return how ``values`` are read: masks stored with loss hold nothing else."""
    return replace(decoding, table=tuple(pair for pair in decoding.table if pair[0] in values))


def relabelled(
    classes: ClassTable, rules: Relabelling
) -> tuple[ClassTable, Callable[[MaskFile], MaskFile]]:
    """Return the table that ``rules`` make of another, and what makes its masks masks of that.

    Raises ClassError where no class is left.
    """
    table, channels = classes.relabelled(rules)
    now = {old: IGNORED if new is None else new for old, new in enumerate(channels)}
    now[IGNORED] = IGNORED

    def change(mask: MaskFile) -> MaskFile:
        pairs = mask.decoding.table or tuple((channel, channel) for channel in range(len(channels)))
        changed = tuple((value, now[channel]) for value, channel in pairs)
        return replace(mask, decoding=replace(mask.decoding, table=changed))

    return table, change


def without_background(classes: ClassTable) -> str:
    """Return the note that a table without background deserves."""
    return f"id {classes.ids[0]} is {classes.names[0]!r}, a class like the others"
