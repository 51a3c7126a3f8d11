"""Images and videos on their way through a command: a bar, the problems, the exit code."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from maskforge.cli import _again, _console
from maskforge.errors import many

if TYPE_CHECKING:
    from maskforge.prediction.footage import Found
    from maskforge.prediction.saving import Events

_MOST = 4
"""Files of an earlier output that are named."""


def follow(
    events: Events,
    found: Sequence[Found],
    *,
    console: Any,
    done: str,
    out: str,
) -> int:
    """Show how ``events`` come, one for each image or frame, and return the exit code.

    done: what has been done to them, in a word. When they end all is put in place in ``out``; where
    this is interrupted it is said what became of what was done.
    """
    from maskforge.cli._console import escape
    from maskforge.prediction import footage

    errors = _console.errors(console)
    problems = finished = 0
    # More than once into the same videos only where somebody is looking.
    total = footage.count(found) if _console.is_watched(console) else None
    try:
        with closing(events), _console.bar(console, done) as progress:
            for _, problem in events:
                if problem is None:
                    finished += 1
                else:
                    problems += 1
                    errors.print(f"[red]{problem.code}[/] {escape(str(problem))}")
                if progress is not None:
                    progress(finished + problems, total or 0)
    except KeyboardInterrupt as error:
        if events.placed is None and not events.waits:
            raise _again.Interrupted("all is as it was") from error
        raise _again.Interrupted(
            f"what is done is kept: {out}",
            dropped=("out", "overwrite", "resume"),
            more=("--out", out, "--resume" if events.waits else "--overwrite"),
        ) from error
    videos = sum(one.is_video for one in found)
    if not videos:
        what = f"{finished} of {many(len(found), 'image')}"
    elif videos == len(found):
        what = f"{many(finished, 'frame')} of {many(videos, 'video')}"
    else:
        what = f"{finished} images and frames" if finished != 1 else "1 image or frame"
    before = f", {events.kept:,} of them by an earlier run" if events.kept else ""
    console.print(f"[bold]{what} {done}[/]{before}: {escape(out)}")
    if events.placed is None:
        return 3
    if left := events.placed.left:
        shown = ", ".join(left[:_MOST]) + (" …" if len(left) > _MOST else "")
        errors.print(
            f"[yellow]left in place[/]: {many(len(left), 'file')} of the earlier output, "
            f"changed since: {escape(shown)}"
        )
    return 1 if problems else 0
