"""What follows from settings and data: what decays, which classes weigh more, the crops."""

import numpy as np
import pytest
from training import synthetic

from maskforge.classes import ClassTable
from maskforge.errors import UsageError
from maskforge.scores.metrics import class_weights
from maskforge.training.samples import Arrays, Data

torch = pytest.importorskip("torch")
optim = pytest.importorskip("maskforge.training.optim")
distributed = pytest.importorskip("maskforge.training.distributed")


def network():
    parts = torch.nn.Conv2d(3, 5, 3), torch.nn.BatchNorm2d(5), torch.nn.Linear(7, 2, bias=False)
    return torch.nn.Sequential(*parts)


def shapes(group):
    return [tuple(p.shape) for p in group["params"]]


def test_biases_and_normalizations_do_not_decay():
    found = optim.optimizer_of(synthetic.config(weight_decay=0.25, lr=0.5), network())
    assert [(shapes(g), g["weight_decay"], g["lr"]) for g in found.param_groups] == [
        ([(5, 3, 3, 3), (2, 7)], 0.25, 0.5),
        ([(5,), (5,), (5,)], 0.0, 0.5),
    ]


def test_what_is_frozen_is_not_touched():
    part = network()
    part[0].requires_grad_(False)
    part[2].requires_grad_(False)
    found = optim.optimizer_of(synthetic.config(), part)
    assert [shapes(g) for g in found.param_groups] == [[(5,), (5,)]]


@pytest.mark.parametrize(("name", "kind"), [("adam", "Adam"), ("adamw", "AdamW")])
def test_the_optimizer_is_the_one_that_was_asked_for(name, kind):
    found = optim.optimizer_of(synthetic.config(optimizer=name), network())
    assert type(found).__name__ == kind


def data(*counts, sizes=((6, 9),)):
    pairs = [(np.zeros((*size, 3), np.uint8), np.zeros(size, np.uint8)) for size in sizes]
    names = [f"class {n}" for n in range(1, len(counts[0]))]
    classes = ClassTable.from_names(names)
    return Data(classes, Arrays(pairs), Arrays([]), np.array(counts))


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
    assert np.array_equal(optim.weights_of(synthetic.config(loss=loss), found), wanted)
    assert method == "none" or wanted[1] > 5 * wanted[0]


@pytest.mark.parametrize("loss", ["ce+dice", "tversky", "focal+lovasz"])
def test_a_loss_of_regions_needs_no_weights(loss):
    found = optim.weights_of(synthetic.config(loss=loss), data([510000, 100, 3000]))
    assert found.tolist() == [1.0, 1.0, 1.0]


def test_weights_that_were_asked_for_are_those():
    counts = [400, 100, 300]
    for method in ("median", "enet", "none"):
        found = optim.weights_of(synthetic.config(class_weights=method), data(counts))
        assert np.array_equal(found, class_weights(np.array([counts]), method=method))


@pytest.mark.parametrize("method", ["auto", "none"])
def test_where_all_is_ignored_there_is_nothing_to_learn(method):
    with pytest.raises(UsageError, match="every pixel of the training images is ignored"):
        optim.weights_of(synthetic.config(class_weights=method), data([0, 0, 0]))


def test_crops_have_the_size_of_the_middle_image_rounded_up():
    found = data([1, 1], sizes=[(20, 90), (40, 10), (33, 50)])
    assert optim.middle_size(found, 1) == (50, 33)
    assert optim.middle_size(found, 8) == (56, 40)


@pytest.mark.parametrize(
    ("batch", "accumulate", "count", "fits"),
    [(6, 3, 2, True), (12, 3, 2, True), (4, 3, 2, False), (3, 3, 2, False), (5, 1, 1, True)],
)
def test_a_batch_can_be_shared_out(batch, accumulate, count, fits):
    config = synthetic.config(batch=batch, accumulate=accumulate)
    ranks = distributed.Ranks(count=count)
    if fits:
        optim.check(config, data([1, 1]), ranks)
        return
    with pytest.raises(UsageError, match=r"batch must be a multiple of 6 .*, but got [34]"):
        optim.check(config, data([1, 1]), ranks)


def test_a_sigmoid_tells_two_ids_apart():
    optim.check(synthetic.config(sigmoid=True), data([1, 1]), distributed.Ranks())
    with pytest.raises(UsageError, match="but the data have 3 ids"):
        optim.check(synthetic.config(sigmoid=True), data([1, 1, 1]), distributed.Ranks())


def test_no_images_are_refused():
    with pytest.raises(UsageError, match="there must be images to train on, but there is none"):
        optim.check(synthetic.config(), data([1, 1], sizes=()), distributed.Ranks())
