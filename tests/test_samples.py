"""The bundled samples: made by their script byte for byte, with all they promise."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import PIL
import pytest
from PIL import Image, ImageOps, features

import maskforge

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
LABELME, VIA, OCHUMAN = SAMPLES / "labelme", SAMPLES / "via", SAMPLES / "ochuman"
COCO, BOXES = SAMPLES / "coco", SAMPLES / "coco-boxes"
PANOPTIC, YOLO = SAMPLES / "panoptic", SAMPLES / "yolo"
SAME_BYTES = ("13.0.0", "3.2.0", "2.3.3")
"""Pillow, libjpeg-turbo and zlib-ng of the committed files; samples/README.md names them too."""


def opened(file) -> Image.Image:
    """Return the image, decoded, its file closed."""
    with Image.open(file) as image:
        image.load()
        return image


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def labelme_files() -> dict[str, Any]:
    return {path.stem: load(path) for path in sorted(LABELME.rglob("*.json"))}


def shapes() -> Iterator[dict[str, Any]]:
    for record in labelme_files().values():
        yield from record["shapes"]


def made_here() -> bool:
    here = (PIL.__version__, features.version("libjpeg_turbo"), features.version("zlib_ng"))
    return here == SAME_BYTES and platform.machine() in ("x86_64", "AMD64")


def without_bytes(text: str) -> str:
    """Blank what depends on how a picture was compressed: embedded files and file sizes."""
    text = re.sub(r'"(imageData|mask)": "[^"]*"', r'"\1": ""', text)
    text = re.sub(r'\.jpg(")?\d+"', r".jpg\1", text)
    return re.sub(r'("size":|\.jpg,)\d+', r"\1", text)


def test_the_script_makes_the_committed_files(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONHASHSEED": "5", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, str(SAMPLES / "make.py"), str(tmp_path)]
    subprocess.run(command, check=True, env=environment, timeout=120)

    made = {p.relative_to(tmp_path).as_posix(): p for p in tmp_path.rglob("*") if p.is_file()}
    folders = (LABELME, VIA, OCHUMAN, COCO, BOXES, PANOPTIC, YOLO)
    kept = {p.relative_to(SAMPLES).as_posix(): p for f in folders for p in f.rglob("*")
            if p.is_file()}  # fmt: skip
    assert sorted(made) == sorted(kept)
    for name, path in made.items():
        if made_here():
            assert path.read_bytes() == kept[name].read_bytes(), name
        elif path.suffix in (".jpg", ".png"):
            assert opened(path).size == opened(kept[name]).size, name
        else:
            old, new = (without_bytes(p.read_text(encoding="utf-8")) for p in (kept[name], path))
            assert old == new, name


def test_the_readme_names_the_versions() -> None:
    text = " ".join((SAMPLES / "README.md").read_text(encoding="utf-8").split())
    for name, version in zip(("Pillow", "libjpeg-turbo", "zlib-ng"), SAME_BYTES, strict=True):
        assert f"{name} {version}" in text


def test_samples_stay_small() -> None:
    assert sum(p.stat().st_size for p in SAMPLES.rglob("*.*") if p.is_file()) < 3_000_000


def test_labelme_has_every_version_and_shape_type() -> None:
    records = labelme_files()
    assert len(records) == 60
    majors = {record.get("version", "2")[0] for record in records.values()}
    assert majors == set("234567")
    assert {shape.get("shape_type", "") for shape in shapes()} == {
        "", "polygon", "rectangle", "circle", "line", "linestrip", "point", "points", "mask",
        "oriented_rectangle",
    }  # fmt: skip
    oldest = next(r for r in records.values() if "version" not in r)
    assert set(oldest) == {"shapes", "lineColor", "fillColor", "imagePath", "imageData"}
    assert base64.b64decode(oldest["imageData"])[:2] == b"\xff\xd8"
    newest = next(r for r in records.values() if r.get("version") == "7.1.0" and r["shapes"])
    assert {"description", "group_id", "mask"} <= set(newest["shapes"][0])


def test_labelme_labels_are_all_in_labels_txt() -> None:
    listed = (LABELME / "labels.txt").read_text().splitlines()
    assert listed[:2] == ["__ignore__", "_background_"]
    assert {shape["label"] for shape in shapes()} == set(listed)


def test_labelme_images_are_where_the_files_say_with_the_size_they_say() -> None:
    inside = {"embedded", "names_itself"}
    for path in LABELME.rglob("*.json"):
        record = load(path)
        image = path.parent / record["imagePath"].replace("\\", "/")
        if path.stem in inside:
            content = base64.b64decode(record["imageData"])
            size = opened(io.BytesIO(content)).size
            assert not path.with_suffix(".jpg").exists()
        else:
            size = ImageOps.exif_transpose(opened(image)).size
        if "version" in record:
            assert size == (record["imageWidth"], record["imageHeight"]), path.name


def test_labelme_oddities() -> None:
    records = labelme_files()
    assert records["names_itself"]["imagePath"] == "names_itself.json"
    assert records["windows"]["imagePath"] == "photos\\windows.jpg"
    assert records["windows_parent"]["imagePath"] == "..\\labelme\\windows_parent.jpg"
    assert records["Größe_公园"]["shapes"]
    assert records["nobody"]["shapes"] == []
    phone = opened(LABELME / "phone.jpg")
    assert (phone.size, phone.getexif()[0x0112]) == ((160, 120), 6)
    assert records["phone"]["imageData"] is None
    assert opened(LABELME / "park_005.png").format == "PNG"
    assert list((LABELME / "more").glob("*.json"))
    assert any(record["flags"] for record in records.values() if "flags" in record)
    assert any(shape.get("flags") == {"occluded": True} for shape in shapes())


def test_labelme_holes_are_later_background_shapes_and_parts_share_a_group() -> None:
    hole_after_person = groups = 0
    for record in labelme_files().values():
        labels = [shape["label"] for shape in record["shapes"]]
        if "_background_" in labels:
            assert "person" in labels[: labels.index("_background_")]
            hole_after_person += 1
        numbers = [s.get("group_id") for s in record["shapes"] if s.get("group_id") is not None]
        assert all(numbers.count(number) > 1 for number in numbers)
        groups += len(set(numbers))
    assert hole_after_person > 5
    assert groups > 5


@pytest.mark.parametrize(("name", "count"), [("train", 48), ("test", 12)])
def test_via_projects(name: str, count: int) -> None:
    project = load(VIA / f"segmentation_{name}.json")
    entries = project["_via_img_metadata"]
    assert len(entries) == count
    assert project["_via_image_id_list"] == list(entries)
    labels = set()
    for key, entry in entries.items():
        image = VIA / entry["filename"]
        assert opened(image).size == (160, 120)
        assert key == f"{entry['filename']}{entry['size']}"
        if made_here():
            assert entry["size"] == image.stat().st_size
        labels |= {region["region_attributes"]["Name"] for region in entry["regions"]}
        for region in entry["regions"]:
            xs = region["shape_attributes"]["all_points_x"]
            assert all(isinstance(x, int) and 0 <= x <= 160 for x in xs)
    assert labels == {"1", "2", "3"}
    assert any(not entry["regions"] for entry in entries.values())


def test_via_variants_tell_the_same() -> None:
    folder = VIA / "variants"
    first = load(folder / "via_1x.json")
    rows = list(csv.DictReader(io.StringIO((folder / "via_region_data.csv").read_text())))
    third = load(folder / "via3_project.json")
    options = third["attribute"]["1"]["options"]
    from_first, from_csv, from_third = [], [], []
    for entry in first.values():
        for region in entry["regions"].values():
            x, y = (region["shape_attributes"][f"all_points_{a}"] for a in "xy")
            assert (x[0], y[0]) == (x[-1], y[-1])
            label = region["region_attributes"]["name"]
            from_first.append((entry["filename"], label, x[:-1], y[:-1]))
    for row in rows:
        assert (folder / row["filename"]).is_file()
        shape = json.loads(row["region_shape_attributes"])
        if row["region_count"] != "0":
            label = json.loads(row["region_attributes"])["name"]
            from_csv.append((row["filename"], label, shape["all_points_x"], shape["all_points_y"]))
    for item in third["metadata"].values():
        name = third["file"][str(third["view"][item["vid"]]["fid_list"][0])]["fname"]
        assert item["xy"][0] == 7
        from_third.append((name, options[item["av"]["1"]], item["xy"][1::2], item["xy"][2::2]))
    assert from_first == from_csv == from_third
    assert {label for _, label, _, _ in from_first} == {"bottle", "can", "juice"}
    assert [row["filename"] for row in rows if row["region_count"] == "0"] == ["table_empty.jpg"]


def test_via_shapes_has_every_shape() -> None:
    regions = [region for entry in load(VIA / "variants" / "via_shapes.json").values()
               for region in entry["regions"]]  # fmt: skip
    by_name = {region["shape_attributes"]["name"]: region for region in regions}
    assert set(by_name) == {"polygon", "polyline", "rect", "circle", "ellipse", "point"}
    assert by_name["ellipse"]["shape_attributes"]["theta"] != 0
    values = [region["region_attributes"]["type"] for region in regions]
    assert {"plate": True} in values
    assert "plate" in values


def iou(a: list[int], b: list[int]) -> float:
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(wide, 0) * max(high, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return shared / (sum(areas) - shared)


def test_ochuman_has_what_the_api_reads() -> None:
    dataset = load(OCHUMAN / "ochuman.json")
    assert len(dataset["keypoint_names"]) == 19
    assert len(dataset["images"]) == 60
    persons = []
    for image in dataset["images"]:
        picture = opened(OCHUMAN / "images" / image["file_name"])
        assert picture.size == (image["width"], image["height"])
        boxes = [person["bbox"] for person in image["annotations"]]
        for index, person in enumerate(image["annotations"]):
            best = max(iou(boxes[index], b) for k, b in enumerate(boxes) if k != index)
            assert person["max_iou"] == pytest.approx(best, abs=1e-6)
            if person["keypoints"] is not None:
                assert len(person["keypoints"]) == 57
        persons += image["annotations"]
    masked = [person["segms"] for person in persons if person["segms"]]
    assert any(len(segms["outer"]) > 1 for segms in masked)
    assert any(segms["inner"] for segms in masked)
    assert any(person["segms"] and not person["keypoints"] for person in persons)
    unmasked = [i for i in dataset["images"] if not any(p["segms"] for p in i["annotations"])]
    assert len(unmasked) == 2
    assert any(person["max_iou"] > 0.75 for person in persons)
    seen = {v for p in persons if p["keypoints"] for v in p["keypoints"][2::3]}
    assert seen == {0, 1, 2, 3}


def test_ochuman_coco_file_holds_the_same_persons() -> None:
    dataset = load(OCHUMAN / "ochuman.json")
    coco = load(OCHUMAN / "ochuman_coco_format_val_range_0.00_1.00.json")
    both = [p for image in dataset["images"] for p in image["annotations"]
            if p["segms"] and p["keypoints"]]  # fmt: skip
    assert len(coco["annotations"]) == len(both)
    for person, source in zip(coco["annotations"], both, strict=True):
        x, y, width, height = person["bbox"]
        assert [x, y, x + width, y + height] == source["bbox"]
        assert person["area"] == width * height
        assert person["segmentation"]["size"] == [160, 160]
        polygons = source["segms"]
        area = sum(map(shoelace, polygons["outer"])) - sum(map(shoelace, polygons["inner"]))
        covered = sum(runs(person["segmentation"]["counts"])[1::2])
        assert covered == pytest.approx(area, rel=0.04, abs=12)
        assert sum(runs(person["segmentation"]["counts"])) == 160 * 160


def shoelace(flat: list[float]) -> float:
    x, y = np.array(flat[::2]), np.array(flat[1::2])
    return abs(float(x @ np.roll(y, -1) - np.roll(x, -1) @ y)) / 2


def runs(text: str) -> list[int]:
    """Decode COCO's compressed run lengths, straight from their description."""
    found: list[int] = []
    value = shift = 0
    for character in text:
        code = ord(character) - 48
        value |= (code & 0x1F) << shift
        shift += 5
        if not code & 0x20:
            if code & 0x10:
                value -= 1 << shift
            found.append(value + (found[-2] if len(found) > 2 else 0))
            value = shift = 0
    return found


