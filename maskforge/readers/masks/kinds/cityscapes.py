"""Cityscapes: leftImg8bit/SPLIT/CITY/*.png with gtFine/…/*_labelIds.png or *_labelTrainIds.png.

The 19 train ids are taken where files of them exist, since they have to be made on purpose; else
the 34 ids. Names and numbers are those of cityscapesScripts (helpers/labels.py).
"""

from __future__ import annotations

from pathlib import Path

from maskforge.classes import ClassTable
from maskforge.errors import Problem, ReadError
from maskforge.io import label_lists, scan
from maskforge.io.label_lists import Listed
from maskforge.raster.annotation import MaskFile
from maskforge.readers.masks import naming, pairing
from maskforge.readers.masks.dataset import (
    Dataset,
    Example,
    Options,
    id_decoding,
    without_background,
)

_IMAGE = "_leftImg8bit.png"

TRAIN_IDS = (
    *("road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign"),
    *("vegetation", "terrain", "sky", "person", "rider", "car", "truck", "bus", "train"),
    *("motorcycle", "bicycle"),
)
LABEL_IDS = (
    *("unlabeled", "ego vehicle", "rectification border", "out of roi", "static", "dynamic"),
    *("ground", "road", "sidewalk", "parking", "rail track", "building", "wall", "fence"),
    *("guard rail", "bridge", "tunnel", "pole", "polegroup", "traffic light", "traffic sign"),
    *("vegetation", "terrain", "sky", "person", "rider", "car", "truck", "bus", "caravan"),
    *("trailer", "train", "motorcycle", "bicycle"),
)


def sniff(path: Path, options: Options) -> str:
    """Return why ``path`` is such a folder, "" when it is not."""
    truth = _truth(path)
    return f"leftImg8bit and {truth.name}" if truth is not None else ""


def read(path: Path, options: Options) -> Dataset:
    """Return the data set. Raises ReadError, ClassError."""
    options.refuse("cityscapes", "style", "images")
    truth = _truth(path)
    if truth is None:
        raise ReadError("there must be leftImg8bit and gtFine", code="no-mask", file=str(path))
    images = scan.find(path / "leftImg8bit", (_IMAGE.lower(),))
    tail, names = _ids(truth)
    names = label_lists.given(options.labels) or names
    decoding = id_decoding(names.classes, ignore=options.ignore)
    examples: list[Example] = []
    problems: list[Problem] = []
    for image in images:
        inside = image.relative_to(path / "leftImg8bit")
        stem = image.name[: -len(_IMAGE)]
        mask = truth / inside.with_name(f"{stem}_{truth.name}{tail}")
        if mask.is_file():
            split = naming.SPLITS.get(inside.parts[0].lower())
            name = inside.with_name(stem).as_posix()
            examples.append(Example(name, image, MaskFile(mask, decoding), split))
        else:
            message = f"there is no mask {mask.name!r}: left out"
            problems.append(Problem("no-mask", str(image), message, severity="warning"))
    if not examples:
        raise pairing.nothing(path, problems)
    notes = [f"classes: {names.origin}"]
    if options.ignore is not None:
        notes.append(f"value {options.ignore} is ignored")
    if names.classes.background is None:
        notes.append(without_background(names.classes))
    return Dataset(
        "cityscapes",
        path,
        names.classes,
        tuple(examples),
        tuple(notes),
        tuple(problems),
    )


def _truth(path: Path) -> Path | None:
    for name in ("gtFine", "gtCoarse"):
        if (path / "leftImg8bit").is_dir() and (path / name).is_dir():
            return path / name
    return None


def _ids(truth: Path) -> tuple[str, Listed]:
    """Return how the masks' names end, and what their ids mean."""
    for tail, ids, what in (
        ("_labelTrainIds.png", TRAIN_IDS, "the 19 train ids of Cityscapes"),
        ("_labelIds.png", LABEL_IDS, "the 34 ids of Cityscapes"),
    ):
        if scan.find(truth, (tail.lower(),)):
            return tail, Listed(ClassTable(ids, has_ignore=True), what)
    raise ReadError(
        "there must be files *_labelIds.png or *_labelTrainIds.png",
        code="no-mask",
        file=str(truth),
        cure="make them from the polygons with csCreateTrainIdLabelImgs of cityscapesScripts",
    )
