"""Which mask belongs to which image: by folders, then by name, and by lists of names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from maskforge.errors import Problem, ReadError, UsageError
from maskforge.io import images, scan
from maskforge.io.onehot import is_onehot
from maskforge.raster.annotation import Decoding, MaskFile
from maskforge.readers.masks import lossy
from maskforge.readers.masks.dataset import Example
from maskforge.readers.masks.naming import SPLITS

IMAGE_FOLDERS = ("images", "image", "imgs", "img", "features")
MASK_FOLDERS = ("masks", "mask", "labels", "label", "annotations", "annotation", "gt")
VOC_FOLDERS = ("SegmentationClass", "SegmentationClassPNG", "SegmentationClassNpy")
MASK_SUFFIXES = (*images.SUFFIXES, ".npy")

_MASK_WORDS = "masks?|labels?|labelids|seg|segmentation|gt|annotation|matte|pred|predictions?|out"
_MASK_TAIL = re.compile(rf"(?i)[_\-. ]({_MASK_WORDS}|output|results?|manual\d*|l|y)$")
_IMAGE_TAIL = re.compile(r"(?i)[_\-. ](image|img|rgb|x)$")
_MASK_HEAD = re.compile(rf"(?i)^({_MASK_WORDS})[_\-. ](?=.)")
_IMAGE_HEAD = re.compile(r"(?i)^(image|img|im|rgb)[_\-. ](?=.)")


@dataclass(frozen=True, slots=True)
class Folders:
    """A folder of images and that of their masks, which may be the same one.

    split: what both are called, if anything.
    """

    images: Path
    masks: Path
    split: str | None = None


def folders(root: Path, pictures: Path | None) -> list[Folders]:
    """Return the pairs of folders below ``root``: images/ and masks/, or those of each split.

    ``train/images`` and ``train/masks``, ``train`` and ``trainannot`` are known too; else each mask
    may lie beside its image. pictures: the folder of the images, when it is not below ``root``,
    which then holds masks. Raises UsageError when several folders could hold the masks.
    """
    if pictures is not None:
        elsewhere = Folders(pictures, masks_in(root))
        masks = masks_of([elsewhere])
        is_planes = bool(masks) and masks[0].suffix.lower() == ".npy" and is_onehot(masks[0])
        return [elsewhere] if masks and not is_planes else []
    found = _pair(root, None)
    if found:
        return found
    inside = _subfolders(root)
    for name, split in SPLITS.items():
        if name not in inside:
            continue
        found += _pair(inside[name], split)
        for tail in ("annot", "_annot", "_masks", "_labels", "_mask", "_label"):
            if name + tail in inside:
                found.append(Folders(inside[name], inside[name + tail], split))
    if found or not inside.keys().isdisjoint((*IMAGE_FOLDERS, *MASK_FOLDERS)):
        return found
    beside = _beside(root)
    return [Folders(root, root)] if len(beside.pictures) < 2 * len(beside.partners) else []


def match(pair: Folders, decoding: Decoding) -> tuple[list[Example], list[Problem]]:
    """Return the examples of two folders, and what has no partner, by the names of the files."""
    if pair.images == pair.masks:
        pictures, masks, partners, problems = _beside(pair.images)
        twins: list[Problem] = []
    else:
        pictures, problems = by_stem(pair.images, images.SUFFIXES)
        masks, twins = by_stem(pair.masks, MASK_SUFFIXES)
        partners = pair_up(pictures, masks)
    examples = [
        Example(name, pictures[name], MaskFile(masks[stem], decoding), _split_of(name, pair.split))
        for name, stem in sorted(partners.items())
    ]
    found = set(partners.values())
    problems += twins
    problems += [
        _alone(path, "no-mask", "mask", pair.masks)
        for name, path in pictures.items()
        if name not in partners
    ]
    problems += [
        _alone(path, "no-image", "image", pair.images)
        for stem, path in masks.items()
        if stem not in found
    ]
    return examples, problems


def pair_up(names: Iterable[str], masks: Iterable[str]) -> dict[str, str]:
    """Return for each name the mask's that belongs to it: they are equal, or differ in a tail such
    as ``_mask``, or in their folders too, or in a head such as ``img_``. What could be meant twice
    is not paired.
    """
    left, free = dict.fromkeys(names), dict.fromkeys(masks)
    partners = {}
    keys: Sequence[tuple[Callable[[str], str], Callable[[str], str]]] = (
        (str, str),
        (_image_core, _mask_core),
        (_last(_image_core), _last(_mask_core)),
        (_last(_image_bare), _last(_mask_bare)),
    )
    for name_key, mask_key in keys:
        by_key = unique_keys(left, name_key)
        for key, mask in unique_keys(free, mask_key).items():
            if key in by_key:
                partners[by_key[key]] = mask
                del left[by_key[key]], free[mask]
    return partners


def match_all(
    pairs: Iterable[Folders], decoding: Decoding, *, root: Path
) -> tuple[list[Example], list[Problem]]:
    """Return the examples of several pairs of folders, under names that are unique.

    Raises ReadError when no image has a mask.
    """
    examples: list[Example] = []
    problems: list[Problem] = []
    for pair in pairs:
        found, strange = match(pair, decoding)
        prefix = f"{pair.split}/" if pair.split else ""
        examples += [replace(example, name=prefix + example.name) for example in found]
        problems += strange
    if not examples:
        raise nothing(root, problems)
    return examples, problems


def nothing(root: Path, problems: Sequence[Problem]) -> ReadError:
    """Return the error that no image has a mask, with what was there instead."""
    shown = "; ".join(problem.message for problem in problems[:2])
    return ReadError(
        "there must be images and masks of the same names, but no two belong together"
        + (f": {shown}" if shown else ""),
        code="no-mask",
        file=str(root),
        cure="name image and mask alike, such as images/a.jpg and masks/a.png",
    )


def by_stem(folder: Path, suffixes: Sequence[str]) -> tuple[dict[str, Path], list[Problem]]:
    """Return the files below ``folder`` by their path in it without suffix; twins are problems."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in scan.find(folder, suffixes):
        found[path.relative_to(folder).with_suffix("").as_posix()].append(path)
    twins = [_twins(paths) for paths in found.values() if len(paths) > 1]
    return {stem: paths[0] for stem, paths in found.items() if len(paths) == 1}, twins


