"""An earlier output that is moved aside as a whole, so that a new one can have its place.

    runs/people      the new one
    runs/people-1    the earlier one: its files, and the list that says they are its own

The moves are steps of the same list of renames as those of the new files, and come before them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

from maskforge.errors import UsageError
from maskforge.io.ownership import Owned


def beside(folder: Path, number: int) -> Path:
    """Return the path ``FOLDER-number``; beside what a link leads to, which is where its disk is.

    Raises ValueError for the root of the file system.
    """
    if folder.name in ("", "..") or folder.is_symlink():
        folder = Path(os.path.realpath(folder))
    return folder.with_name(f"{folder.name}-{number}")


def check(folder: Path, place: Path) -> None:
    """Raise UsageError where nothing can be moved from ``folder`` to beside it.

    place: a folder in it where a trial may be made.
    """
    trial = place / "files-0"
    try:
        trial.mkdir()
        os.rename(trial, _trial(folder))
        tidy(folder)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"what stands in {str(folder)!r} cannot be moved to a folder beside it: {reason}",
            cure="move it away yourself, or choose another --out",
        ) from error


def tidy(folder: Path) -> None:
    """Remove the trial that a process left beside ``folder`` which was killed at that moment."""
    with suppress(OSError, ValueError):
        _trial(folder).rmdir()


def _trial(folder: Path) -> Path:
    goal = beside(folder, 0)
    return goal.with_name(f".maskforge-{goal.name}.trial")


def steps(folder: Path, names: Iterable[str]) -> tuple[Path, list[list[Any]]]:
    """Make the first folder beside that is free; return it, and the steps that move ``names``."""
    number, made = _make(folder)
    return made, [["beside", str(number), made.stat().st_ino], *(["move", name] for name in names)]


def move(owned: Owned, steps: Iterable[list[Any]], *, done: bool) -> Path | None:
    """Move what ``steps`` say, with the list ``owned``; those again that were done already.

    done: all of them were. Returns where to, None where that is not to be found.
    """
    goal: Path | None = None
    for step in steps:
        if step[0] == "beside":
            goal = _goal(owned.folder, step, done=done)
            if goal is not None and not done:
                _move_list(owned, goal)
        elif step[0] == "move" and goal is not None and not done:
            _move_file(owned.folder, goal, step[1])
    return goal


def has_begun(owned: Owned, steps: Iterable[list[Any]]) -> bool:
    """Tell whether something was moved; where nothing was, the new folder is removed again."""
    for step in steps:
        if step[0] == "beside":
            goal = beside(owned.folder, int(step[1]))
            if (goal / owned.path.name).is_file():
                return True
            if _is_made(goal, step):
                with suppress(OSError):  # something is in it, so it is somebody's
                    goal.rmdir()
    return False


def _goal(folder: Path, step: list[Any], *, done: bool) -> Path | None:
    goal = beside(folder, int(step[1]))
    if _is_made(goal, step):
        return goal
    # Somebody moved or removed it since that run was cut off.
    return None if done else _make(folder)[1]


def _make(folder: Path) -> tuple[int, Path]:
    for number in count(1):
        with suppress(FileExistsError):
            made = beside(folder, number)
            made.mkdir()
            break
    return number, made


def _is_made(goal: Path, step: list[Any]) -> bool:
    try:
        found = goal.lstat()
    except OSError:
        return False
    return goal.is_dir() and found.st_ino == step[2]


def _move_list(owned: Owned, goal: Path) -> None:
    """Move the list, as the file it is: what it says of itself stays true, or untrue."""
    target = goal / owned.path.name
    if not os.path.lexists(target) and os.path.lexists(owned.path):
        os.rename(owned.path, target)


def _move_file(folder: Path, goal: Path, name: str) -> None:
    source, target = folder / name, goal / name
    if not os.path.lexists(source):
        return
    if os.path.lexists(target):
        raise UsageError(
            "nothing may stand where a file of the earlier output goes",
            code="in-the-way",
            file=str(target),
            cure="move it away, and run the command again",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    os.rename(source, target)
