"""Scores against counts done by hand, and against other libraries where they are installed."""

from __future__ import annotations

import importlib
import subprocess
import sys
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from maskforge.scores import metrics

NAN = float("nan")

TRUTH = np.array([[0, 0, 1, 1], [0, 2, 2, 255]], dtype=np.uint8)
GUESS = np.array([[0, 1, 1, 1], [0, 2, 0, 2]], dtype=np.uint8)
MATRIX = np.array([[2, 1, 0, 0], [0, 2, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0]])


def oracle(name: str) -> ModuleType:
    """Return a library to compare with, or skip: none of them is needed to use maskforge."""
    try:
        return importlib.import_module(name)
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"{name}: {error}")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.int64])
def test_confusion_matrix_by_hand(dtype: type) -> None:
    got = metrics.confusion_matrix(
        TRUTH.astype(dtype), GUESS.astype(dtype), num_classes=4, ignore_index=255
    )
    assert got.dtype == np.int64
    np.testing.assert_array_equal(got, MATRIX)


def test_confusion_matrix_ignores_a_negative_index() -> None:
    truth = np.array([0, -1, 1])
    got = metrics.confusion_matrix(truth, np.array([1, 7, 1]), num_classes=2, ignore_index=-1)
    np.testing.assert_array_equal(got, [[0, 1], [0, 1]])


@pytest.mark.parametrize("ignore_index", [255, 256, 65535])
def test_confusion_matrix_takes_an_ignore_index_that_no_byte_can_be(ignore_index: int) -> None:
    ids = np.array([[0, 1, 1]], dtype=np.uint8)
    got = metrics.confusion_matrix(ids, ids, num_classes=2, ignore_index=ignore_index)
    np.testing.assert_array_equal(got, [[1, 0], [0, 2]])


def test_confusion_matrix_takes_256_classes_and_more() -> None:
    ids = np.array([[255, 0]], dtype=np.uint8)
    got = metrics.confusion_matrix(ids, ids, num_classes=256)
    assert (got[255, 255], got[0, 0], got.sum()) == (1, 1, 2)
    got = metrics.confusion_matrix(ids, ids, num_classes=300)
    assert (got.shape, got[255, 255]) == ((300, 300), 1)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64])
def test_confusion_matrix_names_value_and_place_that_are_out_of_range(dtype: type) -> None:
    good = np.array([[0, 1], [1, 0]], dtype=dtype)
    bad = np.array([[0, 1], [9, 9]], dtype=dtype)
    with pytest.raises(ValueError, match=r"truth .* 0 … 1 or 255, but holds 9 at \(1, 0\) \(2 "):
        metrics.confusion_matrix(bad, good, num_classes=2, ignore_index=255)
    with pytest.raises(ValueError, match=r"prediction .* 0 … 1, but holds 9 at \(1, 0\)"):
        metrics.confusion_matrix(good, bad, num_classes=2, ignore_index=255)
    bad[0, 1] = 255  # is ignored, so that it is not what is wrong
    with pytest.raises(ValueError, match=r"truth .* or 255, but holds 9 at \(1, 0\) \(2 such"):
        metrics.confusion_matrix(bad, good, num_classes=2, ignore_index=255)


def test_confusion_matrix_does_not_look_at_predictions_that_are_ignored() -> None:
    truth = np.array([0, 255], dtype=np.uint8)
    guess = np.array([0, 9], dtype=np.uint8)
    got = metrics.confusion_matrix(truth, guess, num_classes=1, ignore_index=255)
    np.testing.assert_array_equal(got, [[1]])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prediction": GUESS.T}, r"one shape, but got \(2, 4\) and \(4, 2\)"),
        ({"num_classes": 0}, "num_classes must be at least 1, but got 0"),
        ({"ignore_index": 3}, "outside 0 … 3, but got 3"),
        ({"truth": TRUTH.astype(float)}, "truth must have an integer dtype, but got float64"),
        ({"prediction": GUESS > 0}, "prediction must have an integer dtype, but got bool"),
    ],
)
def test_confusion_matrix_refuses(changes: dict[str, object], message: str) -> None:
    arguments = {"truth": TRUTH, "prediction": GUESS, "num_classes": 4, "ignore_index": 255}
    arguments |= changes
    with pytest.raises(ValueError, match=message):
        metrics.confusion_matrix(**arguments)  # type: ignore[arg-type]


