"""Runs maskforge and kills it with -9 just before its N-th change to the output.

    python die_at.py N FOLDER COUNT_FILE ARGUMENTS...

Opening for writing, renaming, linking, removing and making folders count, in the folder FOLDER and
below. With N 0 nothing is killed and the number of changes is written to COUNT_FILE.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

_CHANGES = ("open", "os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir")


def main() -> None:
    number, folder, count_file, *arguments = sys.argv[1:]
    place = os.path.realpath(folder)
    seen = 0

    def hook(event: str, args: tuple[Any, ...]) -> None:
        nonlocal seen
        if event not in _CHANGES or not isinstance(args[0], str | os.PathLike):
            return
        if event == "open" and not (isinstance(args[2], int) and args[2] & os.O_ACCMODE):
            return
        paths = [os.path.abspath(a) for a in args if isinstance(a, str | os.PathLike)]
        if any(path.startswith(place) for path in paths):
            seen += 1
            if seen == int(number):
                os.kill(os.getpid(), signal.SIGKILL)

    from maskforge.cli import main as cli

    sys.addaudithook(hook)
    try:
        cli(arguments)
    finally:
        Path(count_file).write_text(str(seen))


if __name__ == "__main__":
    main()
