"""Several processes on this machine, each fed through a pipe of its own.

``concurrent.futures`` loses every result when one worker is killed, and leaves workers behind when
the parent is. Here a dead worker costs one job: it is replaced, the jobs it held are tried again
one by one, and only the job that kills a second worker is given up. A worker whose parent is gone
reads the end of its pipe and leaves.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from multiprocessing.connection import Connection, wait
from typing import Any, TypeAlias
from weakref import WeakSet

from maskforge import engines
from maskforge.engines import Answer, Job
from maskforge.engines import Options as Options
from maskforge.errors import WriteError

CHUNK = 8
"""Jobs sent at once: enough to hide the pipe, few enough to share the last ones out evenly."""

WINDOW = 64
"""Chunks that may wait for an earlier, slower one; bounds memory."""

_Work: TypeAlias = Callable[[Any], Any]

_OUR_ENDS: WeakSet[Connection] = WeakSet()
"""This side of the pipes to all workers."""


class _Worker:
    """One process and this side of its pipe."""

    def __init__(self) -> None:
        context: Any = multiprocessing.get_context(_start_method())
        self.pipe, theirs = context.Pipe()
        _OUR_ENDS.add(self.pipe)
        self.process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        self.chunk: tuple[int, list[Any]] | None = None
        self._work: _Work | None = None

    def give(self, work: _Work, number: int, jobs: list[Any]) -> None:
        self.chunk = (number, jobs)
        self.pipe.send((None if work is self._work else work, jobs))
        self._work = work

    def take(self) -> list[Any]:
        """Return the answers to the chunk. Raises EOFError or OSError for a worker that is dead."""
        answers: list[Any] = self.pipe.recv()
        self.chunk = None
        return answers

    def stop(self) -> None:
        self.pipe.close()
        self.process.join(timeout=1)
        if self.process.is_alive():
            self.process.terminate()
            self.process.join()


def _start_method() -> str:
    """Return how a worker is started.

    fork, in a hundredth of the time, where this process has one thread and no more; else spawn, as
    what other threads (of OpenCV or torch, say) held locked would stay so in the worker for ever.
    """
    try:
        threads = len(os.listdir("/proc/self/task"))
    except OSError:  # not Linux
        return "spawn"
    return "fork" if threads == 1 else "spawn"


def _serve(pipe: Connection) -> None:
    for inherited in list(_OUR_ENDS):  # by a fork; a pipe ends when nobody holds its other end
        inherited.close()
    gc.freeze()  # what was inherited stays shared: collecting garbage would touch all of it
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    work: _Work | None = None
    parent = os.getppid()
    while True:
        try:
            new, jobs = pipe.recv()
            work = new or work
            assert work is not None
            answers = []
            for job in jobs:
                if os.getppid() != parent:
                    return  # nobody is there to take the answers
                answers.append(work(job))
            pipe.send(answers)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return


class Team(engines.Team):
    """``workers`` processes, which start at once."""

    def __init__(self, workers: int, options: Options | None = None) -> None:
        self._count = max(1, workers)
        self._workers: list[_Worker] = []
        self._fill()

    def run(
        self,
        work: Callable[[Job], Answer],
        jobs: Iterable[Job],
        *,
        on_death: Callable[[Job], Answer],
    ) -> Iterator[Answer]:
        """Yield the answer to each job, in order, worked out by the workers.

        An exception of ``work`` itself kills its worker: let it return problems instead.
        """
        self._fill()
        chunks = _chunks(iter(jobs))
        answers: dict[int, list[Answer]] = {}
        due = 0
        try:
            while True:
                for worker in self._workers:
                    if worker.chunk is None and len(answers) < WINDOW:
                        chunk = next(chunks, None)
                        if chunk is not None:
                            _feed(worker, work, *chunk)
                drained = due in answers
                while due in answers:
                    yield from answers.pop(due)
                    due += 1
                if drained:
                    continue  # there is room for more now
                busy = {w.pipe: w for w in self._workers if w.chunk is not None}
                if not busy:
                    return
                for pipe in wait(list(busy)):
                    worker = busy[pipe]
                    number, held = worker.chunk or (0, [])
                    try:
                        answers[number] = worker.take()
                    except (EOFError, OSError):
                        self._dismiss([worker])
                        self._fill()
                        answers[number] = list(_one_by_one(work, held, on_death))
        finally:
            # Nobody waits for their answers any more.
            self._dismiss([worker for worker in self._workers if worker.chunk is not None])

    def leave(self) -> None:
        """Have the workers leave; what they were at is lost."""
        self._dismiss(self._workers)

    def _fill(self) -> None:
        while len(self._workers) < self._count:
            try:
                self._workers.append(_Worker())
            except OSError as error:  # too many open files or processes
                if not self._workers:
                    raise WriteError(
                        f"no worker could be started: {error.strerror or error}",
                        cure="convert with -j 1, or raise the limit: ulimit -n",
                    ) from error
                return  # fewer do it as well

    def _dismiss(self, workers: list[_Worker]) -> None:
        self._workers = [worker for worker in self._workers if worker not in workers]
        for worker in workers:
            worker.pipe.close()  # all at once, so that they leave at once
        for worker in workers:
            worker.stop()


def _feed(worker: _Worker, work: _Work, number: int, jobs: list[Any]) -> None:
    # Where it died while idle, the wait sees the end of its pipe and replaces it.
    with suppress(BrokenPipeError, ConnectionResetError):
        worker.give(work, number, jobs)


def _one_by_one(
    work: Callable[[Job], Answer], jobs: list[Job], on_death: Callable[[Job], Answer]
) -> Iterator[Answer]:
    for job in jobs:
        worker = _Worker()
        try:
            worker.give(work, 0, [job])
            yield worker.take()[0]
        except (EOFError, OSError):
            yield on_death(job)
        finally:
            worker.stop()


def _chunks(source: Iterator[Job]) -> Iterator[tuple[int, list[Job]]]:
    number = 0
    while chunk := list(islice(source, CHUNK)):
        yield number, chunk
        number += 1
