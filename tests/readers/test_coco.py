from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as oracle
from pycocotools.coco import COCO
from strategies import numbers

import maskforge
from maskforge.classes import ClassTable
from maskforge.errors import ClassError, Problem, ReadError
from maskforge.io.label_lists import Listed
from maskforge.raster.annotation import Annotation
from maskforge.raster.geometry import Bitmap, Box, Polygon
from maskforge.readers import _json, _spans, coco, ochuman
from maskforge.readers.coco import Described

Parts: TypeAlias = tuple[Listed, list[Problem], list[Described]]
Read: TypeAlias = Callable[..., Parts]

# Wider than high, and nothing in it has a symmetry.
HEIGHT, WIDTH = 4, 7
LOW = [0, 0, 5, 0, 5, 1, 0, 1]  # the first five pixels of the first row
HIGH = [1, 1, 3, 1, 3, 4, 1, 4]  # two columns, three rows below it
MASK = np.zeros((HEIGHT, WIDTH), dtype=bool)
MASK[1:3, 4] = MASK[2, 5] = True
COUNTS = [17, 2, 3, 1, 5]  # column by column, by turns of False and True
TEXT = oracle.encode(np.asfortranarray(MASK.astype(np.uint8)))["counts"].decode()
RUNS = {"size": [HEIGHT, WIDTH], "counts": COUNTS}

