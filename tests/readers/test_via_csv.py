"""VIA's CSV: JSON in the cells, one row a region."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from maskforge.errors import ReadError
from maskforge.raster.geometry import Box
from maskforge.readers import via

POLYGON = {"name": "polygon", "all_points_x": [1, 7, 4], "all_points_y": [2, 3, 9]}
RECT = {"name": "rect", "x": 10, "y": 20, "width": 3, "height": 5}
HEADER = (
    "filename,file_size,file_attributes,region_count,region_id,"
    "region_shape_attributes,region_attributes\n"
)

Reader = Callable[..., list[Any]]


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    def write_and_read(text: str | bytes, *, name: str) -> list[Any]:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return list(via.read(path, via.Options()))

    return write_and_read


def labels(annotation: Any) -> list[str]:
    return [item.label for item in annotation.regions]


def row(name: str, count: int, number: int, shape: object, attributes: object) -> str:
    quoted = [
        '"' + json.dumps(v, ensure_ascii=False).replace('"', '""') + '"'
        for v in (shape, attributes)
    ]
    return f'{name},7,"{{}}",{count},{number},{quoted[0]},{quoted[1]}\n'


@pytest.mark.parametrize("start", ["", "#", "\ufeff", "\ufeff#"])
def test_csv(read: Reader, start: str) -> None:
    text = (
        start
        + HEADER
        + row("a,b.jpg", 2, 0, POLYGON, {"name": 'a "b", c'})
        + row("empty.jpg", 0, 0, {}, {})
        + row("a,b.jpg", 2, 1, RECT, {"name": "x"})
    )
    a, b = read(text, name="via.csv")
    assert (a.name, a.place, b.name, b.regions) == ("a,b.jpg", "line 2", "empty.jpg", ())
    assert labels(a) == ['a "b", c', "x"]
    assert [item.place for item in a.regions] == ["line 2", "line 4"]
    assert a.regions[1].geometry == (Box(10, 20, 13, 25),)
    assert a.problems == b.problems == ()


def test_csv_is_told_by_its_header_and_not_by_its_name(read: Reader) -> None:
    text = HEADER.replace(",", ";") + row("a.jpg", 0, 0, {}, {}).replace(",", ";")
    assert read(text, name="via.json")[0].name == "a.jpg"


def test_csv_warns_when_rows_are_missing(read: Reader) -> None:
    (a,) = read(HEADER + row("a.jpg", 5, 0, RECT, {"name": "x"}), name="via.csv")
    assert [p.severity for p in a.problems] == ["warning"]
    assert "region_count is 5, but there are 1 regions" in a.problems[0].message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "header must name filename"),
        ("a,b\n1,2\n", "header must name filename"),
        (HEADER + "a.jpg,7\n", "line 2: a row must have 7 columns, but got 2"),
        (HEADER + 'a.jpg,7,"{}', "line 2: must be the CSV that VIA writes"),
    ],
)
def test_csv_that_is_none(read: Reader, text: str, message: str) -> None:
    with pytest.raises(ReadError, match=message) as caught:
        read(text, name="via.csv")
    assert caught.value.code == "not-csv"


def test_csv_cells_that_are_no_json_spoil_their_image_only(read: Reader) -> None:
    text = (
        HEADER
        + 'a.jpg,7,"{}",1,0,"{""name""","{}"\n'
        + 'b.jpg,7,"{}",1,0,"{""name"":""point""}","[]"\n'
        + 'c.jpg,7,"{}",1,0,"{""name"":""point""}","{""name"":"\n'
        + row("d.jpg", 1, 0, RECT, {"name": "x"})
    )
    a, b, c, d = read(text, name="via.csv")
    (wrong,) = a.problems
    assert (wrong.code, wrong.place) == ("bad-shape", "line 2")
    assert b.place == "line 3, region_attributes"
    assert (c.code, c.place) == ("not-json", "line 4, region_attributes")
    assert "line 1, column 9 of it" in c.message
    assert labels(d) == ["x"]


def test_a_cp1252_csv(read: Reader) -> None:
    text = HEADER + row("für.jpg", 1, 0, RECT, {"k": "é"})
    (a,) = read(text.encode("cp1252"), name="via.csv")
    assert (a.name, labels(a)) == ("für.jpg", ["é"])


def test_undefined_is_no_value(tmp_path):
    rows = (
        "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,"
        "region_attributes\n"
        'a.jpg,1,"{}",2,0,"{""name"":""rect"",""x"":1,""y"":1,""width"":3,""height"":2}",'
        '"{""name"":""cat"",""type"":undefined}"\n'
        'a.jpg,1,"{}",2,1,"{""name"":""rect"",""x"":1,""y"":1,""width"":3,""height"":2}",'
        '"{""name"":undefined , ""type"":""undefined""}"\n'
    )
    (tmp_path / "a.csv").write_text(rows)
    options = via.Options(attribute="name", default_label="other")
    [found] = via.read(tmp_path / "a.csv", options)
    assert [region.label for region in found.regions] == ["cat", "other"]
