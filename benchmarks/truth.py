"""Whether what was timed is right: every entrant's files are compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import inputs
import numpy as np
import peers
from numpy.typing import NDArray
from PIL import Image

FEW = 3
"""Images for which the slow test of every pixel center is made."""


def label_image(path: Path) -> NDArray[np.uint8]:
    """Return the numbers that a PNG of mode L or P holds."""
    with Image.open(path) as image:
        assert image.mode in ("L", "P"), f"{path.name} has mode {image.mode}"
        return np.array(image)


def same_as_labelme(folder: Path, masks: Path, labels: tuple[str, ...]) -> None:
    """Compare all masks with labelme's arrays."""
    numbers = peers.class_numbers(labels)
    for path in sorted(folder.glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        expected, _ = peers.labelme_arrays(
            document["shapes"],
            numbers,
            height=document["imageHeight"],
            width=document["imageWidth"],
        )
        _equal(label_image(masks / f"{path.stem}.png"), expected, path.stem)


def exact_labelme(folder: Path, masks: Path, labels: tuple[str, ...]) -> None:
    """Compare masks with a test of every pixel center, shape by shape; all must be there."""
    numbers = peers.class_numbers(labels)
    paths = sorted(folder.glob("*.json"))
    assert len(list(masks.glob("*.png"))) == len(paths), "a mask is missing"
    for path in paths[:FEW]:
        document = json.loads(path.read_text(encoding="utf-8"))
        expected = np.zeros((document["imageHeight"], document["imageWidth"]), dtype=np.uint8)
        for shape in document["shapes"]:
            paint(expected, np.array(shape["points"]), numbers[shape["label"]])
        _equal(label_image(masks / f"{path.stem}.png"), expected, path.stem)


def same_as_book(folder: Path, file: Path, *, exact: bool) -> None:
    """Compare a one-hot dictionary with the book's; with exact ones where ``exact``."""
    found = np.load(file, allow_pickle=True).item()
    document = json.loads((folder / "segmentation_train.json").read_text(encoding="utf-8"))
    entries = list(document["_via_img_metadata"].values())
    assert list(found) == [entry["filename"] for entry in entries], "keys differ"
    for entry in entries[:FEW] if exact else entries:
        expected = _one_hot(entry, exact=exact)
        assert found[entry["filename"]].dtype == np.uint8
        _equal(found[entry["filename"]], expected, entry["filename"])


def same_as_coco(folder: Path, masks: Path) -> None:
    """Compare all masks with what pycocotools makes of the polygons."""
    document = json.loads((folder / "ochuman.json").read_text(encoding="utf-8"))
    for image in document["images"]:
        people = [peers.person_mask(person["segms"]) for person in image["annotations"]]
        stem = Path(image["file_name"]).stem
        _equal(label_image(masks / f"{stem}.png"), np.max(people, axis=0), stem)


def exact_ochuman(folder: Path, masks: Path) -> None:
    """Compare masks with a test of every pixel center; all must be there."""
    document = json.loads((folder / "ochuman.json").read_text(encoding="utf-8"))
    assert len(list(masks.glob("*.png"))) == len(document["images"]), "a mask is missing"
    for image in document["images"][:FEW]:
        expected = np.zeros((image["height"], image["width"]), dtype=np.uint8)
        for person in image["annotations"]:
            alone = np.zeros_like(expected)
            for key, value in (("outer", 1), ("inner", 0)):
                for ring in person["segms"][key]:
                    paint(alone, np.array(ring).reshape(-1, 2), value)
            expected |= alone
        stem = Path(image["file_name"]).stem
        _equal(label_image(masks / f"{stem}.png"), expected, stem)


def like_article(folder: Path, masks: Path, *, count: int) -> None:
    """Compare black and white masks with the people; the article's are thickened and blended."""
    document = json.loads((folder / "ochuman.json").read_text(encoding="utf-8"))
    for index, image in enumerate(document["images"][:count]):
        people = np.max([peers.person_mask(p["segms"]) for p in image["annotations"]], axis=0) > 0
        with Image.open(masks / f"{index}_y.png") as picture:
            found = np.array(picture.convert("RGB")).max(axis=2) > 127
        both, either = (people & found).sum(), (people | found).sum()
        assert both > 0.9 * either, f"mask {index} overlaps the people by only {both / either:.2f}"


def paint(canvas: NDArray[np.uint8], ring: inputs.Points, value: int) -> None:
    """Set the pixels whose center is inside ``ring`` (even-odd, half-open) to ``value``."""
    height, width = canvas.shape
    top, bottom = (int(v) for v in np.clip([ring[:, 1].min(), ring[:, 1].max() + 1], 0, height))
    left, right = (int(v) for v in np.clip([ring[:, 0].min(), ring[:, 0].max() + 1], 0, width))
    y, x = np.mgrid[top:bottom, left:right] + 0.5
    inside = np.zeros(y.shape, dtype=bool)
    for (x0, y0), (x1, y1) in zip(np.roll(ring, 1, axis=0), ring, strict=True):
        if y0 > y1:
            x0, y0, x1, y1 = x1, y1, x0, y0
        # Multiplied out, so that whole numbers are compared exactly.
        inside ^= (y0 <= y) & (y < y1) & ((x - x0) * (y1 - y0) >= (y - y0) * (x1 - x0))
    canvas[top:bottom, left:right][inside] = value


def _one_hot(entry: dict[str, Any], *, exact: bool) -> NDArray[np.uint8]:
    import cv2

    label = np.zeros((480, 640), dtype=np.uint8)
    for region in entry["regions"]:
        shape = region["shape_attributes"]
        ring = np.array([shape["all_points_x"], shape["all_points_y"]]).T
        number = int(region["region_attributes"]["Name"])
        if exact:
            paint(label, ring.astype(np.float64), number)
        else:
            cv2.fillPoly(label, [ring.astype(np.int32)], number)
    return np.stack([label == number for number in range(4)], axis=-1).astype(np.uint8)


def _equal(found: NDArray[Any], expected: NDArray[Any], name: str) -> None:
    assert found.shape == expected.shape, f"{name}: {found.shape} is not {expected.shape}"
    wrong = int((found != expected).sum())
    assert wrong == 0, f"{name}: {wrong} of {expected.size} pixels differ"