def coco_file(split: str) -> Any:
    return load(COCO / "annotations" / f"instances_{split}.json")


def lengths(counts: str | list[int]) -> list[int]:
    return runs(counts) if isinstance(counts, str) else counts


def test_coco_is_small_and_has_both_splits() -> None:
    assert sum(p.stat().st_size for f in (COCO, BOXES) for p in f.rglob("*.*")) < 200_000
    for split, count in (("train", 9), ("val", 3)):
        dataset = coco_file(split)
        assert len(dataset["images"]) == count
        assert len(list((COCO / "images" / split).iterdir())) == count
        for image in dataset["images"]:
            assert image["file_name"] == f"{image['id']:012d}.jpg"
            picture = opened(COCO / "images" / split / image["file_name"])
            assert picture.size == (image["width"], image["height"]) == (160, 120)
        listed = {image["id"] for image in dataset["images"]}
        of = [annotation["image_id"] for annotation in dataset["annotations"]]
        assert set(of) <= listed
        assert of != sorted(of)
        ids = [annotation["id"] for annotation in dataset["annotations"]]
        assert len(set(ids)) == len(ids)


def test_coco_has_one_table_of_classes_with_gaps_and_one_that_nobody_has() -> None:
    train, val = coco_file("train"), coco_file("val")
    names = {category["id"]: category["name"] for category in train["categories"]}
    assert names == {1: "person", 18: "dog", 28: "umbrella", 34: "frisbee", 37: "sports ball"}
    assert train["categories"] == val["categories"]
    used = [{names[a["category_id"]] for a in dataset["annotations"]} for dataset in (train, val)]
    assert used == [{"person", "dog", "umbrella", "sports ball"}, {"person", "dog", "sports ball"}]


