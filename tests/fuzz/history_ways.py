"""How a command of a history ends: of itself, killed, on a full disk, interrupted."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import shutil
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import die_at

import maskforge.cli
from maskforge.cli import _console

WAYS = (
    ("plain", 63),
    ("killed", 9),
    ("killed in the exchange", 9),
    ("full", 5),
    ("full in the exchange", 4),
    ("ctrl-c", 5),
    ("two workers", 2),
    ("a worker killed", 3),
)
"""How a command ends, and how often: of itself, killed with -9, on a full disk, interrupted."""

_WRITES = ("open", "os.mkdir", "os.link", "os.remove", "os.rename", "os.rmdir")
_LIST = "exchange.jsonl"


class Ended(NamedTuple):
    """How a command ended: its exit code, negative for a signal, and what it said."""

    code: int
    said: str

    @property
    def is_told(self) -> bool:
        """Whether a line of its own says that the run was stopped."""
        return re.search(r"^maskforge: ", self.said, re.MULTILINE) is not None


def perform(words: list[str], way: str, moment: int, *, place: Path, scratch: Path) -> Ended:
    """Run maskforge until it ends in the way that is asked for, ``moment`` says when."""
    if way.startswith("full"):
        late = way.endswith("exchange")
        with full_disk(moment % 12 if late else moment // 2, late=late):
            return in_process(words)
    if way == "ctrl-c":
        with interrupted(1 + moment % 4):
            return in_process(words)
    if way == "killed":
        return forked(lambda: _die(moment, place, scratch, words), scratch)
    if way == "killed in the exchange":
        return forked(lambda: _die_in_the_exchange(moment % 12, words), scratch)
    if way == "a worker killed":
        flag = scratch / "killed"
        flag.unlink(missing_ok=True)
        words = [*words, "-j", "2"]
        return forked(lambda: _lose_a_worker(moment % 12 + 1, flag, words), scratch)
    if way == "two workers":
        return forked(lambda: maskforge.cli.main([*words, "-j", "2"]), scratch)
    return in_process(words)


def in_process(words: list[str]) -> Ended:
    """Run maskforge here."""
    said = io.StringIO()
    code: Any = 0
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        try:
            maskforge.cli.main(words)
        except SystemExit as ended:
            code = ended.code or 0
        except BaseException as error:
            said.write("".join(traceback.format_exception(error)))
            code = 99
    return Ended(int(code), said.getvalue())


def forked(work: Callable[[], None], scratch: Path) -> Ended:
    """Run ``work`` in a copy of this process, which may be killed."""
    path = scratch / "said"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of threads, which the copy does not have
        child = os.fork()
    if not child:
        code = 99
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
            os.dup2(file, 1)
            os.dup2(file, 2)
            sys.stdout = sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
            work()
        except SystemExit as ended:
            code = int(ended.code or 0)
        except BaseException:
            traceback.print_exc()
        finally:
            with contextlib.suppress(Exception):
                sys.stderr.flush()
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return Ended(os.waitstatus_to_exitcode(status), path.read_text())


def _die(number: int, place: Path, scratch: Path, words: list[str]) -> None:
    """Run maskforge and be killed before the change ``number`` to ``place``."""
    sys.argv = ["die_at.py", str(number), str(place), str(scratch / "count"), *words]
    die_at.main()


def _die_in_the_exchange(number: int, words: list[str]) -> None:
    """Run maskforge and be killed before the change ``number`` from where it says what it does."""
    left: int | None = None

    def hook(event: str, args: tuple[Any, ...]) -> None:
        nonlocal left
        if left is None and event == "os.rename" and str(args[1]).endswith(_LIST):
            left = number
        if left is not None and _is_change(event, args):
            if left == 0:
                os.kill(os.getpid(), 9)
            left -= 1

    sys.addaudithook(hook)
    maskforge.cli.main(words)


def _is_change(event: str, args: tuple[Any, ...]) -> bool:
    if event == "open":
        return isinstance(args[2], int) and bool(args[2] & os.O_ACCMODE)
    return event in _WRITES


def _lose_a_worker(number: int, flag: Path, words: list[str]) -> None:
    """Run maskforge, one of whose workers is killed before its change ``number``."""
    parent, seen = os.getpid(), 0

    def hook(event: str, args: tuple[Any, ...]) -> None:
        nonlocal seen
        if os.getpid() == parent or not _is_change(event, args):
            return
        seen += 1
        if seen == number and not flag.exists():
            flag.touch()
            os.kill(os.getpid(), 9)

    sys.addaudithook(hook)
    maskforge.cli.main(words)


@contextmanager
def quick_exports() -> Iterator[None]:
    """Have exports write some bytes: what a network becomes is the business of other tests."""
    from maskforge.training import export

    before = export._program, dict(export.SUFFIXES)
    export._program = lambda *_: None
    for suffix in export.SUFFIXES:
        data = f"the network as {suffix}\n".encode()
        export.SUFFIXES[suffix] = (lambda *_, data=data: data, lambda *_: None)
    try:
        yield
    finally:
        export._program = before[0]
        export.SUFFIXES.update(before[1])


@contextmanager
def full_disk(good: int, *, late: bool = False) -> Iterator[None]:
    """Have the disk be full after ``good`` calls that write; late: from the exchange on."""
    calls = 0
    is_on = not late

    def failing(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **more: Any) -> Any:
            nonlocal calls, is_on
            calls += is_on
            if calls > good:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            is_on = is_on or str(arguments[-1]).endswith(_LIST)
            return real(*arguments, **more)

        return call

    patched = [(os, name) for name in ("write", "replace", "rename", "link", "mkdir")]
    patched += [(shutil, "copyfileobj")]
    before = [(module, name, getattr(module, name)) for module, name in patched]
    try:
        for module, name, real in before:
            setattr(module, name, failing(real))
        yield
    finally:
        for module, name, real in before:
            setattr(module, name, real)


@contextmanager
def interrupted(after: int) -> Iterator[None]:
    """Have Ctrl-C be pressed after so many images of a conversion."""

    def stop(done: int, total: int) -> None:
        if done == after:
            raise KeyboardInterrupt

    @contextmanager
    def bar(spoken: Any, done: str) -> Iterator[Any]:
        if done == "converting":
            yield stop
            return
        with before(spoken, done) as show:
            yield show

    before = _console.bar
    _console.bar = bar
    try:
        yield
    finally:
        _console.bar = before
