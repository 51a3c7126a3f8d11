"""What tests of hostile input share: limits of time, memory and place around a conversion."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import kill
import pytest
from guard import only_inside

import maskforge

HANGS_S = 20
"""Seconds after which a test is taken for hanging; all need a small part of that."""


@contextmanager
def no_hang() -> Iterator[None]:
    """Fail the test when the block takes longer than :data:`HANGS_S`."""

    def stop(*_: object) -> None:
        pytest.fail(f"still running after {HANGS_S} s", pytrace=False)

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(HANGS_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def make_space(folder: Path) -> Path:
    """Make ``in`` and ``out`` in ``folder``, and return it."""
    (folder / "in").mkdir()
    (folder / "out").mkdir()
    return folder


def convert(space: Path, **more: Any) -> maskforge.Conversion:
    """Convert ``in`` to ``out``; no program may run, nothing be written elsewhere."""
    before = kill.tree(space / "in")
    with only_inside(space / "out", pickles=True):
        result = maskforge.convert(space / "in", **{"format": "labelme", **more}, out=space / "out")
    assert kill.tree(space / "in") == before
    assert not [p for p in result.problems if p.code in ("internal", "not-written")]
    assert all(len(str(problem)) < 4000 for problem in result.problems)
    return result


def limited(
    space: Path, *arguments: str, memory: int = 2 << 30
) -> tuple[int, list[dict[str, str]]]:
    """Run the command line in so much memory; return exit code and problems."""
    line = kill.command(*arguments, space / "in", "-o", space / "out", "--json", "-q")
    done = subprocess.run(
        line, env=kill.environment(), capture_output=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (memory, memory)),
    )  # fmt: skip
    assert done.stdout, done.stderr.decode()
    problems = json.loads(done.stdout)["problems"]
    assert not [p for p in problems if "fit into memory" in p["message"]], "a limit, not a crash"
    return done.returncode, problems


def check_no_half_file(out: Path, wanted: dict[str, bytes]) -> None:
    """Assert that all there is, is whole; what waits for the end of the run is hidden."""
    for name, data in kill.tree(out).items():
        if ".maskforge-" not in name:
            assert wanted.get(name) == data, name
