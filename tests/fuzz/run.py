"""Hostile input for every reader: damaged files, and nothing but located problems may come of it.

    python tests/fuzz/run.py                            what `make fuzz` does
    python tests/fuzz/run.py --count 300 --seed 1 --reader via
    python tests/fuzz/run.py --replay 1/via/types/77    one case again, with its traceback
    python tests/fuzz/run.py --corpus DIR               other people's files as well
    python tests/fuzz/run.py --kill 50                  kill -9 at 50 moments, resume, compare
    python tests/fuzz/run.py --power 50                 cut the power at 50 changes, the same
    python tests/fuzz/run.py --histories 2000           commands, edits and accidents in any order
    python tests/fuzz/run.py --history 77               one of them again

Every case follows from its name SEED/READER/LEVEL/NUMBER. A failing file is kept in the folder
that --keep names. Exit code 1 when there is one.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import re
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, NamedTuple

import corpus
import mutate

READERS = ("labelme", "via", "ochuman", "coco", "panoptic", "yolo", "onehot")
BYTES_ONLY = ("yolo", "onehot")
"""Readers of files that are neither JSON nor CSV."""
STUCK_S = 60.0
"""Seconds without a sign of life after which a worker is taken for hanging in foreign code."""


class Failure(NamedTuple):
    """A case that did not end as it must: its name, what happened, and the signature of that."""

    case: str
    what: str
    kind: str
    data: bytes


class _Worker:
    """One process that works through its share of the cases, and is replaced when it dies."""

    def __init__(self, plan: list[str], arguments: argparse.Namespace) -> None:
        self.plan, self.arguments = plan, arguments
        self.done = 0
        self.start()

    def start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe(duplex=False)
        rest = self.plan[self.done :]
        self.process = context.Process(
            target=_serve, args=(theirs, rest, self.arguments), daemon=True
        )
        self.process.start()
        theirs.close()
        self.heard = time.monotonic()

    def current(self) -> str:
        return self.plan[self.done] if self.done < len(self.plan) else "?"


def _serve(pipe: Connection, plan: list[str], arguments: argparse.Namespace) -> None:
    import case as case_  # the package is imported by the workers only

    case_.limit_memory()
    seeds: dict[str, list[corpus.Seed]] = {}
    with tempfile.TemporaryDirectory(dir=_fast_folder()) as folder:
        for name in plan:
            pipe.send(_one(name, seeds, Path(folder), arguments))


def _one(
    name: str, seeds: dict[str, list[corpus.Seed]], folder: Path, arguments: argparse.Namespace
) -> tuple[str, Failure | None]:
    import case as case_

    seed, reader, level, number = name.split("/")
    if reader not in seeds:
        seeds[reader] = corpus.load(reader, arguments.corpus)
    made = case_.make(
        int(seed), reader, level, int(number), corpus=seeds[reader], whole=arguments.whole
    )
    try:
        return case_.check(made, folder), None
    except (Exception, case_.Trespass) as error:
        what = "".join(traceback.format_exception(error))
        return "FAILED", Failure(name, what, _kind(error), made.data)


def _kind(error: BaseException) -> str:
    """Return what failures of one cause have in common."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "maskforge/" in f.filename]
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    text = re.sub(r"'[^']*'|\"[^\"]*\"|[-\d.e+]{2,}|\d|/\S+", "_", str(error))[:90]
    return f"{type(error).__name__} {where} {text}"


def _fast_folder() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def fuzz(arguments: argparse.Namespace) -> int:
    """Run all cases on all cores; return the exit code."""
    readers = [arguments.reader] if arguments.reader else READERS
    plan = [
        f"{arguments.seed}/{reader}/{level}/{number}"
        for reader in readers
        for level in (("bytes",) if reader in BYTES_ONLY else mutate.LEVELS)
        if arguments.level in (None, level)
        for number in range(arguments.count)
    ]
    begin = time.monotonic()
    tally: Counter[tuple[str, str]] = Counter()
    failures: list[Failure] = []
    workers = [_Worker(plan[i :: arguments.workers], arguments) for i in range(arguments.workers)]
    while busy := [w for w in workers if w.done < len(w.plan)]:
        by_pipe: dict[Any, _Worker] = {w.pipe: w for w in busy}
        for pipe in wait(list(by_pipe), timeout=1.0):
            _receive(by_pipe[pipe], tally, failures)
        for worker in busy:
            if time.monotonic() - worker.heard > STUCK_S:
                worker.process.kill()  # the end of its pipe is read next
        if len({f.kind for f in failures}) > 200:
            break
    for worker in workers:
        worker.process.join(5)
    _report(tally, failures, arguments, seconds=time.monotonic() - begin)
    return 1 if failures else 0


