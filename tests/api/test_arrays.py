"""Overlays and scores of arrays."""

from __future__ import annotations

import numpy as np
import pytest

import maskforge
from maskforge import ClassTable
from maskforge.errors import ClassError, UsageError

IMAGE = np.full((410, 500, 3), 90, np.uint8)


def test_an_overlay_has_the_size_of_its_image() -> None:
    labels = np.zeros((410, 500), np.uint8)
    labels[100:200, 50:300] = 1
    shown = maskforge.overlay(IMAGE, labels, ["cat"])
    assert shown.dtype == np.uint8
    assert shown.shape == IMAGE.shape
    assert (shown[0, 0] == 90).all()
    assert (shown[150, 150] != 90).any()
    told = maskforge.overlay(IMAGE, labels, ["cat"], legend=True)
    assert told.shape[0] > 410


def test_a_large_image_stays_as_sharp_as_it_is() -> None:
    image = np.random.default_rng(1).integers(0, 256, (975, 1300, 3), dtype=np.uint8)
    labels = np.zeros((975, 1300), np.uint8)
    labels[200:400, 200:500] = 1
    shown = maskforge.overlay(image, labels, ["cat"])
    np.testing.assert_array_equal(shown[500:], image[500:])
    inside = shown[250:350, 250:450].astype(float), image[250:350, 250:450].astype(float)
    assert np.corrcoef(inside[0][..., 0].ravel(), inside[1][..., 0].ravel())[0, 1] > 0.99


def test_an_overlay_takes_ids_with_gaps_and_small_images() -> None:
    table = ClassTable.of({0: "_background_", 7: "road", 9: "cat"})
    labels = np.zeros((6, 9), np.uint8)
    labels[1:3, 2:8] = 9
    labels[4] = 255
    shown = maskforge.overlay(np.zeros((6, 9, 3), np.uint8), labels, table)
    assert shown.shape == (6, 9, 3)
    assert shown.any()
    labels[0, 0] = 3
    with pytest.raises(ClassError, match=r"must hold ids of the class table.* but holds 3"):
        maskforge.overlay(np.zeros((6, 9, 3), np.uint8), labels, table)


def test_an_overlay_refuses_what_does_not_fit() -> None:
    labels = np.zeros((4, 5), np.uint8)
    with pytest.raises(UsageError, match=r"image must be uint8 \(4, 5, 3\)"):
        maskforge.overlay(np.zeros((5, 4, 3), np.uint8), labels, ["cat"])
    with pytest.raises(UsageError, match=r"image must be uint8 \(4, 5, 3\).*float64"):
        maskforge.overlay(np.zeros((4, 5, 3)), labels, ["cat"])
    with pytest.raises(UsageError, match="label image must be integers"):
        maskforge.overlay(np.zeros((4, 5, 3), np.uint8), labels.astype(float), ["cat"])


def test_metrics_of_two_arrays() -> None:
    truth = np.array([[0, 0, 1, 1], [0, 0, 1, 255]], np.uint8)
    prediction = np.array([[0, 1, 1, 1], [0, 0, 0, 0]], np.uint8)
    found = maskforge.metrics(prediction, truth, ["cat"])
    assert found.confusion.tolist() == [[3, 1], [1, 2]]
    assert found.mean_iou == pytest.approx((3 / 5 + 2 / 4) / 2)
    assert found.pixel_accuracy == pytest.approx(5 / 7)
    assert found.iou == pytest.approx({"_background_": 3 / 5, "cat": 2 / 4})
    assert str(found) == "1 image: mIoU 55.00, pixel accuracy 71.43"
    assert "cat" in found._repr_html_()


def test_metrics_of_a_number_of_classes() -> None:
    truth, prediction = np.array([[0, 1, 2]]), np.array([[0, 1, 1]])
    found = maskforge.metrics(prediction, truth, 3)
    assert found.classes.names == ("_background_", "class_1", "class_2")
    assert found.iou == {"_background_": 1.0, "class_1": 0.5, "class_2": 0.0}
    with pytest.raises(UsageError, match="1 class or more, but got 0"):
        maskforge.metrics(prediction, truth, 0)


def test_metrics_of_lists_are_those_of_all_pixels() -> None:
    table = ClassTable.of({0: "_background_", 7: "road"})
    truths = [np.array([[0, 7]], np.uint8), np.array([[7, 7, 7]], np.uint8)]
    predictions = [np.array([[7, 7]], np.uint8), np.array([[7, 255, 0]], np.uint8)]
    found = maskforge.metrics(predictions, truths, table)
    assert found.confusion.tolist() == [[0, 1, 0], [1, 2, 1]]
    assert [image.pixel_accuracy for image in found.images] == pytest.approx([1 / 2, 1 / 3])
    with pytest.raises(UsageError, match="as many predictions as truths, but got 1 and 2"):
        maskforge.metrics(predictions[:1], truths, table)
    with pytest.raises(ClassError, match="but holds 1"):
        maskforge.metrics([np.array([[1]])], [np.array([[0]])], table)
    with pytest.raises(UsageError, match=r"must have one shape, but got \(1, 1\) and \(1, 2\)"):
        maskforge.metrics(np.array([[0]]), np.array([[0, 0]]), table)
