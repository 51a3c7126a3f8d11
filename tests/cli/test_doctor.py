"""What is installed, and whether it works."""

import json
import sys
from pathlib import Path

import pytest
from training.commands import run

from maskforge import __version__, extras


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_everything_that_conversions_need_works_here(tmp_path, capsys):
    assert run("doctor") == 0
    said = capsys.readouterr().out
    lines = said.splitlines()
    assert lines[0].startswith(f"maskforge    ok  {__version__} in ")
    assert lines[-1] == "conversions work"
    assert {line[11:13] for line in lines[:-1]} == {"  "}  # aligned
    assert {line[13:17].strip() for line in lines[:-1]} <= {"ok", "-", "NO"}
    for name in ("Python", "packages", *extras.EXTRAS, "fonts", "video", "this folder"):
        assert any(line.startswith(f"{name} ") for line in lines), name
    assert any(line.startswith("conversion   ok  every pixel is right") for line in lines)
    assert list(tmp_path.iterdir()) == []


def test_json_tells_the_same(capsys):
    assert run("doctor", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["works"] is True
    findings = {one["name"]: one for one in told["findings"]}
    assert findings["conversion"]["state"] == "ok"
    assert set(extras.EXTRAS) <= set(findings)


def test_without_torch_it_is_missing_and_conversions_work(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert run("doctor") == 0
    said = capsys.readouterr().out
    assert "training     -   no torch: pip install" in said


def test_conversions_that_fail_are_exit_code_1(monkeypatch, capsys):
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("it is broken")

    monkeypatch.setattr("maskforge.conversion.conversion.convert", broken)
    assert run("doctor") == 1
    said = capsys.readouterr().out
    assert "conversion   NO  RuntimeError: it is broken" in said
    assert said.endswith("conversions do not work\n")


def test_a_video_that_fails_is_told_and_no_conversion_needs_it(monkeypatch, capsys):
    def broken(*_: object, **__: object) -> None:
        raise OSError("no encoder")

    monkeypatch.setattr("maskforge.io.video.writing", broken)
    assert run("doctor") == 0
    assert "video        NO  OSError: no encoder" in capsys.readouterr().out


def test_a_folder_that_cannot_be_written_to(monkeypatch, capsys):
    import tempfile

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", refuse)
    assert run("doctor") == 0
    assert f"{Path.cwd()} cannot be written to: Permission denied" in capsys.readouterr().out


def test_the_version(capsys):
    assert run("--version") == 0
    assert capsys.readouterr().out == f"maskforge, version {__version__}\n"