def masks_in(path: Path) -> Path:
    """Return the folder with masks that ``path`` holds, else ``path`` itself."""
    for name in (*MASK_FOLDERS, *VOC_FOLDERS):
        if scan.find(path / name, MASK_SUFFIXES):
            return path / name
    return path


def masks_of(pairs: Iterable[Folders]) -> list[Path]:
    """Return all mask files of ``pairs``; of masks beside images those that belong to one."""
    found: list[Path] = []
    for pair in pairs:
        if pair.images == pair.masks:
            beside = _beside(pair.images)
            found += [beside.masks[stem] for stem in sorted(beside.partners.values())]
        else:
            found += scan.find(pair.masks, MASK_SUFFIXES)
    return found


def _pair(root: Path, split: str | None) -> list[Folders]:
    inside = _subfolders(root)
    pictures = [inside[name] for name in IMAGE_FOLDERS if name in inside]
    masks = [inside[name] for name in MASK_FOLDERS if name in inside]
    if not pictures or not masks:
        return []
    filled = [folder for folder in masks if scan.find(folder, MASK_SUFFIXES)]
    if len(filled) > 1 or len(pictures) > 1:
        several = filled if len(filled) > 1 else pictures
        raise UsageError(
            f"{str(root)!r} must hold one folder of images and one of masks, "
            f"but holds {', '.join(folder.name for folder in several)}",
            cure="move the one that is not meant elsewhere",
        )
    return [Folders(pictures[0], (filled or masks)[0], split)]


