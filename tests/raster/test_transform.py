"""A change of frame of the geometry, against the same change of the raster."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import Mask, annotation, masks, masks_of, region

from maskforge.errors import GeometryError
from maskforge.raster import transform as transform_
from maskforge.raster.geometry import Bitmap, Box, Ellipse, Geometry, Polygon, Polyline
from maskforge.raster.transform import scale_matrix, transform_annotation, upright_matrix
from maskforge.rules.pixel_center import cover

HEIGHT, WIDTH = 5, 8


def transform(geometry: Geometry, matrix: transform_.Matrix) -> Geometry:
    """Transform into a frame so large that it cuts nothing off."""
    return transform_.transform(geometry, matrix, height=1000, width=1000)


UPRIGHT = {  # what a viewer does to the stored pixels (EXIF 2.3, tag 0x0112)
    1: lambda image: image,
    2: np.fliplr,
    3: lambda image: np.rot90(image, 2),
    4: np.flipud,
    5: np.transpose,
    6: lambda image: np.rot90(image, -1),
    7: lambda image: np.rot90(image, 2).T,
    8: lambda image: np.rot90(image, 1),
}
orientations = st.sampled_from(sorted(UPRIGHT))
# Away from ties, which are half-open and so change sides in a mirror: hundredths, never halves.
off_grid = st.integers(-200, 1000).map(lambda n: n / 100 + 0.0037)
shapes: st.SearchStrategy[Geometry] = st.one_of(
    st.builds(
        lambda ring, hole: Polygon(np.array(ring), (np.array(hole),)),
        *[st.lists(st.tuples(off_grid, off_grid), min_size=3, max_size=5)] * 2,
    ),
    st.tuples(off_grid, off_grid, off_grid, off_grid).map(
        lambda v: Box(min(v[0], v[2]), min(v[1], v[3]), max(v[0], v[2]), max(v[1], v[3]))
    ),
    st.builds(Ellipse, off_grid, off_grid, st.floats(0.3, 5), st.floats(0.3, 5), st.floats(-3, 3)),
    st.builds(
        lambda line: Polyline(np.array(line), 1.7),
        st.lists(st.tuples(off_grid, off_grid), min_size=2, max_size=3, unique=True),
    ),
    st.builds(Bitmap.of, masks(), x=st.integers(-3, 8).map(float), y=st.integers(-3, 5).map(float)),
    st.builds(Bitmap.of, masks(), x=off_grid, y=off_grid),
)


def mask(geometry: Geometry, *, height: int, width: int) -> Mask:
    runs = cover([(geometry,)], height=height, width=width)
    return masks_of(runs, 1, height=height, width=width)[0]


@given(shapes, orientations)
def test_turning_the_shape_is_turning_the_raster(shape: Geometry, orientation: int) -> None:
    expected = UPRIGHT[orientation](mask(shape, height=HEIGHT, width=WIDTH))
    matrix = upright_matrix(orientation, height=HEIGHT, width=WIDTH)
    height, width = expected.shape
    got = mask(transform(shape, matrix), height=height, width=width)
    np.testing.assert_array_equal(got, expected)


@given(shapes, st.integers(1, 3), st.integers(1, 3))
def test_pixels_of_an_enlarged_raster_agree_in_the_middle(
    shape: Geometry, across: int, down: int
) -> None:
    """The center of a pixel enlarged by an odd factor is the center of one of its parts."""
    x, y = 2 * across - 1, 2 * down - 1
    if isinstance(shape, Polyline):
        y = x  # else its width grows by the mean, and the band is another one
    if isinstance(shape, Bitmap):
        shape = Bitmap.of(shape.mask, x=round(shape.x), y=round(shape.y))
    small = mask(shape, height=HEIGHT, width=WIDTH)
    large = mask(transform(shape, scale_matrix(x, y)), height=HEIGHT * y, width=WIDTH * x)
    np.testing.assert_array_equal(large[y // 2 :: y, x // 2 :: x], small)


@given(masks(), st.integers(-2, 6), st.integers(-2, 4), st.integers(1, 3), st.integers(1, 3))
def test_an_enlarged_bitmap_repeats_its_pixels(
    pixels: Mask, x: int, y: int, across: int, down: int
) -> None:
    shape = Bitmap.of(pixels, x=x, y=y)
    small = mask(shape, height=HEIGHT, width=WIDTH)
    got = mask(
        transform(shape, scale_matrix(across, down)), height=HEIGHT * down, width=WIDTH * across
    )
    np.testing.assert_array_equal(got, small.repeat(down, axis=0).repeat(across, axis=1))


def test_a_bitmap_made_smaller_takes_the_nearest_pixel() -> None:
    checks = np.array([[1, 0, 1, 1], [0, 0, 0, 1]], dtype=bool)
    got = transform(Bitmap.of(checks, x=4, y=2), scale_matrix(0.5, 0.5))
    assert isinstance(got, Bitmap)
    assert (got.x, got.y, got.mask.shape) == (2.0, 1.0, (1, 2))
    got = transform(Bitmap.of(checks), scale_matrix(1, 0.1))
    assert isinstance(got, Bitmap)
    assert got.mask.shape == (0, 4)


@pytest.mark.parametrize("orientation", sorted(UPRIGHT))
def test_corners_go_where_a_viewer_puts_them(orientation: int) -> None:
    stored = np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH)
    upright = UPRIGHT[orientation](stored)
    matrix = upright_matrix(orientation, height=HEIGHT, width=WIDTH)
    for row, column in np.ndindex(HEIGHT, WIDTH):
        x, y = matrix[:, :2] @ [column + 0.5, row + 0.5] + matrix[:, 2]
        assert upright[int(y), int(x)] == stored[row, column]


def test_an_ellipse_under_unequal_scales_is_its_image() -> None:
    ellipse = Ellipse(6, 4, 5, 2, 0.6)
    got = transform(ellipse, scale_matrix(1.5, 0.7))
    assert isinstance(got, Ellipse)
    angle = np.linspace(0, 7, 50)
    u = np.stack([5 * np.cos(angle), 2 * np.sin(angle)])
    turn = np.array([[np.cos(0.6), -np.sin(0.6)], [np.sin(0.6), np.cos(0.6)]])
    on = (turn @ u).T + np.array([6, 4])
    back = on * [1.5, 0.7] - [got.cx, got.cy]
    along = back @ [np.cos(got.theta), np.sin(got.theta)]
    across = back @ [-np.sin(got.theta), np.cos(got.theta)]
    np.testing.assert_allclose((along / got.rx) ** 2 + (across / got.ry) ** 2, 1)


def test_a_line_grows_by_the_mean_of_the_scales() -> None:
    got = transform(Polyline(np.array([(0.0, 0.0), (1.0, 2.0)]), 3.0), scale_matrix(2, 8))
    assert isinstance(got, Polyline)
    assert got.points.tolist() == [[0, 0], [2, 16]]
    assert got.width == pytest.approx(12)


def test_the_whole_annotation() -> None:
    before = annotation(
        region("a", Box(1, 2, 3, 4), Box(0, 0, 1, 1), group=7), height=HEIGHT, width=WIDTH
    )
    after = transform_annotation(before, scale_matrix(2, 3), height=15, width=16)
    assert (after.height, after.width) == (15, 16)
    assert after.regions[0].geometry == (Box(2, 6, 6, 12), Box(0, 0, 2, 3))
    assert after.regions[0].group == 7
    assert before.regions[0].geometry[0] == Box(1, 2, 3, 4)


def test_a_bitmap_is_cut_at_the_frame_before_it_is_enlarged() -> None:
    """A patch of a thousand pixels must not become a thousand times the frame."""
    patch = np.tri(1000, dtype=bool)
    matrix = scale_matrix(512, 512)
    got = transform_.transform(Bitmap.of(patch), matrix, height=512, width=512)
    assert isinstance(got, Bitmap)
    assert got.mask.shape == (512, 512)
    assert got.mask.all()


def test_coordinates_that_become_too_large_are_refused() -> None:
    line = Polyline(np.array([(0.0, 0.0), (900_000.0, 0.0)]), 1)
    with pytest.raises(GeometryError, match="within"):
        transform(line, scale_matrix(2, 2))
