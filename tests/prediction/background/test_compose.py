"""Foreground over background, by hand on a few pixels; blur without bleeding."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from maskforge.prediction.background import compose


def grey(rows):
    return np.repeat(np.array(rows, np.uint8)[..., None], 3, axis=2)


def test_over_by_hand():
    front = grey([[10, 20, 30, 40], [50, 60, 70, 80], [90, 100, 110, 120]])
    back = grey([[200, 200, 200, 200], [0, 0, 0, 0], [101, 101, 101, 101]])
    alpha = np.array([[0, 1, 0.5, 0.25], [1, 0.5, 0, 0.1], [0, 0.5, 1, 1]], np.float32)
    expected = grey([[200, 20, 115, 160], [50, 30, 0, 8], [101, 100, 110, 120]])
    assert (compose.over(front, alpha, back) == expected).all()
    assert front[0, 2, 0] == 30  # and the arguments are as they were
    assert back[0, 1, 0] == 200


@given(
    arrays.arrays(np.float32, (3, 4), elements=st.floats(0, 1, width=32)),
    arrays.arrays(np.uint8, (3, 4, 3)),
    arrays.arrays(np.uint8, (3, 4, 3)),
)
def test_over_lies_between_both(alpha, front, back):
    found = compose.over(front, alpha, back)
    assert (found >= np.minimum(front, back)).all()
    assert (found <= np.maximum(front, back)).all()
    assert (found[alpha == 1] == front[alpha == 1]).all()
    assert (found[alpha == 0] == back[alpha == 0]).all()


def test_blur_is_that_of_the_background_alone():
    image = np.full((40, 60, 3), (30, 90, 150), np.uint8)
    alpha = np.zeros((40, 60), np.float32)
    alpha[10:30, 20:35] = 1
    image[10:30, 20:35] = 255
    for sigma in (1.5, 4, 20):
        found = compose.blurred(image, alpha, sigma).astype(int)
        seen = found[alpha == 0]
        assert np.abs(seen - (30, 90, 150)).max() <= 1, sigma


def test_blur_spreads_by_its_sigma():
    image = np.zeros((61, 81, 3), np.uint8)
    image[:, 40:] = 200
    found = compose.blurred(image, np.zeros((61, 81), np.float32), 8.0)[30, :, 0].astype(float)
    assert (np.diff(found) >= 0).all()
    # One sigma from the edge a Gaussian has 15.9 and 84.1 %.
    assert found[31] / 200 == pytest.approx(0.159, abs=0.03)
    assert found[48] / 200 == pytest.approx(0.841, abs=0.03)


def test_the_old_background_is_taken_out_of_edges():
    front, back = np.array([200, 40, 40]), np.array([20, 220, 20])
    alpha = np.clip((np.arange(300) - 120) / 12, 0, 1) * np.ones((200, 1))
    alpha = alpha.astype(np.float32)
    image = np.rint(front * alpha[..., None] + back * (1 - alpha[..., None])).astype(np.uint8)
    found = compose.foreground(image, alpha).astype(int)
    band = (alpha > 0.1) & (alpha < 1)
    before = np.abs(image.astype(int) - front)[band].mean()
    assert np.abs(found - front)[band].mean() < before / 4
    assert (found[alpha == 1] == image[alpha == 1]).all()
    assert (found[alpha == 0] == image[alpha == 0]).all()


def test_cover_cuts_the_middle_out():
    picture = np.zeros((4, 12, 3), np.uint8)
    picture[:, :, 0] = np.arange(12) * 10
    found = compose.cover(picture, height=4, width=6)
    assert found[0, :, 0].tolist() == [30, 40, 50, 60, 70, 80]
    tall = compose.cover(np.ascontiguousarray(picture.transpose(1, 0, 2)), height=2, width=2)
    assert tall.shape == (2, 2, 3)
    assert tall[:, 0, 0].tolist() == [45, 65]  # rows 4 to 7, two by two


@pytest.mark.parametrize(("height", "width"), [(1, 50), (50, 1), (7, 3), (33, 90)])
def test_cover_has_the_size_that_is_asked_for(height, width):
    picture = np.full((5, 9, 3), (1, 2, 3), np.uint8)
    found = compose.cover(picture, height=height, width=width)
    assert found.shape == (height, width, 3)
    assert (found == (1, 2, 3)).all()


def test_a_small_gap_in_what_is_in_front_is_not_dark():
    image = np.full((400, 600, 3), 100, np.uint8)
    alpha = np.ones((400, 600), np.float32)
    alpha[200, 300] = 0
    assert compose.blurred(image, alpha, 80.0)[200, 300].tolist() == [100, 100, 100]
