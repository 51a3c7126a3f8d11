"""VGG Image Annotator: a VIA 2 project for all images, to be corrected in VIA and converted again.

https://www.robots.ox.ac.uk/~vgg/software/via/ (``via-2.x.y/src/via.js`` says what it holds). The
class is the region attribute ``class``, a choice of the table's names. Polygons, rectangles,
circles, ellipses and lines are those that were drawn; all else becomes polygons on pixel edges.
Holes, and the parts of one object, are tied by slits without width, since VIA has neither.
"""

from __future__ import annotations

import posixpath
from typing import Any, BinaryIO, Final

from maskforge.classes import ClassTable
from maskforge.layouts import Names
from maskforge.raster import keyholes
from maskforge.raster.geometry import Box, Ellipse, Geometry, Polyline, Ring
from maskforge.records import from_json, to_json
from maskforge.writers import Scene, _objects
from maskforge.writers._objects import Objects

TITLE = "VIA project"
SUFFIX = ".json"
FOLDER = "via"
LOSSLESS = False
COLLECTION: Final = True
BY_SPLIT = False
picture = None

_ATTRIBUTE = "class"
_LINE_WIDTH = 10.0
"""Pixels; that of our reader where nothing is said."""


Options = _objects.Tracing


def encode(scene: Scene, options: _objects.Tracing) -> bytes:
    """Return the image's entry, and the folder that its name starts from."""
    found = _objects.of(scene, options, whole=True)
    name_of = scene.raster.classes.name_of
    regions = [
        {
            "shape_attributes": _shape(found, number),
            "region_attributes": {_ATTRIBUTE: name_of(class_id)},
        }
        for number, class_id in enumerate(found.class_ids)
    ]
    if scene.image is None and scene.annotation is not None and scene.annotation.embedded:
        scene.lost["images that are in the annotation only (--images copy writes them)"] += 1
    folder, name = _objects.folder_and_name(scene)
    entry = {"filename": name, "size": -1, "regions": regions, "file_attributes": {}}
    return to_json(folder) + b"\n" + to_json(entry)


def _shape(found: Objects, number: int) -> dict[str, Any]:
    parts = found.drawn[number]
    if parts is not None and len(parts) == 1 and (shape := _single(parts[0])) is not None:
        return shape
    polygons, ring = _objects.as_polygons(parts), None
    if polygons is not None:
        ring = _objects.one_ring(polygons, height=found.height, width=found.width)
    return _points("polygon", keyholes.ring(found.polygons[number]) if ring is None else ring)


def _single(part: Geometry) -> dict[str, Any] | None:
    """Return the shape of a geometry that VIA has a shape for, but for polygons."""
    match part:
        case Box(left, top, right, bottom):
            width, height = right - left, bottom - top
            return {"name": "rect", "x": left, "y": top, "width": width, "height": height}
        case Ellipse(cx, cy, rx, ry, theta):
            if rx == ry:
                return {"name": "circle", "cx": cx, "cy": cy, "r": rx}
            return {"name": "ellipse", "cx": cx, "cy": cy, "rx": rx, "ry": ry, "theta": theta}
        case Polyline(points, width) if width == _LINE_WIDTH:
            return _points("polyline", points)
        case _:
            return None


def _points(kind: str, points: Ring) -> dict[str, Any]:
    x, y = zip(*_objects.numbers(points), strict=True)
    return {"name": kind, "all_points_x": x, "all_points_y": y}


class Collection:
    """The project under way: an image after the other, and what concerns all of them at its end."""

    def __init__(self, file: BinaryIO, classes: ClassTable, options: _objects.Tracing) -> None:
        self._file = file
        self._names = {name: name for _, name in _objects.things(classes)}
        self._keys: dict[str, None] = {}
        self._folder: str | None = None
        file.write(b'{"_via_img_metadata":{')

    def add(self, piece: bytes, names: Names) -> str:
        """Append an image, and return its key."""
        folder, entry = map(from_json, piece.split(b"\n"))
        if self._folder is None:
            self._folder = folder
        if folder != self._folder:
            entry["filename"] = _objects.way(
                posixpath.join(folder, entry["filename"]), self._folder
            )
        key, number = f"{entry['filename']}-1", 1
        while key in self._keys:
            key, number = f"{entry['filename']}-{number + 1}", number + 1
        self._file.write(b",\n" if self._keys else b"\n")
        self._file.write(to_json(key) + b":" + to_json(entry))
        self._keys[key] = None
        return key

    def close(self) -> None:
        """Write the attributes, and the settings without which VIA opens no project."""
        class_ = {"type": "dropdown", "description": "", "options": self._names}
        rest = {
            "_via_attributes": {
                "region": {_ATTRIBUTE: {**class_, "default_options": {}}},
                "file": {},
            },
            "_via_settings": _settings(self._folder or ""),
            "_via_data_format_version": "2.0.10",
            "_via_image_id_list": list(self._keys),
        }
        self._file.write(b"\n},\n" + to_json(rest)[1:] + b"\n")


def _settings(folder: str) -> dict[str, Any]:
    return {
        "ui": {
            "annotation_editor_height": 25,
            "annotation_editor_fontsize": 0.8,
            "leftsidebar_width": 18,
            "image_grid": {
                "img_height": 80,
                "rshape_fill": "none",
                "rshape_fill_opacity": 0.3,
                "rshape_stroke": "yellow",
                "rshape_stroke_width": 2,
                "show_region_shape": True,
                "show_image_policy": "all",
            },
            "image": {
                "region_label": _ATTRIBUTE,
                "region_color": _ATTRIBUTE,
                "region_label_font": "10px Sans",
                "on_image_annotation_editor_placement": "NEAR_REGION",
            },
        },
        "core": {"buffer_size": 18, "filepath": {}, "default_filepath": folder},
        "project": {"name": "maskforge"},
    }
