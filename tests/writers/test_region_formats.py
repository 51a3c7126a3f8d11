"""Formats of regions: what is written and read again is the same, region by region."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from region_formats import FORMATS, covered, drawn, read, scene_of, shown, written
from strategies import annotation, masks, region

from maskforge import rasterize
from maskforge.classes import BACKGROUND, IGNORE, ClassTable
from maskforge.raster import transform
from maskforge.raster.geometry import Bitmap, Box, Ellipse, Polygon, Polyline
from maskforge.raster.label_image import to_raster

TABLE = ClassTable.from_names(["__ignore__", "cat", 'größe, "x"', "dog's"])
SPARSE = ClassTable.of({0: BACKGROUND, 3: "cat", 260: "dog", 40_000: "owl"})
SIZE = (6, 9)
WAYS = [(name, {}) for name in FORMATS] + [
    *(("coco", {"segmentation": how}) for how in ("polygon", "rle")),
    ("yolo", {"split_parts": True}),
]


@pytest.mark.parametrize(("format_", "options"), WAYS)
@pytest.mark.parametrize("classes", [TABLE, SPARSE], ids=["dense", "sparse"])
@given(data=st.data())
def test_a_label_image_comes_back(
    format_: str, options: dict[str, object], classes: ClassTable, data: st.DataObject
) -> None:
    shape = data.draw(npst.array_shapes(min_dims=2, max_dims=2, max_side=9))
    channels = data.draw(npst.arrays(np.int64, shape, elements=st.integers(0, len(classes) - 1)))
    raster = to_raster(channels, classes)
    with tempfile.TemporaryDirectory() as folder:
        path = written(scene_of(raster), format_, Path(folder), **options)
        found = read(path, format_)
        again = drawn(found, classes, shape)
    assert np.array_equal(again.label_image(), raster.label_image())
    assert shown(again) == shown(raster)
    # A label image hides a hole in the wrong outline under what is drawn on top.
    assert covered(again, list(range(len(found.regions)))) == shown(raster)


@pytest.mark.parametrize(("format_", "options"), [way for way in WAYS if way[1] != WAYS[-1][1]])
@given(data=st.data())
def test_objects_come_back_whole(
    format_: str, options: dict[str, object], data: st.DataObject
) -> None:
    """Of several parts, with holes, upon each other, erased by a background, tied by groups."""
    height, width = SIZE
    patches = data.draw(st.lists(masks(height=height, width=width), max_size=5))
    labels = [data.draw(st.sampled_from([*TABLE.names, IGNORE])) for _ in patches]
    groups = [data.draw(st.sampled_from([None, 1, 2, "x"])) for _ in patches]
    regions = [
        region(label, Bitmap.of(mask), group=group)
        for label, mask, group in zip(labels, patches, groups, strict=True)
    ]
    source = annotation(*regions, height=height, width=width)
    raster = rasterize(source, TABLE)
    keys = [
        number if group is None else (label, group)
        for number, (label, group) in enumerate(zip(labels, groups, strict=True))
    ]
    wanted = covered(raster, keys)
    if format_ == "panoptic":  # which holds what shows
        wanted = shown(raster)
    wanted = Counter({(v, m): n for (v, m), n in wanted.items() if 0 < v < 255 and any(m)})
    with tempfile.TemporaryDirectory() as folder:
        scene = scene_of(raster, source)
        path = written(scene, format_, Path(folder), **options)
        found = read(path, format_)
        again = drawn(found, TABLE, SIZE)
    assert scene.lost["ignored pixels"] == raster.pixel_counts.get(255, 0)
    keys = [
        number if one.group is None else (one.label, one.group)
        for number, one in enumerate(found.regions)
    ]
    assert covered(again, keys) == wanted


@pytest.mark.parametrize("other", FORMATS)
@pytest.mark.parametrize("format_", FORMATS)
@settings(max_examples=15)
@given(data=st.data())
def test_from_one_format_to_another_and_back(format_: str, other: str, data: st.DataObject) -> None:
    """Classes and their ids, parts, holes and instances are those that were."""
    shape = data.draw(npst.array_shapes(min_dims=2, max_dims=2, max_side=9))
    ids = data.draw(npst.arrays(np.int64, shape, elements=st.integers(0, len(SPARSE) - 1)))
    raster = to_raster(ids, SPARSE)
    scene = scene_of(raster)
    with tempfile.TemporaryDirectory() as folder:
        for number, name in enumerate((format_, other, format_)):
            found = read(written(scene, name, Path(folder) / str(number)), name)
            again = drawn(found, SPARSE, shape)
            height, width = shape
            if found.relative:
                found = transform.absolute(found, height=height, width=width)
            scene = scene_of(again, found)
            assert np.array_equal(again.label_image(), raster.label_image())
            assert covered(again, list(range(len(found.regions)))) == shown(raster)


SHAPES = (
    Polygon(np.array([[1.25, 0.5], [7.75, 2.0], [3.0, 5.5]])),
    Box(2.5, 1.5, 6.5, 4.25),
    Ellipse(4.5, 3.0, 2.25, 2.25),
    Ellipse(4.0, 3.0, 3.0, 1.5, 0.75),
    Polyline(np.array([[0.5, 1.0], [8.0, 5.0]]), 10.0),
)
KEPT = {
    "labelme": (Polygon, Box, Ellipse, Polyline),
    "via": (Polygon, Box, Ellipse, Polyline),
    "coco": (Polygon,),
    "yolo": (Polygon,),
}


def same(a: object, b: object) -> bool:
    """Tell whether two geometries are the same."""
    if isinstance(a, Polygon) and isinstance(b, Polygon):
        return np.array_equal(a.exterior, b.exterior) and not (a.interiors or b.interiors)
    if isinstance(a, Polyline) and isinstance(b, Polyline):
        return np.array_equal(a.points, b.points) and a.width == b.width
    return a == b


@pytest.mark.parametrize("format_", KEPT)
def test_what_was_drawn_stays_as_it_was(format_: str, tmp_path: Path) -> None:
    shapes = [shape for shape in SHAPES if isinstance(shape, KEPT[format_])]
    if format_ == "labelme":
        shapes.remove(SHAPES[3])  # an ellipse that is no circle
    source = annotation(*(region("cat", shape) for shape in shapes), height=6, width=9)
    raster = rasterize(source, TABLE)
    found = read(written(scene_of(raster, source), format_, tmp_path), format_)
    if found.relative:
        from maskforge.raster.transform import absolute

        found = absolute(found, height=6, width=9)
    got = [part for one in found.regions for part in one.geometry]
    assert len(got) == len(shapes)
    assert all(same(a, b) for a, b in zip(got, shapes, strict=True))


@pytest.mark.parametrize("format_", ["labelme", "via", "coco", "yolo"])
def test_a_region_of_another_shape_is_its_pixels(format_: str, tmp_path: Path) -> None:
    hole = np.array([[3.0, 2.0], [5.0, 2.0], [5.0, 4.0]])
    shapes = (
        Polygon(np.array([[1.0, 0.0], [8.0, 1.0], [8.0, 6.0], [1.0, 5.0]]), (hole,)),
        Polyline(np.array([[0.0, 5.5], [9.0, 5.5]]), 1.0),
    )
    source = annotation(*(region("cat", shape) for shape in shapes), height=6, width=9)
    raster = rasterize(source, TABLE)
    found = read(written(scene_of(raster, source), format_, tmp_path), format_)
    again = drawn(found, TABLE, SIZE)
    assert covered(again, list(range(2))) == covered(raster, list(range(2)))


@pytest.mark.parametrize("format_", FORMATS)
def test_an_image_without_objects_is_listed(format_: str, tmp_path: Path) -> None:
    raster = to_raster(np.zeros(SIZE, np.int64), TABLE)
    found = read(written(scene_of(raster), format_, tmp_path), format_)
    assert found.regions == ()
    assert found.name == "a.png" if format_ != "yolo" else found.name.startswith("a.")


@pytest.mark.parametrize("format_", FORMATS)
def test_without_a_background_what_is_ignored_is_not_lost(format_: str, tmp_path: Path) -> None:
    table = ClassTable.of({1: "cat", 2: "dog"})
    channels = np.array([[0, 1, 255], [255, 255, 1]])
    scene = scene_of(to_raster(channels, table))
    found = read(written(scene, format_, tmp_path), format_)
    assert +scene.lost == Counter()
    assert np.array_equal(drawn(found, table, (2, 3)).label_image(), scene.raster.label_image())


@pytest.mark.parametrize("format_", ["coco", "labelme", "via", "yolo"])
@pytest.mark.parametrize(
    "how", [{"overlap": "first"}, {"overlap": "smallest"}, {"priority": "cat"}]
)
def test_what_lay_on_top_does_again(format_: str, how: dict[str, object], tmp_path: Path) -> None:
    shapes = (("cat", Box(1, 1, 4, 4)), ("dog's", Box(2, 0, 9, 5)), ("cat", Box(0, 0, 8, 2)))
    source = annotation(*(region(label, shape) for label, shape in shapes), height=6, width=9)
    if "priority" in how:
        how = {"priority": ["cat"]}
    raster = rasterize(source, TABLE, **how)  # type: ignore[arg-type]
    assert not np.array_equal(raster.label_image(), rasterize(source, TABLE).label_image())
    found = read(written(scene_of(raster, source), format_, tmp_path), format_)
    assert np.array_equal(drawn(found, TABLE, SIZE).label_image(), raster.label_image())
