"""The account of a conversion: what came in, and what became of it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

from maskforge.errors import many
from maskforge.io import files, scan
from maskforge.splits import NAMES

_NAMED = 3
"""Files that are named where many are meant."""


@dataclass(frozen=True, slots=True)
class Account:
    """What came in and what became of it, but for what is told as a problem.

    files: annotation files, or masks. images: those that they describe. regions: those that were
    drawn. left_out: of regions that were left out on request, how many of each label, and the
    pixels that they cover. lost: what the format that is written cannot say, how many of it, and in
    how many images. traced: what became of outlines that were to be simplified. unannotated: images
    beside the others that nothing describes, by path. splits: images in each. passed: folders of
    earlier outputs in the input, which were not read.
    """

    files: int = 0
    images: int = 0
    regions: int = 0
    left_out: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    lost: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    traced: Mapping[str, float] = field(default_factory=dict)
    unannotated: tuple[str, ...] = ()
    splits: Mapping[str, int] = field(default_factory=dict)
    passed: tuple[str, ...] = ()

    def lines(self) -> Iterator[str]:
        """Yield it in words, a sentence a line."""
        drawn = f", {many(self.regions, 'region')} drawn" if self.regions else ""
        yield f"read: {many(self.files, 'file')}, {many(self.images, 'image')}{drawn}"
        if self.left_out:
            shown = ", ".join(
                f"{label!r} ({many(regions, 'region')}, {many(pixels, 'pixel')})"
                for label, (regions, pixels) in self.left_out.items()
            )
            yield f"left out on request: {shown}"
        yield from written(self.lost, self.traced)
        if self.unannotated:
            names = [os.path.basename(path) for path in self.unannotated]
            yield f"{many(len(names), 'image')} beside them without annotation: {_some(names)}"
        if self.splits:
            yield "splits: " + ", ".join(f"{name} {n:,}" for name, n in self.splits.items())
        if self.passed:
            yield f"passed over, as maskforge made them: {_some(self.passed)}"


def of(
    records: Sequence[Mapping[str, Any]],
    *,
    files: int,
    images: int,
    passed: Sequence[Path],
    unannotated: Sequence[str],
) -> Account:
    """Return the account of the images that have ``records`` in the manifest."""
    regions = 0
    left: dict[str, tuple[int, int]] = {}
    splits: Counter[str] = Counter()
    for record in records:
        regions += record["regions"]
        for label, (count, pixels) in record.get("left_out", {}).items():
            before = left.get(label, (0, 0))
            left[label] = (before[0] + count, before[1] + pixels)
        if record["split"]:
            splits[record["split"]] += 1
    order = (*NAMES, *sorted(splits.keys() - set(NAMES)))
    return Account(
        files,
        images,
        regions,
        dict(sorted(left.items())),
        lost(records),
        traced(records),
        tuple(unannotated),
        {name: splits[name] for name in order if name in splits},
        tuple(dict.fromkeys(map(str, passed))),
    )


def written(lost: Mapping[str, tuple[int, int]], traced: Mapping[str, float]) -> Iterator[str]:
    """Yield what became of regions on the way into their format, a sentence a line."""
    if "points before" in traced:
        yield (
            f"outlines simplified: {traced['points before']:,} points are "
            f"{traced['points after']:,}, the lowest IoU is {traced['lowest IoU']:.4f}"
        )
    if "specks" in traced:
        specks, pixels = int(traced["specks"]), int(traced["pixels of specks"])
        yield f"specks and pin holes removed: {specks:,}, of {many(pixels, 'pixel')}"
    if lost:
        yield f"lost: {', '.join(lost_in_words(lost))}"


def traced(records: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Return what became of outlines that were to be simplified, of all images together."""
    found: dict[str, float] = {}
    for record in records:
        for what, value in record.get("traced", {}).items():
            if what.startswith("lowest"):
                found[what] = min(value, found.get(what, value))
            else:
                found[what] = value + found.get(what, 0)
    return found


def lost(records: Iterable[Mapping[str, Any]]) -> dict[str, tuple[int, int]]:
    """Return what could not be written: of each kind how many, and in how many images."""
    found: dict[str, tuple[int, int]] = {}
    for record in records:
        for what, count in record.get("lost", {}).items():
            before = found.get(what, (0, 0))
            found[what] = (before[0] + count, before[1] + 1)
    return dict(sorted(found.items()))


def lost_in_words(found: Mapping[str, tuple[int, int]]) -> Iterator[str]:
    """Yield what could not be written, a few words each."""
    for what, (count, images) in found.items():
        yield f"{count:,} {what} in {many(images, 'image')}"


def unannotated(sources: Iterable[Path], used: Mapping[str, Set[str]]) -> list[str]:
    """Return the images below ``sources``, and beside images that were used, that were not used.

    What an output placed is none of them.

    used: names by folder; one without suffix stands for all of them.
    """
    real = cache(os.path.realpath)
    known: dict[str, set[str]] = {}
    for folder, names in used.items():
        known.setdefault(real(folder), set()).update(names)
    below = [source for source in sources if source.is_dir()]
    find = partial(scan.find, suffixes=files.IMAGES, strangers=True)
    found = [str(path) for folder in below for path in find(folder)]
    tops = [Path(real(folder)) for folder in below]
    for folder in used:
        if not any(Path(real(folder)).is_relative_to(top) for top in tops):
            beside = find(Path(folder))
            found += [str(path) for path in beside if str(path.parent) == folder]
    left = []
    for path in dict.fromkeys(found):
        folder, name = os.path.split(path)
        if not {name, os.path.splitext(name)[0]} & known.get(real(folder), set()):
            left.append(path)
    return left


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "")
