"""Watches this process while it handles hostile input: writes outside a folder, programs, pickles.

The interpreter itself reports what is about to be done (PEP 578), so nothing slips through because
a test looked in the wrong place.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

_FORBIDDEN = (
    "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.startfile", "os.fork",
    "socket.connect", "socket.getaddrinfo", "webbrowser.open", "ftplib.connect",
    "urllib.Request", "shutil.rmtree", "os.chmod", "os.chown", "os.symlink", "os.truncate",
)  # fmt: skip
_PATHS = {
    "os.remove": (0,),
    "os.mkdir": (0,),
    "os.rmdir": (0,),
    "os.rename": (0, 1),
    "os.link": (1,),
}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Trespass(BaseException):
    """Hostile input made the program do what it must not do. No handler for Exception hides it."""


_OWN = ("maskforge", "numpy", "pathlib")
"""Packages whose classes the program's own pickles, made in the same run, are of."""


class _State:
    pickles = False
    roots: tuple[str, ...] = ()
    active = False
    seen: ClassVar[list[str]] = []


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if not _State.active:
        return
    if event == "pickle.find_class":
        if not (_State.pickles and str(args[0]).partition(".")[0] in _OWN):
            _refuse(f"{event}{args!r:.200}")
    elif event in _FORBIDDEN:
        _refuse(f"{event}{args!r:.200}")
    elif event == "open":
        path, mode, flags = args
        writes = isinstance(mode, str) and any(c in mode for c in "wax+")
        writes |= isinstance(flags, int) and bool(flags & _WRITING)
        if writes and isinstance(path, str | bytes):
            _check(event, path)
    elif event in _PATHS:
        for index in _PATHS[event]:
            _check(event, args[index])


def _check(event: str, path: Any) -> None:
    if isinstance(path, int):
        return
    # The folder is resolved, the name is not: a link is replaced or removed itself.
    place = Path(os.path.abspath(os.fsdecode(path)))
    real = os.path.join(os.path.realpath(place.parent), place.name)
    if not (real + os.sep).startswith(_State.roots):
        _refuse(f"{event} {os.fsdecode(path)!r:.200}")


def _refuse(what: str) -> None:
    _State.seen.append(what)
    raise Trespass(what)


@contextmanager
def only_inside(*folders: Path, pickles: bool = False) -> Iterator[None]:
    """Raise Trespass for any write outside ``folders``, any program started, any pickle run.

    pickles: those of the program itself may be. What a handler of the program under test swallows
    is raised again at the end.
    """
    if not hasattr(sys, "_maskforge_guard"):
        sys.addaudithook(_hook)
        sys._maskforge_guard = True  # type: ignore[attr-defined]
    _State.roots = tuple(os.path.realpath(folder) + os.sep for folder in folders)
    _State.seen, _State.pickles, _State.active = [], pickles, True
    try:
        yield
    finally:
        _State.active = False
    if _State.seen:
        raise Trespass(_State.seen[0])
