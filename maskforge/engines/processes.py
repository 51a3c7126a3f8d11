"""Several processes on this machine, each fed through a pipe of its own.

``concurrent.futures`` loses every result when one worker is killed, and leaves workers behind when
the parent is. Here a dead worker costs one job: it is replaced, the jobs it held are tried again
one by one, and only the job that kills a second worker is given up. A worker whose parent is gone
reads the end of its pipe and leaves.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

Job = TypeVar("Job")
Answer = TypeVar("Answer")

CHUNK = 8
"""Jobs sent at once: enough to hide the pipe, few enough to share the last ones out evenly."""

WINDOW = 64
"""Chunks that may wait for an earlier, slower one; bounds memory."""


class _Worker:
    """One process and this side of its pipe."""

    def __init__(self, work: Callable[[Any], Any]) -> None:
        # spawn: threads of OpenCV or torch do not survive a fork, and no pipe is inherited.
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, work), daemon=True)
        self.process.start()
        theirs.close()
        self.chunk: tuple[int, list[Any]] | None = None

    def give(self, number: int, jobs: list[Any]) -> None:
        self.chunk = (number, jobs)
        self.pipe.send(jobs)

    def stop(self) -> None:
        self.pipe.close()
        self.process.join(timeout=1)
        if self.process.is_alive():
            self.process.terminate()
            self.process.join()


def _serve(pipe: Connection, work: Callable[[Any], Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    while True:
        try:
            jobs = pipe.recv()
        except EOFError:
            return
        pipe.send([work(job) for job in jobs])


def run(
    work: Callable[[Job], Answer],
    jobs: Iterable[Job],
    *,
    workers: int,
    on_death: Callable[[Job], Answer],
) -> Iterator[Answer]:
    """Yield the answer to each job, in order, worked out by ``workers`` processes.

    ``work`` and the jobs must be picklable. ``on_death(job)`` answers for a job that killed two
    workers. An exception of ``work`` itself kills its worker: let it return problems instead.
    """
    pool = [_Worker(work) for _ in range(max(1, workers))]
    chunks = _chunks(iter(jobs))
    answers: dict[int, list[Answer]] = {}
    due = 0
    try:
        while True:
            for worker in pool:
                if worker.chunk is None and len(answers) < WINDOW:
                    chunk = next(chunks, None)
                    if chunk is not None:
                        _feed(worker, *chunk)
            drained = due in answers
            while due in answers:
                yield from answers.pop(due)
                due += 1
            if drained:
                continue  # there is room for more now
            busy: dict[object, _Worker] = {w.pipe: w for w in pool if w.chunk is not None}
            if not busy:
                return
            for pipe in wait([worker.pipe for worker in pool if worker.chunk is not None]):
                worker = busy[pipe]
                number, held = worker.chunk or (0, [])
                try:
                    answers[number] = worker.pipe.recv()
                    worker.chunk = None
                except (EOFError, OSError):
                    worker.stop()
                    pool[pool.index(worker)] = _Worker(work)
                    answers[number] = list(_one_by_one(work, held, on_death))
    finally:
        for worker in pool:
            worker.pipe.close()  # all at once, so that they leave at once
        for worker in pool:
            worker.stop()


def _feed(worker: _Worker, number: int, jobs: list[Any]) -> None:
    # Where it died while idle, the wait sees the end of its pipe and replaces it.
    with suppress(BrokenPipeError, ConnectionResetError):
        worker.give(number, jobs)


def _one_by_one(
    work: Callable[[Job], Answer], jobs: list[Job], on_death: Callable[[Job], Answer]
) -> Iterator[Answer]:
    for job in jobs:
        worker = _Worker(work)
        try:
            worker.give(0, [job])
            yield worker.pipe.recv()[0]
        except (EOFError, OSError):
            yield on_death(job)
        finally:
            worker.stop()


def _chunks(source: Iterator[Job]) -> Iterator[tuple[int, list[Job]]]:
    number = 0
    while chunk := list(islice(source, CHUNK)):
        yield number, chunk
        number += 1