def test_coco_oddities() -> None:
    both = [a for split in ("train", "val") for a in coco_file(split)["annotations"]]
    polygons = [a["segmentation"] for a in both if isinstance(a["segmentation"], list)]
    assert {len(parts) > 1 for parts in polygons} == {True, False}
    assert all(len(part) >= 6 and len(part) % 2 == 0 for parts in polygons for part in parts)
    crowds = [a for a in both if a["iscrowd"]]
    assert [(a["image_id"], a["category_id"]) for a in crowds] == [(10412, 1)]
    assert isinstance(crowds[0]["segmentation"]["counts"], list)
    packed = [a for a in both if isinstance(a["segmentation"], dict) and not a["iscrowd"]]
    assert len(packed) == 5
    assert all(isinstance(a["segmentation"]["counts"], str) for a in packed)
    bare = {image["id"] for split in ("train", "val") for image in coco_file(split)["images"]}
    assert bare - {a["image_id"] for a in both} == {9453}


def test_coco_areas_and_boxes_are_those_of_the_segmentations() -> None:
    both = [a for split in ("train", "val") for a in coco_file(split)["annotations"]]
    for annotation in both:
        segmentation, (x, y, width, height) = annotation["segmentation"], annotation["bbox"]
        assert x >= 0 <= y
        assert x + width <= 160
        assert y + height <= 120
        if isinstance(segmentation, list):
            assert annotation["area"] == pytest.approx(sum(map(shoelace, segmentation)), abs=1e-3)
            xs, ys = ([v for part in segmentation for v in part[axis::2]] for axis in (0, 1))
            sides = [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]
            assert annotation["bbox"] == pytest.approx(sides)
        else:
            assert segmentation["size"] == [120, 160]
            covered = lengths(segmentation["counts"])
            assert sum(covered) == 160 * 120
            assert sum(covered[1::2]) == annotation["area"]


