"""The folders of the package in the order of the road, as the test that holds them to it says."""

from __future__ import annotations

import ast
from pathlib import Path

from _make import markdown

_ROOT = Path(__file__).resolve().parents[2]


def folders() -> str:
    """Return a table of the folders and what each is for."""
    rows = []
    for name in _road():
        source = (_ROOT / "maskforge" / name / "__init__.py").read_text(encoding="utf-8")
        doc = ast.get_docstring(ast.parse(source)) or ""
        rows.append([f"`{name}/`", doc.split("\n")[0].replace("``", "`")])
    return markdown.table(["folder", "what is in it"], rows)


def _road() -> list[str]:
    """Return ROAD of the test, which is not run."""
    test = (_ROOT / "tests/test_architecture.py").read_text(encoding="utf-8")
    for node in ast.parse(test).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "ROAD":
            return [n.value for n in ast.walk(node.value) if isinstance(n, ast.Constant)]
    raise ValueError("there must be a ROAD")
