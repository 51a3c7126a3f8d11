"""Loss functions: logits and target in, one number out. All of them know the ignore index.

    loss = losses.build("ce+dice", ignore_index=255)
    loss(logits, target).backward()

Shape, for every loss here:
    logits: (N, C, H, W) float, before softmax. With C = 1 the form is the sigmoid one: one logit
        for "object", the target holds 0 and 1.
    target: (N, H, W) int64 class ids, or the ignore index, which is neither trained nor counted.
    weight: (C,) float, a factor for each class; (2,) for C = 1: background, object. None is 1.
    total: sums over the processes of a run what the loss is made of, so that the loss of all their
        images is what each returns. Not for lovasz, which would need every pixel in one place: it
        looks at the images of its own process.
    returns: a float32 scalar, also under autocast; 0 with zero gradients where all is ignored.

The region losses (dice, tversky, lovasz) look at the batch as one image, and average over the
classes that the target holds: for a class that is not there, the best overlap would be 0 / 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from maskforge.errors import UsageError
from maskforge.prediction.config import Config
from maskforge.scores.metrics import class_weights
from maskforge.training.samples import Data

Loss: TypeAlias = Callable[[Tensor, Tensor], Tensor]
Total: TypeAlias = Callable[[Tensor], Tensor]


def alone(values: Tensor) -> Tensor:
    """Return ``values``: the sum over a single process."""
    return values


def cross_entropy(
    logits: Tensor,
    target: Tensor,
    *,
    ignore_index: int = 255,
    weight: Tensor | None = None,
    total: Total = alone,
) -> Tensor:
    """Return the mean of -log p over the pixels, p being the probability of the true class.

    With ``weight`` it is the weighted mean, as torch's ``cross_entropy``.
    """
    pixels = _cross_entropies(logits, target, ignore_index)
    return _mean_of_pixels(pixels, target, ignore_index, weight, total)


def focal(
    logits: Tensor,
    target: Tensor,
    *,
    ignore_index: int = 255,
    weight: Tensor | None = None,
    total: Total = alone,
    gamma: float = 2.0,
) -> Tensor:
    """Return the mean of -(1 - p) ** gamma log p: pixels that are right already count less.

    The mean is over the pixels, weighted as :func:`cross_entropy`; ``gamma`` = 0 is that loss.

    Reference: Lin et al., Focal Loss for Dense Object Detection, https://arxiv.org/abs/1708.02002
    """
    pixels = _cross_entropies(logits, target, ignore_index)
    hard = (1 - torch.exp(-pixels)).clamp(min=0) ** gamma * pixels
    return _mean_of_pixels(hard, target, ignore_index, weight, total)


def tversky(
    logits: Tensor,
    target: Tensor,
    *,
    ignore_index: int = 255,
    weight: Tensor | None = None,
    total: Total = alone,
    alpha: float = 0.3,
    beta: float = 0.7,
) -> Tensor:
    """Return 1 - TP / (TP + alpha FP + beta FN), averaged over the classes present.

    TP, FP and FN are sums of probabilities. With ``beta`` above ``alpha``, what is missed costs
    more than what is wrongly found. ``alpha`` = ``beta`` = 1 makes it the soft IoU loss.

    Reference: Salehi et al., Tversky loss function, https://arxiv.org/abs/1706.05721
    """
    found, truth = _by_class(logits, target, ignore_index)
    sums = (found * truth).sum(dim=1), found.sum(dim=1), truth.sum(dim=1)
    hits, called, true = total(torch.stack(sums))  # (C,) each
    wrong, missed = called - hits, true - hits
    scores = hits / (hits + alpha * wrong + beta * missed).clamp(min=1e-7)
    return _mean_of_present(1 - scores, true, weight)


def dice(
    logits: Tensor,
    target: Tensor,
    *,
    ignore_index: int = 255,
    weight: Tensor | None = None,
    total: Total = alone,
) -> Tensor:
    """Return 1 - 2 TP / (2 TP + FP + FN), averaged over the classes present.

    Reference: Milletari et al., V-Net, https://arxiv.org/abs/1606.04797 (sums of probabilities
    instead of their squares)
    """
    same = {"ignore_index": ignore_index, "weight": weight, "total": total}
    return tversky(logits, target, **same, alpha=0.5, beta=0.5)  # type: ignore[arg-type]


def lovasz(
    logits: Tensor,
    target: Tensor,
    *,
    ignore_index: int = 255,
    weight: Tensor | None = None,
    total: Total = alone,
) -> Tensor:
    """Return the convex (Lovász) extension of 1 - IoU, averaged over the classes present.

    For hard probabilities 0 and 1 it is exactly 1 - IoU. It sorts the pixels of each class, so it
    costs more than the others; it is mostly added to cross entropy, late in the training.

    Reference: Berman et al., The Lovász-Softmax loss, https://arxiv.org/abs/1705.08790
    """
    found, truth = _by_class(logits, target, ignore_index)
    # An ignored pixel has the error 0, so it is multiplied away wherever it is sorted to.
    errors, order = (found - truth).abs().sort(dim=1, descending=True)  # (C, P)
    truth_sorted = truth.gather(1, order)
    size = truth.sum(dim=1, keepdim=True)
    # Jaccard loss when the k worst pixels are wrong, for k = 1 … P; its steps weigh the errors.
    left = size - truth_sorted.cumsum(dim=1)
    union = size + (1 - truth_sorted).cumsum(dim=1)
    jaccard = 1 - left / union.clamp(min=1)
    steps = torch.diff(jaccard, dim=1, prepend=torch.zeros_like(size))
    return _mean_of_present((errors * steps).sum(dim=1), size[:, 0], weight)


LOSSES: dict[str, Callable[..., Tensor]] = {
    "ce": cross_entropy,
    "dice": dice,
    "focal": focal,
    "tversky": tversky,
    "lovasz": lovasz,
}


def build(
    name: str, *, ignore_index: int = 255, weight: Tensor | None = None, total: Total = alone
) -> Loss:
    """Return the loss ``name``, or the sum of several, such as "ce+dice".

    Raises UsageError for a name that is not in :data:`LOSSES`.
    """
    names = parts_of(name)
    same = {"ignore_index": ignore_index, "weight": weight, "total": total}

    def summed(logits: Tensor, target: Tensor) -> Tensor:
        return torch.stack([LOSSES[part](logits, target, **same) for part in names]).sum()

    return summed


def parts_of(name: str) -> list[str]:
    """Return the names in a sum such as "ce+dice". Raises UsageError for one that is no loss."""
    names = [part.strip() for part in name.split("+")]
    if any(part not in LOSSES for part in names):
        raise UsageError(
            f"a loss must be one of {list(LOSSES)} or a sum of them such as 'ce+dice', "
            f"but got {name!r}"
        )
    return names


def _cross_entropies(logits: Tensor, target: Tensor, ignore_index: int) -> Tensor:
    """Return -log p of the true class, (N, H, W) float32, 0 where it is ignored."""
    _check(logits, target)
    logits = logits.float()
    if logits.shape[1] > 1:
        return F.cross_entropy(logits, target, ignore_index=ignore_index, reduction="none")
    known = target != ignore_index
    truth = torch.where(known, target, 0).to(logits.dtype)
    return F.binary_cross_entropy_with_logits(logits[:, 0], truth, reduction="none") * known


def _mean_of_pixels(
    pixels: Tensor, target: Tensor, ignore_index: int, weight: Tensor | None, total: Total
) -> Tensor:
    known = target != ignore_index
    if weight is None:
        sums = pixels.sum(), known.sum()
    else:
        share = weight.to(pixels)[torch.where(known, target, 0)] * known
        sums = (pixels * share).sum(), share.sum()
    wrong, size = sums if total is alone else total(torch.stack([sums[0], sums[1].to(pixels)]))
    return wrong / torch.where(size > 0, size, 1)


def _by_class(logits: Tensor, target: Tensor, ignore_index: int) -> tuple[Tensor, Tensor]:
    """Return probabilities and one-hot truth, both (C, P) float32, both 0 where it is ignored."""
    _check(logits, target)
    logits = logits.float()
    if logits.shape[1] > 1:
        found = logits.softmax(dim=1)
        classes = torch.arange(logits.shape[1], device=target.device)
    else:
        found = logits.sigmoid()
        classes = torch.ones(1, dtype=torch.int64, device=target.device)
    truth = target[:, None] == classes[:, None, None]  # (N, C, H, W)
    found = found * (target != ignore_index)[:, None]
    return _pixels_last(found), _pixels_last(truth.to(found.dtype))


def _pixels_last(values: Tensor) -> Tensor:
    return values.movedim(1, 0).flatten(1)  # (N, C, H, W) -> (C, N * H * W)


def _mean_of_present(losses: Tensor, true: Tensor, weight: Tensor | None) -> Tensor:
    """Return the mean over the classes that have ``true`` pixels, (C,)."""
    share = (true > 0).to(losses.dtype)
    if weight is not None:
        share = share * weight.to(losses)[-len(losses) :]
    total = share.sum()
    return (losses * share).sum() / torch.where(total > 0, total, 1.0)


def _check(logits: Tensor, target: Tensor) -> None:
    if logits.ndim != 4 or target.shape != (logits.shape[0], *logits.shape[2:]):
        raise ValueError(
            "logits must be (N, C, H, W) and target (N, H, W) of the same size, "
            f"but got {tuple(logits.shape)} and {tuple(target.shape)}"
        )


def class_weights_of(config: Config, data: Data) -> NDArray[np.float64]:
    """Return the weights of the classes, (C,), from the pixels of the training images.

    Raises UsageError where there are none.
    """
    method = config.class_weights
    pixels = data.counts.sum(axis=0)
    if method == "auto":
        # Region losses count every class the same already; weights on top call too much rare.
        by_pixel = not any(name in config.loss for name in ("dice", "tversky", "lovasz"))
        seen = pixels[pixels > 0]
        rare = len(seen) > 0 and seen.max() > 50 * seen.min()
        method = "enet" if by_pixel and rare else "none"
    if not pixels.any():
        raise UsageError("every pixel of the training images is ignored: there is nothing to learn")
    return class_weights(data.counts, method=method)
