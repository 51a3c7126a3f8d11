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
    font = previews._font(13)
    assert previews._fitted("two\nlines  and\tmore", font, 1000) == "two lines and more"
    cut = previews._fitted("人" * 300, font, 100)
    assert cut.endswith("…")
    assert font.getlength(cut) <= 100
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


def test_names_in_any_script_are_told_apart(monkeypatch):
    """By a font of the system that has the letters, else by their numbers."""
    font = previews._font(16)
    assert previews._legible("cat", font, 16) == ("cat", font)
    monkeypatch.setattr(previews, "_system_fonts", tuple)
    for name, shown in (("车 a", "[8F66] a"), ("Café", "Cafe"), ("Straße", "Stra[DF]e")):
        assert previews._legible(name, font, 16) == (shown, font)
