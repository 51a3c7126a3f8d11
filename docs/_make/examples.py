"""The files of ``tests/examples``, which are added by a test, as examples to begin with."""

from __future__ import annotations

from pathlib import Path

_EXAMPLES = Path(__file__).resolve().parents[2] / "tests" / "examples"
FOLDERS = ("readers", "writers", "rules", "layouts", "kinds")


def file(folder: str) -> str:
    """Return the one file of a folder as a block of code."""
    (path,) = (_EXAMPLES / folder).glob("*.py")
    # As "py": blocks of "python" are run one after the other, as what a page tells to type.
    return f"```py\n{path.read_text(encoding='utf-8').strip()}\n```"
