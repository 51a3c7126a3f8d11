"""The documents: up to date, and what they tell to type works."""

from __future__ import annotations

import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from maskforge.cli import cli, main

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"(?<!`)\[[^\]]+\]\(([^)\s]+)\)")


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _blocks(page: Path, language: str) -> list[str]:
    return [
        code for kind, code in _FENCE.findall(page.read_text(encoding="utf-8")) if kind == language
    ]


def _with_blocks() -> list[Path]:
    return [page for page in PAGES if _blocks(page, "console") or _blocks(page, "python")]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the samples under the names that the documents use."""
    samples = ROOT / "samples"
    (tmp_path / "dir").mkdir()
    (tmp_path / "bad").mkdir()
    chosen = ["embedded", "nobody", "phone", *(f"park_{number:03}" for number in range(10))]
    for stem in chosen:
        for path in (samples / "labelme").glob(f"{stem}.*"):
            shutil.copy(path, tmp_path / "dir")
    for folder in ("dir", "bad"):
        shutil.copy(samples / "labelme" / "labels.txt", tmp_path / folder)
    for name in ("park_001.json", "park_001.jpg"):
        shutil.copy(samples / "labelme" / name, tmp_path / "bad")
    whole = (samples / "labelme" / "park_003.json").read_bytes()
    (tmp_path / "bad" / "cut.json").write_bytes(whole[:500])
    shutil.copy(samples / "via" / "segmentation_train.json", tmp_path)
    for path in (samples / "via").glob("*.jpg"):
        shutil.copy(path, tmp_path)
    shutil.copy(samples / "ochuman" / "ochuman.json", tmp_path)
    shutil.copytree(samples / "ochuman" / "images", tmp_path / "images")
    for name in ("coco", "coco-boxes"):
        shutil.copytree(samples / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _commands(console: str) -> Iterator[tuple[list[str], int]]:
    """Yield the arguments of each maskforge line, and the exit code the block shows, else 0."""
    lines = console.splitlines()
    for index, line in enumerate(lines):
        if not line.startswith("$ maskforge"):
            continue
        following = next(
            (n for n in range(index + 1, len(lines)) if lines[n].startswith("$ ")), None
        )
        code = 0
        if following is not None and lines[following] == "$ echo $?":
            code = int(lines[following + 1])
        yield shlex.split(line)[2:], code


def _run(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    return int(stop.value.code or 0)


@pytest.mark.parametrize("page", _with_blocks(), ids=_name)
def test_what_a_page_tells_to_type_works(page: Path, desk: Path) -> None:
    """Blocks run in the page's order, in one folder, Python blocks in one namespace."""
    names: dict[str, object] = {"__name__": "page"}
    for kind, code in _FENCE.findall(page.read_text(encoding="utf-8")):
        if kind == "console":
            for arguments, expected in _commands(code):
                assert _run(arguments) == expected, arguments
        elif kind == "python":
            exec(compile(code, _name(page), "exec"), names)


def test_console_blocks_are_found() -> None:
    commands = [c for page in PAGES for block in _blocks(page, "console") for c in _commands(block)]
    assert len(commands) > 10
    assert {code for _, code in commands} >= {0, 1, 2}


def _shown() -> list[str]:
    """Return the lines that a page shows without running them here, and those of the demo."""
    lines = [line for page in PAGES for block in _blocks(page, "sh") for line in block.splitlines()]
    demo = importlib.util.spec_from_file_location("demo", ROOT / "samples" / "demo.py")
    assert demo is not None
    assert demo.loader is not None
    module = importlib.util.module_from_spec(demo)
    demo.loader.exec_module(module)
    typed = [f"maskforge {line}" for line in (*module.CONVERT, *module.TRAIN)]
    return sorted({line for line in [*lines, *typed] if line.startswith("maskforge ")})


@pytest.mark.parametrize("line", _shown())
def test_a_line_that_is_only_shown_could_be_typed(line: str, desk: Path) -> None:
    (desk / "photos").mkdir()
    name, *arguments = shlex.split(line, comments=True)[1:]
    command = cli.get_command(click.Context(cli), name)
    assert command is not None, name
    command.make_context(name, arguments)  # refuses unknown options and values


def test_parts_made_from_the_code_are_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "docs" / "make.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_command_and_option_is_in_the_reference() -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        section = text.partition(f"## maskforge {name}\n")[2].partition("\n## ")[0]
        assert section, name
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                missing = [option for option in parameter.opts if option not in section]
                assert not missing, (name, missing)


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_relative_links_lead_somewhere(page: Path) -> None:
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    for target in _LINK.findall(text):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        if anchor:
            assert anchor in _anchors(file), target


def _anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_every_decision_is_listed_and_has_its_parts() -> None:
    listed = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    decisions = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [path.name[:4] for path in decisions] == [
        f"{n:04}" for n in range(1, len(decisions) + 1)
    ]
    for path in decisions:
        text = path.read_text(encoding="utf-8")
        assert f"adr/{path.name}" in listed
        assert text.startswith(f"# {path.name[:4]}: "), path.name
        assert "\n## Considered options\n" in text, path.name
        assert "\n## Consequences\n" in text, path.name


def test_pictures_are_small() -> None:
    pictures = list((ROOT / "docs" / "pictures").iterdir())
    assert sum(path.stat().st_size for path in pictures) < 600_000
