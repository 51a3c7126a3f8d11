"""PASCAL VOC: JPEGImages/, SegmentationClass/, lists in ImageSets/Segmentation/, class_names.txt.

VOC itself has no list of its classes in a file: where there is none, and the masks are in VOC's
colours with no id above 20, they are the twenty of VOC.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from maskforge import files
from maskforge.classes import BACKGROUND, ClassTable
from maskforge.datasets import _meaning, _pairing
from maskforge.datasets._base import Dataset, Meaning, Options, id_decoding
from maskforge.datasets._pairing import Folders
from maskforge.errors import ReadError

MASK_FOLDERS = ("SegmentationClass", "SegmentationClassPNG", "SegmentationClassNpy")

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
    pair = _folders(path)
    if pair is None:
        raise ReadError(
            "there must be JPEGImages and SegmentationClass", code="no-mask", file=str(path)
        )
    masks = _pairing.masks_of([pair])
    meaning = _own_names(_meaning.find(masks, options, beside=(path,)), masks)
    found, problems = _pairing.match_all([pair], meaning.decoding, root=path)
    examples, notes, strange = _pairing.by_lists(found, path)
    # Most images of VOC have boxes only: that one has no mask is no news.
    unlabelled = sum(problem.code == "no-mask" for problem in problems)
    if unlabelled:
        notes.append(f"{unlabelled} images have no mask and were left out")
    return Dataset(
        "voc",
        path,
        meaning.classes,
        tuple(examples),
        (*meaning.notes, *notes),
        (*meaning.problems, *(p for p in problems if p.code != "no-mask"), *strange),
        meaning.first,
    )


def _folders(path: Path) -> Folders | None:
    for name in MASK_FOLDERS:
        pair = Folders(path / "JPEGImages", path / name)
        if pair.images.is_dir() and pair.masks.is_dir():
            if files.find(pair.masks, _pairing.MASK_SUFFIXES):
                return pair
    return None


def _own_names(meaning: Meaning, masks: list[Path]) -> Meaning:
    """Return ``meaning`` with VOC's own names where nothing else names the classes."""
    guessed = all(name.startswith("class_") for name in meaning.classes.names[1:])
    if not guessed or len(meaning.classes) > len(NAMES) + 1 or not _meaning.in_voc_colors(masks):
        return meaning
    classes = ClassTable((BACKGROUND, *NAMES), has_ignore=True)
    decoding = meaning.decoding
    if decoding.form == "ids":
        decoding = id_decoding(classes)
    else:
        decoding, _ = _meaning.style_decoding("palette", classes)
    notes = ("classes: the twenty of PASCAL VOC, since the masks are in its colours",)
    return replace(meaning, classes=classes, decoding=decoding, notes=notes)
