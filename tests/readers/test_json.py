from __future__ import annotations

import contextlib
import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskforge.errors import ReadError
from maskforge.readers import _json


class Item(msgspec.Struct):
    label: str
    points: list[tuple[float, float]] = []
    count: int | None = None


class Document(msgspec.Struct):
    items: list[Item] = []
    name: str = ""
    blob: msgspec.Raw = msgspec.Raw(b"null")


def load(text: str | bytes) -> Document:
    data = text.encode() if isinstance(text, str) else text
    return _json.load(data, Document, file="f.json")


def error(text: str | bytes) -> ReadError:
    with pytest.raises(ReadError) as caught:
        load(text)
    assert caught.value.file == "f.json"
    return caught.value


def test_a_sound_file() -> None:
    document = load('{"items": [{"label": "a", "points": [[1, 2.5]]}], "other": {"x": [null]}}')
    assert document.items[0].points == [(1.0, 2.5)]


def test_raw_is_a_view_of_the_data() -> None:
    data = b'{"blob": "' + b"A" * 1000 + b'"}'
    assert memoryview(load(data).blob).nbytes == 1002


def test_of_duplicate_keys_the_last_one_wins() -> None:
    assert load('{"name": "a", "name": "b"}').name == "b"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_unicode_encodings(encoding: str) -> None:
    assert load('{"name": "Größe 人"}'.encode(encoding)).name == "Größe 人"


@pytest.mark.parametrize("name", ["人物", "朱镕基", "第一张图片.jpg", "人物 and ASCII"])
def test_gb18030(name: str) -> None:
    assert load(f'{{"name": "{name}"}}'.encode("gb18030")).name == name


@pytest.mark.parametrize("name", ["für", "Straße", "café", "señor Müller", "naïve"])
def test_cp1252(name: str) -> None:
    assert load(f'{{"name": "{name}"}}'.encode("cp1252")).name == name


def test_bytes_that_are_no_text() -> None:
    problem = error(b'{"name": "\x81\x8d\xff"}')
    assert problem.code == "unreadable"
    assert "must be text in UTF-8, UTF-16, GB18030 or cp1252" in problem.message


@pytest.mark.parametrize("token", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_none_matter_only_where_they_are_used(token: str) -> None:
    assert load(f'{{"score": {token}, "items": [{{"label": "NaN"}}]}}').items[0].label == "NaN"
    problem = error(f'{{"items": [{{"label": "a", "points": [[1, 2], [{token}, 4]]}}]}}')
    assert (problem.code, problem.place) == ("bad-field", "items[0].points[1][0]")
    assert "must be a finite number" in problem.message
    assert error(f'{{"items": [{{"label": "a", "count": {token}}}]}}').place == "items[0].count"


def test_tokens_inside_strings_stay() -> None:
    assert load('{"x": NaN, "name": "NaN \\"Infinity"}').name == 'NaN "Infinity'


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ('{"items": 1}', "items", "must be a list, but got a whole number"),
        ('{"items": [{"label": 1}]}', "items[0].label", "must be text, but got a whole number"),
        ('{"items": [{}]}', "items[0]", "must have the field 'label', but has not"),
        ('{"items": [{"label": "", "count": true}]}', "items[0].count",
         "must be a whole number or null, but got true or false"),
        ('{"items": [{"label": "", "points": [[1]]}]}', "items[0].points[0]", "length 2"),
        ("[]", "", "must be an object, but got a list"),
    ],
)  # fmt: skip
def test_fields_of_the_wrong_type(text: str, place: str, message: str) -> None:
    problem = error(text)
    assert (problem.code, problem.place) == ("bad-field", place)
    assert message in problem.message


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", "line 1, column 1", "empty"),
        ('{"name": "a"', "line 1, column 13", "truncated"),
        ('{\n "name": "é", }', "line 2, column 15", "trailing comma"),
        ("{}\n{}", "line 2", "trailing characters"),
        ('{"name": x}', "line 1, column 10", "invalid character"),
        ('{"x": NaN,\n "name": }', "line 2, column 10", "invalid character"),
        ('{"name": "\\ud800 "}', "line 1", ""),
    ],
)
def test_what_is_no_json(text: str, place: str, message: str) -> None:
    problem = error(text)
    assert problem.code == "not-json"
    assert problem.place.startswith(place)
    assert message in problem.message


@pytest.mark.parametrize("text", ['{"x": ' + "[" * 100_000, "[" * 100_000, '{"blob":' * 100_000])
def test_deep_nesting(text: str) -> None:
    assert error(text).code in ("not-json", "bad-field")


def test_place_of_a_part() -> None:
    def place(text: bytes) -> str:
        with pytest.raises(ReadError) as caught:
            _json.load(text, list[Item], file="f", place="a[3]")
        return caught.value.place

    assert place(b'[{"label": 1}]') == "a[3][0].label"
    assert place(b"{}") == "a[3]"


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_a_read_error(data: bytes) -> None:
    with contextlib.suppress(ReadError):
        assert isinstance(load(data), Document)
    assert all(isinstance(key, str) for key in _json.outline(data))


def test_read_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert _json.read_bytes(tmp_path / "a") == b"abc"
    with pytest.raises(ReadError, match="at most 2 bytes, but has 3") as caught:
        _json.read_bytes(tmp_path / "a", limit=2)
    assert caught.value.code == "too-large"


@pytest.mark.parametrize("name", ["none", "folder", "pipe", "nul\0byte"])
def test_read_bytes_of_what_is_no_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    if name == "pipe":
        if not hasattr(os, "mkfifo"):
            pytest.skip("no named pipes here")
        os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ReadError) as caught:
        _json.read_bytes(tmp_path / name)
    assert caught.value.code == "unreadable"


def test_pixels() -> None:
    assert _json.pixels(None, file="f", place="p") is None
    assert _json.pixels(480.0, file="f", place="p") == 480
    for value in (0, -3, 1.5):
        with pytest.raises(ReadError, match=f"f: p: must be a whole number .* but got {value}"):
            _json.pixels(value, file="f", place="p")


def test_outline() -> None:
    text = b'{"a": {"b": [1, {"c": ":{", "d": [[{"e": 1}]]}, {"c": 2}]}, "f\\"": null, "g'
    assert list(_json.outline(text)) == ["a", "a.b", "a.b[].c", "a.b[].d", "a.b[].d[][].e",
                                         "a.b[].c", 'f\\"']  # fmt: skip
    assert list(_json.outline(b'[{"x": 1}]')) == ["[].x"]
    assert list(_json.outline('{"x": 1}'.encode("utf-16"))) == ["x"]
    assert list(_json.outline(b'{"a":' * 5000)) == [".".join("a" * n) for n in range(1, 9)]
