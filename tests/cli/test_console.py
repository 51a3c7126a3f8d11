"""What a file says is shown on a terminal, and not obeyed by it."""

import pytest

from maskforge.cli._console import escape, plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ä 车 \N{GRINNING FACE}\n\ttab", "plain ä 车 \N{GRINNING FACE}\n\ttab"),
        ("\x1b]0;OWNED\x07x", r"\x1b]0;OWNED\x07x"),
        ("a\rb", r"a\rb"),
        ("x\u202egpj.exe", r"x\u202egpj.exe"),
        ("\x9b31m", r"\x9b31m"),
        ("\udcff", r"\udcff"),
        ("\u0915\u094d\u200d\u0937", "\u0915\u094d\u200d\u0937"),
    ],
)
def test_control_characters_are_written_as_escapes(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_markup_is_none() -> None:
    assert escape("[red]\x1b[0m") == r"\[red]\x1b[0m"
