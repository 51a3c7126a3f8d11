"""Park scenes as labelme writes them, from version 2 to version 7."""

from __future__ import annotations

import base64
import random
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from . import park
from .canvas import SS, Mask, Point, Scene, Thing
from .files import UPRIGHT_IS_TURNED_RIGHT, jpeg, png, put, put_json
from .trace import Outline, pixels, rings

_SHAPE_KEYS = {
    2: ("label", "line_color", "fill_color", "points"),
    3: ("label", "line_color", "fill_color", "points", "shape_type", "flags"),
    4: ("label", "points", "group_id", "shape_type", "flags"),
    5: ("label", "points", "group_id", "description", "shape_type", "flags", "mask"),
}
LABELS = ("__ignore__", "_background_", "person", "dog", "ball", "crate", "snake", "umbrella")

_NAMES = {
    10: "embedded", 14: "names_itself", 20: "windows", 21: "windows_parent", 26: "Größe_公园",
    30: "phone", 31: "nobody",
}  # fmt: skip
_NEWEST = {"polygon": 2, "mask": 5, "points": 5, "oriented_rectangle": 6}
"""The major version that brought a shape type; the others came with version 3."""
_VERSIONS = {2: "", 3: "3.16.7", 4: "4.5.6", 5: "5.5.0", 6: "6.3.1", 7: "7.1.0"}


def write(folder: Path, *, count: int = 60) -> None:
    """Write ``count`` annotated scenes and labels.txt."""
    put(folder / "labels.txt", ("\n".join(LABELS) + "\n").encode())
    for number in range(count):
        upright = {"height": 160, "width": 120} if number == 30 else {}
        stage = park.scene(number, cast=() if number == 31 else None, **upright)
        _write_one(folder, number, stage)


def _write_one(folder: Path, number: int, stage: Scene) -> None:
    picture = stage.render(random.Random(f"labelme {number}"))
    if number == 30:
        # Stored lying on its side, as a phone does, with a tag that says how to turn it.
        stored = picture.transpose(Image.Transpose.ROTATE_90)
        content = jpeg(stored, orientation=UPRIGHT_IS_TURNED_RIGHT)
    else:
        content = png(picture) if number % 20 == 5 else jpeg(picture)
    suffix = ".png" if number % 20 == 5 else ".jpg"
    stem = _NAMES.get(number, f"park_{number:03d}")
    folder = folder / "more" if number >= 52 else folder
    image, named = folder / f"{stem}{suffix}", f"{stem}{suffix}"
    if number == 20:
        image, named = folder / "photos" / named, f"photos\\{named}"
    elif number == 21:
        named = f"..\\{folder.name}\\{named}"
    elif number == 14:
        named = f"{stem}.json"
    if number not in (10, 14):
        put(image, content)

    shapes = _shapes(stage, masks=number % 4 in (0, 3), modal=number % 3 == 2)
    oldest = max([_NEWEST.get(shape["shape_type"], 3) for shape in shapes], default=4)
    major = max(oldest, 3 + number % 5) if oldest != 2 else 2
    if number in (10, 14):
        major = 4 if oldest <= 4 else oldest
    embed = number in (10, 14) or major == 2
    record = _record(shapes, major, named, content if embed else None, stage)
    if number % 10 == 7 and major > 2:
        record["flags"] = {"outdoor": True, "night": False}
    put_json(folder / f"{stem}.json", record, indent=2, ascii_only=major < 6)


def _record(
    shapes: list[dict[str, Any]], major: int, named: str, content: bytes | None, stage: Scene
) -> dict[str, Any]:
    """Return what the given major version writes, its keys in its order."""
    data = None if content is None else base64.b64encode(content).decode()
    colours = {"lineColor": [0, 255, 0, 128], "fillColor": [255, 0, 0, 128]}
    size = {"imageHeight": stage.height, "imageWidth": stage.width}
    listed = [{key: shape.get(key) for key in _SHAPE_KEYS[min(major, 5)]} for shape in shapes]
    if major == 2:
        return {"shapes": listed, **colours, "imagePath": named, "imageData": data}
    head = {"version": _VERSIONS[major], "flags": {}, "shapes": listed}
    tail = {"imagePath": named, "imageData": data, **size}
    return head | (colours if major == 3 else {}) | tail


def _shapes(stage: Scene, *, masks: bool, modal: bool) -> list[dict[str, Any]]:
    """Return the shapes back to front; parts of one thing share a group_id.

    With ``masks`` dogs are marked by masks; with ``modal`` a hidden thing by what is left of it.
    """
    entries: list[tuple[int, dict[str, Any]]] = []
    for index, thing in enumerate(stage.things):
        if thing.shape != "polygon":
            entries.append((index, _shape(thing.label, thing.shape, thing.points)))
        elif masks and thing.label == "dog":
            entries.append((index, _mask_shape(thing)))
        else:
            outer, inner = rings(thing.mask)
            if modal:
                outer = rings(stage.visible(index))[0]
            entries += [(index, _shape(thing.label, "polygon", ring)) for ring in outer]
            for hole in inner:
                entries += _seen_through(stage, index, hole)
    parts = [index for index, _ in entries]
    grouped = sorted({index for index in parts if index >= 0 and parts.count(index) > 1})
    for index, shape in entries:
        if index in grouped:
            shape["group_id"] = grouped.index(index) + 1
        if index >= 0 and _share_seen(stage, index) < 0.85:
            shape["flags"] = {"occluded": True}
    return [shape for _, shape in entries]


def _share_seen(stage: Scene, index: int) -> float:
    return float(stage.visible(index).sum() / stage.things[index].mask.sum())


def _seen_through(stage: Scene, front: int, hole: Outline) -> list[tuple[int, dict[str, Any]]]:
    """Return the background a hole shows, as labelme's users mark it, and the things in it."""
    stencil = Image.new("L", (stage.width * SS, stage.height * SS))
    ImageDraw.Draw(stencil).polygon([(x * SS - 0.5, y * SS - 0.5) for x, y in hole], fill=255)
    free = (np.asarray(stencil) > 0) & ~stage.things[front].mask
    found = [(-1, _shape("_background_", "polygon", hole))]
    behind: list[tuple[int, dict[str, Any]]] = []
    for index in range(front - 1, -1, -1):
        thing = stage.things[index]
        for ring in rings(free & thing.mask, smallest=2.0)[0]:
            shape = _shape(thing.label, "polygon", ring)
            behind.append((index, shape | {"description": "seen through the gap at an arm"}))
        free = free & ~thing.mask
    return found + behind


def _shape(label: str, shape_type: str, points: list[Point]) -> dict[str, Any]:
    return {
        "label": label,
        "points": [[round(float(x), 2), round(float(y), 2)] for x, y in points],
        "shape_type": shape_type,
        "flags": {},
        "description": "",
    }


def _mask_shape(thing: Thing) -> dict[str, Any]:
    """Return a patch of pixels and the two corner pixels it spans, both included."""
    covered: Mask = pixels(thing.mask)
    rows, cols = np.flatnonzero(covered.any(axis=1)), np.flatnonzero(covered.any(axis=0))
    corners = [(cols[0], rows[0]), (cols[-1], rows[-1])]
    patch = covered[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1].astype(np.uint8)
    text = base64.b64encode(png(Image.fromarray(patch))).decode()
    return _shape(thing.label, "mask", corners) | {"mask": text}
