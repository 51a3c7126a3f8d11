"""Tables of what the code or the folder lists: problem codes, decisions."""

from __future__ import annotations

from pathlib import Path

from _make import markdown
from maskforge.errors import CODES

_ADR = Path(__file__).resolve().parent.parent / "adr"


def problems() -> str:
    """Return the table of problem codes."""
    return markdown.table(["code", "what it says"], [[f"`{c}`", t] for c, t in CODES.items()])


def decisions() -> str:
    """Return the list of decisions, by number, linked."""
    lines = []
    for path in sorted(_ADR.glob("[0-9]*.md")):
        title = path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        lines.append(f"- [{title}](adr/{path.name})")
    return "\n".join(lines)
