"""Private copies of the repository, in which one mutant at a time is tested."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
_NO_TESTS = 5  # pytest's exit code where all that was asked for skips itself
_QUIET = ("-W", "ignore::pytest.PytestAssertRewriteWarning")  # of what is loaded already
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


class Verdict(NamedTuple):
    """failed: whether a test noticed. by: which one, or what happened."""

    failed: bool
    by: str
    seconds: float
    said: str = ""


class Copy:
    """The tracked and the new files in a folder of its own, first on the path of its tests."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "tree"
        self._scratch = folder / "scratch"
        names = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, check=True, capture_output=True,
        ).stdout.decode().split("\0")  # fmt: skip
        for name in filter(None, names):
            if (ROOT / name).is_file():
                target = self.root / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, target)
        self._variables = {
            **os.environ,
            "PYTHONPATH": str(self.root),
            "TMPDIR": str(self._scratch),
            "OMP_NUM_THREADS": "1",
        }
        self._check_place()
        self._output = folder / "output"
        self._nursery = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("nursery.py"))],
            cwd=self.root, env=self._variables, bufsize=0,  # nothing is read ahead: see select
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def _check_place(self) -> None:
        said = subprocess.run(
            [sys.executable, "-c", "import maskforge; print(maskforge.__file__)"],
            cwd=self.root, env=self._variables, check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        if not Path(said.strip()).is_relative_to(self.root):
            raise SystemExit(f"the tests would import {said.strip()}, which is not the copy")

    def read(self, file: str) -> bytes:
        """Return the text of ``file`` as it was copied, whatever has become of it since."""
        return (self.root / file).read_bytes()

    def write(self, file: str, source: bytes) -> None:
        """Give ``file`` other text."""
        path = self.root / file
        path.write_bytes(source)
        # What was compiled is known by size and second, which a mutant may share with the original.
        Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)

    def test(self, tests: list[str], *, timeout: float) -> Verdict:
        """Run ``tests``, below ``tests/``, up to the first that fails."""
        self._scratch.mkdir(exist_ok=True)
        self._output.write_bytes(b"")
        paths = [f"tests/{path}" for path in tests]
        call = [str(self._output), "-x", "-q", "-p", "no:cacheprovider", *_QUIET, *paths]
        begun = time.monotonic()
        self._nursery.stdin.write(json.dumps(call).encode() + b"\n")  # type: ignore[union-attr]
        process = int(self._answer())
        in_time = bool(select.select([self._nursery.stdout], [], [], timeout)[0])
        if not in_time:
            _kill_group(process)
        code = int(self._answer())
        _kill_group(process)  # what the tests have left behind
        shutil.rmtree(self._scratch, ignore_errors=True)
        said = self._output.read_text(errors="replace")
        found = _FAILED.search(said)
        by = found.group(1) if found else f"exit code {code}"
        failed = code not in (0, _NO_TESTS)
        if not in_time:
            by, failed = f"no end within {timeout:.0f} s", True
        return Verdict(failed, by if failed else "", time.monotonic() - begun, said[-6000:])

    def _answer(self) -> bytes:
        return self._nursery.stdout.readline()  # type: ignore[union-attr]

    def close(self) -> None:
        """Let go of the process that runs the tests."""
        self._nursery.communicate()


def _kill_group(process: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process, signal.SIGKILL)
