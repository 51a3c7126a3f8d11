"""Wrong uses: what is said of each is what the documents show, and it helps."""

import re

import click
import pytest
from cli import wrong_uses
from cli.wrong_uses import PAGE, USES, Use, row

from maskforge.cli import cli

COMMANDS = cli.list_commands(click.Context(cli))


def needs(use: Use) -> None:
    if use.torch:
        pytest.importorskip("torch")
    if use.onnx:
        pytest.importorskip("onnx")
        pytest.importorskip("onnxruntime")
    if use.nobody and not hasattr(__import__("os"), "geteuid"):
        pytest.skip("there are no such rights here")


@pytest.mark.parametrize("number", range(1, len(USES) + 1), ids=lambda n: USES[n - 1].what)
def test_what_is_said_is_what_the_page_shows(number):
    use = USES[number - 1]
    needs(use)
    made = row(number, use)
    assert made in PAGE.read_text(encoding="utf-8").splitlines(), "python tests/cli/wrong_uses.py"
    assert "Traceback" not in made
    assert str(wrong_uses.ROOT) not in made


def test_the_page_is_whole():
    text = PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \|", text, re.MULTILINE)
    assert [int(number) for number in rows] == list(range(1, len(USES) + 1))
    assert len(USES) >= 40


def test_each_names_what_was_typed_and_the_way_out():
    """The place: a word that was typed, or the one that is missing. The cure: what to do."""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if not re.match(r"\| \d+ \|", line):
            continue
        _, _, what, typed, code, said, _ = re.split(r"(?<!\\) ?\| ?", line)
        command, *words = typed.strip("`").split()[1:]
        words += [] if command in COMMANDS else [command]
        parts = {part for word in words for part in (word, word.rpartition("=")[0]) if part}
        assert any(part in said for part in parts) or re.search(
            "is missing|needs|no such|installed", said
        ), what
        assert code in "123"
        cure = r"\(.+\)|→|did you mean|must|such as|as in"
        assert re.search(cure, said), what
