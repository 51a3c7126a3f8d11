"""What the peers' published scripts do, written anew from their descriptions; nothing is copied.

Each function takes a folder of :mod:`inputs` and an output folder, and does what the script does to
get from annotations to masks, in the same order and with the same libraries. Whatever a script does
beyond that (visualisations, .npy files, copies of the photographs) is left out, in its favour.

- labelme: ``examples/semantic_segmentation/labelme2voc.py`` of labelme 6: load the JSON, decode the
  photograph, draw each shape on a mask of its own with Pillow, assign class and instance
  arrays through it, save the class array as a palette PNG with Pillow's default compression.
- book: ``chapter12-segmentation/utils/generate_gt_segmentation.py`` of Atienza's Advanced Deep
  Learning with Keras: decode each photograph, fill its polygons on an RGB canvas and on a
  background plane, divide as float32, keep all arrays in a dictionary, ``numpy.save`` that.
- article: the notebook of the person-segmentation U-Net that reads OCHuman: draw the people onto
  the photograph, resize both to 512x512, compare value by value in a Python loop, save the result.
  The people are found with the mask arithmetic of OCHumanApi, which is that of pycocotools.
- coco: the usual loop around pycocotools: ``annToMask`` a person, ``numpy.maximum``, Pillow.
"""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import cv2
import inputs
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

VOC_PALETTE = [
    sum(((index >> (3 * bit + channel)) & 1) << (7 - bit) for bit in range(8))
    for index in range(256)
    for channel in range(3)
]


def class_numbers(labels: tuple[str, ...]) -> dict[str, int]:
    """Return the class ids of a labels.txt: the background is 0, ``labels`` count from 1."""
    return {name: number for number, name in enumerate(("_background_", *labels))}


