"""Splits: which images are for training, validation and testing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

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


def held_out(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``settings`` with the fractions val and test in place of their "split", if any.

    A number is that of val. Raises UsageError.
    """
    made = dict(settings)
    if "split" in made:
        given = made.pop("split")
        _, val, *test = check([given] if isinstance(given, int | float) else given)
        made |= {"val": val, "test": test[0] if test else 0.0}
    return made


def assign(
    stems: Sequence[str],
    fractions: Sequence[float],
    *,
    seed: int,
    pictures: Mapping[str, str | None],
) -> dict[str, str]:
    """Return the split of each stem: the same for the same stems, fractions and seed, whatever
    their order. A split with a fraction above 0 gets an image where there are enough for all.

    pictures: what stems of one and the same picture have in common, such as its digest. They come
    into the split of the first of them by name, so that no network is tested on what it has learnt.
    """
    parts = check(fractions)
    first: dict[str, str] = {}
    alike = {}
    for stem in sorted(stems):
        picture = pictures.get(stem)
        alike[stem] = stem if picture is None else first.setdefault(picture, stem)
    shuffled = sorted(
        set(alike.values()), key=lambda stem: sha256(f"{seed}:{stem}".encode()).digest()
    )
    counts = _counts(len(shuffled), parts)
    names = [name for name, count in zip(NAMES, counts, strict=False) for _ in range(count)]
    chosen = dict(zip(shuffled, names, strict=True))
    return {stem: chosen[alike[stem]] for stem in stems}


def _counts(total: int, parts: Sequence[float]) -> list[int]:
    """Return how many of ``total`` each part gets, by largest remainder, none empty if possible."""
    counts = [int(part * total) for part in parts]
    by_remainder = sorted(range(len(parts)), key=lambda i: counts[i] - parts[i] * total)
    for index in by_remainder[: total - sum(counts)]:
        counts[index] += 1
    for index, part in enumerate(parts):
        if part > 0 and counts[index] == 0 and max(counts) > 1:
            counts[counts.index(max(counts))] -= 1
            counts[index] = 1
    return counts
