"""The floor: what no program that does this job with these libraries can avoid.

Read the file, parse the fields that count, fill all polygons on one canvas with OpenCV, deflate,
write. No exact rule, no overlaps, no checks, no temporary file, no manifest. Headers of images are
read only where the size is nowhere else (VIA). ``digests``: with what it costs beside that to know
images and results again, their digests.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray
from peers import class_numbers
from PIL import Image

from maskforge.io.digests import Digest, digest


class _Shape(msgspec.Struct, gc=False):
    label: str
    points: list[tuple[float, float]]


class _Labelme(msgspec.Struct, rename="camel", gc=False):
    shapes: list[_Shape]
    image_path: str
    image_height: int
    image_width: int


class _Polygon(msgspec.Struct, gc=False):
    all_points_x: list[int]
    all_points_y: list[int]


class _Name(msgspec.Struct, rename="pascal", gc=False):
    name: str


class _Region(msgspec.Struct, gc=False):
    shape_attributes: _Polygon
    region_attributes: _Name


class _Entry(msgspec.Struct, gc=False):
    filename: str
    regions: list[_Region]


class _Project(msgspec.Struct, gc=False):
    via_img_metadata: dict[str, _Entry] = msgspec.field(name="_via_img_metadata")


class _Segms(msgspec.Struct, gc=False):
    outer: list[list[float]]
    inner: list[list[float]]


class _Person(msgspec.Struct, gc=False):
    segms: _Segms


class _Image(msgspec.Struct, gc=False):
    file_name: str
    height: int
    width: int
    annotations: list[_Person]


class _OCHuman(msgspec.Struct, gc=False):
    images: list[_Image]


def labelme(folder: Path, out: Path, labels: tuple[str, ...], *, digests: bool = False) -> None:
    """Write a grey PNG for each Labelme file."""
    numbers = class_numbers(labels)
    decoder = msgspec.json.Decoder(_Labelme)
    for path in sorted(folder.glob("*.json")):
        document = decoder.decode(path.read_bytes())
        canvas = np.zeros((document.image_height, document.image_width), dtype=np.uint8)
        for shape in document.shapes:
            cv2.fillPoly(canvas, [np.array(shape.points, np.int32)], numbers[shape.label])
        png = _png(canvas)
        if digests:
            digest((folder / document.image_path).read_bytes())
            digest(png)
        (out / f"{path.stem}.png").write_bytes(png)


def via(folder: Path, out: Path, *, digests: bool = False) -> None:
    """Write the planes of a VIA 2 project, one image after the other, to one file."""
    document = msgspec.json.decode((folder / "segmentation_train.json").read_bytes(), type=_Project)
    written = Digest()
    with (out / "masks.raw").open("wb") as file:
        for entry in document.via_img_metadata.values():
            with Image.open(folder / entry.filename) as image:
                width, height = image.size
            canvas = np.zeros((height, width, 4), dtype=np.uint8)
            canvas[..., 0] = 1
            for region in entry.regions:
                xs, ys = region.shape_attributes.all_points_x, region.shape_attributes.all_points_y
                color = [0, 0, 0, 0]
                color[int(region.region_attributes.name)] = 1
                cv2.fillPoly(canvas, [np.array([xs, ys], dtype=np.int32).T], color)
            if digests:
                digest((folder / entry.filename).read_bytes())
                written.update(canvas)
            file.write(canvas.data)


def ochuman(folder: Path, out: Path, *, digests: bool = False) -> None:
    """Write a grey PNG for each image of ochuman.json."""
    document = msgspec.json.decode((folder / "ochuman.json").read_bytes(), type=_OCHuman)
    for image in document.images:
        canvas = np.zeros((image.height, image.width), dtype=np.uint8)
        for person in image.annotations:
            rings: Iterable[list[float]] = (*person.segms.outer, *person.segms.inner)
            cv2.fillPoly(canvas, [np.array(r, np.int32).reshape(-1, 2) for r in rings], 1)
        png = _png(canvas)
        if digests:
            digest((folder / "images" / image.file_name).read_bytes())
            digest(png)
        (out / f"{Path(image.file_name).stem}.png").write_bytes(png)


def _png(canvas: NDArray[np.uint8]) -> bytes:
    """Return ``canvas`` as a PNG, by what OpenCV has fastest: run lengths, no filter."""
    options = [
        cv2.IMWRITE_PNG_COMPRESSION,
        1,
        cv2.IMWRITE_PNG_STRATEGY,
        3,
        cv2.IMWRITE_PNG_FILTER,
        8,
    ]
    return cv2.imencode(".png", canvas, options)[1].tobytes()
