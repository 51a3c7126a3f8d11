"""Who does the work of a conversion: which engine, what it is told, and how many workers help."""

from __future__ import annotations

import os
from collections.abc import Mapping

from maskforge import engines, plugins
from maskforge.engines import Options, Team
from maskforge.errors import UsageError

JOBS_PER_WORKER = 48
"""With fewer jobs than this for each worker, starting one costs more than it saves."""


def options(engine: str | None, values: Mapping[str, object]) -> Options:
    """Return what the engine is told, None being one that we choose. Raises UsageError."""
    if engine is not None:
        found: Options = plugins.options(engines.load(engine), values)
        return found
    if values:
        raise UsageError(
            f"there must be an engine for the options {sorted(values)}, but none was named"
        )
    return Options()


def team(engine: str | None, workers: int | None, jobs: int, told: Options) -> Team:
    """Return who does ``jobs`` jobs; None leaves it to us."""
    count = workers
    if count is None:  # elsewhere the engine knows how many there are
        count = max(1, jobs) if told.elsewhere else _helpful(jobs)
    return engines.load(engine or ("serial" if count == 1 else "processes")).Team(count, told)


def _helpful(jobs: int) -> int:
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    return max(1, min(cores, jobs // JOBS_PER_WORKER))
