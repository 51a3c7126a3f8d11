"""The data set in training: images and label images at the working size, cached in memory."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from maskforge.classes import ClassTable
from maskforge.datasets import Check, Dataset, Example, load, split
from maskforge.errors import UsageError
from maskforge.prediction.config import Config
from maskforge.prediction.sizes import Image, LabelImage, Size, resize, resize_labels
from maskforge.raster.transform import working_size

SHOWN = 640
"""Pixels of the longer side of an image on a sheet for people."""


class Items(Protocol):
    """Images and label images by number. Reading is safe from several threads."""

    @property
    def sizes(self) -> Sequence[Size]:
        """Height and width of every image."""

    @property
    def names(self) -> Sequence[str]:
        """What the images are called."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> tuple[Image, LabelImage]:
        """Return image (H, W, 3) uint8 and label image (H, W)."""

    def photograph(self, index: int) -> Image:
        """Return the image (h, w, 3) as people look at it: larger than the network sees it."""


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """What a network is trained and scored on.

    counts: true pixels by training image and class, (N, C), for the weights of the classes. notes:
    what was decided about the data set, in words, such as classes that were renamed.
    """

    classes: ClassTable
    train: Items
    val: Items
    counts: NDArray[np.int64]
    notes: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """sha256 of the class table and of the images' names and sizes, in their order."""
        parts = [self.classes.hash]
        for items in (self.train, self.val):
            parts.append(
                "\n".join(f"{n} {s}" for n, s in zip(items.names, items.sizes, strict=True))
            )
        return sha256("\n\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


class Arrays:
    """Items that are in memory already."""

    def __init__(self, pairs: Sequence[tuple[Image, LabelImage]]) -> None:
        self._pairs = list(pairs)
        self.sizes: Sequence[Size] = [(p[1].shape[0], p[1].shape[1]) for p in self._pairs]
        self.names: Sequence[str] = [str(number) for number in range(len(self._pairs))]

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, index: int) -> tuple[Image, LabelImage]:
        return self._pairs[index]

    def photograph(self, index: int) -> Image:
        """Return the image of the pair: there is no larger one."""
        return self._pairs[index][0]


class Cache:
    """How many bytes may still be kept; shared by all items of a run."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        """Return whether ``size`` bytes more may be kept."""
        with self._lock:
            if size > self._left:
                return False
            self._left -= size
            return True


class Pictures:
    """Items that are files of a data set, decoded and resized when they are first asked for."""

    def __init__(
        self,
        dataset: Dataset,
        examples: Sequence[tuple[Example, Size]],
        *,
        size: tuple[int, ...],
        interpolation: str,
        cache: Cache,
    ) -> None:
        self._dataset = dataset
        self._interpolation = interpolation
        self._examples = [example for example, _ in examples]
        self._cache = cache
        self._kept: dict[int, tuple[Image, LabelImage]] = {}
        self.sizes: Sequence[Size] = [working_size(full, size) for _, full in examples]
        self.names: Sequence[str] = [example.name for example in self._examples]

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, index: int) -> tuple[Image, LabelImage]:
        kept = self._kept.get(index)
        if kept is not None:
            return kept
        image, label_image = load(self._examples[index], self._dataset)
        size = self.sizes[index]
        pair = resize(image, size, self._interpolation), resize_labels(label_image, size)
        if self._cache.take(pair[0].nbytes + pair[1].nbytes):
            self._kept[index] = pair
        return pair

    def photograph(self, index: int) -> Image:
        """Return the image from its file, its longer side at most :data:`SHOWN` pixels."""
        image, _ = load(self._examples[index], self._dataset)
        return resize(image, working_size((image.shape[0], image.shape[1]), (SHOWN,)))


def split_for(dataset: Dataset, config: Config) -> Dataset:
    """Return the data set as a training with ``config`` is to see it. Raises UsageError."""
    dataset = replace(dataset, window=config.shown)
    return split(dataset, val=config.val, test=config.test, seed=config.seed, part=config.val_part)


def from_dataset(found: Check, config: Config) -> Data:
    """Return the training and validation images of a checked data set; what it refused is left out.

    Raises UsageError where nothing is left to train on.
    """
    dataset, shared = found.dataset, Cache(config.cache * 2**20)
    parts: dict[str, list[tuple[Example, Size]]] = {"train": [], "val": []}
    counts = []
    for at, example in enumerate(dataset.examples):
        if example.split in parts and example.name not in found.refused:
            full = int(found.heights[at]), int(found.widths[at])
            parts[example.split].append((example, full))
            if example.split == "train":
                counts.append(found.counts[at, :-1])
    if not parts["train"]:
        raise UsageError(
            f"there must be images to train on, but none of {len(dataset)} can be used",
            cure="see the problems of the data",
        )
    at_work = partial(Pictures, size=config.size, interpolation=config.interpolation)
    jittered = partial(Pictures, size=config.jitter, interpolation="nearest")
    train = (jittered if config.jitter else at_work)(dataset, parts["train"], cache=shared)
    val = at_work(dataset, parts["val"], cache=shared)
    return Data(dataset.classes, train, val, np.stack(counts), dataset.notes)
