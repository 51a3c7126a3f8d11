from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from ochuman_files import HOLE, SQUARE, TRIANGLE, Read, good, problem, reading_in
from pycocotools import mask as oracle

from maskforge.errors import Problem, ReadError
from maskforge.raster import runs
from maskforge.raster.geometry import Bitmap, Polygon
from maskforge.readers import _segmentation

# Taller than wide and without symmetry, so that a swap of rows and columns shows.
MASK = np.zeros((6, 4), dtype=bool)
MASK[2:5, 1] = MASK[3, 2] = True
COUNTS = [8, 3, 4, 1, 8]  # column by column, by turns of False and True
TEXT = oracle.encode(np.asfortranarray(MASK.astype(np.uint8)))["counts"].decode()


def coco(*annotations: object, images: object = None, **more: object) -> dict[str, Any]:
    default = [{"id": 1, "file_name": "a.jpg", "height": 6, "width": 4}]
    return {
        "categories": [{"id": 1, "name": "person", "supercategory": ""}, {"id": 2, "name": "dog"}],
        "images": default if images is None else images,
        "annotations": annotations, **more,
    }  # fmt: skip


def thing(segmentation: object, image_id: object = 1, **more: object) -> dict[str, Any]:
    return {"id": 9, "image_id": image_id, "category_id": 1, "iscrowd": 0,
            "segmentation": segmentation, **more}  # fmt: skip


@pytest.fixture
def read(tmp_path: Path) -> Read:
    return reading_in(tmp_path)


@pytest.mark.parametrize(
    "segmentation",
    [
        {"size": [6, 4], "counts": TEXT},
        {"size": [6, 4], "counts": COUNTS},
    ],
)
def test_coco_run_lengths(read: Read, segmentation: object) -> None:
    (item,) = good(read(coco(thing(segmentation))))
    assert (item.name, item.place, item.height, item.width) == ("a.jpg", "images[0]", 6, 4)
    (region,) = item.regions
    (bitmap,) = region.geometry
    assert isinstance(bitmap, Bitmap)
    assert bitmap.mask.tolist() == [[True, False], [True, True], [True, False]]
    assert (bitmap.x, bitmap.y, region.place) == (1, 2, "annotations[0]")


@pytest.mark.parametrize("segmentation", [[TRIANGLE, HOLE], [TRIANGLE, [1, 2, 3, 4], HOLE]])
def test_coco_polygons(read: Read, segmentation: object) -> None:
    (item,) = good(read(coco(thing(segmentation))))
    shapes = [g.exterior.tolist() for g in item.regions[0].geometry if isinstance(g, Polygon)]
    assert shapes == [[[1, 2], [7.5, 3], [4, 9]], [[3, 4], [5, 4], [4, 5]]]


def test_coco_polygon_that_was_not_nested(read: Read) -> None:
    (item,) = good(read(coco(thing(TRIANGLE))))
    assert len(item.regions[0].geometry) == 1


def test_coco_labels_crowds_and_order(read: Read) -> None:
    two = [{"id": "x", "file_name": "b\\b.jpg"}, {"id": 1, "file_name": "a.jpg", "height": 0}]
    document = coco(
        thing([TRIANGLE], category_id=2),
        thing([SQUARE], "x"),
        thing([SQUARE], iscrowd=1, category_id=5),
        images=two,
    )
    first, second = good(read(document))
    assert (first.name, first.height, first.width) == ("b/b.jpg", None, None)
    assert [(r.label, r.crowd) for r in second.regions] == [("dog", False), ("category 5", True)]
    assert [r.place for r in second.regions] == ["annotations[0]", "annotations[2]"]


