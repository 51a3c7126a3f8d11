"""Images and videos on their way through a command: a bar, the problems, the exit code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from maskforge.cli import _console
from maskforge.errors import Problem

if TYPE_CHECKING:
    from maskforge.train.footage import Found


def follow(
    events: Iterable[tuple[str, Problem | None]],
    found: Sequence[Found],
    *,
    console: Any,
    done: str,
    out: str,
) -> int:
    """Show how ``events`` come, one for each image or frame, and return the exit code.

    done: what has been done to them, in a word.
    """
    from rich.markup import escape

    from maskforge.train import footage

    errors = _console.errors(console)
    problems = finished = 0
    # More than once into the same videos only where somebody is looking.
    total = footage.count(found) if _is_watched(console) else None
    with _bar(console) as bar:
        task = bar.add_task(done, total=total)
        for _, problem in events:
            if problem is None:
                finished += 1
            else:
                problems += 1
                errors.print(f"[red]{problem.code}[/] {escape(str(problem))}")
            bar.advance(task)
    videos = sum(one.is_video for one in found)
    if not videos:
        what = f"{finished} of {len(found)} images"
    elif videos == len(found):
        what = f"{finished} frames of {videos} video{'s' if videos > 1 else ''}"
    else:
        what = f"{finished} images and frames"
    console.print(f"[bold]{what} {done}[/]: {escape(out)}")
    if not finished:
        return 3
    return 1 if problems else 0


def _bar(console: Any) -> Any:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not _is_watched(console),
    )


def _is_watched(console: Any) -> bool:
    return bool(console.is_terminal and not console.quiet)
