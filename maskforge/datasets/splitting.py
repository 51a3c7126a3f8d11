"""Which examples are trained on and which are held back."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from maskforge import splits
from maskforge.errors import UsageError
from maskforge.readers.masks.dataset import Dataset


def split(dataset: Dataset, *, val: float, seed: int, test: float = 0.0) -> Dataset:
    """Return the data set with a split, "train", "val" or "test", for every example.

    Where some are "val" already, that stands, and what has no split is trained on. Else the
    fraction ``val`` (0 … 1, at least one example unless it is 0) of all that is not "test" is held
    back, and the fraction ``test`` becomes "test", where there is none yet; chosen by name and
    ``seed`` whatever the order. Raises UsageError when that leaves nothing to train on.
    """
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
        note = "split: as the data say" if known["val"] else "split: nothing is held back"
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
