"""Learning rates by hand, and against torch's own schedulers."""

from __future__ import annotations

import dataclasses
import json
import math
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskforge.errors import UsageError
from maskforge.training import schedules


def test_book_halves_from_41_then_a_tenth_then_a_twentieth() -> None:
    rates = [schedules.factor("book", epoch, steps=100) for epoch in range(100)]
    assert rates == [1.0] * 41 + [0.5] * 20 + [0.1] * 20 + [0.05] * 19
    fine = [schedules.factor("book", step, steps=700) for step in range(700)]
    assert fine == [rate for rate in rates for _ in range(7)]


def test_poly_and_cosine_by_hand() -> None:
    assert schedules.factor("poly", 5, steps=10) == pytest.approx(0.5**0.9)
    assert schedules.factor("cosine", 5, steps=20) == pytest.approx((1 + math.sqrt(0.5)) / 2)
    assert schedules.factor("constant", 7, steps=8) == 1.0


def test_one_cycle_turns_at_30_percent() -> None:
    rates = [schedules.factor("one-cycle", step, steps=10) for step in range(10)]
    assert rates[0] == pytest.approx(0.04)
    assert rates[2] == 1.0
    assert rates[9] == pytest.approx(4e-6)
    assert rates == sorted(rates[:3]) + sorted(rates[3:], reverse=True)


@given(st.sampled_from(sorted(schedules.SCHEDULES)), st.integers(1, 300), st.data())
def test_factor_is_above_0_and_at_most_1(name: str, steps: int, data: st.DataObject) -> None:
    step = data.draw(st.integers(0, steps - 1))
    assert 0 < schedules.factor(name, step, steps=steps) <= 1


def test_factor_refuses() -> None:
    with pytest.raises(UsageError, match=r"schedule must be one of .* but got 'onecycle'"):
        schedules.factor("onecycle", 0, steps=1)
    with pytest.raises(ValueError, match="step must be in 0 … 4, but got 5"):
        schedules.factor("poly", 5, steps=5)


def test_plateau_waits_then_falls_to_the_floor() -> None:
    plateau = schedules.Plateau(patience=3, floor=0.05)
    assert [plateau.report(loss) for loss in (1.0, 0.9, 0.9, 0.89995)] == [1.0] * 4
    assert plateau.report(math.nan) == pytest.approx(0.1)
    assert [plateau.report(1.0) for _ in range(3)] == pytest.approx([0.1, 0.1, 0.05])
    assert plateau.report(0.5) == 0.05


def test_plateau_goes_on_from_its_saved_state() -> None:
    plateau = schedules.Plateau(patience=2)
    plateau.report(1.0)
    plateau.report(1.0)
    again = schedules.Plateau(**json.loads(json.dumps(dataclasses.asdict(plateau))))
    assert again.report(1.0) == plateau.report(1.0) == pytest.approx(0.1)


def torch_rates(make: Callable[[Any, Any], Any], steps: int) -> list[float]:
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = make(torch.optim.lr_scheduler, optimizer)
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scheduler.step()
    return rates


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("poly", lambda s, o: s.PolynomialLR(o, total_iters=20, power=0.9)),
        ("cosine", lambda s, o: s.CosineAnnealingLR(o, T_max=20)),
        ("one-cycle", lambda s, o: s.OneCycleLR(o, max_lr=1.0, total_steps=21)),
    ],
)
def test_same_as_torch(name: str, make: Callable[[Any, Any], Any]) -> None:
    steps = 21 if name == "one-cycle" else 20
    ours = [schedules.factor(name, step, steps=steps) for step in range(20)]
    assert ours == pytest.approx(torch_rates(make, 20), abs=1e-9)


def test_plateau_same_as_torch() -> None:
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, patience=3, threshold=1e-4, threshold_mode="abs", min_lr=1e-3
    )
    ours = schedules.Plateau(patience=4)  # counted as Keras does
    for epoch in range(40):
        loss = 1 / (1 + min(epoch, 11)) + 1e-5 * (epoch % 3)
        theirs.step(loss)
        assert ours.report(loss) == pytest.approx(optimizer.param_groups[0]["lr"])
