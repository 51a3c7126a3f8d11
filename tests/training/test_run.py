"""What a run consists of: where it is, which loss it has, which images its pictures show."""

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from training import synthetic

from maskforge.classes import ClassTable
from maskforge.errors import UsageError
from maskforge.training.samples import Arrays, Data

torch = pytest.importorskip("torch")
run_ = pytest.importorskip("maskforge.training.run")
callbacks = pytest.importorskip("maskforge.training.callbacks")
device = pytest.importorskip("maskforge.training.device")
distributed = pytest.importorskip("maskforge.training.distributed")


class AsIfOneOf(distributed.Ranks):
    """One of several processes, that speaks with none of the others."""

    def spread(self, network, device):
        return network


def begun(config, data, *, count=1, rank=0):
    return run_.Run.begin(
        config,
        data,
        SimpleNamespace(path=Path("nowhere"), earlier=None),
        device.Machine.of(config),
        AsIfOneOf(rank, count),
        callbacks.Watch(),
    )


def blank(*sizes):
    return Arrays([(np.zeros((*s, 3), np.uint8), np.zeros(s, np.uint8)) for s in sizes])


SMALL, LARGE = (18, 26), (30, 26)
TWELVE = (SMALL, LARGE) * 6


@pytest.mark.parametrize(
    ("sizes", "count", "rank", "wanted"),
    [
        (TWELVE, 1, 0, [0, 1, 3, 4, 6, 7, 9, 10]),
        (TWELVE, 2, 0, [0, 1, 3, 4, 6, 7, 9, 10]),
        (TWELVE, 3, 2, [0, 1, 3, 4, 6, 7, 9, 10]),
        ((SMALL,) * 17, 1, 0, [0, 2, 4, 6, 8, 10, 12, 14]),
        ((SMALL,) * 3, 1, 0, [0, 1, 2]),
        ((), 1, 0, []),
    ],
)
def test_pictures_show_images_from_all_over_whoever_scores_them(sizes, count, rank, wanted):
    data = replace(synthetic.data(), val=blank(*sizes))
    run = begun(synthetic.config(batch=6), data, count=count, rank=rank)
    assert run._shown() == wanted


@pytest.mark.parametrize(("pixels", "is_weighed"), [([9000, 100], True), ([900, 100], False)])
def test_the_loss_weighs_rare_classes(pixels, is_weighed):
    """Where both are missed by as much, the rare one costs more."""
    data = replace(synthetic.data(), counts=np.array([pixels]))
    loss_of = begun(synthetic.config(loss="ce"), data).loss_of
    logits = torch.zeros(1, 2, 1, 2)
    logits[0, 1, 0, 0] = logits[0, 1, 0, 1] = 2.0  # both are called 1; the first is 0
    target = torch.tensor([[[0, 1]]])
    missed, right = (float(torch.nn.functional.softplus(torch.tensor(v))) for v in (2.0, -2.0))
    weight = [1.0, 1.0]
    if is_weighed:
        weight = [1 / np.log(1.02 + n / sum(pixels)) for n in pixels]
    wanted = (weight[0] * missed + weight[1] * right) / sum(weight)
    assert loss_of(logits, target).item() == pytest.approx(wanted, rel=1e-5)


def test_the_crop_is_that_of_the_middle_image_where_none_is_named():
    assert begun(synthetic.config(), synthetic.data()).config.crop == (28, 20)
    assert begun(synthetic.config(crop=(32, 16)), synthetic.data()).config.crop == (32, 16)


class Spread(torch.nn.parallel.DistributedDataParallel):
    """As if spread over processes."""

    def __init__(self):
        torch.nn.Module.__init__(self)

    def no_sync(self):
        return "not shared"


def test_only_the_last_part_of_a_step_shares_its_gradients():
    run = begun(synthetic.config(), synthetic.data())
    assert "not shared" not in [run.gradients_shared(last=last) for last in (False, True)]
    run.forward = Spread()
    assert run.gradients_shared(last=False) == "not shared"
    assert run.gradients_shared(last=True) != "not shared"


@pytest.mark.parametrize(
    ("changes", "evaluated"),
    [
        ({"steps": 5, "evaluate_every": 1}, [2, 4, 5]),
        ({"steps": 9, "evaluate_every": 2}, [4, 8, 9]),
        ({"steps": 65, "evaluate_every": 0}, [30, 60, 65]),  # 15 epochs of 2 steps
        ({"steps": 1000, "evaluate_every": 0}, list(range(50, 1001, 50))),
        ({"steps": None, "minutes": 1.0, "evaluate_every": 0}, list(range(30, 1001, 30))),
    ],
)
def test_evaluations_come_after_whole_epochs_and_at_the_end(changes, evaluated):
    run = begun(synthetic.config(**changes), synthetic.data(8))
    found = []
    for step in range((run.steps or 1000) + 1):
        run.state.step = step
        if run.is_epoch_over():
            found.append(step)
    assert found == evaluated


@pytest.mark.parametrize(
    ("changes", "images", "steps"),
    [
        ({}, 8, 1000),  # 2 steps an epoch: 100 epochs are too few
        ({}, 41, 1100),
        ({"epochs": 3}, 8, 6),
        ({"steps": 7}, 8, 7),
        ({"minutes": 2.0}, 8, None),
    ],
)
def test_a_run_is_as_long_as_it_must_be_where_nobody_says(changes, images, steps):
    run = begun(synthetic.config(**({"steps": None} | changes)), synthetic.data(images))
    assert run.steps == steps


