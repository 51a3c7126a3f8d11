"""Who does the work: one file an engine, each with a class ``Team``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self, TypeAlias, TypeVar, cast

from maskforge import plugins

Job = TypeVar("Job")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Options:
    """What an engine can be told; one that has fields has a class of its own, derived from this.

    The metadata "help" and "metavar" of a field make the option ``--ENGINE-FIELD`` of the commands.
    """

    @property
    def elsewhere(self) -> bool:
        """Whether the work is done on other machines: by how many workers is not ours to say."""
        return False


class Team(ABC):
    """``workers`` that do one kind of work after the other; a context, at whose end they leave."""

    HERE: ClassVar[bool] = False
    """Whether the work is done in this process, which can keep what it has read."""

    needs: tuple[str, ...] = ()
    """Folders that the work reads or writes. An engine on other machines sees to it that they are
    there; one in this process, or in several on this machine, has no use for that."""

    @abstractmethod
    def __init__(self, workers: int, options: Any = None) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.leave()

    @abstractmethod
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

    @abstractmethod
    def leave(self) -> None:
        """Have the workers leave; what they were at is lost."""


_Team: TypeAlias = Team


class Engine(plugins.HasOptions, Protocol):
    """What a file in this folder has; mypy holds it to that. Its options are those above."""

    def Team(self, workers: int, options: Any = None) -> _Team:  # a class
        """Return a team of so many workers."""


def load(name: str) -> Engine:
    """Return the engine that ``name`` stands for. Raises UsageError with the choices."""
    return cast(Engine, plugins.load("engines", name))
