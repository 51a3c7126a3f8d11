"""The inputs of the benchmark: drawn once by a seeded generator into a cache folder.

Annotation files are written as the three tools write them; images have the grain of photographs, so
that decoding one costs what decoding a photograph costs.

    photographs/  150 JPEG of 500x375, 2 to 6 polygons each, Labelme JSON
    street/        40 PNG of 2048x1024 as in Cityscapes, 80 polygons of 6 to 60 points, Labelme JSON
    street-jpeg/   the same annotations, the same images as JPEG
    spiky/         40 JPEG of 2048x1024, 80 polygons of 6 to 60 points, all of them large, which
                   lie over one another and go to and fro in a row, Labelme JSON
    via/          300 JPEG of 640x480, one VIA 2 project, classes "1", "2", "3"
    ochuman/      100 JPEG of 512x512, 2 to 4 people each, ochuman.json and the same people in RLE
"""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as coco_mask

SEED = 20261121
COUNTS = {"photographs": 150, "street": 40, "street-jpeg": 40, "spiky": 40}
COUNTS |= {"via": 300, "ochuman": 100}
QUICK = {"photographs": 12, "street": 4, "street-jpeg": 4, "spiky": 4, "via": 12, "ochuman": 8}
PHOTOGRAPH_LABELS = ("aeroplane", "bottle", "chair", "dog", "person")
STREET_LABELS = (
    *("bicycle", "building", "bus", "car", "fence", "light", "motorcycle", "person", "pole"),
    *("rider", "road", "sidewalk", "sign", "sky", "terrain", "train", "truck", "vegetation"),
    "wall",
)
RLE_FILE = "ochuman_coco_format_val_range_0.00_1.00.json"

Points = NDArray[np.float64]
Random = np.random.Generator


