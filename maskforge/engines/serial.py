"""One job after the other, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Job = TypeVar("Job")
Answer = TypeVar("Answer")


def run(
    work: Callable[[Job], Answer],
    jobs: Iterable[Job],
    *,
    workers: int,
    on_death: Callable[[Job], Answer],
) -> Iterator[Answer]:
    """Yield the answer to each job, in order. ``workers`` and ``on_death`` are not needed here."""
    for job in jobs:
        yield work(job)
