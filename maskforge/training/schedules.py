"""Learning-rate schedules (schedulers): the learning rate as a pure function of the step.

A schedule is a function ``(step, steps) -> factor`` for step 0 … steps-1; the learning rate of a
step is the factor times the learning rate that was asked for. Being a function, it needs no state
in the checkpoint. :class:`Plateau` looks at the loss instead, and has a state.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from maskforge.errors import UsageError


def constant(step: int, steps: int) -> float:
    """Return 1."""
    return 1.0


def book(step: int, steps: int) -> float:
    """Return 1, from epoch 41 of 100 on 1/2, from 61 on 1/10, from 81 on 1/20, counted from 0.

    That is what the code of Atienza's book does; its text has the rate halved every 20 epochs. A
    run of another length is divided in the same way.
    """
    epoch = 100 * step // steps
    if epoch <= 40:
        return 1.0
    if epoch <= 60:
        return 0.5
    return 0.1 if epoch <= 80 else 0.05


def poly(step: int, steps: int) -> float:
    """Return (1 - step / steps) ** 0.9, as DeepLab does (https://arxiv.org/abs/1606.00915)."""
    return math.pow(1 - step / steps, 0.9)


def cosine(step: int, steps: int) -> float:
    """Return half a cosine from 1 towards 0 (https://arxiv.org/abs/1608.03983)."""
    return (1 + math.cos(math.pi * step / steps)) / 2


def one_cycle(step: int, steps: int) -> float:
    """Return a rise from 1/25 to 1 over 30 % of the steps, then a fall to 4e-6, both cosines.

    Reference: Smith and Topin, https://arxiv.org/abs/1708.07120, in the two-phase form that torch's
    ``OneCycleLR`` made common; the numbers are the same.
    """
    start, end, top, last = 1 / 25, 1 / 25 / 1e4, 0.3 * steps - 1, steps - 1
    if step <= top:
        return _bend(start, 1.0, step / top if top > 0 else 1.0)
    return _bend(1.0, end, (step - top) / (last - top) if last > top else 1.0)


def _bend(first: float, last: float, progress: float) -> float:
    return last + (first - last) * (1 + math.cos(math.pi * progress)) / 2


SCHEDULES: dict[str, Callable[[int, int], float]] = {
    "constant": constant,
    "book": book,
    "poly": poly,
    "cosine": cosine,
    "one-cycle": one_cycle,
}


def factor(name: str, step: int, *, steps: int) -> float:
    """Return what to multiply the learning rate with at ``step`` of ``steps`` (counted from 0).

    Raises UsageError for a name that is not in :data:`SCHEDULES`, ValueError for a step that is
    none.
    """
    if name not in SCHEDULES:
        raise UsageError(f"schedule must be one of {list(SCHEDULES)}, but got {name!r}")
    if not 0 <= step < steps:
        raise ValueError(f"step must be in 0 … {steps - 1}, but got {step}")
    return SCHEDULES[name](step, steps)


@dataclass(slots=True)
class Plateau:
    """A factor that falls when the loss has not got better for a while.

    After ``patience`` reports in a row that are not lower than the best by ``min_delta``,
    ``factor`` is multiplied by ``decay``, but not below ``floor``. Counts and defaults are those of
    Keras' ``ReduceLROnPlateau`` (torch's waits one report longer); ``floor`` is a learning rate of
    1e-6 where the first one is 1e-3. All fields are the state: ``dataclasses.asdict`` saves it,
    ``Plateau(**saved)`` restores it.
    """

    decay: float = 0.1
    patience: int = 10
    min_delta: float = 1e-4
    floor: float = 1e-3
    factor: float = 1.0
    best: float = math.inf
    waited: int = 0

    def report(self, loss: float) -> float:
        """Take the loss of one epoch and return the factor from now on.

        A nan is no improvement.
        """
        if loss < self.best - self.min_delta:
            self.best, self.waited = loss, 0
            return self.factor
        self.waited += 1
        if self.waited >= self.patience:
            self.factor, self.waited = max(self.floor, self.factor * self.decay), 0
        return self.factor
