"""Which part of a data set, train, val or test, a trained network is evaluated on."""

from __future__ import annotations

from dataclasses import dataclass, replace

from maskforge.datasets import Check, Dataset, Example
from maskforge.errors import UsageError
from maskforge.prediction.config import Config
from maskforge.training import samples


@dataclass(frozen=True, slots=True)
class Chosen:
    """The images, and why these, in words."""

    examples: tuple[Example, ...]
    reason: str


def split_as_trained(dataset: Dataset, config: Config) -> Dataset:
    """Return the data set as a training with ``config`` sees it.

    Split as it would be, or as it is where it cannot be; what has a split keeps it.
    """
    try:
        return samples.split_for(dataset, config)
    except UsageError:
        return replace(dataset, window=config.shown)


def choose(found: Check, part: str | None, *, trained_on: str, config: Config) -> Chosen:
    """Return the examples of ``part``: "train", "val", "test", "all", or the best choice for None.

    That is what was held back, when these are the data that the network was trained on, by the
    fingerprint ``trained_on`` made with ``config``. Of other data it is "val" or "test" where the
    data themselves name them, else all. Raises UsageError where there is nothing.
    """
    usable = [e for e in found.dataset.examples if e.name not in found.refused]
    reason = f"part {part}"
    if part is None:
        part, reason = _best(found, usable, trained_on, config)
    examples = tuple(e for e in usable if part in ("all", e.split))
    if not examples:
        raise UsageError(
            f"there must be images to score on, but part {part!r} has none",
            cure="choose another with --part",
        )
    return Chosen(examples, reason)


def _best(found: Check, usable: list[Example], trained_on: str, config: Config) -> tuple[str, str]:
    splits = {example.split for example in usable}
    if {"train", "val"} <= splits:
        data = samples.from_dataset(found, replace(config, cache=0))
        if data.fingerprint == trained_on:
            return "val", "what the training held back"
    if not any("held back" in note for note in found.dataset.notes):
        for part in ("val", "test"):
            if part in splits:
                return part, f"part {part} of the data"
    return "all", "all images"
