"""Where a training run is: plain numbers, which the checkpoint carries."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field

from maskforge.scores.history import Row
from maskforge.training import schedules


@dataclass(slots=True)
class State:
    """Where a run is. All but ``history`` and ``plateau`` are numbers; the checkpoint has them all.

    loss: sum of the losses since the last evaluation, over loss_steps steps.
    evaluated: the step of the last evaluation. waited: evaluations since the best one.
    """

    step: int = 0
    seconds: float = 0.0
    evaluated: int = -1
    best: float = -math.inf
    waited: int = 0
    loss: float = 0.0
    loss_steps: int = 0
    history: list[Row] = field(default_factory=list)
    plateau: dict[str, float] = field(default_factory=lambda: asdict(schedules.Plateau()))

    def take(self, row: Row) -> bool:
        """Take in an evaluation; return whether it is the best one."""
        loss = row["loss"] if math.isnan(row["val_loss"]) else row["val_loss"]
        plateau = schedules.Plateau(**self.plateau)  # type: ignore[arg-type]
        plateau.report(loss)
        self.plateau = asdict(plateau)
        # Without validation images the training loss has to tell.
        score = -row["loss"] if math.isnan(row["mean_iou"]) else row["mean_iou"]
        best = score > self.best
        self.best, self.waited = (score, 0) if best else (self.best, self.waited + 1)
        self.history.append(row)
        self.evaluated, self.loss, self.loss_steps = self.step, 0.0, 0
        return best
