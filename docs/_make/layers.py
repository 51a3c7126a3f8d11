"""The layers of the package, as the test that enforces them lists them."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from _make import markdown

_TEST = Path(__file__).resolve().parent.parent.parent / "tests" / "test_architecture.py"


def levels() -> str:
    """Return the table of levels, the lowest first, and what folders of choices may see."""
    found = _literals()
    rows: list[list[str]] = []
    for names in found["LEVELS"]:
        shown = sorted(names)
        if shown:
            rows.append([str(len(rows)), ", ".join(f"`{name}`" for name in shown)])
    folders = [
        [f"`{folder}/*`", ", ".join(f"`{name}`" for name in sorted(names))]
        for folder, names in found["FOLDERS"].items()
    ]
    return (
        markdown.table(["level", "modules"], rows, right=[0])
        + "\n\n"
        + markdown.table(["a choice in", "may import"], folders)
    )


def _literals() -> dict[str, Any]:
    """Return the values of LEVELS and FOLDERS without running the test's module."""
    found: dict[str, Any] = {}
    for node in ast.parse(_TEST.read_text(encoding="utf-8")).body:
        match node:
            case ast.AnnAssign(
                target=ast.Name("LEVELS" | "FOLDERS" as name), value=ast.expr() as value
            ):
                found[name] = ast.literal_eval(value)
    return found