def test_scores_by_hand() -> None:
    np.testing.assert_allclose(metrics.iou(MATRIX), [2 / 4, 2 / 3, 1 / 2, NAN])
    np.testing.assert_allclose(metrics.precision(MATRIX), [2 / 3, 2 / 3, 1, NAN])
    np.testing.assert_allclose(metrics.recall(MATRIX), [2 / 3, 1, 1 / 2, NAN])
    np.testing.assert_allclose(metrics.class_accuracy(MATRIX), [2 / 3, 1, 1 / 2, NAN])
    np.testing.assert_allclose(metrics.f1(MATRIX), [4 / 6, 4 / 5, 2 / 3, NAN])
    assert metrics.pixel_accuracy(MATRIX) == pytest.approx(5 / 7)
    assert metrics.mean_accuracy(MATRIX) == pytest.approx((2 / 3 + 1 + 1 / 2) / 3)
    assert metrics.frequency_weighted_iou(MATRIX) == pytest.approx(
        3 / 7 * 1 / 2 + 2 / 7 * 2 / 3 + 2 / 7 * 1 / 2
    )


def test_accuracy_lies_and_mean_iou_does_not() -> None:
    truth = np.zeros((10, 10), np.uint8)
    truth[4, 2:7] = 1
    matrix = metrics.confusion_matrix(truth, np.zeros_like(truth), num_classes=2)
    assert metrics.pixel_accuracy(matrix) == 0.95
    np.testing.assert_array_equal(metrics.iou(matrix), [0.95, 0.0])
    assert metrics.mean_iou(matrix) == 0.475


def test_mean_iou_names_its_denominator() -> None:
    # Class 1 is predicted and never true, class 2 is nowhere.
    matrix = np.array([[6, 2, 0], [0, 0, 0], [0, 0, 0]])
    assert metrics.mean_iou(matrix, over="present") == pytest.approx(0.75)
    assert metrics.mean_iou(matrix, over="union") == pytest.approx(0.75 / 2)
    assert metrics.mean_iou(matrix, over="all") == pytest.approx(0.75 / 3)
    with pytest.raises(ValueError, match=r"over must be .* but got 'any'"):
        metrics.mean_iou(matrix, over="any")  # type: ignore[arg-type]


def test_nothing_counted_is_nan() -> None:
    nothing = np.zeros((2, 2), np.int64)
    for score in (metrics.pixel_accuracy, metrics.mean_iou, metrics.mean_accuracy):
        assert np.isnan(score(nothing))


def test_image_means_are_not_the_pooled_scores() -> None:
    first = np.array([[8, 0], [0, 2]])  # IoU 1, 1; accuracy 1
    second = np.array([[3, 7], [0, 0]])  # IoU 0.3 over the present class; accuracy 0.3
    third = np.array([[0, 0], [6, 4]])  # IoU 0.4 over the present class; accuracy 0.4
    fourth = np.array([[9, 0], [1, 0]])  # IoU 0.9, 0; accuracy 0.9
    nothing = np.zeros((2, 2), np.int64)
    matrices = [first, second, third, fourth, nothing]
    scores = [(metrics.mean_iou(m), metrics.pixel_accuracy(m)) for m in matrices]
    assert metrics.image_means(scores) == pytest.approx((2.15 / 4, 2.6 / 4))
    assert metrics.mean_iou(first + second) == pytest.approx((11 / 18 + 2 / 9) / 2)
    assert all(np.isnan(metrics.image_means([])))


COUNTS = np.array([[90, 10, 0, 0], [60, 0, 40, 0]])  # two images of 100 pixels, class 3 nowhere


def test_class_weights_by_hand() -> None:
    p = np.array([0.75, 0.05, 0.2])
    np.testing.assert_allclose(
        metrics.class_weights(COUNTS, method="enet"), [*(1 / np.log(1.02 + p)), 0]
    )
    np.testing.assert_allclose(metrics.class_weights(COUNTS, method="inverse"), [*(1 / (3 * p)), 0])
    # Frequencies 150/200, 10/100, 40/100; their median is 0.4.
    np.testing.assert_allclose(
        metrics.class_weights(COUNTS, method="median"), [0.4 / 0.75, 4.0, 1.0, 0]
    )
    np.testing.assert_array_equal(metrics.class_weights(COUNTS, method="none"), np.ones(4))


def test_class_weights_refuse() -> None:
    with pytest.raises(ValueError, match="not all 0"):
        metrics.class_weights([0, 0], method="enet")
    with pytest.raises(ValueError, match=r"method must be .* but got 'cubic'"):
        metrics.class_weights([1, 2], method="cubic")  # type: ignore[arg-type]


