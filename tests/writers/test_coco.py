"""COCO files, as pycocotools reads them."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from region_formats import scene_of, written
from strategies import annotation, masks_of, region

from maskforge import rasterize
from maskforge.classes import BACKGROUND, ClassTable
from maskforge.layouts import Names
from maskforge.raster.geometry import Box, Ellipse, Polygon
from maskforge.raster.label_image import to_raster
from maskforge.raster.regions import of_raster
from maskforge.writers import Scene, coco

pycocotools = pytest.importorskip("pycocotools.coco")
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
SPARSE = ClassTable.of({0: BACKGROUND, 3: "cat", 260: "dog"})


def loaded(path: Path) -> object:
    with contextlib.redirect_stdout(io.StringIO()):
        return pycocotools.COCO(str(path))


@pytest.mark.parametrize("how", ["auto", "polygon", "rle"])
@given(
    channels=npst.arrays(
        np.int64, npst.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.integers(0, 2)
    )
)
def test_every_mask_area_and_box_is_what_pycocotools_says(
    how: str, channels: np.ndarray, tmp_path_factory: pytest.TempPathFactory
) -> None:
    raster = to_raster(channels, SPARSE)
    path = written(scene_of(raster), "coco", tmp_path_factory.mktemp("coco"), segmentation=how)
    data = loaded(path)
    found = of_raster(raster)
    masks = masks_of(found.runs, len(found), height=raster.height, width=raster.width)
    (image,) = data.imgs.values()
    assert image == {"id": 1, "file_name": "a.png", "height": raster.height, "width": raster.width}
    assert {c["id"]: c["name"] for c in data.cats.values()} == {3: "cat", 260: "dog"}
    annotations = list(data.anns.values())
    assert [a["id"] for a in annotations] == list(range(1, len(found) + 1))
    for one, mask, value, box in zip(annotations, masks, found.value, found.boxes, strict=True):
        assert np.array_equal(data.annToMask(one), mask)
        assert (one["category_id"], one["area"], one["iscrowd"]) == (value, mask.sum(), 0)
        assert one["bbox"] == box.tolist()
        holes = isinstance(one["segmentation"], dict)
        assert holes == (how == "rle") or how == "auto"


@pytest.mark.parametrize("how", ["auto", "polygon", "rle"])
def test_areas_of_what_was_drawn_are_those_of_pycocotools(how: str, tmp_path: Path) -> None:
    hole = np.array([[12.3, 8.1], [18.0, 8.0], [15.5, 13.3]])
    shapes = (
        Polygon(np.array([[1.2, 2.7], [30.4, 4.4], [25.0, 19.9], [3.3, 17.5]])),
        Polygon(np.array([[5.0, 2.0], [28.4, 4.4], [25.0, 19.9], [3.3, 17.5]]), (hole,)),
        Box(-4.0, 1.5, 9.3, 30.0),
        Ellipse(14.0, 9.0, 6.0, 4.0, 0.3),
        Polygon(np.array([[3.79, 3.17], [2.08, 3.42], [3.14, 3.65]])),  # no pixel of COCO's
    )
    source = annotation(*(region("cat", shape) for shape in shapes), height=24, width=33)
    raster = rasterize(source, SPARSE)
    data = loaded(written(scene_of(raster, source), "coco", tmp_path, segmentation=how))
    assert len(data.anns) == len(shapes)
    for number, one in enumerate(data.anns.values()):
        mask = data.annToMask(one)
        assert one["area"] == mask.sum() > 0
        rows, columns = mask.nonzero()
        left, top = int(columns.min()), int(rows.min())
        size = [int(columns.max()) + 1 - left, int(rows.max()) + 1 - top]
        assert one["bbox"] == [left, top, *size]
        if how == "rle":
            assert np.array_equal(mask, raster.amodal.mask(number, height=24, width=33))
    kinds = [type(one["segmentation"]) for one in data.anns.values()]
    assert (
        kinds
        == {
            "auto": [list, dict, list, list, list],  # the last one, too, is its pixels
            "polygon": [list] * 5,
            "rle": [dict] * 5,
        }[how]
    )


def test_under_the_rule_coco_drawn_polygons_are_our_pixels(tmp_path: Path) -> None:
    ring = np.array([[1.2, 2.7], [30.4, 4.4], [25.0, 19.9], [3.3, 17.5]])
    source = annotation(region("cat", Polygon(ring)), height=24, width=33)
    raster = rasterize(source, SPARSE, rule="coco")
    data = loaded(written(scene_of(raster, source), "coco", tmp_path))
    assert np.array_equal(data.annToMask(data.anns[1]) * 3, raster.label_image() * 1)


def test_several_images_are_numbered_through(tmp_path: Path) -> None:
    file = io.BytesIO()
    collection = coco.Collection(file, SPARSE, coco.Options())
    for index, ids in ((0, [[0, 1, 0, 2]]), (3, [[0, 0]]), (4, [[1, 0]])):
        names = Names(f"s{index}", index, ".png")
        scene = Scene(to_raster(np.array(ids), SPARSE), names, file_name=f"day/{index}.jpg")
        assert collection.add(coco.encode(scene, coco.Options()), names) == str(index + 1)
    collection.close()
    content = json.loads(file.getvalue())
    assert [image["id"] for image in content["images"]] == [1, 4, 5]
    assert [image["file_name"] for image in content["images"]][1] == "day/3.jpg"
    assert [(a["id"], a["image_id"]) for a in content["annotations"]] == [(1, 1), (2, 1), (3, 5)]


def test_a_file_of_no_image_is_json() -> None:
    file = io.BytesIO()
    coco.Collection(file, SPARSE, coco.Options()).close()
    content = json.loads(file.getvalue())
    assert (content["images"], content["annotations"]) == ([], [])
