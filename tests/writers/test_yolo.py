"""YOLO label files: numbers of classes, lines, and what lies outside of the image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapes import mask, ring
from strategies import annotation, region

from maskforge import rasterize
from maskforge.classes import BACKGROUND, ClassTable
from maskforge.raster.geometry import Box, Polygon
from maskforge.rules import pixel_center
from maskforge.writers import Scene, yolo

SPARSE = ClassTable.of({2: "cat", 5: BACKGROUND, 9: "dog"})


def lines(*regions: object, height: int = 6, width: int = 8, **options: object) -> list[str]:
    source = annotation(*regions, height=height, width=width)
    scene = Scene(rasterize(source, SPARSE), annotation=source)
    return yolo.encode(scene, yolo.Options(**options)).decode().splitlines()


def test_classes_count_from_0_without_the_background() -> None:
    found = lines(region("dog", Box(2, 3, 4, 6)), region("cat", Box(0, 0, 8, 1.5)))
    assert found == ["1 0.25 0.5 0.5 0.5 0.5 1 0.25 1", "0 0 0 1 0 1 0.25 0 0.25"]
    assert lines(region(BACKGROUND, Box(0, 0, 3, 3))) == []


def test_parts_are_one_line_or_a_line_each() -> None:
    two = region("cat", Box(0, 0, 2, 2), Box(4, 3, 8, 6))
    (one,) = lines(two)
    assert len(one.split()) == 1 + 2 * (4 + 4 + 2)  # the ends of the slit stand twice
    assert [len(line.split()) for line in lines(two, split_parts=True)] == [9, 9]
    source = annotation(two, height=6, width=8)
    scene = Scene(rasterize(source, SPARSE), annotation=source)
    yolo.encode(scene, yolo.Options(split_parts=True))
    assert scene.lost["objects split into parts"] == 1


def test_parts_upon_each_other_are_united() -> None:
    (one,) = lines(region("cat", Box(0, 0, 4, 4), Box(2, 0, 8, 4)))
    assert one == "0 0 0 1 0 1 0.666666666667 0 0.666666666667"


def test_what_is_outside_is_cut_and_not_pushed_in() -> None:
    found = lines(region("cat", Polygon(ring((-4, 3), (4, -5), (4, 3)))))
    assert found == ["0 0.5 0 0.5 0.5 0 0.5 0 0"]


coordinate = st.floats(-6, 14, width=32) | st.integers(-6, 14).map(float)


@given(st.lists(st.tuples(coordinate, coordinate), min_size=3, max_size=9))
def test_what_is_cut_covers_the_same_pixels(points: list[tuple[float, float]]) -> None:
    whole = np.array(points, dtype=np.float64)
    cut = yolo.cut(whole, height=6, width=8)
    before = mask(pixel_center, Polygon(whole), height=6, width=8)
    after = np.zeros_like(before)
    if len(cut) > 2:
        assert (cut >= 0).all()
        assert (cut <= (8, 6)).all()
        after = mask(pixel_center, Polygon(cut), height=6, width=8)
    # A crossing is rounded, so that a center it comes within a hair of may fall on either side.
    assert np.count_nonzero(before != after) == 0 or _comes_near_a_center(whole)


def _comes_near_a_center(points: np.ndarray) -> bool:
    rows, columns = np.mgrid[0:6, 0:8] + 0.5
    a, b = points[:, None], np.roll(points, -1, axis=0)[:, None]
    centers = np.stack([columns.ravel(), rows.ravel()], axis=1)[None]
    along = b - a
    cross = along[..., 0] * (centers - a)[..., 1] - along[..., 1] * (centers - a)[..., 0]
    return bool((np.abs(cross) < 1e-6).any())


@pytest.mark.parametrize("width", [3, 7, 1000, 65_500])
def test_corners_of_pixels_come_back(width: int) -> None:
    places = np.arange(0, width + 1, max(1, width // 97))
    for place in places.tolist():
        text = f"{place / width:.{yolo.DIGITS}f}"
        assert round(float(text) * width, 6) == place
