"""What a run consists of: which loss it has, and which images its pictures show."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from training import synthetic

from maskforge.training.samples import Arrays

torch = pytest.importorskip("torch")
trainer = pytest.importorskip("maskforge.training.trainer")
callbacks = pytest.importorskip("maskforge.training.callbacks")
device = pytest.importorskip("maskforge.training.device")
distributed = pytest.importorskip("maskforge.training.distributed")


class AsIfOneOf(distributed.Ranks):
    """One of several processes, that speaks with none of the others."""

    def spread(self, network, device):
        return network


def session(config, data, *, count=1, rank=0):
    return trainer.Session.begin(
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
SIX = (SMALL, LARGE, SMALL, LARGE, SMALL, LARGE)
"""In groups of two: 0 and 2, 4, 1 and 3, 5."""


@pytest.mark.parametrize(
    ("sizes", "count", "rank", "wanted"),
    [
        (SIX, 1, 0, [0, 1, 3, 4]),
        (SIX, 2, 0, [0, 1, 2, 3]),
        (SIX, 3, 0, [0, 2, 5]),
        ((SMALL,) * 9, 1, 0, [0, 2, 4, 6]),
        ((SMALL,) * 3, 1, 0, [0, 1, 2]),
        ((), 1, 0, []),
    ],
)
def test_pictures_show_images_from_all_over_that_this_process_scores(sizes, count, rank, wanted):
    """What another process scores, this one has no prediction of."""
    data = replace(synthetic.data(), val=blank(*sizes))
    run = session(synthetic.config(batch=6), data, count=count, rank=rank)
    run.config = replace(run.config, batch=2)
    assert run._shown() == wanted


@pytest.mark.parametrize(("pixels", "is_weighed"), [([9000, 100], True), ([900, 100], False)])
def test_the_loss_weighs_rare_classes(pixels, is_weighed):
    """Where both are missed by as much, the rare one costs more."""
    data = replace(synthetic.data(), counts=np.array([pixels]))
    loss_of = session(synthetic.config(loss="ce"), data).loss_of
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
    assert session(synthetic.config(), synthetic.data()).config.crop == (28, 20)
    assert session(synthetic.config(crop=(32, 16)), synthetic.data()).config.crop == (32, 16)


class Spread(torch.nn.parallel.DistributedDataParallel):
    """As if spread over processes."""

    def __init__(self):
        torch.nn.Module.__init__(self)

    def no_sync(self):
        return "not shared"


def test_only_the_last_part_of_a_step_shares_its_gradients():
    run = session(synthetic.config(), synthetic.data())
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
    ],
)
def test_evaluations_come_after_whole_epochs_and_at_the_end(changes, evaluated):
    run = session(synthetic.config(**changes), synthetic.data(8))
    found = []
    for step in range(run.steps + 1):
        run.state.step = step
        if run.is_epoch_over():
            found.append(step)
    assert found == evaluated


class Told(callbacks.Watch):
    """Remembers the last step."""

    def step(self, step):
        self.last = step


def test_a_step_is_told_with_the_last_score_and_the_mean_loss(monkeypatch):
    monkeypatch.setattr(trainer, "REPORT_SECONDS", 0)
    run = session(synthetic.config(steps=6), synthetic.data(8))
    run.watch, run.state.step = Told(), 3
    run.log(torch.tensor(0.5), 0.1)
    assert np.isnan(run.watch.last.mean_iou)
    run.state.history = [{"mean_iou": 0.25}, {"mean_iou": 0.75}]
    run.log(torch.tensor(0.25), 0.2)
    last = run.watch.last
    assert (last.step, last.epoch, last.share) == (3, 2, 0.5)
    assert (last.loss, last.lr, last.mean_iou) == (0.375, 0.2, 0.75)