@given(
    st.integers(1, 6).flatmap(
        lambda n: st.tuples(
            st.just(n),
            hnp.arrays(np.uint8, (3, 5), elements=st.sampled_from([*range(n), 255])),
            hnp.arrays(np.uint8, (3, 5), elements=st.integers(0, n - 1)),
        )
    )
)
def test_what_always_holds(case: tuple[int, np.ndarray, np.ndarray]) -> None:  # type: ignore[type-arg]
    n, truth, guess = case
    matrix = metrics.confusion_matrix(truth, guess, num_classes=n, ignore_index=255)
    wide = metrics.confusion_matrix(
        truth.astype(np.int32), guess.astype(np.int32), num_classes=n, ignore_index=255
    )
    np.testing.assert_array_equal(matrix, wide)
    assert matrix.sum() == np.count_nonzero(truth != 255)
    scored = truth != 255
    for k, score in enumerate(metrics.iou(matrix)):
        meet = int((scored & (truth == k) & (guess == k)).sum())
        join = int((scored & ((truth == k) | (guess == k))).sum())
        assert score == pytest.approx(meet / join if join else NAN, nan_ok=True)
    assert metrics.mean_iou(matrix, over="all") >= 0
    assert not scored.any() or metrics.mean_iou(matrix, over="present") >= metrics.mean_iou(
        matrix, over="union"
    )


def test_agrees_with_scikit_learn() -> None:
    sklearn = oracle("sklearn.metrics")
    rng = np.random.default_rng(3)
    truth, guess = rng.integers(0, 5, (2, 40, 30))
    matrix = metrics.confusion_matrix(truth, guess, num_classes=5)
    pair = (truth.ravel(), guess.ravel())
    np.testing.assert_array_equal(matrix, sklearn.confusion_matrix(*pair))
    np.testing.assert_allclose(metrics.iou(matrix), sklearn.jaccard_score(*pair, average=None))
    np.testing.assert_allclose(metrics.f1(matrix), sklearn.f1_score(*pair, average=None))
    np.testing.assert_allclose(
        metrics.precision(matrix), sklearn.precision_score(*pair, average=None)
    )
    np.testing.assert_allclose(metrics.recall(matrix), sklearn.recall_score(*pair, average=None))
    assert metrics.mean_accuracy(matrix) == pytest.approx(sklearn.balanced_accuracy_score(*pair))


def test_agrees_with_torchmetrics() -> None:
    torch = oracle("torch")
    classification = oracle("torchmetrics.functional.classification")
    rng = np.random.default_rng(4)
    truth, guess = rng.integers(0, 4, (2, 2, 25, 30))
    truth[:, :3] = 255
    matrix = metrics.confusion_matrix(truth, guess, num_classes=4, ignore_index=255)
    pair = (torch.from_numpy(guess), torch.from_numpy(truth))
    theirs = classification.multiclass_confusion_matrix(*pair, num_classes=4, ignore_index=255)
    np.testing.assert_array_equal(matrix, theirs.numpy())
    jaccard = classification.multiclass_jaccard_index(
        *pair, num_classes=4, ignore_index=255, average=None
    )
    np.testing.assert_allclose(metrics.iou(matrix), jaccard.numpy(), rtol=1e-6)


def test_import_loads_neither_opencv_nor_torch() -> None:
    heavy = "{'cv2', 'torch'} & {*sys.modules}"
    code = f"import sys, maskforge.scores.metrics as _; sys.exit(bool({heavy}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int64])
def test_where_nothing_is_predicted_the_true_class_misses_and_none_gains(dtype) -> None:
    truth = np.array([[0, 0, 1, 1, 255]], dtype)
    prediction = np.array([[0, 255, 1, 255, 255]], dtype)
    options = {"num_classes": 2, "ignore_index": 255}
    matrix = metrics.confusion_matrix(truth, prediction, nothing=True, **options)
    assert matrix.tolist() == [[1, 0, 1], [0, 1, 1]]
    assert metrics.iou(matrix).tolist() == metrics.recall(matrix).tolist() == [0.5, 0.5]
    assert metrics.precision(matrix).tolist() == [1, 1]
    assert metrics.f1(matrix).tolist() == [2 / 3, 2 / 3]
    assert metrics.pixel_accuracy(matrix) == 0.5
    with pytest.raises(ValueError, match="but holds 255"):
        metrics.confusion_matrix(truth, prediction, **options)
    wrong = np.array([[0, 7, 1, 255, 255]], dtype)
    with pytest.raises(ValueError, match=r"class ids 0 … 1 or 255, but holds 7 at \(0, 1\)"):
        metrics.confusion_matrix(truth, wrong, nothing=True, **options)
