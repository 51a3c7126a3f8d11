"""Marked parts of Markdown files: found, compared, replaced."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

_PART = re.compile(r"(<!-- made: (\S+) -->\n)(.*?)(<!-- /made -->)", re.DOTALL)


def documents(root: Path) -> list[Path]:
    """Return the Markdown files that have parts made from the code, or may have."""
    return [*sorted(root.glob("*.md")), *sorted((root / "docs").rglob("*.md"))]


def update(
    paths: Iterable[Path], parts: Mapping[str, Callable[[], str]], *, write: bool
) -> list[str]:
    """Return which parts are out of date, one sentence each; put them right where ``write``."""
    stale: list[str] = []
    for path in paths:
        old = path.read_text(encoding="utf-8")
        new = _PART.sub(partial(_made, parts, path), old)
        if new == old:
            continue
        was, now = ({m[2]: m[3] for m in _PART.finditer(text)} for text in (old, new))
        stale += [
            f"{path.name}: part {name!r} is out of date" for name in now if was[name] != now[name]
        ]
        if write:
            path.write_text(new, encoding="utf-8", newline="\n")
    return stale


def _made(parts: Mapping[str, Callable[[], str]], path: Path, match: re.Match[str]) -> str:
    name = match[2]
    if name not in parts:
        raise KeyError(f"{path}: a part must be one of {sorted(parts)}, but got {name!r}")
    return f"{match[1]}{parts[name]().strip()}\n{match[4]}"
