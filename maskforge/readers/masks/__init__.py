"""Masks of every kind that training reads: ids, palettes, colours, planes, with or without images.

Kept: what each pixel is, the classes and their ids, names, splits; the image, where there is one.
A mask whose size is not that of its image is turned as the image's EXIF says, or resized (nearest)
where the ratio of its sides is the same. Instances, and what lies below the class on top, are in no
label image. Read as a whole: what the values of a set mean is told by all of its masks together.

    kinds/        sets of masks and images: one file a kind
    alone.py      masks without images
    meaning.py    what their values are: ids, colours, 0 and 255
    decoding.py   from a file to channels
    inspection.py what one file holds, and what is wrong with it
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskforge.errors import MaskforgeError, Problem, ReadError, many
from maskforge.io.label_lists import Labels, Listed
from maskforge.labels import Relabelling

if TYPE_CHECKING:
    from maskforge.raster.annotation import Annotation, MaskFile

TITLE = "masks of any kind"
SUFFIXES: tuple[str, ...] = ()  # a folder of masks is read as a whole, no file of it by itself
DEFAULT_OUTPUT = "label"
DEFAULT_FILE: str | None = None
REGIONS = False
labels = None


@dataclass(frozen=True, slots=True)
class Options:
    """How masks are read.

    labels: the classes that the user names, as for a conversion; relabelling: what becomes of them.
    """

    kind: str | None = field(
        default=None,
        metadata={
            "help": "Kind of the set of masks. [default: found by content]",
            "choices": "readers.masks.kinds",
        },
    )
    ignore: int | None = field(
        default=None, metadata={"help": "A pixel value that becomes ignore.", "metavar": "N"}
    )
    mask_style: str | None = field(
        default=None,
        metadata={
            "help": "Colours of painted masks, as --style has them. [default: found by content]",
            "metavar": "STYLE",
        },
    )
    labels: Labels = field(default=None, metadata={"command": False})
    relabelling: Relabelling = field(default=Relabelling(), metadata={"command": False})


@dataclass(frozen=True, slots=True)
class _Set:
    """What is in one place: masks, the images that belong to them, and what the classes are."""

    classes: Listed
    items: tuple[tuple[str, MaskFile, Path | None, str | None], ...]
    problems: tuple[Problem, ...]


def sniff(path: Path, head: bytes) -> str | None:
    """Return why ``path`` is a set of masks, or a one-hot file; None where it is not."""
    from maskforge import readers
    from maskforge.readers.masks import alone, opening, pairing
    from maskforge.readers.masks.dataset import Options as Given

    if not (path.is_dir() or head.startswith((b"\x93NUMPY", b"\x89PNG"))):
        return None
    try:
        kind, reason = opening.find_kind(path, Given())
        # Folders may be called as those of masks are, and hold label files.
        if kind != "pairs" or pairing.masks_of(pairing.folders(path, None)):
            return f"{kind}: {reason}"
    except MaskforgeError:
        pass
    if readers.load("yolo").sniff(path, head):
        return None  # its photographs may be as flat as masks are
    try:
        found = alone.open_masks(path)
    except MaskforgeError:
        return None
    return (
        f"{many(len(found.labels), 'mask')} of {many(len(found.classes), 'class', 'classes')}"
        if found.labels
        else None
    )


def read(path: Path, options: Options) -> Iterator[Annotation | Listed | Problem]:
    """Yield what the masks mean, then each mask of a set, a folder or a file, with its image.

    Nothing is decoded that the meaning does not take.

    Raises ReadError, ClassError, UsageError.
    """
    from maskforge.raster.annotation import Annotation

    found = _opened(path, options)
    yield found.classes
    yield from found.problems
    for name, mask, image, split in found.items:
        suffix = mask.path.suffix if image is None else image.suffix
        called = mask.key if image is None and mask.key else name + suffix
        yield Annotation(called, mask.path, "", (), mask.key, image, split=split, mask=mask)


def _opened(path: Path, options: Options) -> _Set:
    """Open a set; what its values mean may have taken a look at every mask."""
    from maskforge.readers.masks import alone, opening

    given: dict[str, Any] = {
        "labels": options.labels,
        "ignore": options.ignore,
        "style": options.mask_style,
        "relabelling": options.relabelling,
    }
    try:
        data = opening.open_dataset(path, kind=options.kind, **given)
    except ReadError as error:
        if options.kind is not None or error.code not in ("wrong-format", "no-image", "no-mask"):
            raise
        try:
            masks = alone.open_masks(path, **given)
        except ReadError:
            raise error from None
        items = ((stem, mask, None, None) for stem, mask in masks.labels.items())
        return _Set(Listed(masks.classes, _origin(masks.notes)), tuple(items), masks.problems)
    shown = ((e.name, e.label, e.image, e.split) for e in data.examples)
    return _Set(Listed(data.classes, _origin(data.notes)), tuple(shown), data.problems)


def _origin(notes: Sequence[str]) -> str:
    """Return in words where the classes come from, as the notes of a set tell it."""
    said = next((note for note in notes if note.startswith("classes: ")), "classes: the masks")
    return said.removeprefix("classes: ")
