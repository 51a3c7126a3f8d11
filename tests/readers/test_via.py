"""What a user gets from VIA files: images, names, problems, whatever the container."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from maskforge.errors import Problem, ReadError, UsageError
from maskforge.raster.annotation import Annotation
from maskforge.raster.geometry import Box, Ellipse, Polygon
from maskforge.readers import via

TRIANGLE = {"name": "polygon", "all_points_x": [1, 7, 4], "all_points_y": [2, 3, 9]}
RECT = {"name": "rect", "x": 10, "y": 20, "width": 3, "height": 5}


def region(shape: object = TRIANGLE, **attributes: object) -> dict[str, object]:
    return {"shape_attributes": shape, "region_attributes": attributes}


def image(filename: str, *regions: object, **more: object) -> dict[str, object]:
    return {
        "filename": filename,
        "size": 12,
        "regions": list(regions),
        "file_attributes": {},
        **more,
    }


def entries(*images: dict[str, Any]) -> dict[str, object]:
    return {f"{item['filename']}{number}": item for number, item in enumerate(images)}


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., list[Annotation | Problem]]:
    """Return a function that writes a document (JSON or text) and reads it back."""

    def write_and_read(
        document: object, *, name: str = "via.json", **options: Any
    ) -> list[Annotation | Problem]:
        path = tmp_path / name
        if isinstance(document, bytes):
            path.write_bytes(document)
        else:
            text = document if isinstance(document, str) else json.dumps(document)
            path.write_text(text, encoding="utf-8")
        return list(via.read(path, via.Options(**options)))

    return write_and_read


Reader = Callable[..., list[Any]]


def labels(annotation: Annotation) -> list[str]:
    return [item.label for item in annotation.regions]


def test_annotations_of_via_2(read: Reader, tmp_path: Path) -> None:
    a, b = read(
        entries(image("b.jpg", region(kind="cat"), region(RECT, kind="dog")), image("a.jpg"))
    )
    assert (a.name, a.place, a.source) == ("b.jpg", '["b.jpg0"]', tmp_path / "via.json")
    assert a.image == tmp_path / "b.jpg"
    assert (a.height, a.width, a.embedded, a.split, a.problems) == (None, None, None, None, ())
    assert labels(a) == ["cat", "dog"]
    assert [item.place for item in a.regions] == [f"{a.place}.regions[{i}]" for i in (0, 1)]
    (polygon,), (box,) = (item.geometry for item in a.regions)
    assert isinstance(polygon, Polygon)
    assert polygon.exterior.tolist() == [[1, 2], [7, 3], [4, 9]]
    assert box == Box(10, 20, 13, 25)
    assert (b.name, b.regions) == ("a.jpg", ())


def test_annotations_of_via_1(read: Reader) -> None:
    closed = {"name": "polygon", "all_points_x": [1, 7, 4, 1], "all_points_y": [2, 3, 9, 2]}
    regions = {"0": region(closed, beet="1"), "1": region(beet=2)}
    entry = {"fileref": "", "base64_img_data": "", "file_attributes": {}, "size": 3}
    (a,) = read({"a.png3": {"filename": "a.png", "regions": regions, **entry}})
    assert labels(a) == ["1", "2"]
    assert a.regions[0].geometry[0].exterior.tolist() == [[1, 2], [7, 3], [4, 9]]
    assert [item.place for item in a.regions] == [f"{a.place}.regions[{i}]" for i in (0, 1)]
    assert a.embedded is None


@pytest.mark.parametrize("text", ["QUJD", "data:image/png;base64,QUJD"])
def test_an_image_embedded_in_via_1_is_kept_in_base64(read: Reader, text: str) -> None:
    (a,) = read(entries(image("a.png", base64_img_data=text)))
    assert a.embedded == b"QUJD"


def test_an_embedded_image_that_is_no_text_is_a_problem(read: Reader) -> None:
    problem, _ = read(entries(image("a.png", base64_img_data=[1]), image("b.png")))
    assert "must be text, but got an array of 1" in problem.message
    problem, _ = read(entries(image("a.png", base64_img_data="é"), image("b.png")))
    assert "must be base64" in problem.message


def project(*images: dict[str, Any], **more: object) -> dict[str, object]:
    return {"_via_settings": {}, "_via_img_metadata": entries(*images), **more}


def test_a_project_gives_the_order_and_the_texts_of_options(read: Reader) -> None:
    options = {"o1": "Cat", "o2": ""}
    out = read(
        project(
            image("a.jpg", region(animal="o1"), region(animal={"o2": True})),
            image("b.jpg", region(animal="free text")),
            image("c.jpg"),
            _via_attributes={"region": {"animal": {"type": "dropdown", "options": options}}},
            _via_image_id_list=["b.jpg1", "gone", "a.jpg0"],
        )
    )
    assert [item.name for item in out] == ["b.jpg", "a.jpg", "c.jpg"]
    assert [labels(item) for item in out] == [["free text"], ["Cat", "o2"], []]
    assert out[1].place == '_via_img_metadata["a.jpg0"]'


def test_the_options_of_an_image_choice_keep_their_ids(read: Reader) -> None:
    choice = {"type": "image", "options": {"o1": "http://host/cat.png"}}
    (a,) = read(project(image("a", region(k="o1")), _via_attributes={"region": {"k": choice}}))
    assert labels(a) == ["o1"]


def test_the_default_folder_of_a_project_is_searched(read: Reader, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.jpg").touch()
    settings = {"core": {"default_filepath": ".\\pictures\\"}}
    a, b = read(project(image("a.jpg"), image("b.jpg"), _via_settings=settings))
    assert a.image.samefile(tmp_path / "pictures" / "a.jpg")
    assert b.image == tmp_path / "b.jpg"


@pytest.mark.parametrize("filename", ["", "a/", "..", "x/..", "http://host/", "a\0b", 7, None])
def test_a_filename_that_names_nothing(read: Reader, filename: object) -> None:
    bad, good = read({"1": {**image("a"), "filename": filename}, "2": image("b.jpg")})
    assert (bad.code, bad.severity, good.name) == ("bad-field", "error", "b.jpg")
    assert bad.place.startswith('["1"]')


def test_one_name_twice_is_two_images(read: Reader) -> None:
    out = read(entries(image("a.jpg"), image("a.jpg", region(k="x"))))
    assert [item.name for item in out] == ["a.jpg", "a.jpg"]
    assert out[0].digest != out[1].digest


@pytest.mark.parametrize(
    ("bad", "code", "place"),
    [
        (region({"name": "blob"}), "bad-shape", "regions[1]"),
        (region({"name": "rect", "x": 1, "y": 2, "width": 3}), "bad-shape", "regions[1]"),
        (region({**TRIANGLE, "all_points_x": [1, 2]}), "bad-shape", "regions[1]"),
        (region({**TRIANGLE, "all_points_x": [1, math.nan, 2]}), "bad-shape", "regions[1]"),
        (region([]), "bad-shape", "regions[1]"),
        (region(), "no-label", "regions[1]"),
        ({"region_attributes": {}}, "bad-field", "regions[1]"),
        ({**region(), "region_attributes": []}, "bad-field", "regions[1].region_attributes"),
        (7, "bad-field", "regions[1]"),
    ],
)
def test_a_bad_region_spoils_its_image_only(
    read: Reader, bad: object, code: str, place: str
) -> None:
    first, good = read(entries(image("a.jpg", region(k="x"), bad), image("b.jpg", region(k="x"))))
    (problem,) = first.problems if isinstance(first, Annotation) else (first,)
    assert (problem.code, problem.severity) == (code, "error")
    assert problem.place == f'["a.jpg0"].{place}'
    assert problem.file.endswith("via.json")
    assert labels(good) == ["x"]


@pytest.mark.parametrize(
    "shape",
    [
        {"name": "polygon", "all_points_x": [], "all_points_y": []},
        {"name": "polygon", "all_points_x": [1, 2, 1], "all_points_y": [3, 4, 3]},
        {"name": "polyline", "all_points_x": [1], "all_points_y": [3]},
        {**RECT, "width": 0},
        {"name": "circle", "cx": 1, "cy": 2, "r": 0},
    ],
)
def test_a_region_that_covers_nothing_is_left_out(read: Reader, shape: object) -> None:
    (a,) = read(entries(image("a.jpg", region(shape), region(RECT, k="x"))))
    assert labels(a) == ["x"]
    assert [(p.code, p.severity, p.place) for p in a.problems] == [
        ("empty-shape", "warning", '["a.jpg0"].regions[0]')
    ]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({}, "wrong-format"),
        ([], "wrong-format"),
        ({"region": {}, "file": {}}, "wrong-format"),
        ({"images": [], "annotations": []}, "wrong-format"),
        ({"version": "5.0.1", "flags": {}, "shapes": []}, "wrong-format"),
        ({"_via_img_metadata": []}, "bad-field"),
        (b'{"a": {"filename": "a.jpg", "regions": [', "not-json"),
        (b"", "not-json"),
    ],
)
def test_a_file_that_is_no_via_file(read: Reader, document: object, code: str) -> None:
    with pytest.raises(ReadError) as caught:
        read(document)
    assert caught.value.code == code
    assert caught.value.file.endswith("via.json")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_encodings(read: Reader, encoding: str) -> None:
    text = json.dumps(entries(image("图.jpg", region(k="饮料瓶"))), ensure_ascii=False)
    (a,) = read(text.encode(encoding))
    assert (a.name, labels(a)) == ("图.jpg", ["饮料瓶"])


def test_a_digest_follows_what_decides_the_regions(read: Reader) -> None:
    def digest(entry: dict[str, object], **options: object) -> str:
        return str(read({"key": entry}, **options)[0].digest)

    entry = image("a.jpg", region(k="x", name="y"))
    first = digest(entry)
    assert first == digest(dict(reversed(entry.items())))
    others = [
        digest(entry, attribute="k"),
        digest(entry, default_label="z"),
        digest(entry, line_width=3.0),
        digest(image("b.jpg", region(k="x", name="y"))),
        digest(image("a.jpg", region(RECT, k="x", name="y"))),
    ]
    assert len({first, *others}) == 6


def test_line_width_and_point_size_are_options(read: Reader) -> None:
    line = {**TRIANGLE, "name": "polyline"}
    point = {"name": "point", "cx": 3, "cy": 4}
    (a,) = read(entries(image("a", region(line, k="x"), region(point, k="x"))), line_width=2)
    assert a.regions[0].geometry[0].width == 2
    assert a.regions[1].geometry == (Ellipse(3, 4, 5, 5),)


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
def test_options_must_be_usable(value: float) -> None:
    with pytest.raises(UsageError, match="line_width must be a positive number"):
        via.Options(line_width=value)
    with pytest.raises(UsageError, match="point_size must be a positive number"):
        via.Options(point_size=value)


def test_names_in_options_must_not_be_blank() -> None:
    with pytest.raises(UsageError, match="default_label must be a name, but got ' '"):
        via.Options(default_label=" ")
    with pytest.raises(UsageError, match="attribute must be a name, but got ''"):
        via.Options(attribute="")


def test_a_file_that_says_nothing_of_classes_has_one_class_and_a_warning(read: Reader) -> None:
    warning, a = read(entries(image("a.jpg", region(), region())))
    assert (warning.code, warning.severity) == ("no-label", "warning")
    assert "all become 'object'" in warning.message
    assert "--default-label NAME" in warning.cure
    assert labels(a) == ["object", "object"]
    (a,) = read(entries(image("a.jpg", region())), default_label="beet")
    assert labels(a) == ["beet"]