CAT, DOG, OX = {"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}, {"id": 4, "name": "ox"}
ROBOFLOW = [
    {"id": 0, "name": "objects", "supercategory": "none"},
    {"id": 1, "name": "car", "supercategory": "objects"},
]


def picture(number: object = 1, name: object = "a.jpg", **more: object) -> dict[str, Any]:
    return {"id": number, "file_name": name, "height": HEIGHT, "width": WIDTH, **more}


def thing(segmentation: object = (LOW,), image: object = 1, **more: object) -> dict[str, Any]:
    shape = {} if segmentation is None else {"segmentation": segmentation}
    return {"id": 8, "image_id": image, "category_id": 1, **shape, **more}


def document(*things: object, **more: object) -> dict[str, Any]:
    plain = {"images": [picture()], "annotations": things, "categories": [CAT, DOG]}
    return plain | more


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no labels.txt lies."""
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Return what writes a document, or text, and reads it: table, problems and images."""

    def read_it(content: object, name: str = "instances.json", **options: Any) -> Parts:
        path = tmp_path / name
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        path.write_bytes(data)
        return parts(path, **options)

    return read_it


def parts(path: Path, **options: Any) -> Parts:
    table, *items = coco.read(path, coco.Options(**options))
    assert isinstance(table, Listed)
    problems = [item for item in items if isinstance(item, Problem)]
    described = [item for item in items if isinstance(item, Described)]
    assert len(problems) + len(described) == len(items)
    return table, problems, described


def only(read: Parts) -> Annotation:
    """Return the one image of a file with which nothing is wrong."""
    _, problems, (described,) = read
    assert not list(map(str, problems))
    return described.annotation()


def classes(table: Listed) -> dict[int, str]:
    return dict(zip(table.classes.ids, table.classes.names, strict=True))


def shapes(annotation: Annotation) -> list[str]:
    return [region.place for region in annotation.regions]


# Class tables


@pytest.mark.parametrize(
    ("categories", "expected"),
    [
        ([CAT, DOG], {0: "_background_", 1: "cat", 2: "dog"}),
        (
            [{"id": 90, "name": "brush"}, {"id": 3, "name": " big\tcar "}],
            {0: "_background_", 3: "big car", 90: "brush"},
        ),
        ([{"id": 0, "name": "cat"}, OX], {0: "_background_", 1: "cat", 5: "ox"}),
        ([{"id": 0, "name": "Background"}, OX], {0: "_background_", 4: "ox"}),
        ([{"id": 0, "name": "background"}, CAT], {0: "_background_", 1: "cat"}),
        ([{"id": 3, "name": "_background_"}, CAT], {1: "cat", 3: "_background_"}),
        (ROBOFLOW, {0: "_background_", 1: "car"}),
        (ROBOFLOW + ROBOFLOW[:1], {0: "_background_", 1: "car"}),
        ([{"id": 0, "name": "my  pets"}, {**CAT, "supercategory": "my  pets"}],
         {0: "_background_", 1: "cat"}),
        (
            [*ROBOFLOW, {"id": 2, "name": "objects", "supercategory": "objects"}],
            {0: "_background_", 1: "car", 2: "objects"},
        ),
        (
            [
                {"id": 0, "name": "cells", "supercategory": "none"},
                {"id": 1, "name": "cells", "supercategory": "cells"},
            ],
            {0: "_background_", 1: "cells"},
        ),
        (
            [*ROBOFLOW, {"id": 2, "name": "bus", "supercategory": "none"}],
            {0: "_background_", 1: "objects", 2: "car", 3: "bus"},
        ),
        ([{"id": 0, "name": "car", "supercategory": "car"}], {0: "_background_", 1: "car"}),
        ([CAT, DOG, CAT, {"id": 1, "name": " cat"}], {0: "_background_", 1: "cat", 2: "dog"}),
        ([CAT, {"id": 5, "name": "cat"}], {0: "_background_", 1: "cat"}),
        ([CAT, {"id": 5, "name": "__ignore__"}], {0: "_background_", 1: "cat"}),
        ([CAT, {"id": 5, "name": " "}], {0: "_background_", 1: "cat"}),
        ([{"id": "x", "name": "ox"}, CAT], {0: "_background_", 1: "ox", 2: "cat"}),
        ([{"id": "2", "name": "ox"}, {"id": 7.0, "name": "a"}],
         {0: "_background_", 2: "ox", 7: "a"}),
        ([{"id": 2.5, "name": "ox"}, CAT], {0: "_background_", 1: "ox", 2: "cat"}),
        ([{"id": -1, "name": "ox"}, CAT], {0: "_background_", 1: "ox", 2: "cat"}),
        ([{"id": 65533, "name": "ox"}, CAT], {0: "_background_", 1: "cat", 65533: "ox"}),
        ([{"id": 65534, "name": "ox"}, CAT], {0: "_background_", 1: "ox", 2: "cat"}),
        ([{"id": 10**25, "name": "ox"}, CAT], {0: "_background_", 1: "ox", 2: "cat"}),
        ([{"id": "x", "name": "_background_"}, CAT], {0: "_background_", 1: "cat"}),
        ([], {0: "_background_"}),
        ([{**OX, "supercategory": 7}, CAT], {0: "_background_", 1: "cat", 4: "ox"}),
        ([{**OX, "supercategory": None}], {0: "_background_", 4: "ox"}),
    ],
)  # fmt: skip
def test_the_class_table_has_the_ids_of_the_file(
    read: Read, categories: object, expected: dict[int, str]
) -> None:
    table, problems, _ = read(document(thing(), categories=categories))
    assert classes(table) == expected
    assert not problems


def test_the_class_table_says_where_it_comes_from(read: Read, tmp_path: Path) -> None:
    origin = f"categories of {tmp_path / 'instances.json'}"
    table, _, _ = read(document(thing()))
    assert table == Listed(ClassTable(("_background_", "cat", "dog")), origin)
    table, _, _ = read(document(thing(), categories=[{"id": 0, "name": "cat"}]))
    assert table.origin == f"{origin}, their ids plus 1, as 0 is the background"
    table, _, _ = read(document(thing(), categories=[{"id": "x", "name": "cat"}]))
    assert table.origin == f"{origin}, in their order"


@pytest.mark.parametrize(("labels", "ids"), [(None, [1, 2]), ("0:cat,1:dog", [0, 1])])
def test_a_class_0_stays_one_in_coco_where_the_labels_say_so(
    labels: str | None, ids: list[int], tmp_path: Path
) -> None:
    numbered = [{**CAT, "id": 0}, {**DOG, "id": 1}]
    both = [thing(category_id=0), thing((HIGH,), category_id=1)]
    source, out = tmp_path / "a.json", tmp_path / "out" / "b.json"
    source.write_text(json.dumps(document(*both, categories=numbered)), encoding="utf-8")
    result = maskforge.convert(
        source, as_="coco", out=out, labels=labels, images="none", previews=False
    )
    assert not result.problems
    again = json.loads(out.read_text(encoding="utf-8"))
    assert [each["id"] for each in again["categories"]] == ids
    assert [each["category_id"] for each in again["annotations"]] == ids
    assert [each["segmentation"] for each in again["annotations"]] == [[LOW], [HIGH]]


def test_the_categories_of_via_are_sorted_by_name(read: Read, tmp_path: Path) -> None:
    info = {"description": "Exported using VGG Image Annotator (http://www.robots.ox.ac.uk/)"}
    categories = [{"id": 1, "name": "ox"}, {"id": 2, "name": "cat"}, {"id": 3, "name": "dog"}]
    table, _, (image,) = read(document(thing(), info=info, categories=categories))
    assert classes(table) == {0: "_background_", 1: "cat", 2: "dog", 3: "ox"}
    assert table.origin.endswith("instances.json, sorted by name, as VIA's are")
    assert image.labels == {"ox"}


def test_an_id_with_two_names_is_refused(read: Read, tmp_path: Path) -> None:
    categories = [CAT, DOG, {"id": "1", "name": "ox"}]
    with pytest.raises(
        ReadError, match="stand for one category, but 1 is 'cat' and 'ox'"
    ) as caught:
        read(document(thing(), categories=categories))
    assert caught.value.file == str(tmp_path / "instances.json")
    assert caught.value.place == "categories[2].id"


def test_a_category_without_a_name_is_a_problem(read: Read) -> None:
    table, (problem,), (image,) = read(document(thing(), categories=[{"id": 1}, DOG]))
    assert (problem.code, problem.place) == ("bad-field", "categories[0]")
    assert classes(table) == {0: "_background_", 2: "dog"}
    assert image.labels == {"category 1"}


# Which category, which image


@pytest.mark.parametrize(
    ("category", "label"),
    [
        (1, "cat"),
        ("1", "cat"),
        (" 1 ", "cat"),
        (1.0, "cat"),
        ("cat", "cat"),
        ("dog", "dog"),
        (None, "no category"),
        ("", "no category"),
        (9, "category 9"),
        ("9", "category 9"),
        ("ox", "category ox"),
        (1.5, "category 1.5"),
        (-1, "category -1"),
        ("01", "category 01"),
        ("-20", "category -20"),
        ("²", "category ²"),
        (10**30, f"category {10**30}"),
    ],
)
def test_an_annotation_is_of_the_category_that_it_names(
    read: Read, category: object, label: str
) -> None:
    _, _, (image,) = read(document(thing(category_id=category)))
    (region,) = image.annotation().regions
    assert region.label == label
    assert image.labels == {label}


def test_an_annotation_without_category_id_has_no_category(read: Read) -> None:
    plain = {"image_id": 1, "segmentation": [LOW]}
    assert only(read(document(plain))).regions[0].label == "no category"


def test_an_unnamed_category_is_told_by_its_id(read: Read) -> None:
    _, _, (image,) = read(document(thing(category_id=5), categories=[{"id": 5, "name": " "}]))
    assert image.labels == {"category 5"}


def test_ids_count_before_names(read: Read) -> None:
    categories = [{"id": "cat", "name": "dog"}, {"id": 7, "name": "cat"}]
    _, _, (image,) = read(document(thing(category_id="cat"), categories=categories))
    assert image.labels == {"dog"}


@pytest.mark.parametrize(
    ("listed", "named"),
    [
        (5, "5"),
        ("5", 5),
        (5.0, 5),
        (-5, "-5"),
        ("x", "x"),
        (10**18 + 1, str(10**18 + 1)),
        ("007", "007"),
    ],
)
def test_ids_of_images_may_be_text(read: Read, listed: object, named: object) -> None:
    images = [picture("7", "b.jpg"), picture(listed)]
    (_, second) = read(document(thing(image=named), images=images))[2]
    assert shapes(second.annotation()) == ["annotations[0]"]


def test_huge_ids_that_differ_by_one_are_told_apart(read: Read) -> None:
    images = [picture(10**30, "a.jpg"), picture(10**30 + 1, "b.jpg")]
    _, problems, (_, second) = read(document(thing(image=10**30 + 1), images=images))
    assert not problems
    assert shapes(second.annotation()) == ["annotations[0]"]


def test_images_have_their_annotations_in_the_order_of_the_file(read: Read) -> None:
    images = [picture("x", "b\\b.jpg"), picture(1)]
    things = [thing(image=1, category_id=2), thing(image="x"), thing([HIGH], image=1)]
    for order in (["images", "annotations", "categories"], ["annotations", "categories", "images"]):
        both = document(*things, images=images)
        _, problems, found = read({key: both[key] for key in order})
        assert not problems
        first, second = [image.annotation() for image in found]
        assert [(a.name, a.place) for a in (first, second)] == [
            ("b/b.jpg", "images[0]"),
            ("a.jpg", "images[1]"),
        ]
        assert shapes(first) == ["annotations[1]"]
        assert [(r.label, r.place) for r in second.regions] == [
            ("dog", "annotations[0]"),
            ("cat", "annotations[2]"),
        ]
        assert [image.labels for image in found] == [{"cat"}, {"cat", "dog"}]


def test_an_image_that_is_listed_twice_is_taken_once(read: Read) -> None:
    images = [picture(3, "b.jpg"), picture(1), picture(4, "c.jpg"), picture("1"), picture(1)]
    _, (problem,), found = read(document(thing(), images=images))
    assert problem.severity == "warning"
    assert problem.place == "images[3].id"
    assert "'a.jpg' is listed 3 times" in problem.message
    assert [image.place for image in found] == ["images[0]", "images[1]", "images[2]"]


def test_images_of_one_id_and_several_names_are_not_taken(read: Read) -> None:
    images = [picture(3, "c.jpg"), picture(1, "b.jpg"), picture(1, "a.jpg"), picture(9, "d.jpg")]
    _, (problem,), found = read(document(thing(), thing(image=9), images=images))
    assert problem.severity == "error"
    assert problem.place == "images[2].id"
    assert "but 1 is that of 'a.jpg', 'b.jpg'" in problem.message
    assert problem.cure
    assert [image.place for image in found] == ["images[0]", "images[3]"]
    many = [picture(1, name) for name in ("d.jpg", "b.jpg", "c.jpg", "a.jpg")]
    _, (problem, *_), _ = read(document(thing(), images=many))
    assert problem.message.endswith("but 1 is that of 'a.jpg', 'b.jpg', 'c.jpg'")


def test_annotations_of_images_that_are_not_listed_are_one_problem(read: Read) -> None:
    things = [thing(image=5), thing(), thing(image="x"), thing(image=5)]
    _, (problem,), (image,) = read(document(*things))
    assert problem.severity == "error"
    assert problem.place == "annotations[0].image_id"
    assert "but 3 annotations are of 5, 'x'" in problem.message
    assert not problem.message.endswith("…")
    assert shapes(image.annotation()) == ["annotations[1]"]
    more = [thing(), *[thing(image=number) for number in (6, 7, 8, 9)]]
    _, (problem,), _ = read(document(*more[:-1]))
    assert problem.message.endswith("but 3 annotations are of 6, 7, 8")
    _, (problem,), _ = read(document(*more))
    assert problem.message.endswith("but 4 annotations are of 6, 7, 8 …")
    assert problem.place == "annotations[1].image_id"


# What has no mask


def test_annotations_without_a_segmentation_are_counted_and_images_of_such_left_out(
    read: Read,
) -> None:
    images = [picture(n, f"{n}.jpg") for n in (1, 2, 3, 4)]
    box = {"bbox": [1, 1, 2, 3]}
    things = [
        thing(None, image=3, **box),
        thing(),
        thing([], **box, category_id=9),
        thing([[], [ ]], image=4, keypoints=[1, 2, 2], **box),
        thing("", image=3, category_id=7),
    ]  # fmt: skip
    _, (counted, left), found = read(document(*things, images=images))
    assert (counted.severity, counted.code, counted.place) == (
        "warning", "no-mask", "annotations[0]",
    )  # fmt: skip
    assert "must have a segmentation, but 4 of 5 have none: left out" in counted.message
    assert (left.severity, left.code, left.place) == ("warning", "no-mask", "images[2]")
    assert "but 2 have boxes or keypoints only" in left.message
    assert counted.cure == left.cure == "maskforge coco --boxes fill fills their boxes"
    assert [image.place for image in found] == ["images[0]", "images[1]"]
    assert [shapes(image.annotation()) for image in found] == [["annotations[1]"], []]
    assert [image.labels for image in found] == [{"cat"}, set()]


@pytest.mark.parametrize("empty", [None, [], {}, "", [[]]])
def test_a_file_without_a_segmentation_is_refused(
    read: Read, tmp_path: Path, empty: object
) -> None:
    with pytest.raises(ReadError, match="none of the 2 in the file has") as caught:
        read(document(thing(empty, bbox=[1, 1, 2, 2]), thing(None)))
    error = caught.value
    assert (error.code, error.place) == ("no-mask", "annotations")
    assert error.file == str(tmp_path / "instances.json")
    assert error.cure == "maskforge coco --boxes fill fills their boxes"


def test_a_file_without_boxes_and_segmentations_has_no_cure(read: Read) -> None:
    for options in ({}, {"boxes": "fill"}):
        with pytest.raises(ReadError, match="nothing to make masks of") as caught:
            read(document({"image_id": 1, "caption": "a cat"}), **options)
        assert (caught.value.code, caught.value.cure) == ("no-mask", "")
    with pytest.raises(ReadError, match="none of the 0"):
        read(document())


def test_boxes_are_filled_where_one_wants_it_and_no_mask_is_there(read: Read) -> None:
    things = [
        thing(None, bbox=[1, 2, 3.5, 1]),
        thing(bbox=[0, 0, 1, 1]),
        thing([], bbox=[2, 3, 0, 4]),
        thing(None, bbox=[1, 2, 3]),
        thing([], bbox=[2, 3, 4, -1]),
    ]
    _, problems, (image,) = read(document(*things), boxes="fill")
    assert not problems
    annotation = image.annotation()
    (box,), (polygon,) = [region.geometry for region in annotation.regions]
    assert isinstance(box, Box)
    assert (box.x_min, box.y_min, box.x_max, box.y_max) == (1, 2, 4.5, 3)
    assert isinstance(polygon, Polygon)
    assert [(p.severity, p.code, p.place) for p in annotation.problems] == [
        ("warning", "empty-shape", "annotations[2].bbox"),
        ("error", "bad-field", "annotations[3].bbox"),
        ("warning", "empty-shape", "annotations[4].bbox"),
    ]


def test_what_has_no_box_either_is_told_where_boxes_are_filled(read: Read) -> None:
    images = [picture(1), picture(2, "b.jpg")]
    things = [thing(None, bbox=[1, 2, 3, 1]), thing(None, image=2, bbox=[]), thing(None, bbox=None)]
    _, (counted, left), (image,) = read(document(*things, images=images), boxes="fill")
    assert "must have a segmentation or a box, but 2 of 3 have none" in counted.message
    assert (counted.place, counted.cure) == ("annotations[1]", "")
    assert left.place == "images[1]"
    assert (image.place, shapes(image.annotation())) == ("images[0]", ["annotations[0]"])


# Crowds


@pytest.mark.parametrize(
    ("mark", "crowd"),
    [
        (0, False), (1, True), (True, True), (False, False), ("1", True), ("0", False),
        (None, False), ("", False), (1.0, True), (0.0, False), ("true", True), ("false", False),
    ],
)  # fmt: skip
def test_crowds_are_ignored_or_their_class_or_left_out(
    read: Read, mark: object, crowd: bool
) -> None:
    content = document(thing(iscrowd=mark), thing([HIGH], category_id=1))
    regions = only(read(content)).regions
    assert [region.crowd for region in regions] == [crowd, False]
    assert [region.crowd for region in only(read(content, crowd="class")).regions] == [False] * 2
    _, notes, (image,) = read(content, crowd="skip")
    assert shapes(image.annotation()) == ["annotations[0]", "annotations[1]"][crowd:]
    told = [("note", "crowds are left out, as asked: 1", "annotations[0]")] if crowd else []
    assert [(note.severity, note.message, note.place) for note in notes] == told


def test_crowds_without_a_shape_are_not_counted_as_crowds(read: Read) -> None:
    box = thing(None, bbox=[1, 1, 2, 1], iscrowd=1)
    more = [thing(None, iscrowd=1), thing([HIGH]), thing(image=2, iscrowd=1)]
    images = [picture(2, "b.jpg"), picture(1)]
    content = document(box, thing(iscrowd=1), *more, images=images)
    _, (_, note), _ = read(content, crowd="skip")
    assert (note.message, note.place) == ("crowds are left out, as asked: 2", "annotations[1]")
    _, (_, note), _ = read(content, crowd="skip", boxes="fill")
    assert (note.message, note.place) == ("crowds are left out, as asked: 3", "annotations[0]")


def test_labels_are_those_of_regions_whatever_is_left_out(read: Read) -> None:
    content = document(
        thing(iscrowd=1, category_id=2),
        thing([HIGH]),
        thing(None, category_id=3, bbox=[1, 1, 2, 1]),
        thing(None, category_id=4, bbox=[1, 1, 2, 1], iscrowd=1),
        thing(None, category_id=5),
        thing(category_id=[6]),
    )
    for options, expected in [
        ({}, {"cat", "dog"}),
        ({"crowd": "skip"}, {"cat"}),
        ({"boxes": "fill"}, {"cat", "dog", "category 3", "category 4"}),
        ({"boxes": "fill", "crowd": "skip"}, {"cat", "category 3"}),
    ]:
        (image,) = read(content, **options)[2]
        assert image.labels == expected
        assert {region.label for region in image.annotation().regions} == expected


@pytest.mark.parametrize("segmentation", [[LOW], RUNS])
def test_classes_of_which_all_regions_are_crowds_are_told(read: Read, segmentation: object) -> None:
    images = [picture(2, "b.jpg"), picture(1)]
    things = [
        thing(),
        thing(segmentation, iscrowd=1, category_id=2),
        thing(segmentation, iscrowd=1, image=2, category_id="dog"),
        thing(segmentation, iscrowd=1),
        thing(None, category_id=2, bbox=[1, 1, 2, 1]),
    ]
    _, problems, _ = read(document(*things, images=images))
    (loud,) = [problem for problem in problems if "crowd" in problem.message]
    assert (loud.severity, loud.code, loud.place) == (
        "warning", "no-mask", "annotations[1].iscrowd",
    )  # fmt: skip
    assert "every region of 'dog', 2 in all, is marked as a crowd" in loud.message
    assert "--crowd class" in loud.cure
    for options in ({"crowd": "class"}, {"boxes": "fill"}):
        _, problems, _ = read(document(*things, images=images), **options)
        assert not [problem for problem in problems if "every region" in problem.message]


def test_one_region_under_another_id_of_the_class_is_enough_to_be_quiet(read: Read) -> None:
    twins = [CAT, {"id": 5, "name": "cat"}]
    things = [thing(iscrowd=1), thing([HIGH], category_id=5)]
    _, problems, (image,) = read(document(*things, categories=twins))
    assert not problems
    assert image.labels == {"cat"}


# Shapes


@pytest.mark.parametrize("counts", [COUNTS, TEXT])
def test_run_lengths_of_both_kinds(read: Read, counts: object) -> None:
    (region,) = only(read(document(thing({"size": [HEIGHT, WIDTH], "counts": counts})))).regions
    (bitmap,) = region.geometry
    assert isinstance(bitmap, Bitmap)
    assert (bitmap.x, bitmap.y) == (4, 1)
    assert bitmap.mask.tolist() == [[True, False], [True, True]]


@pytest.mark.parametrize(
    ("segmentation", "expected"),
    [
        (LOW, [LOW]),
        ([LOW], [LOW]),
        ([LOW, HIGH], [LOW, HIGH]),
        ([[1, 2, 3, 4], HIGH, []], [HIGH]),
        ([[0.5, 1, 2.25, 1, 2, 3]], [[0.5, 1, 2.25, 1, 2, 3]]),
    ],
)
def test_polygons_are_the_parts_of_one_region(
    read: Read, segmentation: object, expected: Sequence[Sequence[float]]
) -> None:
    (region,) = only(read(document(thing(segmentation)))).regions
    rings = [
        part.exterior.ravel().tolist() for part in region.geometry if isinstance(part, Polygon)
    ]
    assert rings == [list(map(float, ring)) for ring in expected]


@pytest.mark.parametrize(
    ("segmentation", "severity", "code", "place"),
    [
        ([[1, 2, 3, 4]], "warning", "empty-shape", ".segmentation"),
        ({"size": [4, 7], "counts": [28]}, "warning", "empty-shape", ".segmentation"),
        ([[1, 2, 3, 4, 5]], "error", "bad-field", ".segmentation[0]"),
        ([LOW, [1, 2, "x", 4, 5, 6]], "error", "bad-field", ".segmentation[1][2]"),
        ({"size": [7, 4], "counts": [28]}, "error", "size-mismatch", ".segmentation"),
        ({"size": [4, 6], "counts": [24]}, "error", "size-mismatch", ".segmentation"),
        ({"size": [3, 7], "counts": [21]}, "error", "size-mismatch", ".segmentation"),
        ({"size": [4, 7], "counts": [27]}, "error", "bad-shape", ".segmentation.counts"),
        ("x", "error", "bad-field", ".segmentation"),
        (7, "error", "bad-field", ".segmentation"),
    ],
)
def test_a_shape_that_cannot_be_drawn_is_a_problem_of_its_image(
    read: Read, segmentation: object, severity: str, code: str, place: str
) -> None:
    annotation = only(read(document(thing([HIGH]), thing(segmentation), thing())))
    assert shapes(annotation) == ["annotations[0]", "annotations[2]"]
    (problem,) = annotation.problems
    assert (problem.severity, problem.code) == (severity, code)
    assert problem.place == f"annotations[1]{place}"
    assert problem.file == str(annotation.source)


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"category_id": [1]}, "annotations[1].category_id"),
        ({"category_id": True}, "annotations[1].category_id"),
        ({"iscrowd": [1]}, "annotations[1].iscrowd"),
    ],
)
def test_an_annotation_that_cannot_be_decoded_is_a_problem_of_its_image(
    read: Read, more: dict[str, Any], place: str
) -> None:
    images = [picture(1), picture(2, "b.jpg"), picture(3, "c.jpg")]
    things = [thing(), thing([HIGH], **more), thing(image=2), thing(image=3, **more)]
    _, problems, (first, second, third) = read(document(*things, images=images))
    assert not problems
    assert (first.labels, third.labels) == ({"cat"}, set())
    annotation = first.annotation()
    assert shapes(annotation) == ["annotations[0]"]
    (problem,) = annotation.problems
    assert (problem.severity, problem.code, problem.place) == ("error", "bad-field", place)
    assert not second.annotation().problems
    assert [problem.place[:14] for problem in third.annotation().problems] == ["annotations[3]"]


