"""Jobs as tasks of an engine that is not ours: shards of them, some under way, answers in order.

An engine says how a task is started, waited for and read; see ray.py. A task that is lost is done
again job by job, on as many workers as there are, and only a job that costs a second worker is
given up. A machine's death tells less of the job than a worker's: it may cost one more than that.
"""

from __future__ import annotations

import os
import platform
import socket
import traceback
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from maskforge import __version__, engines
from maskforge.engines import Answer, Job
from maskforge.errors import UsageError, WriteError

SHARD = 32
"""Jobs of a task: enough to hide what a task costs, few enough to share the last ones out."""

WINDOW = 4
"""Tasks for each worker that may wait for an earlier, slower one; bounds memory."""

_LIVES, _WORKER, _MACHINE = 4, 2, 1
"""What a job may cost, and what the death of a worker and of a machine count."""


@dataclass(eq=False, slots=True)
class _Shard:
    jobs: list[Any]
    lives: int = _LIVES
    task: Any = None


class Team(engines.Team):
    """At most ``at_once`` tasks are under way.

    What an engine sets: ``_start(do, jobs)`` returns a task that calls ``do`` with ``jobs``
    somewhere, ``_get(task)`` what that returned, when it did, and ``_cancel(task)`` ends one that
    nobody waits for. ``_get`` raises ``_failed`` for what an engine cannot do at all, any other
    ``_lost`` where a worker died, and one of ``_lost_machine`` where its machine did.
    """

    at_once: int
    _start: Callable[..., Any]
    _get: Callable[..., Any]
    _cancel: Callable[..., Any]
    _failed: type[Exception]
    _lost: type[Exception]
    _lost_machine: tuple[type[Exception], ...]

    @abstractmethod
    def _under_way(self, tasks: list[Any], *, wait: bool) -> list[Any]:
        """Return those of ``tasks``, not empty, that are under way; ``wait`` until one ended."""

    def run(
        self,
        work: Callable[[Job], Answer],
        jobs: Iterable[Job],
        *,
        on_death: Callable[[Job], Answer],
    ) -> Iterator[Answer]:
        """Yield the answer to each job, in order. Raises WriteError where a machine cannot work."""
        folders = [os.path.abspath(folder) for folder in (os.curdir, *self.needs)]
        do = partial(_do, __version__, folders, work)
        source = iter(jobs)
        shards = map(_Shard, iter(lambda: list(islice(source, SHARD)), []))
        waiting: deque[_Shard] = deque()
        try:
            while True:
                busy = self._fill(do, waiting, shards)
                if not waiting:
                    return
                if waiting[0].task is None or waiting[0].task in busy:
                    self._under_way(busy, wait=True)
                    continue
                first = waiting.popleft()
                try:
                    answers = self._get(first.task)
                except self._failed as error:
                    raise _failure(error) from error
                except self._lost as error:
                    cost = _MACHINE if isinstance(error, self._lost_machine) else _WORKER
                    lives = first.lives - cost
                    if lives > 0:
                        waiting.extendleft(_Shard([job], lives) for job in reversed(first.jobs))
                    else:
                        yield from map(on_death, first.jobs)
                    continue
                if isinstance(answers, WriteError):
                    raise answers
                for job, answer in zip(first.jobs, answers, strict=True):
                    yield answer[0] if answer else on_death(job)
        finally:
            for shard in waiting:
                if shard.task is not None:
                    self._cancel(shard.task)

    def _fill(
        self, do: Callable[[list[Any]], Any], waiting: deque[_Shard], shards: Iterator[_Shard]
    ) -> list[Any]:
        """Start tasks while there is room for them, the first ones first; return those at work."""
        started = [shard.task for shard in waiting if shard.task is not None]
        busy = self._under_way(started, wait=False) if started else []
        again = iter([shard for shard in waiting if shard.task is None])
        while len(busy) < self.at_once:
            shard = next(again, None)
            if shard is None:
                shard = next(shards, None) if len(waiting) < self.at_once * WINDOW else None
                if shard is None:
                    break
                waiting.append(shard)
            shard.task = self._start(do, shard.jobs)
            busy.append(shard.task)
        return busy


def reach(address: str | None) -> None:
    """Raise OSError where nobody listens at ``address``, as HOST:PORT; others are not tried."""
    host, colon, port = (address or "").rpartition(":")
    if colon:
        socket.create_connection((host, port), timeout=9).close()


def no_answer(engine: str, address: str | None, error: Exception) -> UsageError:
    """Return what says that no team could be had of an engine."""
    if not address:
        return UsageError(f"{engine} must start on this machine, but: {error}")
    return UsageError(
        f"{engine} must answer at {address!r}, but: {error}",
        cure="docs/engines.md says what it takes to join a cluster; a token may be part of it",
    )


def _failure(error: Exception) -> WriteError:
    said = (str(error).strip() or repr(error)).splitlines()[-1]
    return WriteError(
        f"a worker could not begin: {said}",
        cure="docs/engines.md says what the machines of a cluster need",
    )


def _do(
    version: str, folders: Sequence[str], work: Callable[[Job], Answer], jobs: list[Job]
) -> list[list[Answer]] | WriteError:
    """Return a list with the answer to each job, an empty one where ``work`` failed.

    On some machine: where that has another version, bytes would differ, and where it does not see
    all folders, files would be missed in silence. The first folder is what relative paths start
    from.
    """
    lacking = [f"the folder {folder!r}" for folder in folders if not os.path.isdir(folder)]
    if version != __version__:
        lacking.insert(0, f"maskforge {version}")
    if lacking:
        return WriteError(
            f"every machine that works must have {lacking[0]}, but {platform.node()!r} has not",
            cure="docs/engines.md says what the machines of a cluster need",
        )
    os.chdir(folders[0])
    return [_attempt(work, job) for job in jobs]


def _attempt(work: Callable[[Job], Answer], job: Job) -> list[Answer]:
    try:
        return [work(job)]
    except Exception:  # a defect of ours must cost one job, and the worker's log says which
        traceback.print_exc()
        return []
