"""Splits: which images are for training, validation and testing."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from maskforge.errors import UsageError

NAMES = ("train", "val", "test")


def check(fractions: Sequence[float]) -> tuple[float, ...]:
    """Return the fractions of train, val and test. One number is that of val; two add up to 1 with
    train first. Raises UsageError."""
    parts = tuple(float(f) for f in fractions)
    if len(parts) == 1:
        parts = (1 - parts[0], parts[0])
    good = 2 <= len(parts) <= 3 and all(0 <= p <= 1 for p in parts) and abs(sum(parts) - 1) < 1e-6
    if not good:
        raise UsageError(
            "a split must be the fraction of val, or those of train, val and test that add up "
            f"to 1, but got {','.join(f'{f:g}' for f in fractions)}"
        )
    return parts


def assign(stems: Sequence[str], fractions: Sequence[float], *, seed: int) -> dict[str, str]:
    """Return the split of each stem: the same for the same stems, fractions and seed, whatever
    their order.
    """
    parts = check(fractions)
    shuffled = sorted(stems, key=lambda stem: sha256(f"{seed}:{stem}".encode()).digest())
    total, done, cumulative = len(shuffled), 0, 0.0
    result: dict[str, str] = {}
    for name, part in zip(NAMES, parts, strict=False):
        cumulative += part
        end = total if name == NAMES[len(parts) - 1] else round(cumulative * total)
        result |= dict.fromkeys(shuffled[done:end], name)
        done = max(done, end)
    return result
