"""A process that has the heavy libraries loaded and forks one that runs tests when it is told to.

A line in is what pytest is called with, in JSON, after the file that takes its output. Lines out
are the number of the new process, and its exit code. ``maskforge`` is loaded by the new one only.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import traceback
from contextlib import suppress

MEMORY = 12 << 30
"""Bytes of address space that the tests of a mutant may take: one that asks for all is stopped."""

HEAVY = (
    *("numpy", "cv2", "PIL.Image", "PIL.ImageDraw", "shapely", "msgspec", "rich.console", "click"),
    *("hypothesis.extra.numpy", "pytest", "torch", "torch.nn.functional", "torch.distributed"),
)


def main() -> None:
    """Serve until there is no more to do."""
    sys.path[0] = os.getcwd()
    for name in HEAVY:
        with suppress(ImportError):
            importlib.import_module(name)
    for line in sys.stdin:
        output, *arguments = json.loads(line)
        process = os.fork()
        if process == 0:
            _run(output, arguments)
        print(process, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


def _run(output: str, arguments: list[str]) -> None:
    os.setsid()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for number, file in enumerate((os.open(os.devnull, os.O_RDONLY), os.open(output, os.O_WRONLY))):
        os.dup2(file, number)
    os.dup2(1, 2)
    sys.argv = ["pytest", *arguments]
    code = 3
    try:
        import pytest

        code = int(pytest.main(arguments))
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
