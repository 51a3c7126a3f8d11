"""Batches: which images, changed how, padded to which size, loaded while the network works.

Which images a step sees, and how they are changed, is a function of seed and step alone. So a
resumed run sees what an undisturbed one would, for any number of threads or processes, and no
random state has to be kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from maskforge.prediction.config import Config
from maskforge.training import augment
from maskforge.training.augment import Augment, LabelImage
from maskforge.training.samples import Items, Size

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

    return ahead(load, firsts(), workers=workers)


def augmentation(config: Config) -> Augment:
    """Return how far the random changes go."""
    if not config.augment:
        return augment.NONE
    return Augment(config.flip, config.scale, config.rotate, config.color, config.blur)


@lru_cache(maxsize=4)
def shuffled(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Return the order of the images in ``epoch``, (count,)."""
    return np.random.default_rng([seed, epoch]).permutation(count)


def groups(sizes: Sequence[Size], *, divisor: int, batch: int) -> list[tuple[int, ...]]:
    """Return the items by number, at most ``batch`` together, all of one size when padded.

    So what a network says of an image does not depend on what else is in the batch.
    """
    alike: dict[Size, list[int]] = {}
    for number, size in enumerate(sizes):
        alike.setdefault(padded(size, divisor), []).append(number)
    return [
        tuple(numbers[at : at + batch])
        for numbers in alike.values()
        for at in range(0, len(numbers), batch)
    ]


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

    return ahead(load, groups, workers=workers)


def padded(size: Size, divisor: int) -> Size:
    """Return the next size (height, width) up that ``divisor`` divides."""
    return -(-size[0] // divisor) * divisor, -(-size[1] // divisor) * divisor


def pad(array: NDArray[np.uint8] | LabelImage, divisor: int, value: int) -> NDArray[np.uint8]:
    """Return ``array`` (H, W, …) with ``value`` added at the right and below, as :func:`padded`."""
    height, width = padded((array.shape[0], array.shape[1]), divisor)
    added = [(0, height - array.shape[0]), (0, width - array.shape[1])]
    added += [(0, 0)] * (array.ndim - 2)
    result: NDArray[np.uint8] = np.pad(array, added, constant_values=value)
    return result


def _stack(label_images: Sequence[LabelImage]) -> LabelImage:
    stacked: LabelImage = np.stack(label_images)  # type: ignore[assignment]
    return stacked


def ahead(load: Callable[[T], R], tasks: Iterable[T], *, workers: int) -> Iterator[R]:
    """Yield ``load(task)`` for each task in order; ``workers`` threads are at work on the next.

    Decoding, resizing and warping release Python's lock, so threads do, and they share the cache.
    """
    pool = ThreadPoolExecutor(max(1, workers), thread_name_prefix="loader")
    waiting: deque[Future[R]] = deque()
    try:
        for task in tasks:
            waiting.append(pool.submit(load, task))
            if len(waiting) > max(1, workers):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
        pool.shutdown()
