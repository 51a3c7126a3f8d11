"""Sentences fit the terminal, if it is one; what is copied is in one piece."""

import io
import sys

import pytest

from maskforge.cli._terminal import Spoken, fitted

SENTENCE = "a file must be a file, but samples/a-very-long-name-of-a-folder/labels.txt is a folder"


class Terminal(io.StringIO):
    def isatty(self):
        return True


def spoken(file: io.StringIO, **how: bool) -> str:
    console = Spoken(file=file, width=40, soft_wrap=True, force_terminal=True, color_system=None)
    console.print(SENTENCE, **how)
    return file.getvalue()


def test_a_sentence_is_broken_between_words() -> None:
    first, path, rest = spoken(Terminal()).splitlines()
    assert first.rstrip() == "a file must be a file, but"
    assert path.rstrip() == "samples/a-very-long-name-of-a-folder/labels.txt"  # which is longer
    assert rest.rstrip() == "is a folder"


def test_wide_letters_take_two_columns_and_markup_none() -> None:
    console = Spoken(file=Terminal(), width=9, force_terminal=True, color_system=None)
    console.print("[bold]车车[/] 车车 [red]\\[x][/]\n\nab")
    assert console.file.getvalue().splitlines() == ["车车 车车", "[x]", "", "ab"]  # type: ignore[attr-defined]


def test_a_line_that_is_copied_is_one_line() -> None:
    assert spoken(Terminal(), soft_wrap=True) == f"{SENTENCE}\n"


def test_where_nobody_looks_a_sentence_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    console = Spoken(file=io.StringIO(), width=40, soft_wrap=True)
    console.print(SENTENCE)
    assert console.file.getvalue() == f"{SENTENCE}\n"  # type: ignore[attr-defined]
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert fitted(SENTENCE) == SENTENCE


def test_an_error_goes_on_indented(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("COLUMNS", "50")
    assert fitted(f"Usage: maskforge\n\n{SENTENCE}").splitlines() == [
        "Usage: maskforge",
        "",
        "a file must be a file, but",
        "  samples/a-very-long-name-of-a-folder/labels.txt",
        "  is a folder",
    ]