def link(source: Path, target: Path) -> None:
    """Make ``target`` another name of ``source``, a copy where that lies on another device."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def make(name: str, cache: Path, *, count: int) -> Path:
    """Return the folder with the input ``name`` of ``count`` images; make it if it is not there."""
    folder = cache / f"{name}-{count}"
    done = folder / ".done"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        MAKERS[name](folder, count)
        done.touch()
    return folder


def photograph(random: Random, *, height: int, width: int, grain: float) -> NDArray[np.uint8]:
    """Return an RGB image (height, width, 3): structure at every scale, and sensor noise."""
    image = np.full((height, width, 3), 120, dtype=np.float32)
    cells, strength = 4, 40.0
    while cells < width:
        rows = max(2, cells * height // width)
        field = random.normal(0, strength, (rows, cells, 3)).astype(np.float32)
        field += field.mean(axis=2, keepdims=True) * 2  # nature's colours vary less than its light
        image += cv2.resize(field, (width, height), interpolation=cv2.INTER_CUBIC) / 2
        cells, strength = cells * 2, strength * 0.62
    image += random.standard_normal((height, width, 1), dtype=np.float32) * np.float32(grain)
    return np.clip(image, 0, 255).astype(np.uint8)


def photographs(
    random: Random, count: int, *, height: int, width: int, grain: float
) -> Iterator[Image.Image]:
    """Yield ``count`` RGB images; one in eight is new, the others shifted, some turned."""
    base = np.zeros((0, 0, 3), dtype=np.uint8)
    for index in range(count):
        if index % 8 == 0:
            base = photograph(random, height=height, width=width, grain=grain)
        shift = (int(random.integers(height)), int(random.integers(width)))
        yield Image.fromarray(np.roll(base, shift, axis=(0, 1))[:: 1 - 2 * (index % 2)])


def blob(
    random: Random, *, x: float, y: float, radius: float, count: int, least: float = 0.6
) -> Points:
    """Return a polygon of ``count`` points around (x, y), uneven like one drawn by hand.

    least: how near to the center a point may be, as a part of ``radius``.
    """
    angle = np.sort(random.uniform(0, 2 * np.pi, count))
    reach = radius * random.uniform(least, 1, count)
    squeeze = random.uniform(0.5, 1)
    return np.stack([x + reach * np.cos(angle), y + squeeze * reach * np.sin(angle)], axis=1)


def _photographs(folder: Path, count: int) -> None:
    random = np.random.default_rng(SEED)
    images = photographs(random, count, height=375, width=500, grain=9)
    for index, image in enumerate(images):
        image.save(folder / f"photo_{index:04}.jpg", quality=92)
        shapes = []
        for _ in range(random.integers(2, 7)):
            x, y, radius = random.uniform(0, 500), random.uniform(0, 375), random.uniform(20, 150)
            points = blob(random, x=x, y=y, radius=radius, count=int(random.integers(8, 41)))
            shapes.append((str(random.choice(PHOTOGRAPH_LABELS)), points))
        _labelme(folder / f"photo_{index:04}.json", ".jpg", shapes, height=375, width=500)


def _street(folder: Path, count: int, *, suffix: str = ".png") -> None:
    random = np.random.default_rng(SEED + 1)
    images = photographs(random, count, height=1024, width=2048, grain=1.2)
    for index, image in enumerate(images):
        name = f"frame_{index:04}"
        options: dict[str, Any] = {"compress_level": 3} if suffix == ".png" else {"quality": 95}
        image.save(folder / f"{name}{suffix}", **options)
        shapes = []
        for number in range(80):
            # A few large stretches of road, sky and houses first, then ever smaller things.
            low, high = (200, 700) if number < 6 else (8, 150)
            radius = math.exp(random.uniform(math.log(low), math.log(high)))
            x, y = random.uniform(0, 2048), random.uniform(0, 1024)
            points = blob(random, x=x, y=y, radius=radius, count=int(random.integers(6, 61)))
            shapes.append((str(random.choice(STREET_LABELS)), points))
        _labelme(folder / f"{name}.json", suffix, shapes, height=1024, width=2048)


def _street_jpeg(folder: Path, count: int) -> None:
    _street(folder, count, suffix=".jpg")


def _spiky(folder: Path, count: int) -> None:
    random = np.random.default_rng(SEED + 4)
    images = photographs(random, count, height=1024, width=2048, grain=1.2)
    for index, image in enumerate(images):
        name = f"frame_{index:04}"
        image.save(folder / f"{name}.jpg", quality=95)
        shapes = []
        for _ in range(80):
            radius = math.exp(random.uniform(math.log(60), math.log(300)))
            x, y = random.uniform(0, 2048), random.uniform(0, 1024)
            corners = int(random.integers(6, 61))
            points = blob(random, x=x, y=y, radius=radius, count=corners, least=0.3)
            shapes.append((str(random.choice(STREET_LABELS)), points))
        _labelme(folder / f"{name}.json", ".jpg", shapes, height=1024, width=2048)


def _labelme(
    path: Path, suffix: str, shapes: list[tuple[str, Points]], *, height: int, width: int
) -> None:
    document: dict[str, Any] = {
        "version": "6.3.1",
        "flags": {},
        "shapes": [
            {
                "label": label,
                "points": points.tolist(),
                "group_id": None,
                "description": "",
                "shape_type": "polygon",
                "flags": {},
                "mask": None,
            }
            for label, points in shapes
        ],
        "imagePath": path.stem + suffix,
        "imageData": None,
        "imageHeight": height,
        "imageWidth": width,
    }
    path.write_text(json.dumps(document, ensure_ascii=False, indent=2), encoding="utf-8")


def _via(folder: Path, count: int) -> None:
    random = np.random.default_rng(SEED + 2)
    names = [f"frame_{index:05}.jpg" for index in range(count)]
    images = photographs(random, count, height=480, width=640, grain=5)
    for name, image in zip(names, images, strict=True):
        image.save(folder / name, quality=92)
    write_via(folder / "segmentation_train.json", names, random)


def write_via(path: Path, names: list[str], random: Random) -> None:
    """Write a VIA 2 project about images of 640x480: 1 to 4 polygons of whole numbers each."""
    images = {}
    for name in names:
        regions = [_via_region(random) for _ in range(random.integers(1, 5))]
        entry = {"filename": name, "size": -1, "regions": regions, "file_attributes": {}}
        images[f"{name}-1"] = entry
    project = {
        "_via_settings": {"core": {"default_filepath": ""}, "project": {"name": path.stem}},
        "_via_img_metadata": images,
        "_via_attributes": {"region": {"Name": {"type": "text"}}, "file": {}},
        "_via_data_format_version": "2.0.10",
        "_via_image_id_list": list(images),
    }
    path.write_text(json.dumps(project), encoding="utf-8")


def _via_region(random: Random) -> dict[str, Any]:
    x, y, radius = random.uniform(60, 580), random.uniform(60, 420), random.uniform(30, 120)
    count = int(random.integers(8, 31))
    points = np.rint(blob(random, x=x, y=y, radius=radius, count=count)).astype(int)
    points = np.clip(points, 0, (639, 479))
    return {
        "shape_attributes": {
            "name": "polygon",
            "all_points_x": points[:, 0].tolist(),
            "all_points_y": points[:, 1].tolist(),
        },
        "region_attributes": {"Name": str(random.integers(1, 4))},
    }


def _ochuman(folder: Path, count: int) -> None:
    random = np.random.default_rng(SEED + 3)
    (folder / "images").mkdir(exist_ok=True)
    native: list[dict[str, Any]] = []
    coco: dict[str, list[dict[str, Any]]] = {"images": [], "annotations": []}
    images = photographs(random, count, height=512, width=512, grain=5)
    for index, image in enumerate(images):
        name = f"{index + 1:06}.jpg"
        image.save(folder / "images" / name, quality=92)
        people = [_person(random) for _ in range(random.integers(2, 5))]
        size = {"file_name": name, "height": 512, "width": 512}
        native.append({"image_id": name[:-4], **size, "annotations": people})
        coco["images"].append({"id": index + 1, **size})
        for person in people:
            number = len(coco["annotations"]) + 1
            coco["annotations"].append(_in_coco(person, number=number, image_id=index + 1))
    document: dict[str, Any] = {"keypoint_names": [], "keypoint_visible": {}, "images": native}
    (folder / "ochuman.json").write_text(json.dumps(document), encoding="utf-8")
    categories = [{"id": 1, "name": "person", "supercategory": "person"}]
    text = json.dumps({**coco, "categories": categories})
    (folder / RLE_FILE).write_text(text, encoding="utf-8")


def _person(random: Random) -> dict[str, Any]:
    x, y = random.uniform(120, 390), random.uniform(150, 360)
    outer = [blob(random, x=x, y=y, radius=random.uniform(90, 220), count=90)]
    if random.random() < 0.4:  # somebody's arm in front cuts a body in two
        outer.append(blob(random, x=x + 60, y=y - 90, radius=40, count=24))
    inner = [blob(random, x=x, y=y, radius=18, count=16)] if random.random() < 0.4 else []
    every = np.concatenate(outer)
    return {
        "bbox": [round(v, 1) for v in (*every.min(axis=0).tolist(), *every.max(axis=0).tolist())],
        "keypoints": [0.0] * 57,
        "segms": {
            "outer": [np.round(points, 2).ravel().tolist() for points in outer],
            "inner": [np.round(points, 2).ravel().tolist() for points in inner],
            "height": 512,
            "width": 512,
        },
        "max_iou": round(float(random.uniform(0.5, 0.9)), 4),
    }


def _in_coco(person: dict[str, Any], *, number: int, image_id: int) -> dict[str, Any]:
    segms = person["segms"]
    size = (segms["height"], segms["width"])
    mask = coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(segms["outer"], *size)))
    if segms["inner"]:
        holes = coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(segms["inner"], *size)))
        mask = mask & ~(holes > 0)
    run_lengths = coco_mask.encode(np.asfortranarray(mask))
    x0, y0, x1, y1 = person["bbox"]
    return {
        "id": number,
        "image_id": image_id,
        "category_id": 1,
        "iscrowd": 0,
        "segmentation": {"size": list(size), "counts": run_lengths["counts"].decode()},
        "bbox": [x0, y0, x1 - x0, y1 - y0],
        "area": (x1 - x0) * (y1 - y0),
        "keypoints": person["keypoints"],
        "num_keypoints": 19,
    }


MAKERS: dict[str, Callable[[Path, int], None]] = {
    "photographs": _photographs,
    "street": _street,
    "street-jpeg": _street_jpeg,
    "spiky": _spiky,
    "via": _via,
    "ochuman": _ochuman,
}
