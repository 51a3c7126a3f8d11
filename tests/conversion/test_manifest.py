"""The manifest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from maskforge.classes import ClassTable
from maskforge.conversion import manifest
from maskforge.conversion.settings import Plan
from maskforge.errors import Problem, ReadError
from maskforge.io import manifest as written
from maskforge.io.ownership import Entry
from maskforge.io.shelf import Put
from maskforge.records import Records

CLASSES = ClassTable.from_names(["__ignore__", "cat", "Käfer"])
ODD_NAMES = ["a", "é/b", 'q"uote', "line\nbreak", "sep\u2028arator", "next\x85line", "caf\udce9"]


def plan(**more: Any) -> Plan:
    out = Path("somewhere/out")
    return Plan(**{"reader": "labelme", "writer": "label", "out": out, "classes": CLASSES, **more})


def record(stem: str, **pixels: int) -> dict[str, Any]:
    return {
        "stem": stem,
        "mask": f"masks/{stem}.png",
        "pixels": {k[1:]: n for k, n in pixels.items()},
    }


def write(path: Path, *records: dict[str, Any]) -> None:
    with path.open("wb") as file:
        manifest.write(file, plan(), Records(records), kind="label", collections=())


def put(name: str, *, taken: bool = False) -> Put:
    return Put(name, Entry(3, "abc", "../photo.jpg"), taken)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "manifest.json"


def test_what_it_says(path: Path) -> None:
    write(path, record("a", _0=5, _10=2), record("b", _2=1, _0=7))
    got = written.load(path)
    assert got["classes"]["names"] == ["_background_", "cat", "Käfer"]
    assert got["classes"]["palette"][:2] == [[0, 0, 0], [128, 0, 0]]
    assert (got["classes"]["ignore_index"], got["classes"]["has_ignore"]) == (255, True)
    assert list(got["pixels"].items()) == [("0", 12), ("2", 1), ("10", 2)]
    assert got["fingerprint"] == plan().fingerprint
    assert "somewhere" not in json.dumps(got)
    assert written.class_table(got) == CLASSES


@pytest.mark.parametrize(
    ("classes", "ignore_index"),
    [
        (ClassTable(("a", "b"), ids=(3, 254)), 255),
        (ClassTable(("a", "b"), ids=(3, 255)), 65535),
        (ClassTable(("a", "b"), True, (3, 300)), 65535),
        (ClassTable(("a", "b"), ids=(3, 5), ignore=4), 4),
        (ClassTable(("a", "b"), ids=(3, 5), ignore=65535), 65535),
        (ClassTable(("a", "b"), ids=(3, 5), colors=((1, 2, 3), (4, 5, 6))), 255),
    ],
)
def test_any_class_table_comes_back(path: Path, classes: ClassTable, ignore_index: int) -> None:
    with path.open("wb") as file:
        manifest.write(file, plan(classes=classes), Records(), kind="label", collections=())
    got = written.load(path)
    assert got["classes"]["ignore_index"] == ignore_index
    assert written.class_table(got) == classes


@pytest.mark.parametrize("records", [[], [record("a", _0=1)], [record("a"), record("b", _1=3)]])
def test_round_trip(path: Path, records: list[dict[str, Any]]) -> None:
    write(path, *records)
    assert written.load(path)["images"] == records
    assert "Käfer" in path.read_text(encoding="utf-8")


def test_one_image_a_line(path: Path) -> None:
    write(path, record("a"), record("b"))
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line.strip().startswith('{"stem"') for line in lines].count(True) == 2


@pytest.mark.parametrize("stem", ODD_NAMES)
def test_every_name_is_written_and_comes_back(tmp_path: Path, stem: str) -> None:
    """Names that are no UTF-8, such as Latin-1 ones from an old archive, reach us as surrogates."""
    write(tmp_path / "manifest.json", record(stem))
    assert written.load(tmp_path / "manifest.json")["images"] == [record(stem)]
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
        written.load(path)
    assert caught.value.code == code
    assert caught.value.file == str(path)


def test_load_needs_a_file(tmp_path: Path) -> None:
    with pytest.raises(ReadError) as caught:
        written.load(tmp_path / "none.json")
    assert caught.value.code == "unreadable"


def test_a_manifest_without_its_parts_is_a_located_error(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({"format": manifest.FORMAT}))
    with pytest.raises(ReadError, match="must have 'classes'"):
        written.load(path)


def test_output_files_are_inside_the_output() -> None:
    item = {
        "mask": "masks/a.png",
        "image": "../images/a.png",
        "original": "a.png",
        "preview": "/etc/passwd",
        "instance": None,
        "extra": {"x": "a/x.txt", "y": "b/../../y", "z": 7},
        "source": "a.json",
    }
    assert written.output_files(item) == {"masks/a.png", "a/x.txt"}


@pytest.mark.parametrize("name", ["", ".", "..", "/x", "a/../b", "a/./b", "a//b", "a\0b"])
def test_what_leads_elsewhere_is_no_file_of_the_output(name: str) -> None:
    assert written.output_files({"mask": name}) == set()


def test_problems_are_relative_to_the_root(tmp_path: Path) -> None:
    inside = Problem("no-label", str(tmp_path / "a" / "b.json"), "m")
    outside = Problem("no-label", str(tmp_path.parent / "c.json"), "m", severity="warning")
    lines = manifest.problem_lines([inside, outside], tmp_path).decode().splitlines()
    assert [json.loads(line)["file"] for line in lines] == ["a/b.json", "c.json"]
