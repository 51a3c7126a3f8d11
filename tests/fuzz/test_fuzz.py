"""A few cases of what ``make fuzz`` does at length, and that a case follows from its name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("signals and limits differ elsewhere", allow_module_level=True)

sys.path.append(str(Path(__file__).parent))
import case
import corpus
import mutate
import run
from harness import no_hang

OF_BYTES = [(reader, "bytes") for reader in run.BYTES_ONLY]
LEVELS = [
    (reader, level)
    for reader in run.READERS
    if reader not in run.BYTES_ONLY
    for level in mutate.LEVELS
]


@pytest.mark.parametrize(("reader", "level"), [*LEVELS, *OF_BYTES])
def test_damaged_files_end_in_located_problems(tmp_path: Path, reader: str, level: str) -> None:
    seeds = corpus.load(reader)
    with no_hang():
        for number in range(20):
            made = case.make(7, reader, level, number, corpus=seeds, whole=10)
            case.check(made, tmp_path, peak=False)


@pytest.mark.parametrize(("reader", "level"), LEVELS)
def test_a_case_follows_from_its_name(reader: str, level: str) -> None:
    seeds = corpus.load(reader)
    once, again, other = (
        [case.make(seed, reader, level, n, corpus=seeds, whole=0).data for n in range(5)]
        for seed in (1, 1, 2)
    )
    assert once == again
    assert once != other
