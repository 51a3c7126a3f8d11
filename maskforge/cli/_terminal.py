"""Sentences on a terminal: broken between words; paths, and commands to be copied, nowhere."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text


class Spoken(Console):
    """A console whose sentences fit the terminal; ``soft_wrap=True`` for a line that is copied."""

    def print(self, *objects: Any, soft_wrap: bool | None = None, **how: Any) -> None:
        """Print as rich does; where nobody looks a sentence stays on one line."""
        if soft_wrap is None and self.is_terminal:
            objects = tuple(self._broken(one) if isinstance(one, str) else one for one in objects)
        super().print(*objects, soft_wrap=soft_wrap, **how)

    def _broken(self, sentence: str) -> Text:
        """Return ``sentence`` in lines; a word that is longer than a line stays whole."""
        lines: list[Text] = []
        for line in Text.from_markup(sentence).split("\n", allow_blank=True):
            starts: list[int] = [0]
            for word in re.finditer(r"\S+", line.plain):
                is_too_long = cell_len(line.plain[starts[-1] : word.end()]) > self.width
                if is_too_long and line.plain[starts[-1] : word.start()].strip():
                    starts.append(word.start())
            lines += line.divide(starts[1:])
        return Text("\n").join(lines)


def fitted(text: str) -> str:
    """Return ``text`` for standard error: each line broken to the terminal's width, if it is one.

    The lines that go on are indented.
    """
    if not sys.stderr.isatty():
        return text
    width = shutil.get_terminal_size().columns
    return "\n".join(
        textwrap.fill(
            line, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )
        for line in text.splitlines()
    )
