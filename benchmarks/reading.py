"""How much code a reader meets who follows ``maskforge labelme DIR`` from the click command on.

    python benchmarks/reading.py            three numbers
    python benchmarks/reading.py --list     and every file with the functions that were called
    python benchmarks/reading.py --stations and how many of them each folder has

The command runs once, in this process, which has loaded nothing but ``maskforge.cli``, with two
ordinary images of the samples and no list of labels: one worker, previews, the table at the end.
``sys.setprofile`` tells of each call. Counted is what lies in the package:

files       in which at least one function was called
functions   distinct ones; bodies of modules and classes are none, nor are comprehensions and what
            ``dataclass`` writes, which has no file
changes     how often the file changes from one such call to the next. To go on with a generator is
            a call as well, since a reader has to look there again; to return is none.

A call through the standard library counts as if it were direct. Caches are as cold as they are for
the user, so that what is cached is counted once.
"""

from __future__ import annotations

import argparse
import inspect
import os
import shutil
import sys
import tempfile
from collections import Counter
from contextlib import redirect_stderr
from pathlib import Path
from types import CodeType, FrameType

from maskforge import cli

PACKAGE = os.path.join(os.path.dirname(os.path.dirname(cli.__file__)), "")
SAMPLES = Path(__file__).resolve().parent.parent / "samples" / "labelme"
NAMES = ("park_001", "park_002")
COMPREHENSIONS = ("<genexpr>", "<listcomp>", "<setcomp>", "<dictcomp>")


class Walk:
    """What was called, and how often the file changed."""

    def __init__(self) -> None:
        self.calls: Counter[CodeType] = Counter()
        self.changes = 0
        self._file = ""

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event != "call" or not code.co_filename.startswith(PACKAGE):
            return
        if not code.co_flags & inspect.CO_OPTIMIZED or code.co_name in COMPREHENSIONS:
            return
        self.calls[code] += 1
        if code.co_filename != self._file:
            self.changes += bool(self._file)
            self._file = code.co_filename

    @property
    def files(self) -> list[str]:
        return sorted({code.co_filename for code in self.calls})

    def functions(self, file: str) -> list[CodeType]:
        found = (code for code in self.calls if code.co_filename == file)
        return sorted(found, key=lambda code: code.co_firstlineno)


def walk() -> Walk:
    """Convert two images and return what was called."""
    found = Walk()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "dir")
        folder.mkdir()
        for name in NAMES:
            for path in SAMPLES.glob(f"{name}.*"):
                shutil.copy(path, folder)
        os.chdir(temporary)
        with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere):
            sys.setprofile(found)
            try:
                code = cli.cli.main(["labelme", "dir"], "maskforge", standalone_mode=False)
            finally:
                sys.setprofile(None)
        os.chdir(SAMPLES)
        assert code == 0, f"the conversion ended with {code}"
    return found


def _station(file: str) -> str:
    """Return the folder of the package that a file is in, ``-`` for those beside the folders."""
    folder, _, rest = os.path.relpath(file, PACKAGE).partition(os.sep)
    return folder if rest else "-"


def main() -> None:
    """Print the numbers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="every file and function, with calls")
    parser.add_argument("--stations", action="store_true", help="files and functions by folder")
    wanted = parser.parse_args()
    found = walk()
    if wanted.stations:
        stations = Counter(_station(file) for file in found.files)
        for station, files in stations.most_common():
            functions = sum(_station(code.co_filename) == station for code in found.calls)
            print(f"{station:12}{files:5} files {functions:5} functions")
    if wanted.list:
        for file in found.files:
            print(os.path.relpath(file, PACKAGE))
            for code in found.functions(file):
                print(f"    {found.calls[code]:5}  {code.co_qualname}")
    print(f"files      {len(found.files):5}")
    print(f"functions  {len(found.calls):5}")
    print(f"changes    {found.changes:5}")


if __name__ == "__main__":
    main()
