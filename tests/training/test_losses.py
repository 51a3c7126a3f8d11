"""Losses against values done by hand, and against torch's own."""

from __future__ import annotations

import math

import numpy as np
import pytest
from training import synthetic

from maskforge.classes import ClassTable
from maskforge.errors import UsageError
from maskforge.scores.metrics import class_weights
from maskforge.training.samples import Arrays, Data

torch = pytest.importorskip("torch")
F = pytest.importorskip("torch.nn.functional")
losses = pytest.importorskip("maskforge.training.losses")

HUGE = 50.0


def logits_of(probabilities: list[list[float]]) -> torch.Tensor:
    """Return logits (1, C, 1, P) whose softmax is the (P, C) probabilities."""
    p = torch.tensor(probabilities, dtype=torch.float64)
    return p.log().T[None, :, None, :]


def target_of(*ids: int) -> torch.Tensor:
    """Return a target (1, 1, P)."""
    return torch.tensor([[ids]])


P = [[0.5, 0.5], [0.25, 0.75], [0.9, 0.1]]
THREE = logits_of(P)


def test_cross_entropy_by_hand() -> None:
    got = losses.cross_entropy(THREE, target_of(0, 1, 255))
    assert got.item() == pytest.approx(-(math.log(0.5) + math.log(0.75)) / 2)
    weighted = losses.cross_entropy(THREE, target_of(0, 1, 255), weight=torch.tensor([1.0, 3.0]))
    assert weighted.item() == pytest.approx(-(math.log(0.5) + 3 * math.log(0.75)) / 4)


def test_a_mean_may_be_over_one_pixel() -> None:
    got = losses.cross_entropy(THREE, target_of(255, 1, 255))
    assert got.item() == pytest.approx(-math.log(0.75))


def test_focal_by_hand() -> None:
    got = losses.focal(THREE, target_of(0, 1, 255))
    assert got.item() == pytest.approx(-(0.25 * math.log(0.5) + 0.0625 * math.log(0.75)) / 2)


def test_dice_by_hand() -> None:
    # Class 0: TP 0.5, probabilities 0.75, truth 1. Class 1: TP 0.75, probabilities 1.25, truth 1.
    got = losses.dice(THREE, target_of(0, 1, 255))
    first, second = 1 - 1 / 1.75, 1 - 1.5 / 2.25
    assert got.item() == pytest.approx((first + second) / 2)
    weighted = losses.dice(THREE, target_of(0, 1, 255), weight=torch.tensor([3.0, 1.0]))
    assert weighted.item() == pytest.approx((3 * first + second) / 4)


def test_dice_leaves_out_classes_that_the_target_lacks() -> None:
    got = losses.dice(THREE, target_of(1, 1, 255))
    assert got.item() == pytest.approx(1 - 2 * 1.25 / (1.25 + 2))


def test_tversky_by_hand() -> None:
    got = losses.tversky(THREE, target_of(1, 1, 255))
    assert got.item() == pytest.approx(1 - 1.25 / (1.25 + 0.3 * 0 + 0.7 * 0.75))


def test_lovasz_by_hand() -> None:
    # Only class 1 is present; the errors 0.5 and 0.25 are both on its pixels, each adds 1/2.
    got = losses.lovasz(THREE, target_of(1, 1, 255))
    assert got.item() == pytest.approx(0.5 * 0.5 + 0.5 * 0.25)
    # One pixel of class 1 with error 0.25, one false alarm with the larger error 0.5: adding the
    # false alarm alone makes the IoU 1/2, adding the miss as well 0.
    one = losses.lovasz(logits_of([[0.5, 0.5], [0.25, 0.75]]), target_of(0, 1))
    class_0 = 0.5 * 1.0 + 0.25 * 0.0
    class_1 = 0.5 * 0.5 + 0.25 * 0.5
    assert one.item() == pytest.approx((class_0 + class_1) / 2)


