"""Boundary bands, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from maskforge.scores.boundary import boundary_counts, boundary_iou


def test_boundary_bands_by_hand() -> None:
    truth = np.zeros((7, 9), np.uint8)
    truth[1:6, 2:7] = 1  # a 5 x 5 square: its band of 1 pixel has 16 pixels
    guess = np.zeros_like(truth)
    guess[1:6, 3:8] = 1  # the same, one column to the right
    both, either = boundary_counts(truth, guess, num_classes=3, distance=1)
    # The rings share 4 pixels in the top and in the bottom row; columns 3 and 6 of one are
    # inside the other.
    assert (both[1], either[1]) == (8, 16 + 16 - 8)
    np.testing.assert_allclose(boundary_iou(both, either)[1:], [8 / 24, np.nan])


def test_boundary_at_the_edge_of_the_image_counts() -> None:
    whole = np.zeros((5, 6), np.uint8)
    both, either = boundary_counts(whole, whole, num_classes=1, distance=2)
    assert both[0] == either[0] == 5 * 6 - 1 * 2


def test_boundary_leaves_out_what_is_ignored() -> None:
    truth = np.full((4, 5), 255, np.uint8)
    truth[:, 0] = 0
    both, either = boundary_counts(
        truth, np.zeros_like(truth), num_classes=1, distance=1, ignore_index=255
    )
    assert (both[0], either[0]) == (4, 4)


def test_boundary_width_follows_the_diagonal() -> None:
    mask = np.zeros((300, 400), np.uint8)
    both, _ = boundary_counts(mask, mask, num_classes=1)
    assert both[0] == 300 * 400 - 280 * 380


def test_boundary_is_a_pixel_wide_in_a_small_image() -> None:
    mask = np.zeros((5, 6), np.uint8)
    both, _ = boundary_counts(mask, mask, num_classes=1)
    assert both[0] == 5 * 6 - 3 * 4


def test_boundary_refuses() -> None:
    row = np.zeros(5, np.uint8)
    with pytest.raises(ValueError, match=r"one shape \(H, W\)"):
        boundary_counts(row, row, num_classes=2)
    with pytest.raises(ValueError, match="at least 1 pixel, but got 0"):
        boundary_counts(row[None], row[None], num_classes=2, distance=0)


def test_what_is_predicted_under_ignored_pixels_does_not_matter() -> None:
    """A border that is not scored, as VOC has it, whatever it is called inside."""
    truth = np.zeros((12, 14), np.uint8)
    truth[3:9, 4:11] = 1
    truth[[2, 9], 3:12] = truth[2:10, 3] = truth[2:10, 11] = 255
    for inside in (0, 1):
        prediction = np.where(truth == 255, inside, truth)
        met, all_ = boundary_counts(truth, prediction, num_classes=2, ignore_index=255)
        assert met.tolist() == all_.tolist()
