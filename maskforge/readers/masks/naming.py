"""Names: of splits, of examples, and of the images that one-hot files and manifests speak of."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from maskforge.errors import Problem
from maskforge.io.files import safe_name, unique_names
from maskforge.readers.masks.dataset import Example, Options

SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
"""What people call a split, and what it is called here."""


def split_of(name: str) -> str | None:
    """Return the split that a file or folder is named after, as ``segmentation_train`` is."""
    words = re.split(r"[^a-z]+", name.lower())
    return next((SPLITS[word] for word in words if word in SPLITS), None)


def unique(examples: Sequence[Example]) -> tuple[Example, ...]:
    """Return the examples under unique names: twins get their split, then a number."""
    count = Counter(example.name for example in examples)
    names = [f"{e.split}/{e.name}" if count[e.name] > 1 and e.split else e.name for e in examples]
    return tuple(
        example if example.name == name else replace(example, name=name)
        for example, name in zip(examples, unique_names(names), strict=True)
    )


def image_of(key: str, folder: Path, options: Options) -> Path | None:
    """Return the image that a file in ``folder`` calls ``key``, None where there is none.

    Looked for in the folder that the options name; in ``folder``; in ``images`` there; in
    ``images`` beside it.
    """
    name = safe_name(key)
    places = [options.images] if options.images is not None else []
    places += [folder, folder / "images", folder.parent / "images"]
    for place in places:
        for candidate in (place / name, place / name.rpartition("/")[2]):
            if candidate.is_file():
                return candidate
    return None


def missing(key: str, file: Path) -> Problem:
    """Return the problem that the image cannot be found that ``file`` calls ``key``."""
    return Problem(
        "no-image",
        str(file),
        f"the image {key!r} must lie beside the masks, but it is not there: left out",
        key,
        "put it there, or say where the images are with --images-from",
        "warning",
    )


def without_suffix(name: str) -> str:
    """Return ``name``, a path with forward slashes, without the suffix of its last part."""
    stem, dot, suffix = name.rpartition(".")
    return stem if dot and stem and "/" not in suffix else name
