"""VIA projects: what VIA itself needs to open one, and where its images are."""

from __future__ import annotations

import io
import json

import numpy as np

from maskforge.classes import ClassTable
from maskforge.layouts import Names
from maskforge.raster.label_image import to_raster
from maskforge.writers import Scene, via

TABLE = ClassTable.from_names(["cat", "größe"])


def test_a_project() -> None:
    file = io.BytesIO()
    collection = via.Collection(file, TABLE, via.Options())
    raster = to_raster(np.array([[0, 1, 1, 2]]), TABLE)
    keys = []
    for number, image in enumerate(["images/a.jpg", "images/b/c.jpg", "photos/d.jpg", None]):
        name = "x.jpg" if image is None else image.partition("/")[2]
        names = Names(f"s{number}", number, ".jpg")
        scene = Scene(raster, names, file_name=name, image=image, place="all.json")
        keys.append(collection.add(via.encode(scene, via.Options()), names))
    collection.close()
    project = json.loads(file.getvalue())
    assert keys == ["a.jpg-1", "b/c.jpg-1", "../photos/d.jpg-1", "../x.jpg-1"]
    assert project["_via_image_id_list"] == keys == list(project["_via_img_metadata"])
    assert project["_via_settings"]["core"]["default_filepath"] == "images/"
    assert project["_via_attributes"]["region"]["class"]["options"] == {
        "cat": "cat",
        "größe": "größe",
    }
    first, second = project["_via_img_metadata"]["a.jpg-1"]["regions"]
    assert first["region_attributes"] == {"class": "cat"}
    assert first["shape_attributes"] == {
        "name": "polygon",
        "all_points_x": [1, 3, 3, 1],
        "all_points_y": [0, 0, 1, 1],
    }
    assert second["region_attributes"] == {"class": "größe"}


def test_twins_have_keys_of_their_own() -> None:
    file = io.BytesIO()
    collection = via.Collection(file, TABLE, via.Options())
    names = Names("a", 0, ".jpg")
    piece = via.encode(
        Scene(to_raster(np.array([[1]]), TABLE), names, file_name="a.jpg"), via.Options()
    )
    assert [collection.add(piece, names) for _ in range(3)] == ["a.jpg-1", "a.jpg-2", "a.jpg-3"]
    collection.close()
    assert len(json.loads(file.getvalue())["_via_img_metadata"]) == 3
