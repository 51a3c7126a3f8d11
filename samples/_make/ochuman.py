"""Crowds as OCHuman publishes them: its own structure, and its API's COCO form."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from . import crowd, rle
from .crowd import Human
from .files import jpeg, put, put_json
from .people import JOINTS
from .trace import fill, rings

Record = dict[str, Any]
Box = tuple[int, int, int, int]

VISIBILITY = {"missing": 0, "vis": 1, "self_occluded": 2, "others_occluded": 3}
_COCO_JOINTS = ("nose", *(f"{side}_{part}" for part in ("eye", "ear", "shoulder", "elbow", "wrist",
                "hip", "knee", "ankle") for side in ("left", "right")))  # fmt: skip
_COCO_BONES = (
    (16, 14), (14, 12), (17, 15), (15, 13), (12, 13), (6, 12), (7, 13), (6, 7), (6, 8), (7, 9),
    (8, 10), (9, 11), (2, 3), (1, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 7),
)  # fmt: skip


def write(folder: Path, *, count: int = 60) -> None:
    """Write images/, ochuman.json and the COCO file that OCHuman's API makes of it."""
    images = []
    for number in range(count):
        stage, humans = crowd.scene(number)
        name = f"{number + 1:06d}.jpg"
        picture = stage.render(random.Random(f"ochuman {number}"))
        put(folder / "images" / name, jpeg(picture))
        images.append({
            "image_id": name[:-4],
            "file_name": name,
            "width": stage.width,
            "height": stage.height,
            "annotations": _annotations(number, humans, height=stage.height, width=stage.width),
        })  # fmt: skip
    dataset = {"keypoint_names": list(JOINTS), "keypoint_visible": VISIBILITY, "images": images}
    put_json(folder / "ochuman.json", dataset, indent=None)
    put_json(folder / "ochuman_coco_format_val_range_0.00_1.00.json", _coco(images), indent=None)


def _annotations(number: int, humans: list[Human], *, height: int, width: int) -> list[Record]:
    """Return the persons, back to front; in some scenes somebody is only partly annotated."""
    boxes = [human.bbox for human in humans]
    records = []
    for index, human in enumerate(humans):
        outer, inner = rings(human.seen)
        far = number % 12 == 5 and index == 0
        masked = outer and not far and number not in (19, 43)
        segms = {
            "outer": [_flat(ring) for ring in outer],
            "inner": [_flat(ring) for ring in inner],
            "height": height,
            "width": width,
        }
        points = [value for name in JOINTS for value in _joint(human, name)]
        bare = far or (number % 15 == 3 and index == 0)
        others = [_iou(boxes[index], other) for k, other in enumerate(boxes) if k != index]
        records.append({
            "bbox": list(boxes[index]),
            "keypoints": None if bare else points,
            "segms": segms if masked else None,
            "max_iou": round(max(others, default=0.0), 6),
            "links": [],
        })  # fmt: skip
    return records


def _flat(ring: list[tuple[float, float]]) -> list[float]:
    return [value for point in ring for value in point]


def _joint(human: Human, name: str) -> tuple[float, float, int]:
    (x, y), seen = human.joints[name]
    return x, y, seen


def _iou(a: Box, b: Box) -> float:
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(0, wide) * max(0, high)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def _coco(images: list[Record]) -> Record:
    """Keep the persons with both joints and segments, as the API's kpt&segm filter does."""
    category = {"supercategory": "person", "id": 1, "name": "person",
                "skeleton": [list(bone) for bone in _COCO_BONES],
                "keypoints": list(_COCO_JOINTS)}  # fmt: skip
    pictures: list[Record] = []
    persons: list[Record] = []
    for image in images:
        kept = [record for record in image["annotations"]
                if record["keypoints"] and record["segms"] and record["max_iou"] < 1]  # fmt: skip
        if not kept:
            continue
        keys = ("file_name", "height", "width")
        pictures.append({"id": len(pictures) + 1} | {key: image[key] for key in keys})
        for record in kept:
            persons.append(_person(record, image=len(pictures), number=len(persons) + 1))
    return {"annotations": persons, "categories": [category], "images": pictures}


def _person(record: Record, *, image: int, number: int) -> Record:
    x1, y1, x2, y2 = record["bbox"]
    joints: list[float] = []
    for name in _COCO_JOINTS:
        at = 3 * JOINTS.index(name)
        x, y, seen = record["keypoints"][at : at + 3]
        joints += [x, y, {0: 0, 1: 2, 2: 2, 3: 1}[seen]]
    segms = record["segms"]
    size = {"height": segms["height"], "width": segms["width"]}
    mask = fill([_pairs(r) for r in segms["outer"]], **size)
    mask &= ~fill([_pairs(r) for r in segms["inner"]], **size)
    return {
        "image_id": image,
        # The published files give the area of the box, not of the person.
        "area": (x2 - x1) * (y2 - y1),
        "num_keypoints": sum(1 for seen in joints[2::3] if seen),
        "iscrowd": 0,
        "id": number,
        "category_id": 1,
        "keypoints": joints,
        "segmentation": {"size": [size["height"], size["width"]], "counts": rle.encode(mask)},
        "bbox": [x1, y1, x2 - x1, y2 - y1],
    }


def _pairs(flat: list[float]) -> list[tuple[float, float]]:
    return list(zip(flat[::2], flat[1::2], strict=True))
