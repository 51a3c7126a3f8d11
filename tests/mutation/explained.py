"""Mutants that no test can kill, each with the reason: they change nothing that can be seen."""

from __future__ import annotations

from typing import NamedTuple

from operators import Mutant


class Explained(NamedTuple):
    """file: below maskforge/. line: a piece of the source line. after: what is there instead."""

    file: str
    line: str
    operator: str
    after: str
    reason: str


EQUIVALENT: tuple[Explained, ...] = ()


def reason_of(mutant: Mutant) -> str:
    """Return why ``mutant`` cannot be killed, "" where it should be."""
    for one in EQUIVALENT:
        if (
            mutant.file == f"maskforge/{one.file}"
            and one.line in mutant.text
            and (one.operator, one.after) == (mutant.operator, mutant.after)
        ):
            return one.reason
    return ""
