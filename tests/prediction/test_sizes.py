"""Sizes: what an image is scaled to, which pixel of a label image is taken, what makes a batch."""

import numpy as np
import pytest

from maskforge.prediction import sizes
from maskforge.raster.transform import working_size


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


LABELS = np.array(
    [[0, 1, 2, 3, 4, 5], [10, 11, 12, 13, 14, 15], [20, 21, 22, 23, 24, 25]], np.uint8
)


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        ((3, 6), LABELS.tolist()),
        ((3, 3), [[1, 3, 5], [11, 13, 15], [21, 23, 25]]),  # the center lies on the edge of two
        ((3, 2), [[1, 4], [11, 14], [21, 24]]),
        ((1, 6), [[10, 11, 12, 13, 14, 15]]),
        ((1, 1), [[13]]),
        ((6, 2), [[1, 4], [1, 4], [11, 14], [11, 14], [21, 24], [21, 24]]),
    ],
)
def test_a_label_is_the_class_at_the_center_of_its_pixel(size, wanted):
    found = sizes.resize_labels(LABELS, size)
    assert found.tolist() == wanted
    assert found.dtype == np.uint8
    assert found.flags.c_contiguous


def test_labels_and_images_lie_on_each_other():
    """An image is a smooth picture of its labels: both keep their edges where they are."""
    ids = np.zeros((4, 8), np.uint8)
    ids[2:, 2:6] = 1
    image = np.repeat(ids[..., None] * 200, 3, axis=2)
    for size in ((2, 4), (8, 16), (4, 8)):
        half = sizes.resize(image, size)[..., 0] >= 100
        assert np.array_equal(sizes.resize_labels(ids, size), half)


def test_an_image_is_averaged_down_and_blended_up():
    image = np.zeros((2, 4, 3), np.uint8)
    image[:, 1] = 200
    assert sizes.resize(image, (1, 2))[..., 0].tolist() == [[100, 0]]
    assert sizes.resize(image, (2, 8))[0, :, 0].tolist() == [0, 50, 150, 150, 50, 0, 0, 0]
    assert sizes.resize(image, (2, 4)) is image


def test_an_image_is_made_smaller_without_averages():
    image = np.zeros((2, 8, 3), np.uint8)
    image[:, [0, 3]] = 200
    assert sizes.resize(image, (2, 2), "area")[0, :, 0].tolist() == [100, 0]
    assert sizes.resize(image, (2, 2), "bilinear")[0, :, 0].tolist() == [0, 0]  # between 1 and 2
    assert (
        sizes.resize(image, (2, 16), "bilinear").tolist() == sizes.resize(image, (2, 16)).tolist()
    )


def test_nearest_pixels_of_an_image_are_those_of_its_labels():
    image = np.random.default_rng(0).integers(0, 256, (7, 11, 3)).astype(np.uint8)
    for size in ((3, 4), (14, 33), (9, 5)):
        found = sizes.resize(image, size, "nearest")
        assert found.flags.c_contiguous
        for channel in range(3):
            wanted = sizes.resize_labels(image[..., channel], size)
            assert np.array_equal(found[..., channel], wanted)


@pytest.mark.parametrize(
    ("full", "size", "wanted"),
    [
        ((60, 90), (), (60, 90)),
        ((60, 90), (30,), (20, 30)),
        ((90, 60), (30,), (30, 20)),
        ((60, 90), (90,), (60, 90)),
        ((60, 90), (200,), (60, 90)),  # never larger
        ((1, 900), (30,), (1, 30)),
        ((900, 1), (30,), (30, 1)),
        ((60, 90), (30, 50), (50, 30)),  # width and height
    ],
)
def test_the_size_that_is_worked_at(full, size, wanted):
    assert working_size(full, size) == wanted


@pytest.mark.parametrize(
    ("size", "said"),
    [
        ((), "at full size"),
        ((192,), "with a longer side of at most 192"),
        ((64, 32), "at 64x32"),
    ],
)
def test_a_size_in_words(size, said):
    assert sizes.described(size) == said
