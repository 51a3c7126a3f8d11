"""A .npy file with a dictionary, image filename to 0/1 planes (H, W, C), and its images.

As the VIA book writes them: ``segmentation_train.npy`` and ``segmentation_test.npy``, each a split,
beside the images. Arrays are read one at a time, and no pickle is run.
"""

from __future__ import annotations

from pathlib import Path

from maskforge.classes import BACKGROUND, ClassTable
from maskforge.errors import ClassError, Problem, ReadError
from maskforge.io import label_lists, onehot
from maskforge.io.files import safe_name
from maskforge.io.label_lists import Listed
from maskforge.raster.annotation import Decoding, MaskFile
from maskforge.readers.masks import naming
from maskforge.readers.masks.dataset import Dataset, Example, Options


def sniff(path: Path, options: Options) -> str:
    """Return why ``path`` is such a file, or a folder with some, "" when it is not."""
    found = _files(path)
    return f"one-hot dictionary {found[0].name}" if found else ""


def read(path: Path, options: Options) -> Dataset:
    """Return the data set. Raises ReadError, ClassError."""
    options.refuse("onehot", "ignore", "style")
    examples: list[Example] = []
    problems: list[Problem] = []
    channels: dict[int, str] = {}
    for file in _files(path):
        index = onehot.OneHotFile(file)
        split = naming.split_of(file.stem)
        for key in index:
            shape = index.shape(key)
            channels.setdefault(shape[-1] if len(shape) == 3 else -1, f"{file}: {key}")
            label = MaskFile(file, Decoding("planes"), key)
            image = naming.image_of(key, file.parent, options)
            if image is None:
                problems.append(naming.missing(key, file))
            else:
                examples.append(Example(naming.without_suffix(safe_name(key)), image, label, split))
    if len(channels) != 1 or min(channels) < 2:
        shown = ", ".join(f"{count} in {where}" for count, where in list(channels.items())[:3])
        raise ClassError(
            "all planes must be (H, W, C) with as many channels, 2 or more, "
            f"but the last axis is {shown or 'of no array'}",
            file=str(path),
            cure="convert all of them with one labels.txt",
        )
    names = _table(path, next(iter(channels)), options)
    if not examples:
        raise ReadError(problems[0].message, code="no-image", file=str(path), cure=problems[0].cure)
    notes = (f"classes: {names.origin}",)
    kept = naming.unique(examples)
    return Dataset("onehot", path, names.classes, kept, notes, tuple(problems))


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path] if path.suffix.lower() == ".npy" and onehot.is_onehot(path) else []
    if not path.is_dir():
        return []
    return [file for file in sorted(path.glob("*.npy")) if onehot.is_onehot(file)]


def _table(path: Path, channels: int, options: Options) -> Listed:
    """Return the class table of planes with so many channels, the background in channel 0."""
    folder = path if path.is_dir() else path.parent
    found = label_lists.given(options.labels)
    own = path.with_name(f"{path.stem}.labels.txt")
    if found is None and path.is_file() and own.is_file():
        found = label_lists.read(own)
    found = found or label_lists.beside(folder)
    if found is None:
        names = (f"class_{i}" for i in range(1, channels))
        origin = f"numbered, for the {channels} channels; name them with --labels"
        return Listed(ClassTable((BACKGROUND, *names)), origin)
    if len(found.classes) != channels:
        raise ClassError(
            f"the planes have {channels} channels, so there must be {channels - 1} classes and the "
            f"background, but {found.origin} says {', '.join(found.classes.names)}",
            file=str(path),
            cure="use the class table that the file was made with",
        )
    return found
