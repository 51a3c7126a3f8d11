"""Docstrings to Markdown: the little of reStructuredText that this project's docstrings use."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence

_ROLE = re.compile(r":[a-z]+:`~?([^`]+)`")
_URL = re.compile(r"(?<![<(`])(https?://[^\s)>]+[^\s)>.,])")


def text(docstring: str | None) -> str:
    """Return a docstring as Markdown; indented parts become code."""
    return _converted(inspect.cleandoc(docstring or ""))


def _converted(clean: str) -> str:
    lines = clean.splitlines()
    found: list[str] = []
    code: list[str] = []
    for index, line in enumerate(lines):
        starts = not code and (index == 0 or not lines[index - 1].strip())
        if line.startswith("    ") and (code or starts):
            code.append(line[4:])
        elif code and not line.strip():
            code.append("")
        else:
            found += _fenced(code)
            code = []
            found.append(_inline(line))
    return "\n".join(found + _fenced(code)).strip()


def first(docstring: str | None) -> str:
    """Return the first sentence or line of a docstring as Markdown, on one line."""
    head = inspect.cleandoc(docstring or "").partition("\n\n")[0]
    return _inline(" ".join(head.split()))


def rest(docstring: str | None) -> str:
    """Return what comes after the first paragraph, as Markdown."""
    return _converted(inspect.cleandoc(docstring or "").partition("\n\n")[2])


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[int] = ()) -> str:
    """Return a Markdown table; columns numbered in ``right`` are flush right."""
    rule = ["---:" if index in right else "---" for index in range(len(head))]
    lines = [head, rule, *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def _inline(line: str) -> str:
    return _URL.sub(r"<\1>", _ROLE.sub(r"`\1`", line).replace("``", "`"))


def _fenced(code: list[str]) -> list[str]:
    while code and not code[-1].strip():
        code.pop()
    return ["```text", *code, "```", ""] if code else []