def test_lovasz_and_dice_of_hard_predictions_are_the_scores() -> None:
    target = torch.tensor([[[0, 0, 1, 1], [0, 2, 2, 255]]])
    guess = torch.tensor([[[0, 1, 1, 1], [0, 2, 0, 2]]])
    logits = HUGE * F.one_hot(guess, 3).movedim(-1, 1).double()
    mean_iou = (2 / 4 + 2 / 3 + 1 / 2) / 3
    assert losses.lovasz(logits, target).item() == pytest.approx(1 - mean_iou)
    mean_dice = (4 / 6 + 4 / 5 + 2 / 3) / 3
    assert losses.dice(logits, target).item() == pytest.approx(1 - mean_dice)


def random_case(classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(classes)
    logits = torch.randn(2, classes, 5, 7, generator=generator)
    target = torch.randint(0, max(classes, 2), (2, 5, 7), generator=generator)
    target[0, 0] = 255
    return logits, target


def test_cross_entropy_is_that_of_torch() -> None:
    logits, target = random_case(4)
    weight = torch.tensor([0.5, 1.0, 2.0, 0.0])
    for w in (None, weight):
        expected = F.cross_entropy(logits, target, weight=w, ignore_index=255)
        torch.testing.assert_close(losses.cross_entropy(logits, target, weight=w), expected)
    unfocused = losses.focal(logits, target, gamma=0.0)
    torch.testing.assert_close(unfocused, F.cross_entropy(logits, target, ignore_index=255))


def test_one_class_is_binary_cross_entropy() -> None:
    logits, target = random_case(1)
    known = target != 255
    expected = F.binary_cross_entropy_with_logits(logits[:, 0][known], target[known].float())
    torch.testing.assert_close(losses.cross_entropy(logits, target), expected)


@pytest.mark.parametrize("name", sorted(losses.LOSSES))
def test_one_class_is_two_classes_whose_first_logit_is_0(name: str) -> None:
    logits, target = random_case(1)
    pair = torch.cat([torch.zeros_like(logits), logits], dim=1)
    weight = torch.tensor([0.0, 2.0]) if name in ("dice", "tversky", "lovasz") else None
    one = losses.LOSSES[name](logits, target)
    two = losses.LOSSES[name](pair, target, weight=weight)
    torch.testing.assert_close(one, two)


@pytest.mark.parametrize("classes", [1, 3])
@pytest.mark.parametrize("name", sorted(losses.LOSSES))
def test_ignored_pixels_have_no_gradient_and_all_ignored_is_0(name: str, classes: int) -> None:
    logits, target = random_case(classes)
    logits.requires_grad_()
    losses.LOSSES[name](logits, target).backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()
    assert (logits.grad[0, :, 0] == 0).all()
    assert (logits.grad[1] != 0).any()
    logits.grad = None
    nothing = losses.LOSSES[name](logits, torch.full_like(target, 255), weight=torch.ones(3))
    nothing.backward()
    assert nothing.item() == 0
    assert (logits.grad == 0).all()


@pytest.mark.parametrize("classes", [1, 3])
@pytest.mark.parametrize("name", sorted(losses.LOSSES))
def test_the_right_answer_costs_nothing_and_training_finds_it(name: str, classes: int) -> None:
    _, target = random_case(classes)
    ids = torch.where(target == 255, 0, target)
    right = F.one_hot(ids, max(classes, 2)).movedim(-1, 1).float()[:, -classes:]
    assert losses.LOSSES[name](HUGE * (2 * right - 1), target).item() == pytest.approx(0, abs=1e-6)
    logits = torch.zeros(2, classes, 5, 7, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.5)
    for _ in range(60):
        optimizer.zero_grad()
        losses.LOSSES[name](logits, target).backward()
        optimizer.step()
    found = logits.argmax(dim=1) if classes > 1 else (logits[:, 0] > 0).long()
    known = target != 255
    assert (found == target)[known].all()


@pytest.mark.parametrize("name", sorted(losses.LOSSES))
def test_half_precision_logits_are_computed_in_float32(name: str) -> None:
    logits, target = random_case(3)
    got = losses.LOSSES[name](logits.bfloat16(), target)
    assert got.dtype == torch.float32
    torch.testing.assert_close(got, losses.LOSSES[name](logits, target), rtol=0.02, atol=0.02)


def test_build_sums() -> None:
    logits, target = random_case(3)
    weight = torch.tensor([1.0, 2.0, 3.0])
    total = losses.build("ce+dice", ignore_index=255, weight=weight)
    expected = losses.cross_entropy(logits, target, weight=weight) + losses.dice(
        logits, target, weight=weight
    )
    torch.testing.assert_close(total(logits, target), expected)


@pytest.mark.parametrize("name", ["bce", "ce+", ""])
def test_build_refuses_unknown_names(name: str) -> None:
    with pytest.raises(UsageError, match=r"a loss must be one of .* but got"):
        losses.build(name)


@pytest.mark.parametrize("name", sorted(losses.LOSSES))
def test_sizes_that_differ_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"but got \(1, 2, 4, 5\) and \(1, 5, 4\)"):
        losses.LOSSES[name](torch.zeros(1, 2, 4, 5), torch.zeros(1, 5, 4, dtype=torch.int64))