def labelme(folder: Path, out: Path, labels: tuple[str, ...]) -> None:
    """Write a palette PNG for each Labelme file."""
    numbers = class_numbers(labels)
    for path in sorted(folder.glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        with Image.open(path.parent / document["imagePath"]) as image:
            height, width = np.asarray(image).shape[:2]
        classes, _ = labelme_arrays(document["shapes"], numbers, height=height, width=width)
        picture = Image.fromarray(classes.astype(np.uint8)).convert("P")
        picture.putpalette(VOC_PALETTE)
        picture.save(out / f"{path.stem}.png")


def labelme_arrays(
    shapes: list[dict[str, Any]], numbers: dict[str, int], *, height: int, width: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return class ids and instance ids, int32 (height, width), of polygons."""
    classes = np.zeros((height, width), dtype=np.int32)
    instances = np.zeros((height, width), dtype=np.int32)
    seen: list[tuple[str, object]] = []
    for shape in shapes:
        group = object() if shape["group_id"] is None else shape["group_id"]
        if (shape["label"], group) not in seen:
            seen.append((shape["label"], group))
        canvas = Image.fromarray(np.zeros((height, width), dtype=np.uint8))
        ImageDraw.Draw(canvas).polygon([tuple(p) for p in shape["points"]], outline=1, fill=1)
        mask = np.array(canvas, dtype=bool)
        classes[mask] = numbers[shape["label"]]
        instances[mask] = seen.index((shape["label"], group)) + 1
    return classes, instances


def book(folder: Path, out: Path) -> None:
    """Write the one-hot dictionary of a VIA 2 project."""
    document = json.loads((folder / "segmentation_train.json").read_text(encoding="utf-8"))
    colors = ((255, 0, 0), (0, 255, 0), (0, 0, 255))
    arrays = {}
    for entry in document["_via_img_metadata"].values():
        polygons = []
        for region in entry["regions"]:
            shape = region["shape_attributes"]
            points = np.array([shape["all_points_x"], shape["all_points_y"]], dtype=np.int32)
            polygons.append((int(region["region_attributes"]["Name"]), points.T.copy()))
        with Image.open(folder / entry["filename"]) as image:
            canvas = np.zeros_like(np.asarray(image))
        background = np.full((*canvas.shape[:2], 1), 255, dtype=np.uint8)
        for number, points in polygons:
            cv2.fillPoly(canvas, [points], colors[number - 1])
            cv2.fillPoly(background, [points], 0)
        planes = np.concatenate((background, canvas), axis=-1)
        arrays[entry["filename"]] = (planes.astype("float32") / 255).astype("uint8")
    np.save(out / "masks.npy", arrays)  # type: ignore[arg-type]  # a pickle, as the book has it


def article(folder: Path, out: Path, *, count: int) -> None:
    """Write black and white masks, 512x512, for the first ``count`` images."""
    document = json.loads((folder / "ochuman.json").read_text(encoding="utf-8"))
    colors = ((255, 0, 0), (255, 255, 0), (0, 255, 0), (0, 255, 255), (0, 0, 255), (255, 0, 255))
    for index, data in enumerate(document["images"][:count]):
        path = str(folder / "images" / data["file_name"])
        plain = cv2.resize(_photograph(path), (512, 512))
        drawn = _photograph(path)
        for number, person in enumerate(data["annotations"]):
            mask = person_mask(person["segms"])
            drawn = _draw(drawn, mask, colors[number % len(colors)])
        drawn = np.asarray(cv2.resize(drawn, (512, 512)), dtype=np.uint8)
        values = []
        for before, after in zip(plain.reshape(-1), drawn.reshape(-1), strict=True):
            if before != after:
                values.append(255)
            else:
                values.append(0)
        mask = np.array(values).reshape(512, 512, 3)
        cv2.imwrite(str(out / f"{index}_y.png"), (mask / 255.0 * 255.0).astype(np.uint8))


def person_mask(segms: dict[str, Any]) -> NDArray[np.uint8]:
    """Return the pixels, 0 or 1, of one OCHuman person: all outer polygons less all inner ones."""
    size = (segms["height"], segms["width"])
    outer, inner = (
        coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(segms[key], *size)))
        if segms[key]
        else np.zeros(size, dtype=np.uint8)
        for key in ("outer", "inner")
    )
    return np.asarray(outer & (1 - inner), dtype=np.uint8)


def _photograph(path: str) -> NDArray[np.uint8]:
    """Return the BGR image in a file."""
    image = cv2.imread(path)
    assert image is not None, "the image cannot be read"
    return np.asarray(image, dtype=np.uint8)


def _draw(
    image: NDArray[np.uint8], mask: NDArray[np.uint8], color: tuple[int, int, int]
) -> NDArray[np.uint8]:
    """Return the image, the mask faintly tinted and its edge strongly, as OCHumanApi draws it."""
    across, down = (
        cv2.convertScaleAbs(cv2.Sobel(mask.astype(np.float32), cv2.CV_16S, *axis))
        for axis in ((1, 0), (0, 1))
    )
    steep = cv2.addWeighted(across, 0.5, down, 0.5, 0)
    tint = np.zeros(image.shape) + color
    shown = image.copy()
    for where, strength in ((mask > 0, 0.2), (steep > 0, 0.8)):
        shown[where] = (1 - strength) * shown[where] + strength * tint[where]
    return shown


def coco(folder: Path, out: Path) -> None:
    """Write a label PNG for each image of the COCO-style OCHuman file (run lengths)."""
    with contextlib.redirect_stdout(io.StringIO()):
        data = COCO(str(folder / inputs.RLE_FILE))
    for image_id in data.getImgIds():
        image = data.loadImgs(image_id)[0]
        label = np.zeros((image["height"], image["width"]), dtype=np.uint8)
        for person in data.loadAnns(data.getAnnIds(imgIds=image_id)):
            label = np.maximum(label, data.annToMask(person) * person["category_id"])
        Image.fromarray(label, "L").save(out / f"{Path(image['file_name']).stem}.png")


def coco_polygons(folder: Path, out: Path) -> None:
    """Write a label PNG for each image of ochuman.json (polygons)."""
    document = json.loads((folder / "ochuman.json").read_text(encoding="utf-8"))
    for image in document["images"]:
        label = np.zeros((image["height"], image["width"]), dtype=np.uint8)
        for person in image["annotations"]:
            label = np.maximum(label, person_mask(person["segms"]))
        Image.fromarray(label, "L").save(out / f"{Path(image['file_name']).stem}.png")
