"""The guided filter and the matte made with it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from maskforge.errors import UsageError
from maskforge.prediction.background import edges
from maskforge.prediction.background.edges import EDGES, guided_filter, matte


def box(values, radius):
    """The mean over windows, edges mirrored: the slow way."""
    padded = np.pad(values, radius, mode="symmetric")
    side = 2 * radius + 1
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side))
    return windows.mean(axis=(2, 3))


def halves(height=40, width=60, *, edge=23, noise=0):
    """An image that is dark on the left of column ``edge`` and bright from there on."""
    image = np.full((height, width, 3), (40, 60, 50), np.uint8)
    image[:, edge:] = (200, 170, 190)
    if noise:
        image += np.random.default_rng(0).integers(0, noise, image.shape).astype(np.uint8)
    return image


def test_a_guide_without_edges_leaves_the_mean_of_means():
    values = np.random.default_rng(1).random((9, 13)).astype(np.float32)
    guide = np.full((9, 13, 3), 77, np.uint8)
    found = guided_filter(guide, values, radius=2)
    np.testing.assert_allclose(found, box(box(values, 2), 2), atol=1e-4)


def test_what_is_linear_in_the_guide_stays():
    guide = np.random.default_rng(2).integers(0, 256, (20, 31, 3)).astype(np.uint8)
    values = (guide @ np.array([0.5, -0.3, 0.2]) / 255 + 0.1).astype(np.float32)
    found = guided_filter(guide, values, radius=3, epsilon=1e-6)
    np.testing.assert_allclose(found, values, atol=2e-3)


def test_grey_is_the_filter_of_the_article():
    """Equations 5, 6 and 8 of He, Sun and Tang, written out, for three equal channels."""
    rng = np.random.default_rng(3)
    grey = rng.integers(0, 256, (14, 11)).astype(np.uint8)
    values = rng.random((14, 11)).astype(np.float32)
    guide, epsilon = grey / 255, 1e-2
    mean, mean_values = box(guide, 2), box(values, 2)
    covariance = box(guide * values, 2) - mean * mean_values
    # Three equal channels have three times the variance of one.
    slope = covariance / (box(guide * guide, 2) - mean**2 + epsilon / 3)
    expected = box(slope, 2) * guide + box(mean_values - slope * mean, 2)
    found = guided_filter(np.dstack([grey] * 3), values, radius=2, epsilon=epsilon)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_working_on_fewer_pixels_comes_to_about_the_same():
    image = halves(noise=20)
    values = (np.arange(60) >= 26).astype(np.float32) * np.ones((40, 1), np.float32)
    whole = guided_filter(image, values, radius=8)
    coarse = guided_filter(image, values, radius=8, step=2)
    assert np.abs(whole - coarse).mean() < 0.02


@pytest.mark.parametrize("off", [-3, 3])
def test_an_edge_moves_to_where_the_image_has_one(off):
    image = halves(noise=8)
    mask = np.zeros((40, 60), np.float32)
    mask[:, 23 + off :] = 1
    alpha = matte(mask, image, radius=8)
    inside = slice(8, -8)  # rows
    assert alpha[inside, :23].max() < 0.3
    assert alpha[inside, 23:].min() > 0.7


def test_a_coarse_probability_gets_a_sharp_edge():
    slope = np.clip((np.arange(60) - 13) / 20, 0, 1)  # 0.5 at column 23
    alpha = matte(np.tile(slope, (40, 1)), halves(noise=8), radius=8)
    assert alpha[8:-8, :21].max() < 0.1
    assert alpha[8:-8, 25:].min() > 0.9


def test_hard_and_feather_do_not_look_at_the_image():
    probability = np.zeros((30, 50), np.float32)
    probability[:, 20:] = 0.7
    image = halves(30, 50, edge=35)
    hard = matte(probability, image, edge="hard")
    assert set(np.unique(hard)) == {0.0, 1.0}
    assert (hard[:, 20:] == 1).all()
    assert not hard[:, :20].any()
    soft = matte(probability, image, edge="feather", radius=6)
    row = soft[15]
    assert (np.diff(row) >= 0).all()
    assert row[19] + row[20] == pytest.approx(1, abs=1e-4)
    assert row[12] < 0.01
    assert row[27] > 0.99


def test_a_radius_below_a_pixel_moves_nothing():
    probability = np.eye(5, 9, dtype=np.float32)
    image = np.zeros((5, 9, 3), np.uint8)
    for edge in EDGES:
        assert (matte(probability, image, edge=edge, radius=0.5) == probability).all()


@given(
    arrays.arrays(np.float32, (6, 9), elements=st.floats(0, 1, width=32)),
    arrays.arrays(np.uint8, (6, 9, 3)),
    st.sampled_from(EDGES),
    st.floats(0, 20),
)
def test_a_matte_is_from_0_to_1(probability, image, edge, radius):
    alpha = matte(probability, image, edge=edge, radius=radius)
    assert alpha.shape == (6, 9)
    assert alpha.dtype == np.float32
    assert alpha.min() >= 0
    assert alpha.max() <= 1


@pytest.mark.parametrize("value", [0, 1])
@pytest.mark.parametrize("edge", EDGES)
def test_all_or_nothing_stays_so(value, edge):
    image = np.random.default_rng(4).integers(0, 256, (30, 41, 3)).astype(np.uint8)
    alpha = matte(np.full((30, 41), value), image, edge=edge, radius=4)
    np.testing.assert_allclose(alpha, value, atol=1e-5)


def test_the_radius_is_a_part_of_the_longer_side():
    image, mask = halves(40, 200, edge=100, noise=8), np.zeros((40, 200), np.float32)
    mask[:, 103:] = 1
    given = matte(mask, image, radius=edges.RADIUS * 200)
    assert (matte(mask, image) == given).all()


def test_wrong_arguments():
    image = np.zeros((4, 5, 3), np.uint8)
    with pytest.raises(UsageError, match=r"edge must be one of .* but got 'soft'"):
        matte(np.zeros((4, 5)), image, edge="soft")
    with pytest.raises(ValueError, match="probability must have the size of the image"):
        matte(np.zeros((5, 4)), image)


def test_what_a_mask_does_not_say_is_no_foreground_of_a_hard_edge():
    image = np.zeros((2, 3, 3), np.uint8)
    said = np.array([[0, 0.5, 1], [1, 0.5, 0]], np.float32)
    assert matte(said, image, edge="hard").tolist() == [[0, 0, 1], [1, 0, 0]]
