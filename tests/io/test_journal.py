"""The journal of a run: cut anywhere, it gives what was whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskforge.errors import WriteError
from maskforge.io import journal
from maskforge.io.ownership import Entry
from maskforge.io.shelf import Put

ODD_NAMES = ["a", "é/b", 'q"uote', "line\nbreak", "sep\u2028arator", "next\x85line", "caf\udce9"]


def record(stem: str, **pixels: int) -> dict[str, Any]:
    return {
        "stem": stem,
        "mask": f"masks/{stem}.png",
        "pixels": {k[1:]: n for k, n in pixels.items()},
    }


def put(name: str, *, taken: bool = False) -> Put:
    return Put(name, Entry(3, "abc", "../photo.jpg"), taken)


def journal_of(
    path: Path, *records: dict[str, Any], fingerprint: str = "print", go_on: bool = False
) -> None:
    made = journal.Journal(path, fingerprint, go_on=go_on)
    for item in records:
        made.add(item, [put(item["mask"]), put("images/kept.jpg", taken=True)])
    made.close()


def test_the_journal_is_there_before_it_is_closed(tmp_path: Path) -> None:
    made = journal.Journal(tmp_path / "journal", "print", go_on=False)
    assert not (tmp_path / "journal").exists()
    made.add(record("a"), [put("masks/a.png")])
    found = journal.read(tmp_path / "journal")[1]
    assert found == [(record("a"), {"masks/a.png": (put("").entry, False)})]
    made.close()


@given(st.integers(0, 800))
def test_a_journal_cut_anywhere_gives_the_whole_lines(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    records = [record(stem, _0=n) for n, stem in enumerate(["é", "b", "c"])]
    journal_of(folder / "whole", *records)
    data = (folder / "whole").read_bytes()[:cut]
    (folder / "cut").write_bytes(data)
    fingerprint, found = journal.read(folder / "cut")
    lines = data.count(b"\n")
    assert (fingerprint == "print") or lines == 0
    expected = records[: max(lines - 1, 0)]
    assert [item for item, _ in found][: len(expected)] == expected
    assert len(found) <= len(expected) + 1  # the last line may lack its end of line only
    journal_of(folder / "cut", record("d"), go_on=True)
    went_on = [item for item, _ in journal.read(folder / "cut")[1]]
    assert went_on == ([item for item, _ in found] + [record("d")] if lines else [])


def test_no_journal(tmp_path: Path) -> None:
    assert journal.read(tmp_path / "j") == (None, [])


def test_a_journal_that_leads_elsewhere_is_not_followed(tmp_path: Path) -> None:
    lines = [
        {"fingerprint": "print"},
        {"record": record("a"), "files": [["../../thesis.docx", False, 3, "abc", None, None]]},
        {"record": {"stem": 7}, "files": []},
        {"record": record("b"), "files": [["masks/b.png", False, 3, "abc", None, None]]},
    ]
    (tmp_path / "j").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert [item["stem"] for item, _ in journal.read(tmp_path / "j")[1]] == ["b"]


def test_a_journal_that_cannot_be_written_is_a_write_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WriteError):
        journal.Journal(tmp_path / "file" / "journal", "print", go_on=False).add(record("a"), [])


@pytest.mark.parametrize("stem", ODD_NAMES)
def test_every_name_comes_back(tmp_path: Path, stem: str) -> None:
    journal_of(tmp_path / "journal", record(stem), record("other"))
    fingerprint, found = journal.read(tmp_path / "journal")
    assert fingerprint == "print"
    assert [line[0] for line in found] == [record(stem), record("other")]
