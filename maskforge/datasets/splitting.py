"""Which examples are trained on and which are held back."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from maskforge import splits
from maskforge.errors import UsageError
from maskforge.readers.masks.dataset import Dataset


def split(dataset: Dataset, *, val: float, seed: int) -> Dataset:
    """Return the data set with a split, "train", "val" or "test", for every example.

    Where some are "val" already, that stands, and what has no split is trained on. Else the
    fraction ``val`` (0 … 1, at least one example unless it is 0) of all that is not "test" is held
    back, chosen by name and ``seed`` whatever the order. Raises UsageError when that leaves nothing
    to train on.
    """
    if not 0 <= val < 1:
        raise UsageError(f"the fraction of val must be 0 … 1, but got {val:g}")
    known = Counter(example.split for example in dataset.examples)
    pool = [example.name for example in dataset.examples if example.split in (None, "train")]
    if not pool or (len(pool) == 1 and val and not known["val"]):
        raise UsageError(
            f"there must be examples to train on{' and to hold back' if pool else ''}, "
            f"but {len(pool)} of {len(dataset)} are left for that",
            cure="give more images"
            + (", or hold none back with --val 0" if pool else ": all are in val or test"),
        )
    if known["val"] or not val:
        chosen = dict.fromkeys(pool, "train")
        note = "split: as the data say" if known["val"] else "split: nothing is held back"
    else:
        chosen = splits.assign(pool, [max(val, 1 / len(pool))], seed=seed)
        note = f"split: {val:g} of the examples are held back, chosen by name with seed {seed}"
    examples = tuple(
        replace(example, split=chosen.get(example.name, example.split))
        for example in dataset.examples
    )
    return replace(dataset, examples=examples, notes=(*dataset.notes, note))
