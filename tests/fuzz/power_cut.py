"""Runs maskforge up to its N-th change to the output, then cuts the power.

    python power_cut.py N SEED FOLDER ARGUMENTS...

What the system was told before it was last told to write all to the disk is there; of the files
written since, each is whole, empty, cut, or has zeros at its end, as the file systems of a journal
leave them. Names are kept in order: such a file system does not forget an earlier rename and keep a
later one.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_CHANGES = ("open", "os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir")


class _Disk:
    """What is known to be on the disk: all up to a moment, and some files up to a later one."""

    def __init__(self, place: Path, seed: str) -> None:
        self.place = place
        self.rng = random.Random(seed)
        self.all = time.time_ns()
        self.files: dict[int, int] = {}

    def told_all(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def sync(*given: Any) -> Any:
            found = work(*given)
            self.all = time.time_ns()
            return found

        return sync

    def told_one(self, work: Callable[[int], None]) -> Callable[[int], None]:
        def fsync(descriptor: int) -> None:
            work(descriptor)
            self.files[os.fstat(descriptor).st_ino] = time.time_ns()

        return fsync

    def cut(self) -> None:
        """Spoil what may not have reached the disk, and end at once."""
        for path in sorted(self.place.rglob("*")):
            if path.is_symlink() or not path.is_file():
                continue
            found = path.stat()
            if found.st_mtime_ns <= max(self.all, self.files.get(found.st_ino, 0)):
                continue
            size = found.st_size
            kept = self.rng.choice([size, 0, self.rng.randrange(size + 1), size // 2])
            with path.open("r+b") as file:
                file.truncate(kept)
                if self.rng.random() < 0.5:
                    file.truncate(size)  # zeros where the rest was
        os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    number, seed, folder, *arguments = sys.argv[1:]
    place = os.path.realpath(folder)
    disk = _Disk(Path(place), f"{seed}/{number}")
    seen, busy = 0, False

    def hook(event: str, args: tuple[Any, ...]) -> None:
        nonlocal seen, busy
        if busy or event not in _CHANGES or not isinstance(args[0], str | os.PathLike):
            return
        if event == "open" and not (isinstance(args[2], int) and args[2] & os.O_ACCMODE):
            return
        if any(os.fspath(a).startswith(place) for a in args if isinstance(a, str | os.PathLike)):
            seen += 1
            if seen == int(number):
                busy = True
                disk.cut()

    from maskforge.cli import main as cli
    from maskforge.io import exchange

    exchange._sync = disk.told_all(exchange._sync)
    os.fsync = disk.told_one(os.fsync)
    sys.addaudithook(hook)
    cli(arguments)


if __name__ == "__main__":
    main()
