from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from ochuman_files import HOLE, SQUARE, TRIANGLE, Read, good, problem, reading_in

from maskforge.errors import Problem, ReadError, UsageError
from maskforge.raster.annotation import Annotation
from maskforge.raster.geometry import Polygon
from maskforge.readers import _ochuman_native, coco, ochuman

KEYPOINTS = [1.5, 2, 1] * 19


def segms(*outer: Sequence[object], inner: object = (), **more: object) -> dict[str, Any]:
    return {"outer": outer, "inner": inner, "height": 60, "width": 40, **more}


def person(segm: object = None, keypoints: object = None, max_iou: object = 0.6) -> dict[str, Any]:
    return {"segms": segm, "keypoints": keypoints, "max_iou": max_iou, "bbox": [1, 2, 3, 4]}


def image(*people: object, **more: object) -> dict[str, Any]:
    return {
        "image_id": "7", "file_name": "a.jpg", "height": 60, "width": 40,
        "annotations": people, **more,
    }  # fmt: skip


def native(*images: object) -> dict[str, Any]:
    return {"keypoint_names": ["nose"], "keypoint_visible": {"missing": 0}, "images": images}


@pytest.fixture
def read(tmp_path: Path) -> Read:
    return reading_in(tmp_path)


def test_native_image(read: Read, tmp_path: Path) -> None:
    (item,) = good(read(native(image(person(segms(TRIANGLE)), person(segms(SQUARE))))))
    assert (item.name, item.place, item.height, item.width) == ("a.jpg", "images[0]", 60, 40)
    assert item.source == tmp_path / "ochuman.json"
    assert item.image == tmp_path / "images" / "a.jpg"
    assert (item.embedded, item.split, item.problems) == (None, None, ())
    assert [(r.label, r.group, r.crowd) for r in item.regions] == [("person", None, False)] * 2
    assert item.regions[1].place == "images[0].annotations[1]"
    (polygon,) = item.regions[0].geometry
    assert isinstance(polygon, Polygon)
    assert polygon.exterior.tolist() == [[1, 2], [7.5, 3], [4, 9]]


def test_every_outer_polygon_is_cut_by_all_inner_ones(read: Read) -> None:
    segm = segms(TRIANGLE, SQUARE, inner=[HOLE, [21, 21, 22, 21, 22, 22]])
    (item,) = good(read(native(image(person(segm)))))
    first, second = item.regions[0].geometry
    assert isinstance(first, Polygon)
    assert isinstance(second, Polygon)
    assert second.exterior.tolist() == [[20, 20], [30, 20], [30, 31], [20, 31]]
    for polygon in (first, second):
        assert [r.tolist()[0] for r in polygon.interiors] == [[3, 4], [21, 21]]


