"""Which examples are trained on and which are held back."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from maskforge import splits
from maskforge.errors import UsageError
from maskforge.readers.masks import naming
from maskforge.readers.masks.dataset import Dataset

PathLike: TypeAlias = str | os.PathLike[str]


_SWAPPED: dict[str | None, str] = {"test": "val", "val": "test"}


def with_test(paths: Sequence[PathLike]) -> list[Path]:
    """Return the paths, and behind each file that is named for training the one for testing.

    That is ``segmentation_test.npy`` beside ``segmentation_train.npy``, where it is there.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        found.append(path)
        other = path.with_name(path.name.replace("train", "test"))
        if naming.split_of(path.stem) == "train" and path.is_file() and other.is_file():
            found += [other] if other != path else []
    return list(dict.fromkeys(found))


def split(
    dataset: Dataset, *, val: float, seed: int, test: float = 0.0, part: str = "val"
) -> Dataset:
    """Return the data set with a split, "train", "val" or "test", for every example.

    Where some are "val" already, that stands, and what has no split is trained on. Else the
    fraction ``val`` (0 … 1, at least one example unless it is 0) of all that is not "test" is held
    back, and the fraction ``test`` becomes "test", where there is none yet; chosen by name and
    ``seed`` whatever the order. With the ``part`` "test", what the data call test is held back,
    where they have it, and what they call val is set apart. Raises UsageError when that leaves
    nothing to train on.
    """
    as_said = "split: as the data say"
    if part == "test" and dataset.of("test"):
        swapped = (replace(e, split=_SWAPPED.get(e.split, e.split)) for e in dataset.examples)
        dataset = replace(dataset, examples=tuple(swapped))
        as_said = "split: what the data call test is held back"
    if not (0 <= val < 1 and 0 <= test < 1 and val + test < 1):
        shown = f"{val:g}, {test:g}" if test else f"{val:g}"
        raise UsageError(f"the fractions of val and test must be 0 … 1, but got {shown}")
    known = Counter(example.split for example in dataset.examples)
    pool = {e.name: e.picture for e in dataset.examples if e.split in (None, "train")}
    pictures = len(set(pool.values()))
    if not pool or (pictures == 1 and val and not known["val"]):
        raise UsageError(
            f"there must be examples to train on{' and to hold back' if pool else ''}, "
            f"but {pictures} of {len(dataset)} are left for that",
            cure="give more images, or hold none back with --val 0"
            if pool
            else f"give the part to train on, too: by what files, folders or lists are called, all "
            f"images are {' and '.join(sorted(filter(None, known)))}",
        )
    if known["val"] or not (val or test):
        chosen = dict.fromkeys(pool, "train")
        note = as_said if known["val"] else "split: nothing is held back"
    else:
        least = max(val, 1 / pictures) if val else 0.0
        parts = [least] if known["test"] or not test else [1 - least - test, least, test]
        chosen = splits.assign(list(pool), parts, seed=seed, pictures=pool)
        more = f", and {test:g} for the test" if len(parts) > 1 else ""
        note = (
            f"split: {val:g} of the examples are held back{more}, chosen by name with seed {seed}"
        )
    examples = tuple(
        replace(example, split=chosen.get(example.name, example.split))
        for example in dataset.examples
    )
    return replace(dataset, examples=examples, notes=(*dataset.notes, note))
