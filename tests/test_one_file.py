"""Adding one thing is adding one file: files of a folder of one's own, used by the command line."""

import re
import shutil
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskforge import plugins
from maskforge.cli import main
from maskforge.readers.masks.opening import open_dataset

EXAMPLES = Path(__file__).parent / "examples"
FOLDERS = {
    "readers": "readers",
    "writers": "writers",
    "rules": "rules",
    "layouts": "layouts",
    "kinds": "readers.masks.kinds",
}


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder of photographs and boxes; what is added lies in a folder of its own."""
    for own, package in FOLDERS.items():
        folder = import_module(f"maskforge.{package}")
        added = shutil.copytree(EXAMPLES / own, tmp_path / "added" / own)
        monkeypatch.setattr(folder, "__path__", [*folder.__path__, str(added)])
    before = set(sys.modules)
    clear()
    (tmp_path / "in").mkdir()
    for name in ("a", "b"):
        Image.new("RGB", (6, 4)).save(tmp_path / f"in/{name}.png")
    (tmp_path / "in/some.txt").write_text(
        "boxes/1\na.png cat 1 1 3 3\na.png dog 2.5 0 5 2\nb.png\n"
    )
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in set(sys.modules) - before:
        if Path(getattr(sys.modules[name], "__file__", None) or "").is_relative_to(tmp_path):
            parent, _, own = name.rpartition(".")
            delattr(sys.modules[parent], own)
            del sys.modules[name]
    clear()


def clear():
    plugins.names.cache_clear()
    plugins.load.cache_clear()


def run(*arguments):
    with pytest.raises(SystemExit) as stop:
        main(list(arguments))
    return stop.value.code


def test_one_file_each_and_all_at_once(desk, capsys):
    assert run("--help") == 0
    said = capsys.readouterr().out
    assert re.search(r"\n  boxes +Boxes as lines of text", said)
    assert run("boxes", "--help") == 0
    said = capsys.readouterr().out
    for word in ("lines of boxes", "--prefix", "What to put before labels"):
        assert word in said
    for what, name in (("writers", "pgm"), ("rules", "frame"), ("layouts", "desk")):
        assert run("list", what) == 0
        assert f"\n{name} " in f"\n{capsys.readouterr().out}"
    code = run(
        *("boxes", "in", "--as", "pgm", "--rule", "frame", "--layout", "desk"),
        *("--prefix", "big ", "-o", "out", "-q"),
    )
    assert code == 1
    assert "a line must have a label and 4 numbers" in capsys.readouterr().err
    assert (desk / "out/labels.txt").read_text() == "_background_\nbig cat\nbig dog\n"
    assert np.asarray(Image.open(desk / "out/answers/a.pgm")).tolist() == [
        [0, 0, 2, 2, 2, 0],
        [0, 1, 2, 2, 2, 0],
        [0, 1, 1, 0, 0, 0],
        [0, 0, 0, 0, 0, 0],
    ]
    assert (desk / "out/answers/a.count").read_text() == "9\n"
    assert (desk / "out/photos/a.png").read_bytes() == (desk / "in/a.png").read_bytes()


def test_its_format_is_found_by_content_and_a_typo_is_told(desk, capsys):
    from maskforge import UsageError, convert

    assert convert("in", layout="desk", out="out").reader == "boxes"
    with pytest.raises(UsageError) as caught:
        convert("in", rule="frames", out="more")
    assert caught.value.cure == "did you mean 'frame'?"


def test_a_kind_of_masks(desk):
    assert run("boxes", "in", "--layout", "desk", "-o", "out", "-q") == 1
    for name in ("photos", "answers"):
        shutil.copytree(desk / "out" / name, desk / "set" / name)
    shutil.copy(desk / "out/labels.txt", desk / "set")
    found = open_dataset(desk / "set")
    assert (found.kind, found.classes.names) == ("desk", ("_background_", "cat", "dog"))
    assert [example.name for example in found.examples] == ["a"]


def test_the_examples_are_those_that_contributing_shows():
    text = (EXAMPLES.parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for path in EXAMPLES.rglob("*.py"):
        assert path.read_text(encoding="utf-8").strip() in text, "run make docs"
