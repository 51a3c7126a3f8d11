"""PASCAL VOC: JPEGImages/, SegmentationClass/, lists in ImageSets/Segmentation/, class_names.txt.

VOC itself has no list of its classes in a file: where there is none, and the masks are in VOC's
colours with no id above 20, they are the twenty of VOC.
"""

from __future__ import annotations

from pathlib import Path

from maskforge.classes import BACKGROUND, ClassTable
from maskforge.errors import ReadError, many
from maskforge.io import scan
from maskforge.io.label_lists import Listed
from maskforge.palette import voc_palette
from maskforge.readers.masks import colors as _colors
from maskforge.readers.masks import lists, pairing, scanning
from maskforge.readers.masks import meaning as _meaning
from maskforge.readers.masks.colors import VOC_IGNORE
from maskforge.readers.masks.dataset import Dataset, Options
from maskforge.readers.masks.decoding import pack
from maskforge.readers.masks.pairing import Folders

NAMES = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa"),
    *("train", "tvmonitor"),
)


def sniff(path: Path, options: Options) -> str:
    """Return why ``path`` is such a folder, "" when it is not."""
    pair = _folders(path)
    return f"JPEGImages and {pair.masks.name}" if pair is not None else ""


def read(path: Path, options: Options) -> Dataset:
    """Return the data set. Raises ReadError, ClassError, UsageError."""
    options.refuse("voc", "images")
    pair = _folders(path)
    if pair is None:
        raise ReadError(
            "there must be JPEGImages and SegmentationClass", code="no-mask", file=str(path)
        )
    masks = pairing.masks_of([pair])
    names = _meaning.find_names(masks, options, beside=(path,)) or _own_names(masks)
    meaning = _meaning.under_names(masks, names, options)
    found, problems = pairing.match_all([pair], meaning.decoding, root=path)
    examples, notes, strange = lists.by_lists(found, path)
    # Most images of VOC have boxes only: that one has no mask is no news.
    unlabelled = sum(problem.code == "no-mask" for problem in problems)
    if unlabelled:
        notes.append(f"{many(unlabelled, 'image has', 'images have')} no mask: left out")
    return Dataset(
        "voc",
        path,
        meaning.classes,
        tuple(examples),
        (*meaning.notes, *notes),
        (*meaning.problems, *(p for p in problems if p.code != "no-mask"), *strange),
    )


def _folders(path: Path) -> Folders | None:
    for name in pairing.VOC_FOLDERS:
        pair = Folders(path / "JPEGImages", path / name)
        if pair.images.is_dir() and scan.find(pair.masks, pairing.MASK_SUFFIXES):
            return pair
    return None


def _own_names(masks: list[Path]) -> Listed | None:
    """Return VOC's own classes where the masks are in its colours and have no id above 20."""
    if not _colors.in_voc_colors(masks):
        return None
    colored = scanning.are_colored(masks)
    found = set(scanning.scan(masks, colors=colored).values)
    ids = pack(voc_palette()).tolist()[: len(NAMES) + 1] if colored else range(len(NAMES) + 1)
    if not found <= {*ids, VOC_IGNORE if colored else 255}:
        return None
    origin = "the twenty of PASCAL VOC, since the masks are in its colours"
    return Listed(ClassTable((BACKGROUND, *NAMES), has_ignore=True), origin)
