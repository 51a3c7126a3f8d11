"""Previews: sizes, colours where they belong, and a legend that fits."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskforge import rasterize
from maskforge.classes import ClassTable
from maskforge.palette import display_index, display_palette
from maskforge.pictures import previews
from maskforge.raster.annotation import Annotation, Region
from maskforge.raster.geometry import Box
from maskforge.raster.label_image import to_raster
from maskforge.raster.raster import Raster

TABLE = ClassTable.from_names(["__ignore__", "person", "dog"])
PHOTO = (200, 180, 160)


def scene(height: int, width: int) -> Raster:
    """Person top left, dog bottom right, ignore top right, a quarter each; background between."""
    label_image = np.zeros((height, width), dtype=np.uint8)
    label_image[: height // 3, : width // 3] = 1
    label_image[-(height // 3) :, -(width // 3) :] = 2
    label_image[: height // 3, -(width // 3) :] = 255
    return to_raster(label_image, TABLE)


def pixel(image: Image.Image, x: float, y: float, *, height: int) -> tuple[int, ...]:
    """The pixel at a fraction of the picture, which is ``height`` rows high, legend excluded."""
    found = image.getpixel((int(x * image.width), int(y * height)))
    assert isinstance(found, tuple)
    return found


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((160, 120), (480, 360)),
        ((640, 480), (640, 480)),
        ((4000, 3000), (1024, 768)),
        ((30, 900), (320, 900)),  # wider than the picture, for the legend
        ((3000, 2), (1024, 1)),
        ((1, 1), (400, 400)),
    ],
)
def test_longer_side_is_brought_into_range(size: tuple[int, int], shown: tuple[int, int]) -> None:
    width, height = size
    image = previews.draw(None, to_raster(np.ones((height, width), dtype=np.uint8), TABLE))
    assert image.mode == "RGB"
    assert image.width == shown[0]
    assert shown[1] + 20 < image.height < shown[1] + 120


@pytest.mark.parametrize("factor", [1.0, 0.5, 2.0])
def test_image_is_tinted_where_classes_are(factor: float) -> None:
    photo = Image.new("RGB", (round(600 * factor), round(480 * factor)), PHOTO)
    image = previews.draw(photo, scene(480, 600))
    tint = previews._TINT / 255
    for x, y, class_id in ((0.1, 0.1, 1), (0.9, 0.9, 2)):
        expected = (1 - tint) * np.array(PHOTO) + tint * display_palette()[class_id]
        assert np.abs(np.array(pixel(image, x, y, height=480)) - expected).max() <= 2
    assert pixel(image, 0.5, 0.5, height=480) == PHOTO
    assert pixel(image, 0.1, 0.9, height=480) == PHOTO


def test_ignored_pixels_are_hatched_grey() -> None:
    image = previews.draw(None, scene(480, 600))
    area = np.asarray(image)[30:120, 430:570].reshape(-1, 3)
    assert {tuple(color) for color in area.tolist()} == {(110, 113, 120), (176, 179, 186)}


def test_outline_in_full_colour_with_a_halo_outside() -> None:
    image = previews.draw(Image.new("RGB", (600, 480), PHOTO), scene(480, 600))
    row = np.asarray(image)[80, 190:210].tolist()
    full = display_palette()[1].tolist()
    assert row[8:10] == [full, full]  # columns 198 and 199 are the last of the person
    assert min(row[10]) > 235
    assert sum(row[11]) < sum(PHOTO) - 100
    assert row[12] == list(PHOTO)


def test_instances_of_one_class_are_told_apart() -> None:
    regions = tuple(Region("person", (Box(x, 0, x + 300, 480),)) for x in (0, 300))
    annotation = Annotation("a", Path("a"), "", regions, height=480, width=600)
    image = previews.draw(Image.new("RGB", (600, 480), PHOTO), rasterize(annotation, TABLE))
    row = np.asarray(image)[240].tolist()
    full = display_palette()[1].tolist()
    assert [x for x in range(600) if row[x] == full] == [298, 299, 300, 301]


def test_the_image_given_stays_as_it_is() -> None:
    photo = Image.new("RGB", (600, 480), PHOTO)
    previews.draw(photo, scene(480, 600))
    assert photo.getcolors() == [(600 * 480, PHOTO)]


def test_legend_lists_classes_by_share_then_ignore_and_background() -> None:
    label_image = np.array([[2, 2, 2, 1, 1, 255, 0, 0, 0, 0]], dtype=np.uint8)
    entries = previews._entries(to_raster(label_image, TABLE))
    assert [(e.number, e.name, e.share) for e in entries] == [
        ("2", "dog", "30.0 %"),
        ("1", "person", "20.0 %"),
        ("255", "ignore", "10.0 %"),
        ("0", "background", "40.0 %"),
    ]
    assert entries[0].color == tuple(display_palette()[2].tolist())


def test_legend_of_many_classes_is_cut_and_says_so() -> None:
    classes = ClassTable.from_names([f"a rather long name {'x' * i}" for i in range(1, 60)])
    image = previews.draw(None, to_raster(np.arange(60).reshape(6, 10), classes))
    entries = previews._entries(to_raster(np.arange(60).reshape(6, 10), classes))
    assert (entries[24].number, entries[24].name, entries[24].share) == ("35", "more", "58.3 %")
    assert len(entries) == 26
    assert image.width == 400


def test_small_shares_and_odd_names() -> None:
    classes = ClassTable(("_background_", "two lines  and\tmore", "人" * 300))
    label_image = np.zeros((100, 100), dtype=np.uint8)
    label_image[0, :2] = 1, 2
    assert [e.share for e in previews._entries(to_raster(label_image, classes))][:2] == [
        "<0.1 %"
    ] * 2
    assert previews.draw(None, to_raster(label_image, classes)).width == 400


def test_colours_are_distinct_and_repeat_only_after_250_classes() -> None:
    shown = display_palette()[1:251]
    assert len(np.unique(shown, axis=0)) == 250
    assert [display_index(i) for i in (0, 1, 250, 251, 501)] == [0, 1, 250, 1, 1]
    classes = ClassTable.from_names([str(i) for i in range(1, 300)])
    image = previews.draw(None, to_raster(np.full((400, 400), 299), classes))
    assert image.getpixel((200, 200)) == tuple(shown[48].tolist())


def test_encode() -> None:
    image = previews.draw(Image.new("RGB", (600, 480), PHOTO), scene(480, 600))
    jpeg = Image.open(io.BytesIO(previews.encode(image)))
    assert (jpeg.format, jpeg.size) == ("JPEG", image.size)
    png = Image.open(io.BytesIO(previews.encode(image, suffix=".png")))
    assert png.format == "PNG"
    assert png.tobytes() == image.tobytes()


RED = tuple(display_palette()[1].tolist())


def tinted(photo, ids=None):
    """What a photo of 400x320 looks like above its legend, with an object in the middle."""
    if ids is None:
        ids = np.zeros((320, 400), np.uint8)
        ids[80:240, 100:300] = 1
    return np.asarray(previews.overlay(photo, to_raster(ids, TABLE), (400, 320)))


def painted(color, *, ground=PHOTO):
    photo = Image.new("RGB", (400, 320), ground)
    photo.paste(color, (100, 80, 300, 240))
    return photo


def test_an_object_of_the_colour_of_its_class_is_hatched():
    """In black or white, whichever is farther from it, on a fifth of it at least."""
    shown = tinted(painted(RED))
    inside = shown[100:220, 120:280].astype(int)
    dark = (inside.sum(axis=2) < sum(RED) - 150).mean()
    assert 0.15 < dark < 0.5
    assert (inside == RED).all(axis=2).mean() > 0.5
    classes, dark = ClassTable.from_names([str(n) for n in range(1, 64)]), 31
    color = display_palette()[dark].tolist()
    ids = np.zeros((320, 400), np.uint8)
    ids[80:240, 100:300] = dark
    shown = np.asarray(previews.overlay(painted(tuple(color)), to_raster(ids, classes), (400, 320)))
    inside = shown[100:220, 120:280].astype(int)
    assert 0.15 < (inside.sum(axis=2) > sum(color) + 150).mean() < 0.5


@pytest.mark.parametrize(("shift", "is_hatched"), [(10, True), (90, False)])
def test_only_near_colours_are_hatched(shift, is_hatched):
    color = (RED[0], RED[1] + shift, RED[2])
    inside = tinted(painted(color))[100:220, 120:280]
    assert (len(np.unique(inside.reshape(-1, 3), axis=0)) > 1) is is_hatched


def test_hatching_stays_within_its_class():
    """Where the ground has the colour of the class too, the background is never hatched."""
    plain, shown = painted(RED, ground=RED), tinted(painted(RED, ground=RED))
    assert (shown[:70] == np.asarray(plain)[:70]).all()
    assert (shown[:, :90] == np.asarray(plain)[:, :90]).all()
    assert (shown[100:220, 120:280] != RED).any()


def test_a_class_is_hatched_where_it_is_alike_and_nowhere_else():
    photo = Image.new("RGB", (400, 320), PHOTO)
    photo.paste(RED, (0, 0, 200, 320))
    shown = tinted(photo, np.ones((320, 400), np.uint8))
    left, right = shown[:, :180].reshape(-1, 3), shown[:, 220:].reshape(-1, 3)
    assert len(np.unique(left, axis=0)) > 1
    assert len(np.unique(right, axis=0)) == 1


def test_lightness_and_distance_are_those_of_cielab():
    colors = np.array([[[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 0, 255]]], np.uint8)
    found = previews._lab(colors)[0]
    known = [(100, 0, 0), (0, 0, 0), (53.24, 80.09, 67.20), (32.30, 79.19, -107.86)]
    assert found == pytest.approx(np.array(known), abs=0.1)
