"""Which examples are trained on and which are held back."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskforge.classes import ClassTable
from maskforge.datasets.splitting import split
from maskforge.errors import UsageError
from maskforge.raster.annotation import Decoding, MaskFile
from maskforge.readers.masks.dataset import Dataset, Example


def dataset(*splits: str | None, alike: tuple[int, ...] = ()) -> Dataset:
    """Examples e0, e1, … of these splits; those of ``alike`` are one picture."""
    examples = tuple(
        Example(
            f"e{n}", Path(f"e{n}.jpg"), MaskFile(Path(f"e{n}.png"), Decoding("ids")), one,
            "same" if n in alike else None,
        )
        for n, one in enumerate(splits)
    )  # fmt: skip
    return Dataset("pairs", Path("set"), ClassTable(("_background_", "cat")), examples)


def counts(found: Dataset) -> dict[str | None, int]:
    return dict(Counter(example.split for example in found.examples))


def test_a_fraction_is_held_back_by_name_and_seed():
    found = split(dataset(*[None] * 10), val=0.2, seed=0)
    assert counts(found) == {"train": 8, "val": 2}
    assert "split: 0.2 of the examples are held back, chosen by name with seed 0" in found.notes
    again = split(dataset(*[None] * 10), val=0.2, seed=0)
    assert [e.split for e in again.examples] == [e.split for e in found.examples]
    others = {tuple(e.name for e in split(dataset(*[None] * 10), val=0.2, seed=n).of("val"))
              for n in range(6)}  # fmt: skip
    assert len(others) > 1


def test_a_part_for_the_test_is_neither_trained_on_nor_held_back():
    found = split(dataset(*[None] * 10), val=0.2, test=0.3, seed=0)
    assert counts(found) == {"train": 5, "val": 2, "test": 3}
    assert any("and 0.3 for the test" in note for note in found.notes)
    without = split(dataset(*[None] * 10), val=0, test=0.3, seed=0)
    assert counts(without) == {"train": 7, "test": 3}


def test_what_the_data_say_stands():
    found = split(dataset("val", None, "test", "train"), val=0.5, test=0.2, seed=0)
    assert [e.split for e in found.examples] == ["val", "train", "test", "train"]
    known = split(dataset(*[None] * 8, "test"), val=0.25, test=0.5, seed=0)
    assert counts(known) == {"train": 6, "val": 2, "test": 1}


def test_one_is_held_back_at_least_and_none_where_none_is_wanted():
    assert counts(split(dataset(*[None] * 3), val=0.01, seed=0)) == {"train": 2, "val": 1}
    assert counts(split(dataset(*[None] * 3), val=0, seed=0)) == {"train": 3}


def test_copies_of_a_picture_stay_together():
    for seed in range(8):
        found = split(dataset(*[None] * 8, alike=(1, 4, 6)), val=0.4, seed=seed)
        assert len({found.examples[n].split for n in (1, 4, 6)}) == 1


def test_where_nothing_is_left_the_cure_fits():
    with pytest.raises(UsageError, match="but 0 of 3 are left") as caught:
        split(dataset("test", "test", "val"), val=0.2, seed=0)
    assert caught.value.cure.endswith("all images are test and val")
    assert "give the part to train on, too" in caught.value.cure
    with pytest.raises(UsageError, match="and to hold back, but 1 of 1 are left") as one:
        split(dataset(None), val=0.2, seed=0)
    assert one.value.cure == "give more images, or hold none back with --val 0"


@pytest.mark.parametrize(("val", "test"), [(1, 0), (-0.1, 0), (0.5, 0.5), (0, 1)])
def test_impossible_fractions(val, test):
    with pytest.raises(UsageError, match="the fractions of val and test must be"):
        split(dataset(None, None), val=val, test=test, seed=0)


@given(
    st.lists(st.sampled_from([None, "train", "val", "test"]), min_size=2, max_size=30),
    st.floats(0, 0.6),
    st.floats(0, 0.3),
    st.integers(0, 5),
)
def test_every_example_gets_a_part_and_keeps_what_it_had(given_splits, val, test, seed):
    before = dataset(*given_splits)
    try:
        after = split(before, val=val, test=test, seed=seed)
    except UsageError:
        return
    for one, other in zip(before.examples, after.examples, strict=True):
        assert other.split in ("train", "val", "test")
        assert one.split in (None, "train", other.split)
    assert after.of("train") or len(given_splits) < 4
