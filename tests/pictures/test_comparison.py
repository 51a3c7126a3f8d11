"""Sheets of truth and prediction: what is wrong is coloured, and text can be read on a screen."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from maskforge.classes import ClassTable
from maskforge.pictures import comparison, contact_sheet
from maskforge.pictures.comparison import Comparison, overview, sheet

CLASSES = ClassTable(("_background_", "person", "dog"))
BARE = ClassTable(("person", "dog"), ids=(7, 9))


def compared(height=60, width=80, *, classes=CLASSES, name="in/photo", image=True):
    """A stripe of each: right, false positive, false negative, wrong class, ignored, nothing."""
    truth = np.zeros((height, width), np.uint8)
    prediction = truth.copy()
    for at, (true, said) in enumerate([(1, 1), (0, 1), (1, 0), (2, 1), (255, 1), (1, 255)]):
        rows = slice(at * height // 8, (at + 1) * height // 8)
        truth[rows], prediction[rows] = true, said
    photo = np.full((height, width, 3), 200, np.uint8) if image else None
    return Comparison(name, truth, prediction, classes, photo)


def test_each_kind_of_error_is_told():
    right, added, missed, wrong, ignored = range(5)
    one = compared(8, 5)
    assert one.errors[:, 0].tolist() == [right, added, missed, wrong, ignored, missed, right, right]
    assert [(e.name, e.share) for e in comparison._of_errors(one)] == [
        ("false positive", "12.5 %"),
        ("false negative", "25.0 %"),
        ("wrong class", "12.5 %"),
        ("ignored", "12.5 %"),
        ("right", "37.5 %"),
    ]


def test_without_a_background_what_is_wrong_is_of_a_wrong_class():
    truth, prediction = np.array([[0, 1, 255, 1]]), np.array([[1, 1, 1, 255]])
    one = Comparison("a", truth, prediction, BARE)
    assert one.errors.tolist() == [[3, 0, 4, 2]]
    assert [(e.number, e.name) for e in comparison._of_classes(one)] == [
        ("9", "dog"),
        ("7", "person"),
    ]


@pytest.mark.parametrize(
    ("height", "width"), [(60, 80), (80, 60), (8, 400), (400, 8), (2000, 3000), (1, 1)]
)
@pytest.mark.parametrize("image", [True, False])
def test_a_sheet_fits_a_screen(height, width, image):
    drawn = sheet(compared(height, width, image=image))
    assert drawn.width <= 1600
    assert drawn.height <= 1000 + 40
    assert comparison.TEXT * 1280 / 1600 >= 14
    assert contact_sheet.TEXT * 1280 / contact_sheet.WIDTH >= 14


def test_the_error_map_shows_each_error_in_its_colour():
    drawn = sheet(compared(480, 640))
    colors = dict((color, count) for count, color in drawn.getcolors(2**24))
    added, missed, wrong = (colors[comparison._ERRORS[kind][1]] for kind in (1, 2, 3))
    assert missed / added == pytest.approx(2, rel=0.1)
    assert wrong / added == pytest.approx(1, rel=0.1)
    assert colors[(100, 100, 100)] / added == pytest.approx(3, rel=0.35)  # right, and half ignored


def test_errors_are_told_apart_by_everybody():
    """By lightness or by hue, also without red and green: distances in CIELAB are large."""
    from maskforge.pictures import previews

    shown = np.array([[color for _, color in comparison._ERRORS.values()]], np.uint8)
    # Deuteranopia after Viénot, Brettel and Mollon (1999), on linear light.
    to_lms = np.array(
        [[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714], [0.0299566, 0.184309, 1.46709]]
    )
    lms = (shown / 255.0) ** 2.2 @ to_lms.T
    lms[..., 1] = 0.494207 * lms[..., 0] + 1.24827 * lms[..., 2]
    linear = np.clip(lms @ np.linalg.inv(to_lms).T, 0, 1)
    blind = (255 * linear ** (1 / 2.2)).astype(np.uint8)
    for colors in (shown, blind):
        lab = previews._lab(colors)[0]
        apart = np.linalg.norm(lab[:, None] - lab[None], axis=2)
        assert apart[~np.eye(len(lab), dtype=bool)].min() > 30


class Written:
    """Notes each text that is written, with its box, and the picture that it is on."""

    def __init__(self, monkeypatch):
        self.texts = []
        real = ImageDraw.ImageDraw.text

        def text(pen, xy, said, fill=None, font=None, anchor=None, **more):
            assert isinstance(font, ImageFont.FreeTypeFont)
            box = pen.textbbox(xy, said, font=font, anchor=anchor)
            self.texts.append((said, box, pen._image.size, font.size))
            return real(pen, xy, said, fill=fill, font=font, anchor=anchor, **more)

        monkeypatch.setattr(ImageDraw.ImageDraw, "text", text)

    def check(self, smallest):
        assert self.texts
        for said, box, (width, height), size in self.texts:
            assert box[0] >= 0, said
            assert box[1] >= 0, said
            assert box[2] <= width, said
            assert box[3] <= height, said
            assert size >= smallest, said


@pytest.mark.parametrize("name", ["a", "folder/" + "x" * 500 + "/end.jpg", "\ud800\n"])
def test_captions_are_whole(monkeypatch, name):
    written = Written(monkeypatch)
    classes = ClassTable(
        ("_background_", "人" * 90, *(f"{'long ' * 9}class {n}" for n in range(30)))
    )
    one = compared(classes=classes, name=name)
    one.truth[-8:] = np.arange(8)[:, None] + 20
    sheet(one)
    written.check(18)
    texts = [text for text, *_ in written.texts]
    assert "mean IoU 24.9 %" in " ".join(texts) or any(t.startswith("mean IoU") for t in texts)
    assert {"image", "truth", "prediction"} < set(texts)
    assert "background" in texts
    written.texts.clear()
    overview(["1"], lambda _: one, heading="epoch 1", errors=True)
    written.check(22)


def test_an_overview_loads_one_after_the_other_and_says_the_scores(monkeypatch):
    written = Written(monkeypatch)
    loaded = []

    def load(name):
        loaded.append(name)
        return compared(name=name)

    names = [str(n) for n in range(5)]
    drawn = overview(names, load, heading="epoch 3")
    assert loaded == names
    assert drawn.width <= 2000
    texts = [text for text, *_ in written.texts]
    assert "epoch 3 · image, truth, prediction" in texts
    score = compared().caption
    assert [f"{name} · {score}" for name in names] == [t for t in texts if score in t]
    assert {"background", "person", "dog"} <= set(texts)
    with_errors = overview(names, load, errors=True)
    colors = {color for _, color in with_errors.getcolors(2**24)}
    assert {color for _, color in comparison._ERRORS.values()} <= colors


def test_photographs_are_larger_than_a_network_sees_them():
    """A side of 192 pixels is shown at more, and an image may be larger than its label image."""
    one = compared(144, 192)
    photo = np.full((1440, 1920, 3), 200, np.uint8)
    photo[::2, ::2] = 100
    drawn = overview(["1"], lambda _: Comparison("1", one.truth, one.prediction, CLASSES, photo))
    assert isinstance(drawn, Image.Image)
    tile = drawn.crop((16, 68, 16 + 318, 68 + 256))
    assert tile.getcolors(2**24) is not None
    bright = np.asarray(tile).min(axis=2) > 60
    assert bright.any(axis=0).sum() > 300
