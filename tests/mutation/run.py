"""Mistakes in the core, made on purpose: whether the tests notice each of them.

    python tests/mutation/run.py                    what `make mutation` does
    python tests/mutation/run.py --named            the mistakes listed by hand in named.py only
    python tests/mutation/run.py --only overlap     the seeded ones of one area
    python tests/mutation/run.py --list             what would be made, without testing it

Every mutant is a patch of one file in a private copy of the repository. It is killed when a test
fails or does not end: first those that mirror the file, then wider ones. Which places are chosen
follows from --seed and from the text there, so an edit elsewhere changes no other choice.
Exit code 1 when one survives that is not explained in explained.py.
"""

from __future__ import annotations

import argparse
import queue
import sys
import tempfile
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent))
from areas import AREAS
from explained import reason_of
from named import NAMED, Named
from operators import OPERATORS, Mutant, mutants
from workers import ROOT, Copy, Verdict

PACKAGE = "maskforge/"
PATIENCE = 5.0
"""How many times as long as the healthy package a mutant may take, and a minute more."""

TRUSTED_S = 60.0
"""Seconds that a group of tests is thought to take where nobody looked."""


class Task(NamedTuple):
    """A mutant and the tests that should kill it, narrow ones first."""

    area: str
    mutant: Mutant
    tests: tuple[str, ...]
    name: str = ""


def main() -> int:
    arguments = _arguments()
    tasks = []
    if not (arguments.only or arguments.seeded):
        tasks += list(_named())
    if not arguments.named:
        only = [arguments.only] if arguments.only else list(AREAS)
        tasks += _seeded(arguments.seed, arguments.count, only)
    if arguments.like:
        tasks = [task for task in tasks if arguments.like in _shown(task)]
    if arguments.list:
        for task in tasks:
            reason = _reason(task)
            print(
                _shown(task), f"    explained: {reason}" if reason else "", sep="\n" * bool(reason)
            )
        return 0
    if arguments.narrow:
        tasks = [task._replace(tests=task.tests[:1]) for task in tasks]
    results = _tested(tasks, arguments.jobs, trust=arguments.trust)
    return _report(results)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=200, help="seeded mutants in all areas")
    parser.add_argument("--only", choices=AREAS, help="seeded mutants of this area only")
    parser.add_argument("--seeded", action="store_true", help="those chosen by the seed only")
    parser.add_argument("--named", action="store_true", help="those listed by hand only")
    parser.add_argument("--like", default="", help="those whose description has this in it")
    parser.add_argument("--trust", action="store_true", help="that all tests pass without one")
    parser.add_argument("--narrow", action="store_true", help="by the tests of the file alone")
    parser.add_argument("--list", action="store_true", help="say what would be made")
    parser.add_argument("-j", "--jobs", type=int, default=2)
    return parser.parse_args()


# Which mutants


def _named() -> Iterator[Task]:
    for named in NAMED:
        source = (ROOT / PACKAGE / named.file).read_bytes()
        yield Task("named", _found(named, source), named.tests, named.name)


def _found(named: Named, source: bytes) -> Mutant:
    count = source.count(named.before.encode())
    if count != 1:
        raise SystemExit(
            f"{named.name}: the text must stand once in {named.file}, but does {count} times; "
            f"say in named.py what has become of it:\n{named.before}"
        )
    start = source.index(named.before.encode())
    line = source.count(b"\n", 0, start) + 1
    end = start + len(named.before.encode())
    text = source.splitlines()[line - 1].decode()
    file = PACKAGE + named.file
    return Mutant(file, line, "", "named", start, end, named.before, named.after, text)


def _seeded(seed: int, count: int, only: list[str]) -> list[Task]:
    """Return the chosen ones: as many of each area, and in it of each operator, as can be."""
    chosen = []
    for number, (name, area) in enumerate(AREAS.items()):
        if name in only:
            share = count // len(AREAS) + (number < count % len(AREAS))
            tests = {PACKAGE + file: (own, *area.wider) for file, own in area.files.items()}
            made = [m for file in tests for m in mutants(file, (ROOT / file).read_bytes())]
            for mutant in _spread(made, share, seed):
                chosen.append(Task(name, mutant, tests[mutant.file]))
    return chosen


def _spread(made: list[Mutant], count: int, seed: int) -> Iterator[Mutant]:
    """Yield ``count`` mutants, the operators in turn, two never in one line.

    Those that are explained, since no test can kill them, come on top and are counted apart.
    """
    waiting = {
        name: sorted((m for m in made if m.operator == name), key=lambda m: m.rank(seed))
        for name in OPERATORS
    }
    taken: set[tuple[str, int]] = set()
    while count and any(waiting.values()):
        for ranked in waiting.values():
            while ranked:
                mutant = ranked.pop(0)
                if (mutant.file, mutant.line) not in taken:
                    break
            else:
                continue
            taken.add((mutant.file, mutant.line))
            yield mutant
            count -= not reason_of(mutant)
            if not count:
                return


# Testing them


