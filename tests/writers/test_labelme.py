"""Labelme files: the fields that Labelme wants, groups, and the way to the image."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from strategies import annotation, region

from maskforge import rasterize
from maskforge.classes import ClassTable
from maskforge.raster.geometry import Box, Ellipse, Polyline
from maskforge.raster.label_image import to_raster
from maskforge.writers import Scene, labelme, polygons

TABLE = ClassTable.from_names(["cat", "dog"])


def content(scene: Scene) -> Any:
    return json.loads(labelme.encode(scene, labelme.Options()))


def test_the_fields_of_a_file() -> None:
    raster = to_raster(np.array([[0, 1, 1, 0, 2]]), TABLE)
    scene = Scene(raster, file_name="a.jpg", image="images/day/a.jpg", place="images/day/a.json")
    found = content(scene)
    assert list(found) == [
        *("version", "flags", "shapes", "imagePath", "imageData", "imageHeight", "imageWidth"),
    ]
    assert (found["imagePath"], found["imageHeight"], found["imageWidth"]) == ("a.jpg", 1, 5)
    first, second = found["shapes"]
    assert first["points"] == [[1, 0], [3, 0], [3, 1], [1, 1]]
    assert (first["label"], first["group_id"], first["shape_type"]) == ("cat", None, "polygon")
    assert second["label"] == "dog"
    assert polygons.encode(scene, polygons.Options()) == labelme.encode(scene, labelme.Options())


def test_the_way_to_an_image_elsewhere() -> None:
    raster = to_raster(np.array([[0]]), TABLE)
    scene = Scene(raster, file_name="a.jpg", image="../photos/a.jpg", place="images/day/a.json")
    assert content(scene)["imagePath"] == "../../../photos/a.jpg"
    assert content(Scene(raster, file_name="a.jpg", place="x/a.json"))["imagePath"] == "a.jpg"


def test_parts_share_a_number_that_no_group_has() -> None:
    boxes = [Box(x, 0, x + 1, 2) for x in range(6)]
    regions = (
        region("cat", *boxes[:2]),
        region("cat", boxes[2], group=4),
        region("dog", boxes[3], group="x"),
        region("dog", boxes[4], group="x"),
        region("dog", boxes[5]),
    )
    source = annotation(*regions, height=2, width=6)
    found = content(Scene(rasterize(source, TABLE), annotation=source))
    assert [shape["group_id"] for shape in found["shapes"]] == [5, 5, 4, 6, 6, None]


def test_kinds_of_shapes() -> None:
    shapes = (
        Box(1, 1, 4, 3),
        Ellipse(5, 4, 2, 2),
        Polyline(np.array([[0.5, 0.5], [8, 5]]), 10.0),
        Polyline(np.array([[0.5, 0.5], [8, 5]]), 3.0),
        Ellipse(5, 3, 4, 2),
    )
    source = annotation(*(region("cat", shape) for shape in shapes), height=8, width=10)
    found = content(Scene(rasterize(source, TABLE), annotation=source))["shapes"]
    kinds = [shape["shape_type"] for shape in found]
    assert kinds == ["rectangle", "circle", "linestrip", "polygon", "polygon"]
    assert found[0]["points"] == [[1, 1], [4, 3]]
    assert found[1]["points"] == [[5, 4], [7, 4]]
