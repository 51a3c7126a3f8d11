"""Many histories at once, on all cores, and what they came to."""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import signal
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import FrameType

STUCK_S = 120
"""Seconds after which a history is taken for hanging."""


def _one(number: int) -> tuple[Counter[tuple[str, str]], str]:
    import history  # the package is imported by the workers only

    def stop(signum: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"still going on after {STUCK_S} s")

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(STUCK_S)
    with tempfile.TemporaryDirectory(dir=_place(), prefix="history-") as folder:
        found = history.live(number, Path(folder))
    signal.alarm(0)
    return found


def _is_possible(number: int) -> bool:
    import history

    return importlib.util.find_spec("torch") is not None or not history.is_of_networks(number)


def main(count: int, *, first: int, workers: int) -> int:
    """Go through ``count`` histories from the number ``first`` on; return the exit code."""
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    begin = time.monotonic()
    tally: Counter[tuple[str, str]] = Counter()
    numbers = [number for number in range(first, first + count) if _is_possible(number)]
    failed = 0
    with ProcessPoolExecutor(  # whose processes may have workers of their own
        workers, multiprocessing.get_context("spawn")
    ) as pool:
        for counted, broken in pool.map(_one, numbers):
            tally += counted
            if broken:
                failed += 1
                number = broken.partition(":")[0].removeprefix("history ")
                print(f"{broken}\nagain: tests/fuzz/run.py --history {number}\n", flush=True)
    for kind in dict.fromkeys(kind for kind, _ in sorted(tally)):
        words = [(word, n) for (k, word), n in tally.most_common() if k == kind]
        print(f"{kind:9} " + ", ".join(f"{word} {n}" for word, n in words))
    commands = sum(n for (kind, _), n in tally.items() if kind == "ended")
    refused = tally["ended", "refused"]
    seconds = time.monotonic() - begin
    print(
        f"{len(numbers)} histories, {commands} commands in {seconds:.0f} s; "
        f"{100 * refused / max(1, commands):.0f} % of the commands refused; {failed} broken"
    )
    return 1 if failed else 0


def replay(number: int) -> int:
    """Go through one history, and print it; return the exit code."""
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    import history

    with tempfile.TemporaryDirectory(dir=_place()) as folder:
        lived = history.History(number, Path(folder))
        try:
            lived.run()
        finally:
            print(lived.story())
    return 0


def _place() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