def test_ochuman_withholds_an_image_with_such_an_annotation_too(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(document(thing(), thing(iscrowd=[1]))))
    (problem,) = ochuman.read(path, ochuman.Options())
    assert isinstance(problem, Problem)
    assert (problem.severity, problem.place) == ("error", "annotations[1].iscrowd")


@pytest.mark.parametrize("bad", [{"id": 3}, thing(image=None), thing(image=[1]), thing(image=True)])
def test_an_annotation_of_no_image_is_a_problem_of_the_file(read: Read, bad: object) -> None:
    _, (problem,), (image,) = read(document(thing(), bad, thing([HIGH])))
    assert (problem.severity, problem.code) == ("error", "bad-field")
    assert problem.place in ("annotations[1]", "annotations[1].image_id")
    assert shapes(image.annotation()) == ["annotations[0]", "annotations[2]"]


def test_keypoints_are_not_looked_at(read: Read) -> None:
    assert not only(read(document(thing(keypoints="x", num_keypoints=3.0)))).problems


# Sizes and names


@pytest.mark.parametrize(
    ("given", "height"),
    [
        ("30", 30), (30.0, 30), (30, 30), (0, None), (None, None), ("", None), ("0", None),
        (0.0, None), (" 30 ", 30),
    ],
)  # fmt: skip
def test_the_height_may_be_text_or_not_told(read: Read, given: object, height: int | None) -> None:
    annotation = only(read(document(thing(), images=[picture(height=given)])))
    assert (annotation.height, annotation.width) == (height, WIDTH)


