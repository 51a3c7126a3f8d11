"""Validation: the metrics and the loss of a network on images at the size it works at."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from maskforge.prediction import sizes
from maskforge.prediction.sizes import LabelImage
from maskforge.scores import metrics
from maskforge.training import loader
from maskforge.training.device import Machine, decisions
from maskforge.training.distributed import Ranks
from maskforge.training.interrupt import Interrupted
from maskforge.training.losses import Loss
from maskforge.training.samples import Items


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """matrix: the confusion matrix (C, C). loss: the mean over the images.

    images: mean IoU and pixel accuracy of each, in their order.
    predictions: label images by number of the item, of those that were to be kept, whichever
    process they fell to.
    """

    matrix: NDArray[np.int64]
    loss: float
    images: list[tuple[float, float]]
    predictions: dict[int, LabelImage]


def evaluate(
    network: nn.Module,
    items: Items,
    *,
    num_classes: int,
    ignore_index: int,
    divisor: int,
    batch: int,
    loss_of: Loss,
    machine: Machine,
    keep: Collection[int] = (),
    ranks: Ranks = Ranks(),  # noqa: B008 (frozen)
    stopped: Callable[[], bool] = lambda: False,
) -> Evaluation:
    """Return how well ``network`` does on ``items``; the processes share the work.

    Raises Interrupted when ``stopped`` says so.
    """
    matrix = np.zeros((num_classes, num_classes), np.int64)
    loss = 0.0
    predictions: dict[int, LabelImage] = {}
    by_image: dict[int, tuple[float, float]] = {}
    mine = sizes.groups(items.sizes, divisor=divisor, batch=batch)[ranks.rank :: ranks.count]
    was_training = network.training
    network.eval()
    try:
        loaded = loader.evaluation_batches(
            items, mine, divisor=divisor, ignore_index=ignore_index, workers=machine.workers
        )
        for numbers, images, targets in loaded:
            if ranks.count == 1 and stopped():
                raise Interrupted("interrupted")
            with torch.inference_mode(), machine.autocast():
                logits = network(machine.images(images))
                loss += len(numbers) * float(loss_of(logits, machine.targets(targets)))
            found: NDArray[Any] = decisions(logits).cpu().numpy().astype(targets.dtype)
            for place, number in enumerate(numbers):
                one = metrics.confusion_matrix(
                    targets[place], found[place], num_classes=num_classes, ignore_index=ignore_index
                )
                matrix += one
                by_image[number] = metrics.mean_iou(one), metrics.pixel_accuracy(one)
                if number in keep:
                    height, width = items.sizes[number]
                    predictions[number] = found[place, :height, :width]
    finally:
        network.train(was_training)
    matrix, loss = _summed(matrix, loss, len(items), ranks, machine)
    scores = [score for _, score in sorted(ranks.joint(by_image).items())]
    return Evaluation(matrix, loss, scores, ranks.joint(predictions))


def _summed(
    matrix: NDArray[np.int64], loss: float, count: int, ranks: Ranks, machine: Machine
) -> tuple[NDArray[np.int64], float]:
    if ranks.count > 1:
        matrix = ranks.total(torch.from_numpy(matrix).to(machine.device)).cpu().numpy()
        loss = float(ranks.total(torch.tensor(loss, device=machine.device)))
    return matrix, loss / max(1, count)
