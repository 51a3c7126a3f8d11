"""Lists of labels in the files that people have, in the encodings that their editors write."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskforge.classes import BACKGROUND, ClassTable
from maskforge.errors import ClassError, ReadError
from maskforge.io import label_lists
from maskforge.io.label_lists import read

YAML = """
path: data   # where it lies
names:
  0: person
  1: 'traffic light'
nc: 2
"""


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("labels.txt", "cat\ndog\n", {0: BACKGROUND, 1: "cat", 2: "dog"}),
        ("labels.txt", "0:sky\n4:cup\n", {0: "sky", 4: "cup"}),
        ("class_names.txt", "sky\ncup\n", {0: "sky", 1: "cup"}),
        ("Classes.txt", "background\ncup\n", {0: BACKGROUND, 1: "cup"}),
        (
            "labelmap.txt",
            "# a:b:c:d\nbackground:0,0,0::\ncat:128,0,0::\n",
            {0: BACKGROUND, 1: "cat"},
        ),
        ("class_dict.csv", "name,r,g,b\nsky,1,2,3\ncat,4,5,6\n", {0: "sky", 1: "cat"}),
        ("data.yaml", YAML, {0: "person", 1: "traffic light"}),
        ("data.yml", 'names: [person, "a b"]\nnc: 2\n', {0: "person", 1: "a b"}),
        ("data.yml", "names: [sky, 'a}b', cup]\n", {0: "sky", 1: "a}b", 2: "cup"}),
        ("data.yml", "names: {0: sky, 1: 'a]b'}\n", {0: "sky", 1: "a]b"}),
        ("data.yml", "names:\n- person\n- cup\ntrain: x\n", {0: "person", 1: "cup"}),
        ("data.yml", "names: {3: person, 5: cup}\n", {0: BACKGROUND, 3: "person", 5: "cup"}),
        ("names.json", '["sky", "cup"]', {0: "sky", 1: "cup"}),
        (
            "coco.json",
            '{"categories": [{"id": 18, "name": "dog"}, {"id": 1, "name": "person"}]}',
            {0: BACKGROUND, 1: "person", 18: "dog"},
        ),
        ("c.json", '[{"id": 0, "name": "sky"}]', {0: "sky"}),
        ("c.json", '{"0": "sky", "2": "cup"}', {0: "sky", 2: "cup"}),
    ],
)
def test_what_people_have(tmp_path: Path, name: str, text: str, expected: dict[int, str]) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    table = read(path).classes
    assert dict(zip(table.ids, table.names, strict=True)) == expected


def test_colors_come_along(tmp_path: Path) -> None:
    path = tmp_path / "labelmap.txt"
    path.write_text("background:0,0,0::\nsea:1,2,3::\nvoid:9,9,9::\n")
    table = read(path).classes
    assert (table.names, table.ignore_index) == ((BACKGROUND, "sea"), 2)
    assert table.palette.tolist() == [[0, 0, 0], [1, 2, 3]]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("café\ngrün\n", "utf-8"),
        ("café\ngrün\n", "utf-8-sig"),
        ("café\ngrün\n", "utf-16"),
        ("café\ngrün\n", "utf-16-le"),
        ("café\ngrün\n", "utf-32"),
        ("café\ngrün\n", "cp1252"),
        ("背景\n道路\n", "utf-8"),
        ("背景\n道路\n", "gb18030"),
        ("背景\n道路\n", "utf-16"),
    ],
)
def test_any_encoding_of_an_editor(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "labels.txt"
    path.write_bytes(text.encode(encoding))
    assert read(path).classes.names == (BACKGROUND, *text.split())


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("labels.txt", b"a\0b", "must be text"),
        ("labels.txt", b"\xff\xfe\x00\xd8", "utf-16, as its mark says"),
        ("a.json", b"{", "must be JSON"),
        ("a.json", b"[" * 100_000, "must be JSON"),
        ("a.json", b"{}", "names, or categories"),
        ("a.json", b'[{"id": "x", "name": "a"}]', "0 … 65534"),
        ("a.json", b'[{"id": 1, "name": 5}]', "a name and an id"),
        ("a.yaml", b"train: x\n", "must have names"),
        ("a.yaml", b"names:\nnc: 3\n", "must list the classes"),
        ("a.csv", b"sky\n", "name,red,green,blue"),
        ("labels.txt", b"a\na\n", "must occur once"),
    ],
)
def test_what_is_no_list_is_named(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(ClassError, match=message) as caught:
        read(path)
    assert caught.value.file == str(path)


def test_a_list_larger_than_any_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_lists, "MOST_BYTES", 3)
    (tmp_path / "labels.txt").write_text("cat")
    assert len(read(tmp_path / "labels.txt").classes) == 2
    (tmp_path / "labels.txt").write_text("cats")
    with pytest.raises(ClassError, match="at most 3 bytes"):
        read(tmp_path / "labels.txt")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="cannot be read"):
        read(tmp_path / "labels.txt")
    for name in ("labels.txt", "data.yaml", "coco.json"):
        with pytest.raises(ReadError, match="must exist"):
            label_lists.given(str(tmp_path / name))


def test_what_is_given() -> None:
    assert label_lists.given(None) is None
    table = ClassTable(("a",))
    found = label_lists.given(table)
    assert found is not None
    assert found.classes is table
    found = label_lists.given("0:sky, 3:cup")
    assert found is not None
    assert (found.classes.ids, found.origin, found.implied) == ((0, 3), "given", False)
    found = label_lists.given(["cat"])
    assert found is not None
    assert found.implied


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("# my classes\ncat\n  #dog\ndog, big\n", {0: "_background_", 1: "cat", 2: "dog, big"}),
        ("0\tcat\n3\tbig  dog\n", {0: "cat", 3: "big dog"}),
        ("1\t\tcat\n2\tdog", {0: "_background_", 1: "cat", 2: "dog"}),
        ("cat\tdog\n", {0: "_background_", 1: "cat dog"}),
        ("1 cat\n", {0: "_background_", 1: "1 cat"}),
        ("# red, green\n1:#cat\n", {0: "_background_", 1: "#cat"}),
    ],
)
def test_comments_and_tabs(tmp_path: Path, text: str, names: dict[int, str]) -> None:
    (tmp_path / "labels.txt").write_text(text)
    table = label_lists.read(tmp_path / "labels.txt").classes
    assert dict(zip(table.ids, table.names, strict=True)) == names


def test_a_name_that_begins_like_a_comment_comes_back(tmp_path: Path) -> None:
    table = ClassTable.from_names(["cat", "#dog", "cow"])
    (tmp_path / "labels.txt").write_text(table.to_text())
    assert label_lists.read(tmp_path / "labels.txt").classes == table
    assert ClassTable.from_text(table.to_text()) == table