@pytest.mark.parametrize(
    ("wanted", "taken"), [("segm", [0, 1]), ("kpt", [0]), ("segm&kpt", [0]), ("all", [0, 1])]
)
def test_coco_filters(read: Read, wanted: str, taken: list[int]) -> None:
    document = coco(
        thing([TRIANGLE], keypoints=[1, 2, 2], num_keypoints=1),
        thing([TRIANGLE], keypoints=[0, 0, 0], num_keypoints=0),
        thing([], keypoints=[]),
        {"image_id": 1},
        thing(None, keypoints=[1, 2, 2]),
    )
    (item,) = good(read(document, filter=wanted))
    assert [region.place for region in item.regions] == [f"annotations[{i}]" for i in taken]


@pytest.mark.parametrize(
    ("segmentation", "code", "place"),
    [
        ({"size": [6, 4], "counts": [3]}, "bad-shape", ".counts"),
        ({"size": [6, 4], "counts": 5}, "bad-field", ".counts"),
        ({"size": [4, 6], "counts": [24]}, "size-mismatch", ""),
        ({"size": [100_000, 100_000], "counts": [10**10]}, "too-large", ""),
        ({"size": [0, 4], "counts": []}, "bad-field", ""),
        ({"size": [6, 4]}, "bad-field", ""),
        ([[1, 2, 3]], "bad-field", "[0]"),
        ([TRIANGLE, [1, 2, None, 3, 4, 5]], "bad-field", "[1][2]"),
        ("x", "bad-field", ""),
    ],
)
def test_coco_broken_masks(read: Read, segmentation: object, code: str, place: str) -> None:
    item = problem(read(coco(thing([TRIANGLE]), thing(segmentation))))
    assert (item.code, item.place) == (code, f"annotations[1].segmentation{place}")


def test_coco_empty_masks(read: Read) -> None:
    empty = thing({"size": [6, 4], "counts": [24]})
    (item,) = good(read(coco(thing([TRIANGLE]), empty, thing([[]]))))
    assert [p.place for p in item.problems] == [
        "annotations[1].segmentation",
        "annotations[2].segmentation",
    ]


@pytest.mark.parametrize(
    ("limit", "value"), [((_segmentation, "MAX_BITMAP_PIXELS"), 12), ((runs, "MAX_RUNS"), 6)]
)
def test_coco_masks_together_are_limited(
    read: Read, monkeypatch: pytest.MonkeyPatch, limit: tuple[ModuleType, str], value: int
) -> None:
    monkeypatch.setattr(*limit, value)
    one = thing({"size": [6, 4], "counts": TEXT})
    assert good(read(coco(one, one)))
    assert problem(read(coco(one, one, one))).code == "too-large"


def test_coco_loose_ends(read: Read) -> None:
    document = coco(
        thing([TRIANGLE]), {"id": 8}, thing([TRIANGLE], 5), thing([SQUARE], 5), {"id": 3},
        images=[{"id": 1, "file_name": "a.jpg"}, {"id": 2}],
    )  # fmt: skip
    items = read(document)
    assert [item.place for item in items] == [
        "images[1]", "annotations[1]", "annotations[4]", "annotations[2].image_id", "images[0]",
    ]  # fmt: skip
    assert [type(item) is Problem for item in items] == [True, True, True, True, False]
    assert "but 2 annotations are of 5" in str(items[3])


def test_coco_has_no_max_iou(read: Read) -> None:
    with pytest.raises(ReadError, match=r"must be ochuman\.json for --max-iou"):
        read(coco(thing([TRIANGLE])), max_iou="0.5:0.75")


@pytest.mark.parametrize(
    ("name", "count", "split"),
    [
        ("ochuman_coco_format_val_range_0.00_1.00.json", 2500, "val"),
        ("ochuman_coco_format_test_range_0.00_1.00.json", 2231, "test"),
        ("ochuman_coco_format_val_range_0.00_1.00.json", 2499, None),
        ("my_val.json", 2500, None),
    ],
)
def test_coco_published_splits(read: Read, name: str, count: int, split: str | None) -> None:
    images = [{"id": i, "file_name": f"{i}.jpg"} for i in range(count)]
    document = coco(*[thing([TRIANGLE], i) for i in range(count)], images=images)
    assert {a.split for a in good(read(document, name))} == {split}