class _Beside(NamedTuple):
    """Images and masks that lie side by side, by stem, and which mask is whose."""

    pictures: dict[str, Path]
    masks: dict[str, Path]
    partners: dict[str, str]
    problems: list[Problem]


def _beside(folder: Path) -> _Beside:
    """Return the images and masks in ``folder``, and the folders below, that lie side by side.

    A mask is named so (``a_mask``, ``mask_a``); or image and mask have one name, and the image is
    the JPEG of both, the mask the .npy. Files that only lie in different folders are no pairs.
    """
    by_folder: dict[Path, list[Path]] = defaultdict(list)
    for path in scan.find(folder, MASK_SUFFIXES):
        by_folder[path.parent].append(path)
    result = _Beside({}, {}, {}, [])
    for paths in by_folder.values():
        pictures, masks = _told_apart(folder, paths, result.problems)
        result.pictures.update(pictures)
        result.masks.update(masks)
        result.partners.update(pair_up(pictures, masks))
    return result


def _told_apart(
    folder: Path, paths: Iterable[Path], problems: list[Problem]
) -> tuple[dict[str, Path], dict[str, Path]]:
    """Return images and masks of one folder by stem; names that could be both become problems."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        found[path.relative_to(folder).with_suffix("").as_posix()].append(path)
    pictures, masks = {}, {}
    for stem, several in found.items():
        first, *others = sorted(several, key=_likeness)
        last = stem.rpartition("/")[2]
        if len(others) == 1 and _likeness(first) < _likeness(others[0]):
            pictures[stem], masks[stem] = first, others[0]
        elif others:
            problems.append(_twins(several))
        elif _mask_bare(last) != last:
            masks[stem] = first
        elif first.suffix.lower() in images.SUFFIXES:
            pictures[stem] = first
    return pictures, masks


def _likeness(path: Path) -> int:
    """Return how much a file looks like a mask by its suffix."""
    suffix = path.suffix.lower()
    return 2 if suffix == ".npy" else suffix not in lossy.SUFFIXES


def _subfolders(root: Path) -> dict[str, Path]:
    if not root.is_dir():
        return {}
    return {path.name.lower(): path for path in sorted(root.iterdir()) if path.is_dir()}


def _twins(paths: Sequence[Path]) -> Problem:
    return Problem(
        "name-collision",
        str(paths[1]),
        f"a name must belong to one file, but {paths[0].name!r} has it too: both are left out",
        cure="rename or remove one of them",
    )


def _alone(path: Path, code: str, what: str, folder: Path) -> Problem:
    return Problem(
        code, str(path), f"there is no {what} of this name in {folder.name!r}: left out",
        severity="warning",
    )  # fmt: skip


def unique_keys(stems: Iterable[str], key: Callable[[str], str]) -> dict[str, str]:
    """Return stem by key, for those keys that only one stem has."""
    groups: dict[str, list[str]] = defaultdict(list)
    for stem in stems:
        groups[key(stem)].append(stem)
    return {name: group[0] for name, group in groups.items() if len(group) == 1}


def _split_of(name: str, split: str | None) -> str | None:
    """Return ``split``, or the split that the first folder of ``name`` is called after."""
    folder, slash, _ = name.partition("/")
    return split or (SPLITS.get(folder.lower()) if slash else None)


def _image_core(stem: str) -> str:
    return _IMAGE_TAIL.sub("", stem)


def _mask_core(stem: str) -> str:
    return _MASK_TAIL.sub("", stem)


def _image_bare(stem: str) -> str:
    return _IMAGE_HEAD.sub("", _image_core(stem))


def _mask_bare(stem: str) -> str:
    return _MASK_HEAD.sub("", _mask_core(stem))


def _last(core: Callable[[str], str]) -> Callable[[str], str]:
    """Return a key of the file name alone; files of two splits are never one pair, though."""
    return lambda stem: f"{_split_of(stem, None)}/{core(stem.rpartition('/')[2])}"
