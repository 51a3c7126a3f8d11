"""Who does the work: one file an engine, each with a class ``Team``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Protocol, TypeVar

Job = TypeVar("Job")
Answer = TypeVar("Answer")


class Team(Protocol):
    """``workers`` that do one kind of work after the other; a context, at whose end they leave."""

    def __init__(self, workers: int) -> None: ...

    def __enter__(self) -> Team: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def run(
        self,
        work: Callable[[Job], Answer],
        jobs: Iterable[Job],
        *,
        on_death: Callable[[Job], Answer],
    ) -> Iterator[Answer]:
        """Yield the answer of ``work`` to each job, in order.

        ``work``, the jobs and the answers must be picklable. ``on_death(job)`` answers for a job
        that killed two workers.
        """
        ...
