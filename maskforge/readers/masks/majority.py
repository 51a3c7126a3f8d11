"""What most masks of a set are; the odd ones are named, and never decide for the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from maskforge.errors import MaskforgeError, Problem, ReadError
from maskforge.raster.annotation import MaskFile

MINORITY = 1 / 3
"""The part of a set that may be odd; where more is, nothing says which masks are right."""


def of(kinds: Mapping[str, Sequence[Path]]) -> str:
    """Return which of ``kinds``, masks by what they hold, a set is: at least two thirds of it.

    Raises ReadError, which names one mask of each kind.
    """
    total = sum(map(len, kinds.values()))
    for kind, paths in kinds.items():
        if total - len(paths) <= MINORITY * total:
            return kind
    raise refused(kinds)


def refused(kinds: Mapping[str, Sequence[Path]]) -> ReadError:
    """Return the error that masks of several kinds lie in one set, with one of each."""
    met = sorted(((name, paths) for name, paths in kinds.items() if paths), key=lambda x: len(x[1]))
    shown = "; ".join(
        f"{len(paths):,} hold {name}, such as {paths[0].name!r}" for name, paths in met
    )
    return ReadError(
        f"all masks of a set must hold the same, but of these {shown}",
        code="mask-values",
        file=str(met[0][1][0]),
        cure="take those of one kind out of the folder, or make them as the others are",
    )


def odd(error: MaskforgeError) -> Problem:
    """Return the problem of a mask that is not as the others are: it alone is left out."""
    problem = error.problem()
    cure = f"{problem.cure}; the mask is left out" if problem.cure else "the mask is left out"
    return replace(problem, cure=cure)


def left_out(problems: Iterable[Problem]) -> frozenset[str]:
    """Return the masks that problems say are left out, as text."""
    return frozenset(problem.file for problem in problems if problem.severity == "error")


def kept(masks: Mapping[str, MaskFile], problems: Iterable[Problem]) -> dict[str, MaskFile]:
    """Return the masks that no problem leaves out."""
    gone = left_out(problems)
    return {name: mask for name, mask in masks.items() if str(mask) not in gone}
