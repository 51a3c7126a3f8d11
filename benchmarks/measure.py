"""Timing: in turn, several times, in empty folders; and the table that comes of it."""

from __future__ import annotations

import gc
import platform
import shutil
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

Work = Callable[[Path], object]
"""Does the job, leaving its files in the given empty folder."""

LEAST_SECONDS, MOST_TURNS = 1.0, 20
"""There are turns, up to so many, until the clock has run so long for everybody."""


@dataclass
class Entrant:
    """One way to do a job. ``check`` raises AssertionError when the folder holds the wrong files.

    count: images that ``work`` converts. Where a script is so slow that it gets fewer than the
    others, times are compared by image. seconds: of each repetition.
    """

    name: str
    work: Work
    count: int
    check: Callable[[Path], None]
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """Milliseconds an image, median of the repetitions."""
        return statistics.median(self.seconds) * 1e3 / self.count

    @property
    def best(self) -> float:
        """Milliseconds an image in the fastest repetition."""
        return min(self.seconds) * 1e3 / self.count


def race(
    entrants: Sequence[Entrant],
    *,
    scratch: Path,
    repeats: int,
    clock: Callable[[], float] = time.perf_counter,
) -> None:
    """Time ``entrants`` in turn, ``repeats`` times, so that a slow minute is everybody's.

    clock: returns seconds; the processor's time counts this process alone, and not the others.

    Before that each runs once without a clock: files come from the page cache, modules are loaded,
    and what it wrote is checked. Where a turn is short there are more of them, as a tenth of a
    second says little on a machine that one does not have to oneself.
    """
    turn = 0
    while turn <= repeats or (turn <= MOST_TURNS and _shortest(entrants) < LEAST_SECONDS):
        for entrant in entrants:
            folder = scratch / "out"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            gc.collect()
            begin = clock()
            answer = entrant.work(folder)
            seconds = clock() - begin
            if turn == 0:
                entrant.check(folder)
            else:
                # A subprocess says itself how long it took, its start left out.
                entrant.seconds.append(answer if isinstance(answer, float) else seconds)
        turn += 1
    shutil.rmtree(scratch / "out", ignore_errors=True)


def _shortest(entrants: Sequence[Entrant]) -> float:
    return min(sum(entrant.seconds) for entrant in entrants)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return ``rows``, the first one the heads, as a Markdown table, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["| " + _line(row, widths) + " |" for row in rows]
    rule = [":" + "-" * (widths[0] - 1), *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([lines[0], "| " + " | ".join(rule) + " |", *lines[1:]])


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = (
        cell.ljust(width) if index == 0 else cell.rjust(width)
        for index, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return " | ".join([first, *rest])


def cpu() -> str:
    """Return what the processor is called."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
