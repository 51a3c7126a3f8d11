"""Points and rings at the border."""

from __future__ import annotations

import numpy as np
import pytest

from maskforge.errors import GeometryError
from maskforge.raster import runs
from maskforge.raster.geometry import (
    MAX_COORDINATE,
    Bitmap,
    Box,
    Polygon,
    Polyline,
    nbytes,
    points,
    ring,
)

TRIANGLE = [(0, 0), (4, 0), (4, 3)]


def test_points_are_float64_pairs() -> None:
    got = points([(1, 2), (3.5, -4)])
    assert got.dtype == np.float64
    assert got.tolist() == [[1, 2], [3.5, -4]]
    assert points(np.array([[1, 2]], dtype=np.int32)).dtype == np.float64


@pytest.mark.parametrize("values", [[], [[]], np.zeros((0, 2))])
def test_no_points(values: object) -> None:
    assert points(values).shape == (0, 2)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "values",
    [
        5,
        None,
        "xy",
        [1, 2],
        [(1, 2), (3,)],
        [(1, 2, 3)],
        [[(1, 2)]],
        [("a", "b")],
        [({}, 1)],
        [(1j, 2)],
        [(10**400, 1)],
        {"x": 1},
    ],
)
def test_what_is_no_list_of_pairs(values: object) -> None:
    with pytest.raises(GeometryError, match="points must be pairs of numbers, but got") as caught:
        points(values)  # type: ignore[arg-type]
    assert caught.value.code == "bad-shape"
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf"), 1000001, -1e300])
@pytest.mark.parametrize("column", [0, 1])
def test_coordinates_must_be_finite_and_small(bad: float, column: int) -> None:
    values = np.array(TRIANGLE, dtype=np.float64)
    values[2, column] = bad
    with pytest.raises(GeometryError, match="finite and within ±1000000, but point 2 is"):
        points(values)


def test_the_largest_coordinate_is_allowed() -> None:
    assert points([(MAX_COORDINATE, -MAX_COORDINATE)]).tolist() == [[1e6, -1e6]]


def test_a_ring_is_not_closed() -> None:
    assert ring([*TRIANGLE, TRIANGLE[0]]).tolist() == ring(TRIANGLE).tolist()
    assert len(ring(TRIANGLE)) == 3


@pytest.mark.parametrize(
    ("values", "count"),
    [([], 0), ([(1, 1)], 1), ([(1, 1), (2, 2)], 2), ([(1, 1), (2, 2), (1, 1)], 2)],
)
def test_a_ring_has_3_points(values: list[tuple[int, int]], count: int) -> None:
    with pytest.raises(GeometryError, match=f"at least 3 points, but got {count}") as caught:
        ring(values)
    assert caught.value.code == "empty-shape"


def test_the_callers_array_is_not_changed() -> None:
    values = np.array([*TRIANGLE, TRIANGLE[0]], dtype=np.float64)
    before = values.copy()
    ring(values)
    np.testing.assert_array_equal(values, before)


def test_a_bitmap_is_its_mask() -> None:
    mask = np.array([[0, 1, 1], [1, 0, 1]], dtype=bool)
    bitmap = Bitmap.of(mask, x=1.5)
    assert bitmap.start.tolist() == [1, 3, 5]
    assert bitmap.stop.tolist() == [3, 4, 6]
    assert bitmap.start.dtype == np.int32
    assert (bitmap.height, bitmap.width, bitmap.x, bitmap.y) == (2, 3, 1.5, 0)
    assert bitmap.mask.tolist() == mask.tolist()
    for size in ((2, 3), (0, 0), (0, 3)):
        nothing = Bitmap.of(np.zeros(size, dtype=bool))
        assert nothing.mask.shape == size
        assert not nothing.mask.any()


def test_a_bitmap_has_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    none = np.zeros(0, dtype=np.int32)
    with pytest.raises(GeometryError, match="at most 268435456 pixels, but has 16385x16384"):
        Bitmap(none, none, 16384, 16385, 0, 0)
    monkeypatch.setattr(runs, "MAX_RUNS", 3)
    comb = np.array([[0, 1, 0, 1, 0, 1, 0, 1, 0]], dtype=bool)
    with pytest.raises(GeometryError, match="at most 3 runs of pixels in their rows, but have 4"):
        Bitmap.of(comb)
    assert len(Bitmap.of(comb[:, :7]).start) == 3
    with pytest.raises(GeometryError, match="but have 4"):
        Bitmap.of(np.ones((4, 1), dtype=bool))  # runs as wide as the bitmap


def test_nbytes_counts_what_can_become_large() -> None:
    three = np.zeros((3, 2))
    assert nbytes(Polygon(three)) == 48
    assert nbytes(Polygon(three, (three, three))) == 144
    assert nbytes(Polyline(three, 1.0)) == 48
    assert nbytes(Bitmap.of(np.ones((5, 1), dtype=bool))) == 40
    assert nbytes(Box(0, 0, 9, 9)) == 0