def _receive(worker: _Worker, tally: Counter[tuple[str, str]], failures: list[Failure]) -> None:
    name = worker.current()
    group = name.split("/", 1)[1].rpartition("/")[0]
    try:
        word, failure = worker.pipe.recv()
    except (EOFError, OSError):
        hung = time.monotonic() - worker.heard > STUCK_S
        worker.process.join()
        code = worker.process.exitcode
        what = f"hung for {STUCK_S:.0f} s" if hung else f"the process died, exit code {code}"
        word, failure = "FAILED", Failure(name, what, what, b"")
        worker.done += 1
        worker.start()
    else:
        worker.done += 1
        worker.heard = time.monotonic()
        if failure is not None and "memory: the peak" in failure.what:
            worker.process.kill()  # the peak never falls: go on in a fresh process
            worker.process.join()
            worker.start()
    tally[group, word] += 1
    if failure is not None:
        failures.append(failure)


def _report(
    tally: Counter[tuple[str, str]],
    failures: list[Failure],
    arguments: argparse.Namespace,
    *,
    seconds: float,
) -> None:
    groups = dict.fromkeys(group for group, _ in tally)
    for group in groups:
        words = {word: n for (g, word), n in sorted(tally.items()) if g == group}
        total = sum(words.values())
        print(f"{group:20} {total:7}  " + "  ".join(f"{word} {n}" for word, n in words.items()))
    total = sum(tally.values())
    print(
        f"{total} cases in {seconds:.1f} s, {total / seconds:.0f} a second, {len(failures)} failed"
    )
    if not failures:
        return
    folder = arguments.keep or Path(tempfile.mkdtemp(prefix="maskforge-fuzz-"))
    folder.mkdir(parents=True, exist_ok=True)
    kinds: dict[str, list[Failure]] = {}
    for failure in failures:
        kinds.setdefault(failure.kind, []).append(failure)
    for kind, found in sorted(kinds.items(), key=lambda item: -len(item[1])):
        first = min(found, key=lambda failure: len(failure.data) or 1 << 30)
        stem = first.case.replace("/", "-")
        (folder / f"{stem}.input").write_bytes(first.data)
        (folder / f"{stem}.txt").write_text(first.what, encoding="utf-8", errors="replace")
        print(f"\n{len(found)} x {kind}\n{first.what.strip()[-1500:]}")
        again = f" --corpus {arguments.corpus}" if arguments.corpus else ""
        print(f"again: {Path(sys.argv[0])} --replay {first.case} --whole {arguments.whole}{again}")
    print(f"\nthe files are in {folder}")


def replay(arguments: argparse.Namespace) -> int:
    """Run one case in this process; return the exit code."""
    import case as case_

    case_.limit_memory()
    with tempfile.TemporaryDirectory() as folder:
        word, failure = _one(arguments.replay, {}, Path(folder), arguments)
    print(failure.what if failure else word)
    if failure and arguments.keep:
        arguments.keep.mkdir(parents=True, exist_ok=True)
        (arguments.keep / "replayed.input").write_bytes(failure.data)
    return 1 if failure else 0


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--count", type=int, default=10_000, help="cases for each reader and level")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reader", choices=READERS)
    parser.add_argument("--level", choices=mutate.LEVELS)
    parser.add_argument(
        "--whole", type=int, default=20, help="every so many cases: a whole conversion"
    )
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--corpus", type=Path, help="a folder with more files to damage")
    parser.add_argument("--keep", type=Path, help="where failing files are kept")
    parser.add_argument("--replay", metavar="CASE")
    parser.add_argument("--kill", type=int, metavar="N", help="kill -9 at N random moments instead")
    parser.add_argument("--power", type=int, metavar="N", help="cut the power at N changes instead")
    parser.add_argument(
        "--histories", type=int, metavar="N", help="N histories instead, from --seed"
    )
    parser.add_argument("--history", type=int, metavar="NUMBER", help="one history again, told")
    arguments = parser.parse_args()
    if arguments.histories or arguments.history is not None:
        import histories

        if arguments.history is not None:
            return histories.replay(arguments.history)
        workers = arguments.workers
        return histories.main(arguments.histories, first=arguments.seed, workers=workers)
    if arguments.replay:
        return replay(arguments)
    if arguments.power:
        import kill

        return kill.power(arguments.power, seed=arguments.seed)
    if arguments.kill:
        import kill

        return kill.main(arguments.kill, seed=arguments.seed)
    return fuzz(arguments)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main())
