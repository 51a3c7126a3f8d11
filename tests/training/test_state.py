"""Where a run is: which evaluation was the best one, and how long ago that was."""

import math

import pytest
from maskforge.training.state import State


def row(mean_iou=math.nan, loss=1.0, val_loss=math.nan):
    return {"mean_iou": mean_iou, "loss": loss, "val_loss": val_loss}


def test_only_a_better_one_is_the_best():
    """One as good is not: of equals the earliest is kept."""
    state = State()
    found = [state.take(row(mean_iou)) for mean_iou in (0.5, 0.5, 0.4, 0.6, 0.6)]
    assert found == [True, False, False, True, False]
    assert (state.best, state.waited) == (0.6, 1)
    assert [r["mean_iou"] for r in state.history] == [0.5, 0.5, 0.4, 0.6, 0.6]


def test_without_validation_images_the_lowest_training_loss_is_the_best():
    state = State()
    assert [state.take(row(loss=loss)) for loss in (0.9, 0.9, 1.2, 0.7)] == [
        True, False, False, True,
    ]  # fmt: skip
    assert (state.best, state.waited) == (-0.7, 0)


def test_what_was_summed_up_for_an_evaluation_begins_anew():
    state = State(step=7, loss=3.5, loss_steps=7)
    state.take(row(0.5))
    assert (state.evaluated, state.loss, state.loss_steps) == (7, 0.0, 0)


@pytest.mark.parametrize(
    ("rows", "best"),
    [([row(0.5, loss=0.9, val_loss=0.4)], 0.4), ([row(0.5, loss=0.9)], 0.9)],
)
def test_the_plateau_hears_of_the_validation_loss_where_there_is_one(rows, best):
    state = State()
    for one in rows:
        state.take(one)
    assert (state.plateau["best"], state.plateau["waited"]) == (best, 0)
    state.take(row(0.9, loss=0.1, val_loss=best))
    assert state.plateau["waited"] == 1
