"""The data loader: which images make a batch, changed how, padded to which size.

Which images a step sees, and how they are changed, is a function of seed and step alone. So a
resumed run sees what an undisturbed one would, for any number of threads or processes, and no
random state has to be kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from maskforge.io.prefetch import prefetch
from maskforge.prediction.config import Config
from maskforge.prediction.sizes import LabelImage, pad, padded
from maskforge.training import augment
from maskforge.training.augment import Augment
from maskforge.training.samples import Items

T = TypeVar("T")
R = TypeVar("R")


class Batch(NamedTuple):
    """Images (N, H, W, 3) uint8 and label images (N, H, W); ``numbers`` of the items, (N,)."""

    numbers: tuple[int, ...]
    images: NDArray[np.uint8]
    targets: LabelImage


def training_batches(
    items: Items,
    config: Config,
    *,
    ignore_index: int,
    start: int = 0,
    rank: int = 0,
    ranks: int = 1,
    workers: int = 1,
) -> Iterator[Batch]:
    """Yield without end the batches from step ``start`` on, one for each accumulation.

    Of each, process ``rank`` of ``ranks`` gets its share. All images have the size of
    ``config.crop``.
    """
    share = config.batch // (config.accumulate * ranks)
    changes = augmentation(config)

    def load(first: int) -> Batch:
        numbers, pairs = [], []
        for number in range(first, first + share):
            epoch, place = divmod(number, len(items))
            index = int(shuffled(len(items), config.seed, epoch)[place])
            numbers.append(index)
            pairs.append(
                augment.augment(
                    *items[index],
                    settings=changes,
                    rng=augment.generator(seed=config.seed, epoch=epoch, index=index),
                    height=config.crop[1],
                    width=config.crop[0],
                    ignore_index=ignore_index,
                )
            )
        return Batch(tuple(numbers), np.stack([p[0] for p in pairs]), _stack([p[1] for p in pairs]))

    def firsts() -> Iterator[int]:
        part = start * config.accumulate
        while True:
            yield (part * ranks + rank) * share
            part += 1

    return prefetch(load, firsts(), workers=workers)


def middle_size(items: Items, divisor: int) -> tuple[int, int]:
    """Return width and height of the training crops: those of the middle image, rounded up."""
    height, width = np.median(np.array(items.sizes), axis=0).astype(int).tolist()
    return padded((height, width), divisor)[::-1]


def augmentation(config: Config) -> Augment:
    """Return how far the random changes go."""
    if not config.augment:
        return augment.NONE
    return Augment(config.flip, config.scale, config.rotate, config.color, config.blur)


@lru_cache(maxsize=4)
def shuffled(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Return the order of the images in ``epoch``, (count,)."""
    return np.random.default_rng([seed, epoch]).permutation(count)


def evaluation_batches(
    items: Items,
    groups: Iterable[tuple[int, ...]],
    *,
    divisor: int,
    ignore_index: int,
    workers: int = 1,
) -> Iterator[Batch]:
    """Yield a batch for each of ``groups``, padded: images with black, label images with ignore."""

    def load(numbers: tuple[int, ...]) -> Batch:
        pairs = [items[number] for number in numbers]
        images = np.stack([pad(image, divisor, 0) for image, _ in pairs])
        return Batch(numbers, images, _stack([pad(t, divisor, ignore_index) for _, t in pairs]))

    return prefetch(load, groups, workers=workers)


def _stack(label_images: Sequence[LabelImage]) -> LabelImage:
    stacked: LabelImage = np.stack(label_images)  # type: ignore[assignment]
    return stacked
