"""COCO panoptic files: segments, void, crowds, and where the PNGs lie."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from strategies import numbers

import maskforge
from maskforge.classes import IGNORE
from maskforge.errors import Problem, ReadError
from maskforge.io.label_lists import Listed
from maskforge.readers import coco, panoptic

IDS = numbers("001122\n001122\n333300")
NUMBERS = {1: 1, 2: 259, 3: 65_537}  # of segments: in all three channels


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")


def write(folder: Path, *, segments: Any = None, name: str = "panoptic_val", **more: Any) -> Path:
    folder.mkdir(exist_ok=True)
    if segments is None:
        segments = [
            {"id": number, "category_id": category, "iscrowd": 0, "area": 1, "bbox": [0, 0, 1, 1]}
            for number, category in zip(NUMBERS.values(), (7, 90, 7), strict=True)
        ]
    ids = np.select([k == IDS for k in NUMBERS], list(NUMBERS.values()), 0)
    pixels = np.stack([ids & 255, ids >> 8 & 255, ids >> 16], axis=2).astype(np.uint8)
    (folder / name).mkdir(exist_ok=True)
    Image.fromarray(pixels).save(folder / name / "a.png")
    document = {
        "images": [{"id": 5, "file_name": "a.jpg", "height": 3, "width": 6}],
        "annotations": [{"image_id": 5, "file_name": "a.png", "segments_info": segments}],
        "categories": [
            {"id": 7, "name": "cat", "isthing": 1},
            {"id": 90, "name": "sky", "isthing": 0},
        ],
    } | more
    path = folder / f"{name}.json"
    path.write_text(json.dumps(document))
    return path


def parts(path: Path, **options: Any) -> tuple[Listed, list[Problem], list[Any]]:
    listed, *rest = panoptic.read(path, panoptic.Options(**options))
    assert isinstance(listed, Listed)
    problems = [item for item in rest if isinstance(item, Problem)]
    return listed, problems, [item for item in rest if not isinstance(item, Problem)]


def drawn(path: Path, **options: Any) -> list[list[int]]:
    listed, _, (item,) = parts(path, **options)
    raster = maskforge.rasterize(item.annotation(), listed.classes)
    return raster.label_image().tolist()


def test_segments_are_regions(tmp_path: Path) -> None:
    listed, problems, (item,) = parts(write(tmp_path))
    assert dict(zip(listed.classes.ids, listed.classes.names, strict=True)) == {
        0: "_background_",
        7: "cat",
        90: "sky",
    }
    assert (item.name, item.place, item.labels, problems) == (
        "a.jpg",
        "annotations[0]",
        {"cat", "sky"},
        [],
    )
    annotation = item.annotation()
    assert [region.label for region in annotation.regions] == ["cat", "sky", "cat", IGNORE]
    assert (annotation.height, annotation.width, annotation.problems) == (3, 6, ())


def test_void_is_ignored_unless_the_file_or_the_user_says_otherwise(tmp_path: Path) -> None:
    path = write(tmp_path)
    ignored = [[255, 255, 7, 7, 90, 90]] * 2 + [[7, 7, 7, 7, 255, 255]]
    background = [[0, 0, 7, 7, 90, 90]] * 2 + [[7, 7, 7, 7, 0, 0]]
    assert drawn(path) == ignored
    assert drawn(path, void="background") == background
    path = write(tmp_path, info={"void": "background"})
    assert drawn(path) == background
    assert drawn(path, void="ignore") == ignored


def test_crowds_are_ignored_or_their_class(tmp_path: Path) -> None:
    segments = [
        {"id": 1, "category_id": 7, "iscrowd": 1},
        {"id": 259, "category_id": 90, "iscrowd": 0},
    ]
    path = write(tmp_path, segments=segments, info={"void": "background"})
    # A number that no segment has is ignored, whatever void is.
    assert drawn(path)[0] == [0, 0, 255, 255, 90, 90]
    assert drawn(path, crowd="class") == [[0, 0, 7, 7, 90, 90]] * 2 + [[255, 255, 255, 255, 0, 0]]


def test_the_digest_goes_by_pixels_segments_and_options(tmp_path: Path) -> None:
    path = write(tmp_path)
    digests = {
        parts(path, **options)[2][0].annotation().digest for options in ({}, {"void": "background"})
    }
    Image.new("RGB", (6, 3)).save(tmp_path / "panoptic_val/a.png")
    digests.add(parts(path)[2][0].annotation().digest)
    assert len(digests) == 3


def test_a_segment_without_pixels_is_told(tmp_path: Path) -> None:
    segments = [{"id": 77, "category_id": 7}]
    (problem,) = parts(write(tmp_path, segments=segments))[2][0].annotation().problems
    assert (problem.code, problem.severity) == ("empty-shape", "warning")
    assert problem.place == "annotations[0].segments_info[0]"


def test_what_cannot_be_read(tmp_path: Path) -> None:
    path = write(tmp_path, segments=[{"id": 1, "category_id": 8}])
    with pytest.raises(ReadError, match="one of the file's categories, but got 8") as caught:
        parts(path)[2][0].annotation()
    assert caught.value.place == "annotations[0].segments_info[0]"
    Image.new("L", (6, 3)).save(tmp_path / "panoptic_val/a.png")
    with pytest.raises(ReadError, match="must be RGB") as caught:
        parts(write_json_again(path))[2][0].annotation()
    assert caught.value.code == "mask-form"
    (tmp_path / "panoptic_val/a.png").unlink()
    with pytest.raises(ReadError, match=r"'a\.png' must lie in 'panoptic_val'") as caught:
        parts(path)[2][0].annotation()
    assert caught.value.code == "no-mask"


@pytest.mark.parametrize(
    ("damaged", "place"),
    [
        ({"image_id": 6, "file_name": "b.png"}, "annotations[0]"),
        ({"image_id": 6, "file_name": 3, "segments_info": []}, "annotations[0].file_name"),
        ({"image_id": [6]}, "annotations[0].image_id"),
        (["b.png"], "annotations[0]"),
    ],
)
def test_a_damaged_annotation_costs_its_image(tmp_path: Path, damaged: Any, place: str) -> None:
    whole = {"image_id": 5, "file_name": "a.png", "segments_info": []}
    images = [{"id": 5, "file_name": "a.jpg"}, {"id": 6, "file_name": "b.jpg"}]
    path = write(tmp_path, images=images, annotations=[damaged, whole])
    _, problems, (found,) = parts(path)
    assert found.annotation().name == "a.jpg"
    first, *rest = problems
    assert (first.code, first.severity, first.place) == ("bad-field", "error", place)
    # It is told once, where the file still says which image it is of.
    assert len(rest) == (not isinstance(damaged, dict) or damaged["image_id"] != 6)


def write_json_again(path: Path) -> Path:
    document = json.loads(path.read_text())
    document["annotations"][0]["segments_info"] = []
    path.write_text(json.dumps(document))
    return path


def test_images_without_segments_are_left_out(tmp_path: Path) -> None:
    images = [{"id": 5, "file_name": "a.jpg"}, {"id": 6, "file_name": "b.jpg"}]
    _, (problem,), found = parts(write(tmp_path, images=images))
    assert [item.name for item in found] == ["a.jpg"]
    assert (problem.severity, problem.place) == ("warning", "b.jpg")


@pytest.mark.parametrize(
    ("categories", "expected"),
    [
        ([(0, "cat"), (7, "dog")], {0: "_background_", 1: "cat", 8: "dog"}),
        ([(0, "background"), (7, "dog")], {0: "_background_", 7: "dog"}),
        ([(3, "cat"), (4, "cat"), (5, ""), (6, "dog")], {0: "_background_", 3: "cat", 6: "dog"}),
        ([(3, "cat"), (4, "_background_")], {3: "cat", 4: "_background_"}),
        ([("x", "cat"), ("y", "dog")], {0: "_background_", 1: "cat", 2: "dog"}),
    ],
)
def test_the_class_table(tmp_path: Path, categories: Any, expected: dict[int, str]) -> None:
    categories = [{"id": id_, "name": name} for id_, name in categories]
    listed = parts(write(tmp_path, segments=[], categories=categories))[0]
    assert dict(zip(listed.classes.ids, listed.classes.names, strict=True)) == expected


def test_it_is_told_from_other_coco_files(tmp_path: Path) -> None:
    path = write(tmp_path)
    head = path.read_bytes()
    assert panoptic.sniff(path, head) == "images with segments_info"
    assert coco.sniff(path, head) is None
    cut = head[: head.index(b'"annotations"')]  # images fill the beginning of large files
    assert panoptic.sniff(path, cut)
    assert coco.sniff(path, cut) is None
    for other in (tmp_path / "instances.json",):
        assert panoptic.sniff(other, cut) is None
    result = maskforge.convert(tmp_path, images="none", out=tmp_path / "cwd/out")
    assert (result.reader, result.converted) == ("panoptic", 1)
