"""VIA 3 projects: files, views, metadata."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from maskforge.errors import ReadError
from maskforge.raster.annotation import Annotation
from maskforge.raster.geometry import Box, Ellipse, Polyline
from maskforge.readers import via

Reader = Callable[..., list[Any]]


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    def write_and_read(document: object, **options: Any) -> list[Any]:
        path = tmp_path / "via3.json"
        path.write_text(json.dumps(document))
        return list(via.read(path, via.Options(**options)))

    return write_and_read


def file(name: str, **more: object) -> dict[str, object]:
    return {"fid": "1", "fname": name, "type": 2, "loc": 1, "src": "", **more}


def region(xy: object, *, vid: object = "1", **more: object) -> dict[str, object]:
    return {"vid": vid, "flg": 0, "z": [], "xy": xy, "av": {"1": "0"}, **more}


def project(metadata: Mapping[str, object], **more: object) -> dict[str, object]:
    return {
        "project": {"pid": "__VIA_PROJECT_ID__", "vid_list": ["1", "2"]},
        "config": {"file": {"loc_prefix": {"1": "", "2": "", "3": "", "4": ""}}},
        "attribute": {
            "1": {
                "aname": "screws",
                "anchor_id": "FILE1_Z0_XY1",
                "type": 3,
                "options": {"0": "cyl", "1": "hex"},
            },
            "2": {"aname": "caption", "anchor_id": "FILE1_Z0_XY0", "type": 1, "options": {}},
        },
        "file": {"1": file("a.png"), "2": file("b.png")},
        "view": {"1": {"fid_list": ["1"]}, "2": {"fid_list": [2]}},
        "metadata": metadata,
        **more,
    }


@pytest.mark.parametrize(
    ("xy", "expected"),
    [
        ([1, 3, 4], Ellipse(3, 4, 5, 5)),
        ([2, 10, 20, 40.5, 50], Box(10, 20, 50.5, 70)),
        ([3, 589.5, 217.25, 44], Ellipse(589.5, 217.25, 44, 44)),
        ([4, 9, 8, 7, 6], Ellipse(9, 8, 7, 6)),
        ([8, 30, 5, 40, 8, 35, 2, 33, 9], Box(30, 2, 40, 9)),
        ([9, 13, 4, 10, 7, 7, 4], Ellipse(10, 4, 3, 3)),
    ],
)
def test_shapes(read: Reader, xy: list[float], expected: object) -> None:
    a, b = read(project({"m": region(xy)}))
    assert (a.name, a.place, a.regions[0].place) == ("a.png", 'file["1"]', 'metadata["m"]')
    assert [(item.label, item.geometry) for item in a.regions] == [("cyl", (expected,))]
    assert (b.name, b.regions) == ("b.png", ())


@pytest.mark.parametrize("shape_id", [5, 6])
def test_lines(read: Reader, shape_id: int) -> None:
    line = read(project({"m": region([shape_id, 1, 2, 3, 5])}))[0].regions[0].geometry[0]
    assert isinstance(line, Polyline)
    assert (line.points.tolist(), line.width) == ([[1, 2], [3, 5]], 10)


def test_a_polygon(read: Reader) -> None:
    (polygon,) = read(project({"m": region([7, 1, 2, 3, 5, 4, 9])}))[0].regions[0].geometry
    assert polygon.exterior.tolist() == [[1, 2], [3, 5], [4, 9]]


def test_attributes_of_files_are_neither_regions_nor_candidates(read: Reader) -> None:
    about_the_file = region([], av={"2": "two screws"})
    a, _ = read(project({"f": about_the_file, "m": region([1, 3, 4], vid=1)}))
    assert [item.label for item in a.regions] == ["cyl"]


def test_ticked_options_are_joined_with_commas(read: Reader) -> None:
    tools = {"aname": "screws", "type": 2, "options": {"0": "cyl", "1": "hex"}}
    metadata = {"m": region([1, 3, 4], av={"1": "1,0"}), "n": region([1, 3, 4], av={"1": "1"})}
    a, _ = read(project(metadata, attribute={"1": tools}))
    assert [item.label for item in a.regions] == ["hex", "cyl", "hex"]


def test_a_comma_in_a_text_is_a_comma(read: Reader) -> None:
    a, _ = read(project({"m": region([1, 3, 4], av={"1": "1,0"})}))
    assert [item.label for item in a.regions] == ["1,0"]


@pytest.mark.parametrize("change", [{"type": 4}, {"type": 8}])
def test_a_video_is_a_problem(read: Reader, change: dict[str, object]) -> None:
    files = {"1": file("a.mp4", **change), "2": file("b.png")}
    a, b = read(project({"m": region([1, 3, 4], vid="2")}, file=files))
    assert (a.code, a.place, a.severity) == ("no-mask", 'file["1"]', "error")
    assert "a.mp4 is a video or audio" in a.message
    assert b.regions


@pytest.mark.parametrize("xy", [[], [2, 1, 2, 3, 4]])
def test_what_is_said_about_a_moment_is_of_a_video(read: Reader, xy: object) -> None:
    a, b = read(project({"m": region(xy, z=[1.5]), "n": region([1, 3, 4], vid="2")}))
    assert (a.code, b.name) == ("no-mask", "b.png")


@pytest.mark.parametrize(
    ("bad", "code", "place"),
    [
        (region([2, 1, 2, 3]), "bad-shape", 'metadata["m"].xy'),
        (region([7, 1, 2, 3]), "bad-shape", 'metadata["m"]'),
        (region([10, 1]), "bad-shape", 'metadata["m"].xy[0]'),
        (region(["2", 1]), "bad-shape", 'metadata["m"].xy[0]'),
        (region([9, 0, 0, 1, 1, 2, 2]), "bad-shape", 'metadata["m"]'),
        (region({}), "bad-shape", 'metadata["m"].xy'),
        (region([1, 2, float("nan")]), "bad-shape", 'metadata["m"].xy[2]'),
        (region([1, 2, 3], av={}), "no-label", 'metadata["m"]'),
    ],
)
def test_a_bad_region_spoils_its_image_only(
    read: Reader, bad: object, code: str, place: str
) -> None:
    a, b = read(project({"m": bad, "n": region([1, 3, 4], vid="2")}))
    wrong = a.problems[0] if isinstance(a, Annotation) else a
    assert (wrong.code, wrong.place, wrong.severity) == (code, place, "error")
    assert (b.name, len(b.regions)) == ("b.png", 1)


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        (region([1, 3, 4], vid="9"), "must name a view"),
        (region([1, 3, 4], vid="3"), "in a view of exactly one file"),
        (region([1, 3, 4], vid="4"), "in a view of exactly one file"),
        (7, "must be an object"),
    ],
)
def test_a_region_of_no_file_is_a_problem(read: Reader, lost: object, message: str) -> None:
    views = {"1": {"fid_list": ["1"]}, "3": {"fid_list": ["1", "2"]}, "4": {"fid_list": []}}
    a, b, problem = read(project({"m": region([1, 3, 4]), "lost": lost}, view=views))
    assert (a.name, b.name) == ("a.png", "b.png")
    assert problem.place.startswith('metadata["lost"]')
    assert message in problem.message


def test_what_is_said_about_a_pair_of_files_is_dropped(read: Reader) -> None:
    views = {"1": {"fid_list": ["1"]}, "3": {"fid_list": ["1", "2"]}}
    out = read(project({"m": region([1, 3, 4]), "pair": region([], vid="3")}, view=views))
    assert [item.name for item in out] == ["a.png", "b.png"]


def test_the_source_of_a_file_says_where_it_may_be(read: Reader, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("a.png", "c.png"):
        (tmp_path / "deep" / name).touch()
    files = {
        "1": file("a.png", loc=3, src="a.png"),
        "2": file("b.png", loc=2, src="http://host/deep/b.png"),
        "3": file("c.png", loc=1, src=f"file://{tmp_path}/deep/c.png"),
    }
    config = {"file": {"loc_prefix": {"3": "deep/"}}}
    out = read(project({"m": region([1, 3, 4])}, file=files, config=config))
    assert [item.image.relative_to(tmp_path).as_posix() for item in out] == [
        "deep/a.png",
        "b.png",
        "deep/c.png",
    ]


def test_an_inline_image_is_embedded(read: Reader) -> None:
    files = {"1": file("a.png", loc=4, src="data:image/png;base64,QUJD"), "2": file("b.png")}
    a, b = read(project({"m": region([1, 3, 4])}, file=files))
    assert (a.embedded, b.embedded) == (b"QUJD", None)


def test_a_file_that_is_none_is_a_problem(read: Reader) -> None:
    a, b = read(project({"m": region([1, 3, 4], vid="2")}, file={"1": 7, "2": file("b.png")}))
    assert (a.code, a.place, b.name) == ("bad-field", 'file["1"]', "b.png")


def test_a_project_without_a_usable_list_is_refused(read: Reader) -> None:
    with pytest.raises(ReadError, match="view: must be an object, but got a list"):
        read(project({}, view=[]))
