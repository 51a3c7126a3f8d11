"""label, palette, instance, color: what other programs find in the files."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from maskforge import rasterize
from maskforge.classes import BACKGROUND, ClassTable
from maskforge.errors import ClassError, GeometryError, UsageError
from maskforge.palette import voc_palette
from maskforge.raster.annotation import Annotation, Region
from maskforge.raster.geometry import Box
from maskforge.raster.label_image import to_raster
from maskforge.raster.raster import Raster
from maskforge.writers import Scene, color, instance, label, npy, palette

TABLE = ClassTable.from_names(["__ignore__", "person", "dög"])
IDS = np.array([[0, 1, 1, 255], [2, 2, 0, 0]], dtype=np.uint8)
SIXTEEN_BITS = ("I;16", "I")  # the name changed in Pillow 11
MANY = ClassTable.from_names([f"c{i}" for i in range(1, 300)])


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def boxes(*regions: tuple[str, int | None, int, int]) -> Raster:
    """Regions on an image 1 high and 9 wide: label, group, first column, column after the last."""
    parts = tuple(
        Region(name, (Box(first, 0, stop, 1),), group) for name, group, first, stop in regions
    )
    return rasterize(Annotation("a", Path("a"), "", parts, height=1, width=9), TABLE)


def test_label_is_read_as_ids_by_all() -> None:
    data = label.encode(Scene(to_raster(IDS, TABLE)), label.Options())
    assert opened(data).mode == "L"
    assert (np.asarray(opened(data)) == IDS).all()
    assert (cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) == IDS).all()
    assert opened(data).info["maskforge:classes"] == TABLE.to_text()
    assert opened(data).info["maskforge:classes-hash"] == TABLE.hash


def test_label_has_16_bits_by_the_class_table_and_never_wraps() -> None:
    ids = np.array([[0, 299, 65535]], dtype=np.uint16)
    image = opened(label.encode(Scene(to_raster(ids, MANY)), label.Options()))
    assert image.mode in SIXTEEN_BITS
    assert np.asarray(image).tolist() == [[0, 299, 65535]]
    small = opened(label.encode(Scene(to_raster(np.array([[0, 1]]), MANY)), label.Options()))
    assert small.mode in SIXTEEN_BITS


def test_palette_holds_ids_in_voc_colours() -> None:
    image = opened(palette.encode(Scene(to_raster(IDS, TABLE)), palette.Options()))
    assert image.mode == "P"
    assert (np.asarray(image) == IDS).all()
    assert image.convert("RGB").getpixel((0, 1)) == (0, 128, 0)
    assert image.convert("RGB").getpixel((3, 0)) == (224, 224, 192)
    assert image.info["maskforge:classes"] == TABLE.to_text()


def test_palette_refuses_more_than_255_classes() -> None:
    with pytest.raises(ClassError, match="at most 255 classes, but the class table has 300"):
        palette.encode(Scene(to_raster(np.array([[0, 1]]), MANY)), palette.Options())


def test_instances_count_groups_once_and_leave_ignored_pixels_out() -> None:
    raster = boxes(
        ("person", None, 0, 2), ("person", 7, 2, 4), ("__ignore__", None, 4, 6), ("person", 7, 6, 8)
    )
    data = instance.encode(Scene(raster), instance.Options())
    assert opened(data).mode == "L"
    assert np.asarray(opened(data)).tolist() == [[1, 1, 2, 2, 0, 0, 2, 2, 0]]
    painted = opened(instance.encode(Scene(raster), instance.Options(palette=True)))
    assert painted.mode == "P"
    assert np.asarray(painted).tolist() == [[1, 1, 2, 2, 0, 0, 2, 2, 0]]
    assert painted.getpalette() == voc_palette().reshape(-1).tolist()


@pytest.mark.parametrize("painted", [False, True])
def test_more_than_255_instances_take_16_bits(painted: bool) -> None:
    parts = tuple(Region("person", (Box(i, 0, i + 1, 1),)) for i in range(300))
    raster = rasterize(Annotation("a", Path("a"), "", parts, height=1, width=300), TABLE)
    image = opened(instance.encode(Scene(raster), instance.Options(palette=painted)))
    assert image.mode in SIXTEEN_BITS
    assert np.asarray(image).tolist() == [list(range(1, 301))]


def test_more_instances_than_16_bits_hold() -> None:
    raster = to_raster(IDS, TABLE)
    raster = Raster(
        raster.height, raster.width, TABLE, raster.segments, raster.region_class,
        np.array([70000, 1, 2]), raster.region_area,
    )  # fmt: skip
    with pytest.raises(GeometryError, match="at most 65535 instances, but has 70000"):
        instance.encode(Scene(raster), instance.Options())


def test_purple_yellow_is_what_opencv_reads_as_bgr() -> None:
    data = color.encode(Scene(to_raster(IDS, TABLE)), color.Options())
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert bgr.shape == (2, 4, 3)
    assert bgr[0].tolist() == [[120, 0, 120], [50, 235, 235], [50, 235, 235], [127, 127, 127]]
    assert bgr[1, 0].tolist() == [50, 235, 235]


def test_colours_of_a_list() -> None:
    options = color.Options(style="#010000,#000100,#000001")
    data = color.encode(Scene(to_raster(IDS, TABLE)), options)
    assert opened(data).getpixel((1, 0)) == (0, 1, 0)


def test_a_style_that_is_none() -> None:
    with pytest.raises(UsageError, match="style must be one of"):
        color.encode(Scene(to_raster(IDS, TABLE)), color.Options(style="pink"))


SPARSE = ClassTable(("b", BACKGROUND, "a"), ids=(3, 5, 40), ignore=0)
CHANNELS = np.array([[0, 1, 2, 255]], dtype=np.uint8)


def test_files_hold_the_ids_of_the_table() -> None:
    raster = to_raster(CHANNELS, SPARSE)
    for writer in (label, palette):
        assert np.asarray(opened(writer.encode(Scene(raster), writer.Options()))).tolist() == [
            [3, 5, 40, 0]
        ]
    found = np.load(io.BytesIO(npy.encode(Scene(raster), npy.Options())))
    assert found.tolist() == [[3, 5, 40, -1]]


def test_colours_go_by_place_in_the_table() -> None:
    raster = to_raster(CHANNELS, SPARSE)
    found = opened(color.encode(Scene(raster), color.Options("#010101,#020202,#030303")))
    assert np.asarray(found)[0, :, 0].tolist() == [1, 2, 3, 127]
    found = opened(color.encode(Scene(raster), color.Options("black-white")))
    assert np.asarray(found)[0, :, 0].tolist() == [255, 0, 255, 127]


def test_a_palette_png_has_the_colours_of_the_table() -> None:
    own = ClassTable(("a", "b"), ids=(1, 15), colors=((1, 2, 3), (4, 5, 6)))
    image = opened(palette.encode(Scene(to_raster(np.array([[0, 1]]), own)), palette.Options()))
    assert np.asarray(image.convert("RGB")).tolist() == [[[1, 2, 3], [4, 5, 6]]]
    with pytest.raises(ClassError, match="at most 255 classes, but the class table has 1, with"):
        palette.encode(
            Scene(to_raster(np.array([[0]]), ClassTable(("a",), ids=(255,)))), palette.Options()
        )
