"""Files that are read while the ones before are worked on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def prefetch(load: Callable[[T], R], tasks: Iterable[T], *, workers: int) -> Iterator[R]:
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