def test_the_size_may_be_missing(read: Read) -> None:
    annotation = only(read(document(thing(RUNS), images=[{"id": 1, "file_name": "a.jpg"}])))
    assert (annotation.height, annotation.width) == (None, None)
    assert shapes(annotation) == ["annotations[0]"]


@pytest.mark.parametrize("given", ["x", "nan", "inf", "1e999", -3, 2.5, "2.5", [3], True])
@pytest.mark.parametrize("side", ["height", "width"])
def test_an_impossible_size_is_told_with_its_place(read: Read, given: object, side: str) -> None:
    _, _, (image,) = read(document(thing(), images=[picture(**{side: given})]))
    with pytest.raises(ReadError) as caught:
        image.annotation()
    assert (caught.value.code, caught.value.place) == ("bad-field", f"images[0].{side}")


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("a.jpg", "a.jpg"),
        ("val/x/a.jpg", "val/x/a.jpg"),
        ("val\\a.jpg", "val/a.jpg"),
        ("./a.jpg", "a.jpg"),
        ("C:\\data\\a.jpg", "a.jpg"),
        ("/home/me/a.jpg", "a.jpg"),
        ("http://example.org/x/a%20b.jpg?size=1", "a b.jpg"),
        ("file:///home/me/a.jpg", "a.jpg"),
    ],
)
def test_images_may_be_named_by_any_path(read: Read, given: str, name: str) -> None:
    _, _, (image,) = read(document(thing(), images=[picture(name=given)]))
    assert image.name == image.annotation().name == name