def _tested(tasks: list[Task], jobs: int, *, trust: bool) -> list[tuple[Task, Verdict]]:
    """Return what became of each; the tests must pass on the healthy package first."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copies = [Copy(Path(folder, str(number))) for number in range(max(1, jobs))]
        healthy = Healthy(trust=trust)

        def judge(copy: Copy, task: Task) -> None:
            found = _judged(copy, task, healthy)
            results.append((task, found))
            _tell(task, found, len(results), len(tasks))

        results: list[tuple[Task, Verdict]] = []
        try:
            _spread_over(copies, judge, tasks)
        finally:
            for copy in copies:
                copy.close()
    return sorted(results, key=lambda result: tasks.index(result[0]))


class Healthy:
    """How long groups of tests take without a mistake: each is run so once, when first needed."""

    def __init__(self, *, trust: bool) -> None:
        self._seconds: dict[str, float] = defaultdict(lambda: TRUSTED_S) if trust else {}
        self._trust = trust
        self._at_work: dict[str, threading.Lock] = defaultdict(threading.Lock)

    def seconds(self, copy: Copy, group: str) -> float:
        """Return how long ``group`` takes in a ``copy`` that is as it was. Raises RuntimeError."""
        with self._at_work[group]:
            if group not in self._seconds and not self._trust:
                found = copy.test(group.split(), timeout=1800)
                if found.failed:
                    raise RuntimeError(f"the tests must pass without a mistake:\n{found.said}")
                self._seconds[group] = found.seconds
        return self._seconds[group]


def _judged(copy: Copy, task: Task, healthy: Healthy) -> Verdict:
    file = task.mutant.file
    source = copy.read(file)
    seconds = 0.0
    # What no test can see is not looked for with great effort.
    for group in task.tests[:1] if _reason(task) else task.tests:
        timeout = 60 + PATIENCE * healthy.seconds(copy, group)
        copy.write(file, task.mutant.applied(source))
        try:
            found = copy.test(group.split(), timeout=timeout)
        finally:
            copy.write(file, source)
        seconds += found.seconds
        if found.failed:
            break
    return found._replace(seconds=seconds)


def _spread_over(
    copies: list[Copy], work: Callable[[Copy, Task], None], tasks: Iterable[Task]
) -> None:
    """Have the copies do ``work`` on all tasks, each on one at a time; raise what one raised."""
    waiting: queue.SimpleQueue[Task] = queue.SimpleQueue()
    for task in tasks:
        waiting.put(task)
    raised: list[BaseException] = []

    def serve(copy: Copy) -> None:
        try:
            while not raised:
                work(copy, waiting.get_nowait())
        except queue.Empty:
            pass
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=serve, args=(copy,)) for copy in copies]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except KeyboardInterrupt as error:
        raised.append(error)  # after the mutant that each is at
        for thread in threads:
            thread.join()
        raise
    if raised:
        raise SystemExit(str(raised[0])) from raised[0]


# Telling


def _shown(task: Task) -> str:
    mutant = task.mutant
    name = f" {task.name}" if task.name else ""
    begin = f"{mutant.file}:{mutant.line} [{task.area}{name}] {mutant.operator}"
    after = " ⏎ ".join(line.strip() for line in mutant.after.splitlines()) or "nothing"
    before = " ⏎ ".join(line.strip() for line in mutant.before.splitlines())
    text = "" if mutant.operator == "named" else f"\n    in      {mutant.text.strip()}"
    return f"{begin}{text}\n    before  {before}\n    after   {after}"


def _reason(task: Task) -> str:
    return "" if task.name else reason_of(task.mutant)


def _tell(task: Task, found: Verdict, done: int, total: int) -> None:
    head = f"{done}/{total} {found.seconds:.0f} s"
    if found.failed:
        print(f"{head}  killed by {found.by}: {_shown(task).splitlines()[0]}", flush=True)
    else:
        what = "explained" if _reason(task) else "SURVIVED"
        print(f"{head}  {what}: {_shown(task)}", flush=True)


def _report(results: list[tuple[Task, Verdict]]) -> int:
    outcome = {
        id(task): "killed" if found.failed else "explained" if _reason(task) else "survived"
        for task, found in results
    }
    for kind in ("explained", "survived"):
        print(f"\n{kind}:")
        for task, _ in results:
            if outcome[id(task)] == kind:
                print(_shown(task))
                if kind == "explained":
                    print(f"    why     {_reason(task)}")
    for title, key in (("area", lambda t: t.area), ("operator", lambda t: t.mutant.operator)):
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for task, _ in results:
            counts[key(task)][outcome[id(task)]] += 1
        print(f"\n{title:20} mutants  killed  survived  share killed  explained")
        for name, count in [*counts.items(), ("all", sum(counts.values(), Counter()))]:
            real = count["killed"] + count["survived"]
            print(
                f"{name:20} {real:7} {count['killed']:7} {count['survived']:9} "
                f"{count['killed'] / max(1, real):13.1%} {count['explained']:10}"
            )
    return int(any(kind == "survived" for kind in outcome.values()))


if __name__ == "__main__":
    sys.exit(main())
