"""One job after the other, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import TypeVar

Job = TypeVar("Job")
Answer = TypeVar("Answer")


class Team:
    """This process. ``workers`` is not needed here, and nobody dies."""

    def __init__(self, workers: int = 1) -> None:
        pass

    def __enter__(self) -> Team:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def run(
        self,
        work: Callable[[Job], Answer],
        jobs: Iterable[Job],
        *,
        on_death: Callable[[Job], Answer],
    ) -> Iterator[Answer]:
        """Yield the answer to each job, in order, worked out when it is asked for."""
        return map(work, jobs)