def test_coco_boxes_has_a_box_without_a_segmentation() -> None:
    dataset = load(BOXES / "instances_boxes.json")
    assert dataset["categories"] == coco_file("train")["categories"]
    (image,) = dataset["images"]
    assert opened(BOXES / "images" / image["file_name"]).size == (160, 120)
    segmentations = {a["category_id"]: a["segmentation"] for a in dataset["annotations"]}
    assert segmentations[18] == []
    assert segmentations[1]
    assert all(len(a["bbox"]) == 4 for a in dataset["annotations"])


@pytest.mark.parametrize(
    ("folder", "images", "problems"), [(COCO, 12, []), (BOXES, 1, ["no-mask"])]
)
def test_coco_is_converted_without_a_word_and_the_boxes_with_one(
    folder: Path, images: int, problems: list[str], tmp_path: Path
) -> None:
    result = maskforge.convert(folder, format="coco", out=tmp_path / "out", previews=False)
    assert len(result.records) == images
    assert not result.failed
    assert [problem.code for problem in result.problems] == problems
    counts = {count.name: count.pixels for count in result.class_counts()}
    assert counts["frisbee"] == 0
    assert (counts.get("__ignore__", 0) > 0) == (folder == COCO)


def test_panoptic_numbers_are_those_of_the_pictures() -> None:
    dataset = load(PANOPTIC / "panoptic_train.json")
    assert len(dataset["images"]) == len(dataset["annotations"]) == 5
    for told in dataset["annotations"]:
        colors = np.asarray(opened(PANOPTIC / "panoptic_train" / told["file_name"])).astype(int)
        ids = colors @ (1, 256, 65536)
        assert {int(i) for i in np.unique(ids)} == {0, *(s["id"] for s in told["segments_info"])}
        for segment in told["segments_info"]:
            assert (ids == segment["id"]).sum() == segment["area"]
            assert segment["id"] > 65535 or told["file_name"].startswith("0000000189")
    assert sum(s["iscrowd"] for told in dataset["annotations"] for s in told["segments_info"]) == 1


@pytest.mark.parametrize(
    ("folder", "images", "problems"),
    [(PANOPTIC, 5, []), (YOLO, 7, ["no-mask", "no-mask"])],
)
def test_panoptic_and_yolo_are_converted(
    folder: Path, images: int, problems: list[str], tmp_path: Path
) -> None:
    result = maskforge.convert(folder, out=tmp_path / "out", previews=False)
    assert result.reader == folder.name
    assert len(result.records) == images
    assert [problem.code for problem in result.problems] == problems
    assert result.account.unannotated == ()
    assert all(count.pixels for count in result.class_counts() if count.name != "_background_")
    filled = {"boxes": "fill"} if folder == YOLO else {}
    again = maskforge.convert(folder, out=tmp_path / "again", previews=False, reader_options=filled)
    more = sum(c.pixels for c in again.class_counts() if c.name == "dog")
    less = sum(c.pixels for c in result.class_counts() if c.name == "dog")
    assert (more > less) == bool(filled)


def test_pictures_differ() -> None:
    pictures = [p for p in SAMPLES.rglob("*.jpg") if p.parent.name != "variants"]
    assert len({hashlib.sha256(p.read_bytes()).digest() for p in pictures}) == len(pictures)
