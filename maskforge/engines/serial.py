"""One job after the other, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from maskforge import engines
from maskforge.engines import Answer, Job
from maskforge.engines import Options as Options


class Team(engines.Team):
    """This process. ``workers`` is not needed here, and nobody dies."""

    HERE = True

    def __init__(self, workers: int = 1, options: Options | None = None) -> None:
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

    def leave(self) -> None:
        """Do nothing: nobody else is here."""
