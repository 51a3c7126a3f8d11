"""Sizes: what an image is scaled to, which pixel of a label image is taken, what makes a batch."""

import numpy as np
import pytest

from maskforge.prediction import sizes


def test_groups_are_of_one_padded_size():
    found = sizes.groups([(18, 26), (20, 28), (21, 28), (17, 25)], divisor=4, batch=2)
    assert found == [(0, 1), (3,), (2,)]


def test_a_label_image_is_taken_at_the_centers_of_the_new_pixels():
    """Half as many: the centers lie on edges, and the pixel behind them is taken."""
    ids = np.arange(7 * 10, dtype=np.uint8).reshape(7, 10)
    assert np.array_equal(sizes.resize_labels(ids, (7, 5)), ids[:, 1::2])
    assert np.array_equal(sizes.resize_labels(ids, (7, 2)), ids[:, [2, 7]])
    assert np.array_equal(sizes.resize_labels(ids, (3, 10)), ids[[1, 3, 5]])
    assert np.array_equal(sizes.resize_labels(ids, (14, 20)), ids.repeat(2, 0).repeat(2, 1))


@pytest.mark.parametrize("size", [(5, 7), (4, 3), (9, 13), (27, 39), (8, 40)])
def test_a_label_image_is_not_moved(size):
    """Turned and scaled is scaled and turned. (Of odd sides, no center is on an edge.)"""
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 9, (9, 13), dtype=np.uint8)
    turned = sizes.resize_labels(np.ascontiguousarray(ids[::-1, ::-1]), size)
    assert np.array_equal(turned[::-1, ::-1], sizes.resize_labels(ids, size))


def test_image_and_label_image_stay_on_each_other():
    """A bright box is where its class is, whatever both are scaled to."""
    ids = np.zeros((60, 80), np.uint8)
    ids[20:50, 10:40] = 1
    image = np.repeat(ids[..., None] * 255, 3, axis=2)
    for size in ((30, 40), (45, 60), (120, 160), (20, 50)):
        bright = sizes.resize(image, size)[..., 0].astype(float) / 255
        assert abs(bright - sizes.resize_labels(ids, size)).max() < 0.51  # of rounding