class Told(callbacks.Watch):
    """Remembers the last step."""

    def step(self, step):
        self.last = step


def test_a_step_is_told_with_the_last_score_and_the_mean_loss(monkeypatch):
    monkeypatch.setattr(run_, "REPORT_SECONDS", 0)  # which have passed when none has
    monkeypatch.setattr(run_, "time", SimpleNamespace(monotonic=lambda: 7.0))
    run = begun(synthetic.config(steps=6), synthetic.data(8))
    run.watch, run.state.step = Told(), 3
    run.log(torch.tensor(0.5))
    assert np.isnan(run.watch.last.mean_iou)
    run.state.history = [{"mean_iou": 0.25}, {"mean_iou": 0.75}]
    run.optimizer.param_groups[0]["lr"] = 0.2
    run.log(torch.tensor(0.25))
    last = run.watch.last
    assert (last.step, last.epoch, last.share) == (3, 2, 0.5)
    assert (last.loss, last.lr, last.mean_iou) == (0.375, 0.2, 0.75)
    assert last.losses == (0.25,)


def test_every_loss_is_told_once_also_those_of_steps_that_came_too_fast(monkeypatch):
    monkeypatch.setattr(run_, "REPORT_SECONDS", 1e9)
    run = begun(synthetic.config(steps=6), synthetic.data(8))
    run.watch = Told()
    for loss in (0.5, 0.25, 0.125):
        run.log(torch.tensor(loss))
    assert not hasattr(run.watch, "last")
    monkeypatch.setattr(run_.Run, "_save", lambda *_: None)
    run.folder.publish = lambda: False
    run.save_last()
    assert run.watch.last.losses == (0.5, 0.25, 0.125)
    del run.watch.last
    run.save_last()
    assert not hasattr(run.watch, "last")


# Where a run is


def row(mean_iou=math.nan, loss=1.0, val_loss=math.nan):
    return {"mean_iou": mean_iou, "loss": loss, "val_loss": val_loss}


def test_only_a_better_one_is_the_best():
    """One as good is not: of equals the earliest is kept."""
    state = run_.State()
    found = [state.take(row(mean_iou)) for mean_iou in (0.5, 0.5, 0.4, 0.6, 0.6)]
    assert found == [True, False, False, True, False]
    assert (state.best, state.waited) == (0.6, 1)
    assert [r["mean_iou"] for r in state.history] == [0.5, 0.5, 0.4, 0.6, 0.6]


def test_without_validation_images_the_lowest_training_loss_is_the_best():
    state = run_.State()
    assert [state.take(row(loss=loss)) for loss in (0.9, 0.9, 1.2, 0.7)] == [
        True, False, False, True,
    ]  # fmt: skip
    assert (state.best, state.waited) == (-0.7, 0)


def test_what_was_summed_up_for_an_evaluation_begins_anew():
    state = run_.State(step=7, loss=3.5, loss_steps=7)
    state.take(row(0.5))
    assert (state.evaluated, state.loss, state.loss_steps) == (7, 0.0, 0)


@pytest.mark.parametrize(
    ("rows", "best"),
    [([row(0.5, loss=0.9, val_loss=0.4)], 0.4), ([row(0.5, loss=0.9)], 0.9)],
)
def test_the_plateau_hears_of_the_validation_loss_where_there_is_one(rows, best):
    state = run_.State()
    for one in rows:
        state.take(one)
    assert (state.plateau["best"], state.plateau["waited"]) == (best, 0)
    state.take(row(0.9, loss=0.1, val_loss=best))
    assert state.plateau["waited"] == 1


# What does not go together


def settled(*, train=1, names=2):
    classes = ClassTable.from_names([f"class {n}" for n in range(1, names)])
    return Data(classes, blank(*[SMALL] * train), blank(), np.ones((train, names), np.int64))


@pytest.mark.parametrize(
    ("batch", "accumulate", "count", "fits"),
    [(6, 3, 2, True), (12, 3, 2, True), (4, 3, 2, False), (3, 3, 2, False), (5, 1, 1, True)],
)
def test_a_batch_can_be_shared_out(batch, accumulate, count, fits):
    config = synthetic.config(batch=batch, accumulate=accumulate)
    ranks = distributed.Ranks(count=count)
    if fits:
        run_._check(config, settled(), ranks)
        return
    with pytest.raises(UsageError, match=r"batch must be a multiple of 6 .*, but got [34]"):
        run_._check(config, settled(), ranks)


def test_a_sigmoid_tells_two_ids_apart():
    run_._check(synthetic.config(sigmoid=True), settled(), distributed.Ranks())
    with pytest.raises(UsageError, match="but the data have 3 ids"):
        run_._check(synthetic.config(sigmoid=True), settled(names=3), distributed.Ranks())


def test_no_images_are_refused():
    with pytest.raises(UsageError, match="there must be images to train on, but there is none"):
        run_._check(synthetic.config(), settled(train=0), distributed.Ranks())


def test_a_run_does_not_begin_with_what_does_not_go_together():
    with pytest.raises(UsageError, match="batch must be a multiple of 3"):
        begun(synthetic.config(batch=4, accumulate=3), synthetic.data())