# Weights of the classes


def data(*counts):
    names = [f"class {n}" for n in range(1, len(counts[0]))]
    classes = ClassTable.from_names(names)
    return Data(classes, Arrays([]), Arrays([]), np.array(counts))


@pytest.mark.parametrize(
    ("counts", "method"),
    [
        ([[5100, 100, 3000]], "enet"),
        ([[5000, 100, 3000]], "none"),  # as rare as may be
        ([[2550, 30, 0], [2550, 70, 3000]], "enet"),  # all images together
        ([[2500, 30, 0], [2500, 70, 3000]], "none"),
        ([[5000, 0, 3000]], "none"),  # what is nowhere is not rare
        ([[7, 0, 0]], "none"),
    ],
)
@pytest.mark.parametrize("loss", ["ce", "focal", "ce+focal"])
def test_rare_classes_weigh_more_where_the_loss_counts_pixels(counts, method, loss):
    found = data(*counts)
    wanted = class_weights(found.counts, method=method)
    assert np.array_equal(losses.class_weights_of(synthetic.config(loss=loss), found), wanted)
    assert method == "none" or wanted[1] > 5 * wanted[0]


@pytest.mark.parametrize("loss", ["ce+dice", "tversky", "focal+lovasz"])
def test_a_loss_of_regions_needs_no_weights(loss):
    found = losses.class_weights_of(synthetic.config(loss=loss), data([510000, 100, 3000]))
    assert found.tolist() == [1.0, 1.0, 1.0]


def test_weights_that_were_asked_for_are_those():
    counts = [400, 100, 300]
    for method in ("median", "enet", "none"):
        found = losses.class_weights_of(synthetic.config(class_weights=method), data(counts))
        assert np.array_equal(found, class_weights(np.array([counts]), method=method))


@pytest.mark.parametrize("method", ["auto", "none"])
def test_where_all_is_ignored_there_is_nothing_to_learn(method):
    with pytest.raises(UsageError, match="every pixel of the training images is ignored"):
        losses.class_weights_of(synthetic.config(class_weights=method), data([0, 0, 0]))


@pytest.mark.parametrize("name", ["ce", "focal", "dice", "tversky", "ce+dice"])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_loss_of_several_processes_is_that_of_all_their_images(name, weighted):
    """Two halves that ignore unlike parts; what one sums up gets what the other has."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 4, 5, generator=generator)
    target = torch.randint(0, 3, (2, 4, 5), generator=generator)
    target[0, :, 1:] = 255
    weight = torch.tensor([1.0, 3.0, 0.5]) if weighted else None
    sums = []

    def noted(values):
        sums.append(values)
        return values

    losses.build(name, weight=weight, total=noted)(logits[1:], target[1:])
    others = iter(sums)
    loss = losses.build(name, weight=weight, total=lambda values: values + next(others))
    found = loss(logits[:1], target[:1])
    wanted = losses.build(name, weight=weight)(logits, target)
    torch.testing.assert_close(found, wanted)