@pytest.mark.parametrize("given", ["..", "x/..", "", "/", "a\0.jpg"])
def test_an_image_that_names_no_file_is_a_problem(read: Read, given: str) -> None:
    images = [picture(2, given), picture(1)]
    _, (problem,), (image,) = read(document(thing(), thing(image=2), images=images))
    assert (problem.severity, problem.code) == ("error", "bad-field")
    assert problem.place == "images[0].file_name"
    assert image.place == "images[1]"


def test_an_image_without_a_file_name_is_a_problem(read: Read) -> None:
    _, (problem,), (image,) = read(document(thing(), images=[{"id": 4}, picture(1)]))
    assert (problem.place, image.place) == ("images[0]", "images[1]")


@pytest.mark.parametrize(
    "place", ["labels", "labels/images", "images", ".", "images/val2017", "val2017", "labels/val"]
)
def test_images_lie_beside_or_in_the_usual_folders(
    tmp_path: Path, elsewhere: None, place: str
) -> None:
    name = "val/a.png" if place == "labels/val" else "a.png"
    path = tmp_path / "set/labels/instances_val2017.json"
    path.parent.mkdir(parents=True)
    (tmp_path / "set" / place).mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (WIDTH, HEIGHT), (9, 99, 199)).save(tmp_path / "set" / place / "a.png")
    path.write_text(json.dumps(document(thing(), images=[{"id": 1, "file_name": name}])))
    result = maskforge.convert(path, out=tmp_path / "out")
    assert result.reader == "coco"
    assert result.exit_code == 0
    assert ids(result, "val/a" if "/" in name else "a").tolist() == numbers(
        """
        1111100
        0000000
        0000000
        0000000
        """
    ).tolist()  # fmt: skip


def test_the_image_in_the_folder_of_images_is_meant_first(tmp_path: Path, read: Read) -> None:
    (tmp_path / "set").mkdir()
    (image,) = read(document(thing()), "set/x.json")[2]
    assert image.image == image.annotation().image == tmp_path / "set/images/a.jpg"
    found = [tmp_path / "a.jpg", tmp_path / "images/a.jpg", tmp_path / "set/a.jpg"]
    for path in [*found, tmp_path / "set/images/a.jpg"]:
        path.parent.mkdir(exist_ok=True)
        path.touch()
        assert image.image == path


# Digests, pickles, and files that change


