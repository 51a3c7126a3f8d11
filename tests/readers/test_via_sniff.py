"""VIA files are told by their content, from a beginning that may be cut anywhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskforge.readers import via

REGION = {"shape_attributes": {"name": "point", "cx": 1, "cy": 2}, "region_attributes": {}}
V1 = {
    "fileref": "",
    "size": 3,
    "filename": "a.png",
    "base64_img_data": "",
    "file_attributes": {},
    "regions": {"0": REGION},
}
V2 = {"filename": "a.png", "size": 3, "regions": [REGION], "file_attributes": {}}
V3 = {
    "project": {"pid": "x", "vid_list": ["1"]},
    "config": {},
    "attribute": {},
    "file": {},
    "view": {},
    "metadata": {},
}
CSV = "filename,file_size,file_attributes,region_count,region_id," + (
    "region_shape_attributes,region_attributes\n"
)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"a.png3": V1}, "VIA 1 annotations"),
        ({"a.png3": {**V1, "base64_img_data": "A" * 70_000}}, "VIA 1 annotations"),
        ({'quo"te\\': V2}, "VIA annotations"),
        ({"a.png3": {**V2, "regions": []}}, "VIA annotations"),
        ({"_via_settings": {}, "_via_img_metadata": {}}, "VIA 2 project"),
        ({"_via_img_metadata": {"a.png3": V2}}, "VIA 2 project"),
        (V3, "VIA 3 project"),
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\r\n \t", b"\xef\xbb\xbf\n"])
def test_json(document: object, reason: str, indent: int | None, before: bytes) -> None:
    found = via.sniff(Path("x"), (before + json.dumps(document, indent=indent).encode())[:65536])
    assert found is not None
    assert found.startswith(reason)


@pytest.mark.parametrize("start", ["", "#", "\ufeff#"])
def test_csv(start: str) -> None:
    found = via.sniff(Path("x"), (start + CSV + "a.jpg,7").encode())
    assert found is not None
    assert found.startswith("VIA CSV")


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        {"version": "5.0.1", "flags": {}, "shapes": [{"label": "filename"}], "imagePath": "a.png"},
        {"flags": {"filename": True}, "shapes": [], "imagePath": "a.png"},
        {"images": [{"file_name": "a.jpg", "annotations": [{"segms": None}]}]},
        {"info": {"description": "x"}, "images": [{"file_name": "a.jpg"}], "annotations": []},
        {"description": "", "tags": [], "size": {"height": 3, "width": 4}, "objects": []},
        {"imgHeight": 1024, "imgWidth": 2048, "objects": [{"label": "road", "polygon": []}]},
        {"region": {"name": {"type": "text"}}, "file": {}},
        {"project": {"name": "another tool"}},
    ],
)
def test_other_formats(document: object) -> None:
    assert via.sniff(Path("x"), json.dumps(document).encode()) is None


@pytest.mark.parametrize("head", [b"", b"{", b"\xef\xbb\xbf", b"filename,label\n", b"\x89PNG\r\n"])
def test_what_is_nothing(head: bytes) -> None:
    assert via.sniff(Path("x"), head) is None


@given(st.binary(max_size=200), st.sampled_from([b"", b'{"', CSV.encode(), b'{"project": {']))
def test_any_bytes_are_answered(tail: bytes, head: bytes) -> None:
    found = via.sniff(Path("x"), head + tail)
    assert found is None or isinstance(found, str)