def test_images_lie_in_images_or_beside_the_file(read: Read, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    document = native(image(person(segms(TRIANGLE))))
    assert good(read(document))[0].image == tmp_path / "a.jpg"
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.jpg").touch()
    assert good(read(document))[0].image == tmp_path / "images" / "a.jpg"


PEOPLE = [
    person(segms(TRIANGLE), KEYPOINTS, 0.5),
    person(segms(TRIANGLE), None, 0.75),
    person(None, KEYPOINTS, 1.0),
    person(None, [], 0.2),
]


@pytest.mark.parametrize(
    ("wanted", "max_iou", "masks", "without"),
    [
        ("segm", "0:1", [0, 1], 0),
        ("kpt", "0:1", [0], 1),
        ("segm&kpt", "0:1", [0], 0),
        ("all", "0:1", [0, 1], 2),
        ("segm", "0.5:0.75", [0], 0),
        ("segm", "0.6:1", [1], 0),
        ("all", "0:0.6", [0], 1),
    ],
)
def test_filters(read: Read, wanted: str, max_iou: str, masks: list[int], without: int) -> None:
    (item,) = good(read(native(image(*PEOPLE)), filter=wanted, max_iou=max_iou))
    assert [r.place for r in item.regions] == [f"images[0].annotations[{i}]" for i in masks]
    assert [(p.code, p.severity) for p in item.problems] == [("no-mask", "warning")] * without


def test_images_without_a_chosen_person_are_left_out(read: Read) -> None:
    document = native(image(*PEOPLE), image(person(None, KEYPOINTS)), image())
    assert [a.place for a in good(read(document))] == ["images[0]"]
    first, second, third = read(document, filter="all")
    assert isinstance(first, Annotation)
    assert isinstance(second, Problem)
    assert (second.code, second.place, second.severity) == ("no-mask", "images[1]", "warning")
    assert isinstance(third, Annotation)
    assert third.regions == ()


def test_a_file_without_a_chosen_person_says_so(read: Read) -> None:
    assert problem(read(native(image(*PEOPLE)), max_iou="0:0.1")).code == "no-mask"
    chosen = problem(read(native(image(person(segms(TRIANGLE)))), filter="kpt"))
    assert chosen.cure == "choose another --filter or --max-iou"


def test_where_nobody_has_a_mask_no_choice_is_recommended(read: Read) -> None:
    item = problem(read(native(image(person(None, KEYPOINTS)))))
    assert (item.code, item.cure) == ("no-mask", "")
    assert item.message.startswith("a person must have a segmentation, but in this file none has")


def test_a_missing_max_iou_matters_only_when_asked_for(read: Read) -> None:
    document = native(image(person(segms(TRIANGLE), max_iou=None)))
    assert good(read(document))
    item = problem(read(document, max_iou="0:0.9"))
    assert (item.code, item.place) == ("bad-field", "images[0].annotations[0].max_iou")


@pytest.mark.parametrize(
    ("broken", "code", "place"),
    [
        (image(person(segms([1, 2, 3]))), "bad-field", ".annotations[0].segms.outer[0]"),
        (image(person(segms(TRIANGLE, inner=[[1, 2, 3]]))), "bad-field",
         ".annotations[0].segms.inner[0]"),
        (image(person(segms([0, 0, 1e7, 0, 1, 1]))), "bad-shape",
         ".annotations[0].segms.outer[0]"),
        (image(person(segms([0, 0, "x", 0]))), "bad-field",
         ".annotations[0].segms.outer[0][2]"),
        (image(person(segms(TRIANGLE, width=41))), "size-mismatch", ".annotations[0].segms"),
        (image(person(segms(TRIANGLE)), height=61), "size-mismatch", ".annotations[0].segms"),
        (image(person(segms(TRIANGLE)), height=-1), "bad-field", ".height"),
        (image(person(segms(TRIANGLE)), file_name="a/.."), "bad-field", ""),
        (image(person(segms(TRIANGLE)), file_name=None), "bad-field", ".file_name"),
        (image(person(segms(*[TRIANGLE] * 101, inner=[HOLE] * 100))), "too-large",
         ".annotations[0].segms"),
        ({"file_name": "b.jpg"}, "bad-field", ""),
        ("x", "bad-field", ""),
    ],
)  # fmt: skip
def test_one_broken_image_does_not_stop_the_others(
    read: Read, broken: object, code: str, place: str
) -> None:
    good = image(person(segms(TRIANGLE)))
    first, second, third = read(native(good, broken, good))
    assert isinstance(first, Annotation)
    assert isinstance(third, Annotation)
    wrong = problem([second])
    assert (wrong.code, wrong.place) == (code, f"images[1]{place}")
    assert wrong.severity == "error"


def test_a_mask_that_covers_nothing_is_left_out_with_a_warning(read: Read) -> None:
    people = [person(segms()), person(segms([1, 2, 3, 4])), person(segms(TRIANGLE, [1, 2, 3, 4]))]
    (item,) = good(read(native(image(*people))))
    assert [len(region.geometry) for region in item.regions] == [1]
    assert [p.code for p in item.problems] == ["empty-shape"] * 2
    assert problem(read(native(image(people[0])))).code == "no-mask"


def test_digest_is_of_the_image_alone(read: Read) -> None:
    a, b = image(person(segms(TRIANGLE))), image(person(segms(SQUARE)))
    one = good(read(native(a, b)))
    two = good(read(native(b, a)))
    assert [x.digest for x in one] == [x.digest for x in reversed(two)]
    assert one[0].digest != one[1].digest


def test_published_splits(read: Read) -> None:
    both = image(person(segms(TRIANGLE), KEYPOINTS))
    bare = image(person(None, KEYPOINTS))
    images = [bare] * 350 + [both] * 4731
    splits = [a.split for a in good(read(native(*images)))]
    assert splits == ["val"] * 2500 + ["test"] * 2231
    assert {a.split for a in good(read(native(*images[1:])))} == {None}
    assert {a.split for a in good(read(native(*[both] * 351, *images[351:-1], bare)))} == {None}


def test_a_broken_image_takes_the_splits_away(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_ochuman_native, "PUBLISHED_IMAGES", 2)
    good, bad = read(native(image(person(segms(TRIANGLE), KEYPOINTS)), "x"))
    assert isinstance(good, Annotation)
    assert good.split is None
    assert isinstance(bad, Problem)


@pytest.mark.parametrize("document", [[], {"shapes": []}, 3, {"images": 5}])
def test_other_files_are_refused(read: Read, document: object) -> None:
    with pytest.raises(ReadError, match="must"):
        read(document)


@pytest.mark.parametrize("value", ["", "1", "0.5:0.5", "0.7:0.2", "-1:1", "0:2", "a:b", "nan:1"])
def test_bad_range(value: str) -> None:
    with pytest.raises(UsageError, match="max_iou must be LO:HI"):
        ochuman.Options(max_iou=value)


def test_bad_filter() -> None:
    with pytest.raises(UsageError, match=r"filter must be one of .*'segm&kpt'.* but got 'bbox'"):
        ochuman.Options(filter="bbox")  # type: ignore[arg-type]


LONG = '"images": [' + '{"id": 1, "file_name": "a.jpg", "height": 6, "width": 4}, ' * 2000


@pytest.mark.parametrize(
    "text",
    [
        '{"keypoint_names": [], "keypoint_visible": {"missing": 0}, "images": [{"image_id',
        '{"images": [{"annotations": [{"bbox": [1, 2], "segms": null',
        json.dumps(native(image(*PEOPLE))),
    ],
)
def test_sniff(text: str) -> None:
    assert "'" in (ochuman.sniff(Path("x"), text.encode()[:65536]) or "")
    assert ochuman.sniff(Path("x"), b"\xef\xbb\xbf" + text.encode()[:65000])


@pytest.mark.parametrize(
    "text",
    [
        '{"annotations": [{"image_id": 1, "segmentation": {"size',
        "{" + LONG,
    ],
)
def test_a_file_in_coco_style_is_one_by_its_name(text: str) -> None:
    head = text.encode()[:65536]
    assert str(ochuman.sniff(Path("a/ochuman_coco_format_val.json"), head)).endswith("COCO style")
    assert ochuman.sniff(Path("a/instances_val.json"), head) is None
    assert coco.sniff(Path("a/ochuman_coco_format_val.json"), head) is None
    assert coco.sniff(Path("a/instances_val.json"), head)


@pytest.mark.parametrize(
    "text",
    [
        "",
        '[{"image_id": 1, "segmentation": {}}]',
        '{"images": [{"id": 1, "file_name": "a.jpg"}]}',
        '{"images": [{"id": 1, "file_name": "a"}], "annotations": [{"segments_info": []}]}',
        '{"shapes": [{"label": "a", "points": []}], "imagePath": "a.jpg"}',
        '{"a.jpg12": {"filename": "a.jpg", "size": 12, "regions": [{"shape_attributes": {}}]}}',
        '{"_via_img_metadata": {"a": {"images": [{"annotations": [{"segms": 1}]}]}}}',
        '{"description": "", "size": {}, "objects": [{"points": {"exterior": []}}]}',
        '{"imgHeight": 1024, "objects": [{"label": "a", "polygon": []}]}',
    ],
)
def test_sniff_is_not_fooled(text: str) -> None:
    assert ochuman.sniff(Path("x"), text.encode()) is None