def test_the_digest_changes_with_content_and_names_only(read: Read) -> None:
    def digest(*things: object, **more: object) -> str:
        _, _, found = read(document(*things, **more))
        return next(image for image in found if image.name == "a.jpg").annotation().digest

    first = digest(thing())
    assert digest(thing(), thing(image=2), images=[picture(2, "b.jpg"), picture(1)]) == first
    assert digest(thing(), categories=[{"id": 5, "name": "ox"}, CAT], info={"x": 1}) == first
    assert digest(thing([HIGH])) != first
    assert digest(thing(), images=[picture(width=8)]) != first
    assert digest(thing(), categories=[{"id": 1, "name": "ox"}]) != first
    assert digest(thing(), thing()) != first
    assert digest(thing(category_id=[1]), thing()) != digest(thing(category_id=[2]), thing())


def test_an_image_is_sent_with_the_names_of_its_own_categories_only(read: Read) -> None:
    def sent(count: int) -> tuple[Described, bytes]:
        many = [{"id": n, "name": f"class {n}"} for n in range(1, count)]
        content = document(
            thing(category_id=3),
            *[thing(category_id=n, image=2) for n in range(1, count)],
            images=[picture(), picture(2, "b.jpg")],
            categories=many,
        )
        (first, _) = read(content)[2]
        return first, pickle.dumps(first)

    (_, small), (image, large) = sent(9), sent(900)
    assert len(large) < len(small) + 20
    again: Described = pickle.loads(large)
    assert (again.name, again.place, again.labels) == ("a.jpg", "images[0]", {"class 3"})
    one, other = image.annotation(), again.annotation()
    assert one.digest == other.digest
    assert [r.label for r in other.regions] == ["class 3"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_file_that_was_changed_meanwhile_is_not_read(
    read: Read, tmp_path: Path, encoding: str
) -> None:
    _, _, (image,) = read(json.dumps(document(thing())).encode(encoding))
    image.annotation()
    path = tmp_path / "instances.json"
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    with pytest.raises(ReadError, match="was changed while it was read") as caught:
        image.annotation()
    assert (caught.value.code, caught.value.file) == ("unreadable", str(path))
    path.write_bytes(path.read_bytes() + b" ")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(ReadError, match="was changed"):
        image.annotation()
    path.unlink()
    with pytest.raises(ReadError, match="cannot be read"):
        image.annotation()


# Text and damage


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-8", "größe 人"), ("utf-8-sig", "größe 人"), ("utf-16", "größe 人"),
        ("utf-16-le", "größe 人"), ("utf-16-be", "größe 人"), ("gb18030", "人物类别人行道"),
        ("cp1252", "Bär für"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("window", [5, 1 << 22])
def test_text_may_be_encoded_in_any_usual_way(
    read: Read, monkeypatch: pytest.MonkeyPatch, encoding: str, name: str, window: int
) -> None:
    monkeypatch.setattr(_spans, "WINDOW", window)
    content = document(
        thing(), thing([HIGH], image=2, category_id=2),
        categories=[{"id": 1, "name": name}, DOG], images=[picture(1, f"{name}.jpg"), picture(2)],
    )  # fmt: skip
    table, problems, (first, second) = read(
        json.dumps(content, ensure_ascii=False).encode(encoding)
    )
    assert not problems
    assert classes(table) == {0: "_background_", 1: name, 2: "dog"}
    assert (first.name, first.labels) == (f"{name}.jpg", {name})
    assert (first.place, second.place) == ("images[0]", "images[1]")
    assert [r.label for r in first.annotation().regions] == [name]
    assert shapes(second.annotation()) == ["annotations[1]"]


def test_numbers_that_json_does_not_have_matter_only_where_they_are_read(read: Read) -> None:
    nan = float("nan")
    content = document(
        thing([HIGH], area=nan, bbox=[nan, 1, 2, 3], score=float("-inf")),
        thing([[1, 1, nan, 2, 3, 3]], area=nan),
        images=[picture(license=nan, date_captured=float("inf"))],
        categories=[{**CAT, "supercategory": nan}, DOG],
    )
    annotation = only(read(content))
    assert shapes(annotation) == ["annotations[0]"]
    (problem,) = annotation.problems
    assert problem.place == "annotations[1].segmentation[0][2]"
    assert "must be a finite number" in problem.message


@pytest.mark.parametrize("end", [1, 30, -1])
def test_a_truncated_file_is_refused(read: Read, tmp_path: Path, end: int) -> None:
    data = json.dumps(document(thing())).encode()
    with pytest.raises(ReadError, match="truncated") as caught:
        read(data[:end])
    assert (caught.value.code, caught.value.file) == ("not-json", str(tmp_path / "instances.json"))
    assert caught.value.place.startswith("line 1, column")


@pytest.mark.parametrize(
    ("data", "code", "message"),
    [
        (b"", "not-json", "the file is empty"),
        (b"{}{}", "not-json", "must be one complete JSON document"),
        (b"{} x", "not-json", "must be one complete JSON document"),
        (b"5", "wrong-format", "must be one JSON object, but is not"),
        (b"{}", "wrong-format", "must have images in the list 'images', but has none"),
        (b'{"images": []}', "wrong-format", "must have images"),
        (b'{"images": null}', "wrong-format", "must have images"),
        (b'{"images": {"1": {"id": 2}}}', "bad-field", "must be a list, but got an object"),
        (b'[{"image_id": 3}]', "wrong-format", "results of a detector"),
        (b'{"images": [{"id": 1}, 5, {"id": 2}]}', "bad-field", "before [1] there is 5"),
        (b'{"images": [{"id": 1]]}', "not-json", "must be one complete JSON document"),
        (b'{"annotations": [{"id": 1}, {"image_id": 1,}]}', "not-json", "must be one complete"),
        (b'\x81{"images": [{"id": 1}]}\xff', "unreadable", "UTF-8, UTF-16, GB18030 or cp1252"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(
    read: Read, tmp_path: Path, data: bytes, code: str, message: str
) -> None:
    with pytest.raises(ReadError) as caught:
        read(data)
    assert caught.value.code == code
    assert message in caught.value.message
    assert caught.value.file == str(tmp_path / "instances.json")


def test_a_damaged_annotation_is_told_with_its_place(read: Read) -> None:
    data = json.dumps(document(thing(), thing(area=77))).replace("77", "7 7").encode()
    with pytest.raises(ReadError) as caught:
        read(data)
    assert caught.value.place.startswith("annotations[1].line 1, column ")


def test_a_torn_file_that_is_too_large_to_be_decoded_is_torn_too(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_json.read_bytes, "__kwdefaults__", {"limit": 20})
    with pytest.raises(ReadError, match="must be one complete JSON document, but is not") as caught:
        read(json.dumps(document(thing())).encode()[:-1])
    assert caught.value.code == "not-json"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")
def test_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(ReadError, match="must be a file, but is not"):
        parts(tmp_path / "pipe.json")


def test_files_are_read_where_the_system_cannot_read_at_a_place(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "pread", raising=False)
    assert shapes(only(read(document(thing(), thing([HIGH]))))) == [
        "annotations[0]", "annotations[1]",
    ]  # fmt: skip


# By content


def sniffed(content: object, name: str = "x.json", end: int | None = None) -> str | None:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return coco.sniff(Path(name), data[:end])


LONG = [[0.5 + 0.25 * (i % 7) for i in range(20_000)]]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (document(thing()), "'image_id' and 'segmentation'"),
        (document({"segmentation": [LOW], "image_id": 1}), "'image_id' and 'segmentation'"),
        (document({"bbox": [1, 2, 3, 4], "id": 1, "image_id": 1}), "'image_id' and 'bbox'"),
        (document({"image_id": 1, "keypoints": [1, 2, 2]}), "'image_id' and 'keypoints'"),
        (json.dumps(document(thing())).encode("utf-16"), "'image_id' and 'segmentation'"),
        (document(thing(LONG)), "'image_id' and 'segmentation'"),
        (document({"segmentation": LONG, "image_id": 1}), "at the beginning"),
        ({"annotations": [{"segmentation": LONG, "image_id": 1}]}, "at the beginning"),
        ({"annotations": [{"id": 1, "segmentation": LONG, "image_id": 1}]}, "at the beginning"),
        ({"images": [picture(i) for i in range(2000)]}, "at the beginning"),
        ([{"image_id": 1, "category_id": 2, "segmentation": RUNS}], "results of a detector"),
        ([{"segmentation": RUNS, "image_id": 1}], "results of a detector"),
        ({"annotations": [{"image_id": 1, "bbox": [1, 2, 3, 4]}]}, "'image_id' and 'bbox'"),
    ],
)  # fmt: skip
def test_what_is_in_the_style_of_coco_is_told_by_its_beginning(
    content: object, reason: str
) -> None:
    assert reason in str(sniffed(content, end=1 << 16))


def test_a_beginning_may_end_anywhere_behind_the_first_image() -> None:
    data = json.dumps({"images": [picture()], "annotations": [thing(LONG)]}).encode()
    first = data.index(b'"height"')
    assert all(sniffed(data, end=end) for end in range(first, data.index(b"0.5") + 9))


@pytest.mark.parametrize(
    "content",
    [
        {"images": [picture()], "annotations": [
            {"segments_info": [{"id": 1}], "bbox": [1, 2, 3, 4], "image_id": 1}
        ]},
        {"images": [picture()], "annotations": [{"image_id": 1, "caption": "a cat" * 20_000}]},
        {"images": [{"id": 1, "stem": "a" * 70_000}]},
        {"images": [{"file_name": "a" * 70_000, "url": ""}]},
        {"images": [picture(annotations=[{"bbox": [1, 2, 3, 4], "segms": {"outer": LONG}}])]},
        {"images": [picture()], "keypoint_visible": {"image_id": LONG}},
        {"shapes": [{"label": "a", "points": LONG}], "imagePath": "images", "image_id": 1},
        {"_via_img_metadata": {"a.png3": {"filename": "a.png", "regions": []}}, "images": 1},
        {"images": [picture()], "annotations": [{"image_id": 1, "caption": "a cat"}]},
        {"maskforge": "0.1", "images": [{"stem": "a", "source": "a.json"}]},
        {"images": [picture()], "categories": [CAT]},
        [{"image_id": 1, "caption": "a cat"}],
        b'"images": [ "id"',
        b"",
    ],
)  # fmt: skip
def test_what_is_in_another_style_is_declined(content: object) -> None:
    assert sniffed(content, end=1 << 16) is None


def test_a_file_that_is_named_after_ochuman_is_left_to_its_reader() -> None:
    assert sniffed(document(thing()), "OCHuman_val.json") is None
    assert sniffed(document(thing()), "human_val.json") is not None


# Conversions


def ids(result: maskforge.Conversion, stem: str) -> np.ndarray:
    (record,) = [record for record in result.records if record["stem"] == stem]
    with Image.open(result.out / record["mask"]) as mask:
        return np.array(mask)


def tree(folder: Path) -> dict[str, bytes]:
    """Return all files of an output but the list of what it owns."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not (path.name.startswith(".maskforge-") and path.suffix == ".owned")
    }


@pytest.fixture
def source(tmp_path: Path, elsewhere: None) -> Path:
    """A file of three images, none of which is there: cat below dog, crowd, nothing."""
    path = tmp_path / "set/train.json"
    path.parent.mkdir()
    images = [picture(n, f"{n}.jpg") for n in (1, 2, 3)]
    things = [
        thing(),
        thing([HIGH], category_id=7),
        thing(RUNS, image=2, iscrowd=1),
        thing(image=2),
    ]
    categories = [CAT, {"id": 7, "name": "dog"}, {"id": 2, "name": "ox"}]
    path.write_text(json.dumps(document(*things, images=images, categories=categories)))
    return path


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_masks_have_the_ids_of_the_file(source: Path) -> None:
    result = maskforge.convert(source, images="none", previews=False)
    assert result.exit_code == 0
    assert result.classes.ids == (0, 1, 2, 7)
    assert result.classes_from == f"categories of {source}"
    assert ids(result, "1").tolist() == numbers(
        """
        1111100
        0770000
        0770000
        0770000
        """
    ).tolist()  # fmt: skip
    second = ids(result, "2")
    assert (second[1:3, 4] == 255).all()
    assert second[0].tolist() == [1, 1, 1, 1, 1, 0, 0]
    assert not ids(result, "3").any()


def test_an_unknown_category_stops_before_anything_is_written(source: Path, tmp_path: Path) -> None:
    edit(source, lambda content: content["annotations"][1].update(category_id=9))
    out = tmp_path / "out"
    with pytest.raises(ClassError, match="'category 9'"):
        maskforge.convert(source, out=out)
    assert not out.exists()
    result = maskforge.convert(source, out=out, unknown="skip", images="none")
    assert sorted(np.unique(ids(result, "1")).tolist()) == [0, 1]
    assert result.converted == 3


def test_an_unknown_category_of_what_is_left_out_stops_nothing(
    source: Path, tmp_path: Path
) -> None:
    box = thing(None, category_id=9, bbox=[1, 1, 2, 1])
    edit(source, lambda content: content["annotations"].append(box))
    result = maskforge.convert(source, out=tmp_path / "out", images="none")
    assert result.converted == 3
    with pytest.raises(ClassError, match="'category 9'"):
        maskforge.convert(source, out=tmp_path / "2", reader_options={"boxes": "fill"})


def test_labels_that_are_named_count_more_than_those_of_the_file(
    source: Path, tmp_path: Path
) -> None:
    result = maskforge.convert(source, out=tmp_path / "a", labels="dog,cat", images="none")
    assert result.classes.names == ("_background_", "dog", "cat")
    assert ids(result, "1")[:2].tolist() == [[2, 2, 2, 2, 2, 0, 0], [0, 1, 1, 0, 0, 0, 0]]
    (source.parent / "labels.txt").write_text("ox\ndog\ncat\n")
    result = maskforge.convert(source, out=tmp_path / "b", images="none")
    assert result.classes.names == ("_background_", "ox", "dog", "cat")
    assert result.classes_from == str(source.parent / "labels.txt")


def test_train_and_val_share_one_table(source: Path, tmp_path: Path) -> None:
    val = source.with_name("val.json")
    categories = [DOG | {"name": "ox"}, {"id": 300, "name": "hen"}]
    val.write_text(json.dumps(document(
        thing(category_id=300, image=4), images=[picture(4, "4.jpg")], categories=categories
    )))  # fmt: skip
    result = maskforge.convert([source, val], out=tmp_path / "out", images="none", previews=False)
    assert result.classes.ids == (0, 1, 2, 7, 300)
    assert result.converted == 4
    assert ids(result, "4")[0].tolist() == [300] * 5 + [0] * 2
    edit(val, lambda content: content["categories"][1].update(id=7))
    with pytest.raises(ClassError, match="id 7 is 'dog' and 'hen'"):
        maskforge.convert([source, val], out=tmp_path / "2", images="none")
    assert maskforge.convert(
        [source, val], out=tmp_path / "3", images="none", labels="ox,cat,dog,hen", unknown="skip"
    ).converted == 4  # fmt: skip


def test_workers_change_no_byte_and_a_second_run_keeps_all(source: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    one = maskforge.convert(source, out=tmp_path / "a/out", images="none")
    two = maskforge.convert(source, out=tmp_path / "b/out", images="none", workers=2)
    assert one.converted == two.converted == 3
    assert tree(one.out) == tree(two.out)
    before = tree(one.out)
    again = maskforge.convert(source, out=one.out, images="none", resume=True)
    assert (again.kept, again.converted) == (3, 3)
    assert tree(one.out) == before
    edit(source, lambda content: content["annotations"].insert(0, thing(image=3)))
    again = maskforge.convert(source, out=one.out, images="none", resume=True)
    assert (again.kept, again.converted) == (2, 3)
    assert ids(again, "3")[0].tolist() == [1, 1, 1, 1, 1, 0, 0]


def test_an_image_with_a_broken_shape_gets_no_mask_or_one_without_it(
    source: Path, tmp_path: Path
) -> None:
    edit(source, lambda content: content["annotations"][1].update(category_id=[7]))
    result = maskforge.convert(source, out=tmp_path / "a", images="none")
    assert [record["stem"] for record in result.records] == ["2", "3"]
    (problem,) = result.problems
    assert (problem.severity, problem.place) == ("error", "annotations[1].category_id")
    result = maskforge.convert(source, out=tmp_path / "b", images="none", bad_shape="skip")
    assert np.unique(ids(result, "1")).tolist() == [0, 1]
    assert [problem.severity for problem in result.problems] == ["warning"]


def test_what_is_called_ignore_is_ignored(source: Path) -> None:
    edit(source, lambda content: content["categories"][1].update(name="__ignore__"))
    result = maskforge.convert(source, images="none")
    assert ids(result, "1")[1].tolist() == [0, 255, 255, 0, 0, 0, 0]


def test_category_0_that_is_called_background_is_the_background(source: Path) -> None:
    edit(source, lambda content: content["categories"][1].update(id=0, name="Background"))
    edit(source, lambda content: content["annotations"][1].update(category_id=0))
    edit(
        source,
        lambda content: content["annotations"][0].update(segmentation=[[0, 0, 5, 0, 5, 3, 0, 3]]),
    )
    result = maskforge.convert(source, images="none")
    assert ids(result, "1")[1].tolist() == [1, 0, 0, 1, 1, 0, 0]


# Against pycocotools


@contextmanager
def silent() -> Iterator[None]:
    with open(os.devnull, "w") as nowhere, pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", nowhere)
        yield


def random_segmentation(random: np.random.Generator, height: int, width: int) -> object:
    kind = random.integers(4)
    if kind > 1:
        size = np.array([width, height])
        counts = random.integers(3, 9, int(random.integers(1, 4)))
        polygons = [random.uniform(-0.2, 1.2, (count, 2)) * size for count in counts]
        return [polygon.round(int(random.integers(3))).ravel().tolist() for polygon in polygons]
    mask = random.random((height, width)) < random.choice([0.1, 0.5, 0.9])
    if not kind:
        counts = oracle.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
        return {"size": [height, width], "counts": counts}
    column = np.concatenate([[False], mask.T.ravel(), [False]])
    edges = np.flatnonzero(column[1:] != column[:-1])
    edges = np.concatenate([[0], edges[edges < mask.size], [mask.size]])
    return {"size": [height, width], "counts": np.diff(edges).tolist()}


# pycocotools 2.0 has not caught up with NumPy 2.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_masks_are_pixel_for_pixel_those_of_pycocotools(
    tmp_path: Path, elsewhere: None, seed: int
) -> None:
    random = np.random.default_rng(seed)
    sizes = {n: (int(random.integers(3, 20)), int(random.integers(21, 40))) for n in range(1, 9)}
    images = [picture(n, f"{n}.jpg", height=h, width=w) for n, (h, w) in sizes.items()]
    things = []
    for number in range(60):
        image = int(random.integers(1, 9))
        kind = {"category_id": int(random.choice([1, 2, 90])), "iscrowd": int(random.integers(2))}
        things.append(
            {"id": number + 1, "image_id": image, **kind, "area": 1, "bbox": [0, 0, 1, 1],
             "segmentation": random_segmentation(random, *sizes[image])}
        )  # fmt: skip
    path = tmp_path / "random.json"
    categories = [CAT, DOG, {"id": 90, "name": "ox"}]
    path.write_text(json.dumps(document(*things, images=images, categories=categories)))
    result = maskforge.convert(
        path, format="coco", rule="coco", reader_options={"crowd": "class"}, images="none",
        previews=False,
    )  # fmt: skip
    assert result.converted == 8
    with silent():
        peer = COCO(str(path))
    for number, size in sizes.items():
        expected = np.zeros(size, dtype=np.uint8)
        for annotation in peer.loadAnns(peer.getAnnIds(imgIds=[number])):
            expected[peer.annToMask(annotation) > 0] = annotation["category_id"]
        np.testing.assert_array_equal(ids(result, str(number)), expected)
