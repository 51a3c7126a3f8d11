"""The manifest and the journal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskforge import manifest
from maskforge.classes import ClassTable
from maskforge.errors import Problem, ReadError, WriteError
from maskforge.records import Records
from maskforge.settings import Settings

CLASSES = ClassTable.from_names(["__ignore__", "cat", "Käfer"])
ODD_NAMES = ["a", "é/b", 'q"uote', "line\nbreak", "sep\u2028arator", "next\x85line", "caf\udce9"]


def settings(**more: Any) -> Settings:
    return Settings("labelme", "label", Path("somewhere/out"), CLASSES, **more)


def record(stem: str, **pixels: int) -> dict[str, Any]:
    return {
        "stem": stem,
        "mask": f"masks/{stem}.png",
        "pixels": {k[1:]: n for k, n in pixels.items()},
    }


def write(path: Path, *records: dict[str, Any]) -> None:
    manifest.write(path, settings(), Records(records), kind="label", collection=None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "manifest.json"


def test_what_it_says(path: Path) -> None:
    write(path, record("a", _0=5, _10=2), record("b", _2=1, _0=7))
    got = manifest.load(path)
    assert got["classes"]["names"] == ["_background_", "cat", "Käfer"]
    assert got["classes"]["palette"][:2] == [[0, 0, 0], [128, 0, 0]]
    assert (got["classes"]["ignore_index"], got["classes"]["has_ignore"]) == (255, True)
    assert list(got["pixels"].items()) == [("0", 12), ("2", 1), ("10", 2)]
    assert got["fingerprint"] == settings().fingerprint
    assert "somewhere" not in json.dumps(got)
    assert manifest.class_table(got) == CLASSES


@pytest.mark.parametrize("records", [[], [record("a", _0=1)], [record("a"), record("b", _1=3)]])
def test_round_trip(path: Path, records: list[dict[str, Any]]) -> None:
    write(path, *records)
    assert manifest.load(path)["images"] == records
    assert "Käfer" in path.read_text(encoding="utf-8")


def test_one_image_a_line(path: Path) -> None:
    write(path, record("a"), record("b"))
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line.strip().startswith('{"stem"') for line in lines].count(True) == 2


@pytest.mark.parametrize("stem", ODD_NAMES)
def test_every_name_is_written_and_comes_back(tmp_path: Path, stem: str) -> None:
    """Names that are no UTF-8, such as Latin-1 ones from an old archive, reach us as surrogates."""
    write(tmp_path / "manifest.json", record(stem))
    assert set(manifest.earlier(tmp_path / "manifest.json", tmp_path / "none")[1]) == {stem}
    journal = manifest.Journal(tmp_path / "journal", "print")
    journal.add(record(stem))
    journal.add(record("other"))
    journal.close()
    found = manifest.earlier(tmp_path / "none", tmp_path / "journal")
    assert found == ("print", {stem: record(stem), "other": record("other")})
    manifest.problem_lines([Problem("no-label", stem, stem)], tmp_path)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not-json"),
        (b"{", "not-json"),
        (b"\xff\xfe", "not-json"),
        (b"[]", "wrong-format"),
        (b'{"format": "maskforge-manifest/99"}', "wrong-format"),
    ],
)
def test_load_refuses(tmp_path: Path, data: bytes, code: str) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(data)
    with pytest.raises(ReadError) as caught:
        manifest.load(path)
    assert caught.value.code == code
    assert caught.value.file == str(path)


def test_load_needs_a_file(tmp_path: Path) -> None:
    with pytest.raises(ReadError) as caught:
        manifest.load(tmp_path / "none.json")
    assert caught.value.code == "unreadable"


def test_a_manifest_without_its_parts_is_a_located_error(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({"format": manifest.FORMAT}))
    with pytest.raises(ReadError):
        manifest.earlier(path, tmp_path / "none")


def journal_of(path: Path, *records: dict[str, Any], fingerprint: str = "print") -> None:
    journal = manifest.Journal(path, fingerprint)
    for item in records:
        journal.add(item)
    journal.close()


def test_the_journal_is_there_before_it_is_closed(tmp_path: Path) -> None:
    journal = manifest.Journal(tmp_path / "deep" / "journal", "print")
    assert not (tmp_path / "deep").exists()
    journal.add(record("a"))
    assert set(manifest.earlier(tmp_path / "none", tmp_path / "deep" / "journal")[1]) == {"a"}
    journal.close()


@given(st.integers(0, 400))
def test_a_journal_cut_anywhere_gives_the_whole_lines(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    records = [record(stem, _0=n) for n, stem in enumerate(["é", "b", "c"])]
    journal_of(folder / "whole", *records)
    data = (folder / "whole").read_bytes()[:cut]
    (folder / "cut").write_bytes(data)
    fingerprint, found = manifest.earlier(folder / "none", folder / "cut")
    lines = max(data.count(b"\n"), 0)
    assert (fingerprint == "print") or lines == 0
    expected = [r["stem"] for r in records[: max(lines - 1, 0)]]
    assert list(found)[: len(expected)] == expected
    assert len(found) <= len(expected) + 1  # the last line may lack its end of line only
    assert all(found[r["stem"]] == r for r in records if r["stem"] in found)


def test_the_journal_goes_before_the_manifest(tmp_path: Path) -> None:
    write(tmp_path / "m", record("a", _0=1), record("b", _0=1))
    same = settings().fingerprint
    journal_of(tmp_path / "j", record("b", _0=2), fingerprint=same)
    fingerprint, found = manifest.earlier(tmp_path / "m", tmp_path / "j")
    assert fingerprint == same
    assert found == {"a": record("a", _0=1), "b": record("b", _0=2)}


def test_records_of_other_settings_are_forgotten(tmp_path: Path) -> None:
    write(tmp_path / "m", record("a", _0=1))
    journal_of(tmp_path / "j", record("b", _0=2), fingerprint="other")
    assert manifest.earlier(tmp_path / "m", tmp_path / "j") == ("other", {"b": record("b", _0=2)})


def test_nothing_earlier(tmp_path: Path) -> None:
    assert manifest.earlier(tmp_path / "m", tmp_path / "j") == (None, {})


def test_a_journal_that_cannot_be_written_is_a_write_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WriteError):
        manifest.Journal(tmp_path / "file" / "journal", "print").add(record("a"))


def test_output_files_are_inside_the_output() -> None:
    item = {
        "mask": "masks/a.png",
        "image": "../images/a.png",
        "preview": "/etc/passwd",
        "instance": None,
        "extra": {"x": "a/x.txt", "y": "b/../../y", "z": 7},
        "source": "a.json",
    }
    assert manifest.output_files(item) == {"masks/a.png", "a/x.txt"}


@pytest.mark.parametrize("name", ["", ".", "..", "C:\\x", "\\x", "a\\..\\..\\b"])
def test_what_is_no_file_inside_the_output_is_never_removed(name: str) -> None:
    assert manifest.output_files({"mask": name}) == set()


def test_problems_are_relative_to_the_root(tmp_path: Path) -> None:
    inside = Problem("no-label", str(tmp_path / "a" / "b.json"), "m")
    outside = Problem("no-label", str(tmp_path.parent / "c.json"), "m", severity="warning")
    lines = manifest.problem_lines([inside, outside], tmp_path).decode().splitlines()
    assert [json.loads(line)["file"] for line in lines] == ["a/b.json", "c.json"]
