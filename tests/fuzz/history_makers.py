"""Photographs, masks and annotations, no two of which are the same."""

from __future__ import annotations

import base64
import io
import json
import random
from typing import Any

import numpy as np
from PIL import Image

LABELS = ("dog", "cat", "person")

_ORIENTATION = 0x0112


class Maker:
    """Makes the bytes of files, as ``rng`` has it."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self._noise = np.random.default_rng(rng.getrandbits(32))

    def photo(self, suffix: str, *, orientation: int = 1) -> bytes:
        """Return an image of noise, which no other image is equal to."""
        height, width = self.rng.choice(((8, 12), (6, 9), (10, 7)))
        return self.picture(height, width, suffix, orientation=orientation)

    def picture(self, height: int, width: int, suffix: str, *, orientation: int = 1) -> bytes:
        """Return an image of noise of a size."""
        pixels = self._noise.integers(0, 256, (height, width, 3), dtype=np.uint8)
        file = io.BytesIO()
        image = Image.fromarray(pixels)
        kind = {".jpg": "JPEG", ".png": "PNG", ".bmp": "BMP"}[suffix]
        if suffix == ".jpg":
            exif = Image.Exif()
            exif[_ORIENTATION] = orientation
            image.save(file, kind, quality=90, exif=exif)
        else:
            image.save(file, kind)
        return file.getvalue()

    def painted_black(self, data: bytes) -> bytes:
        """Return a BMP with its first row black, which is the end of the file."""
        file = io.BytesIO()
        with Image.open(io.BytesIO(data)) as image:
            image.paste((0, 0, 0), (0, 0, image.width, 1))
            image.save(file, "BMP")
        return file.getvalue()

    def mask(self, height: int = 9, width: int = 14) -> bytes:
        """Return a mask as a paint program saves it."""
        pixels = self._noise.integers(0, 3, (height, width), dtype=np.uint8)
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        return file.getvalue()

    def shapes(self, size: tuple[int, int], labels: tuple[str, ...] = LABELS) -> list[list[Any]]:
        """Return a label and four numbers, x, y, width and height, for one or two boxes."""
        height, width = size
        boxes = []
        for _ in range(self.rng.randint(1, 2)):
            x, y = self.rng.randrange(width - 3), self.rng.randrange(height - 3)
            wide, high = self.rng.randint(2, width - x), self.rng.randint(2, height - y)
            boxes.append([self.rng.choice(labels), x, y, wide, high])
        return boxes

    def labelme(self, data: bytes, image: str, *, embedded: bool = False) -> bytes:
        """Return a Labelme file of the photograph ``data``."""
        height, width = _upright_size(data)
        shapes = [
            {"label": label, "points": [[x, y], [x + w, y + h]], "shape_type": "rectangle"}
            for label, x, y, w, h in self.shapes((height, width))
        ]
        document = {"version": "5.5.0", "shapes": shapes, "imagePath": image}
        document["imageData"] = base64.b64encode(data).decode() if embedded else None
        document |= {"imageHeight": height, "imageWidth": width}
        return json.dumps(document).encode()

    def via(self, photos: dict[str, bytes]) -> bytes:
        """Return a VIA export of photographs by name."""
        entries = {}
        for name, data in photos.items():
            regions = [
                {
                    "shape_attributes": {"name": "rect", "x": x, "y": y, "width": w, "height": h},
                    "region_attributes": {"class": label},
                }
                for label, x, y, w, h in self.shapes(_upright_size(data))
            ]
            entries[f"{name}{len(data)}"] = {
                "filename": name,
                "size": len(data),
                "regions": regions,
                "file_attributes": {},
            }
        return json.dumps(entries).encode()

    def ochuman(self, photos: dict[str, bytes]) -> bytes:
        """Return an ochuman.json of photographs by name."""
        images = []
        for name, data in photos.items():
            height, width = _upright_size(data)
            people = [
                {"segms": {"outer": [[x, y, x + w, y, x + w, y + h]]}, "keypoints": [1]}
                for _, x, y, w, h in self.shapes((height, width))
            ]
            images.append(
                {"file_name": name, "height": height, "width": width, "annotations": people}
            )
        return json.dumps({"images": images}).encode()


def _upright_size(data: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(data)) as image:
        width, height = image.size
        turned = image.getexif().get(_ORIENTATION, 1) >= 5
    return (width, height) if turned else (height, width)
