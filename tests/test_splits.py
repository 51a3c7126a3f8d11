"""Splits that depend on names and seed only."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskforge import splits
from maskforge.errors import UsageError

stems_ = st.lists(st.text("abc/é1", min_size=1, max_size=5), unique=True, max_size=30)
weights = st.lists(st.integers(0, 10), min_size=2, max_size=3).filter(sum)


@pytest.mark.parametrize(
    ("given_", "meant"),
    [
        ([0.2], (0.8, 0.2)),
        ([0], (1, 0)),
        ([0.7, 0.3], (0.7, 0.3)),
        ([0.7, 0.2, 0.1], (0.7, 0.2, 0.1)),
        ((1, 0, 0), (1, 0, 0)),
    ],
)
def test_check(given_: list[float], meant: tuple[float, ...]) -> None:
    assert splits.check(given_) == pytest.approx(meant)


@pytest.mark.parametrize(
    "fractions",
    [[], [1.5], [-0.1], [0.5, 0.6], [0.2, 0.2, 0.2, 0.4], [1.5, -0.5], [float("nan")], [80, 20]],
)
def test_check_refuses(fractions: list[float]) -> None:
    shown = ",".join(f"{f:g}" for f in fractions)
    with pytest.raises(UsageError, match="a split must be .*but got " + re.escape(shown)):
        splits.check(fractions)


@given(stems_, weights, st.integers(0, 3), st.randoms(use_true_random=False))
def test_every_stem_has_one_split_in_the_asked_proportion(
    stems: list[str], parts: list[int], seed: int, chance: object
) -> None:
    fractions = [part / sum(parts) for part in parts]
    got = splits.assign(stems, fractions, seed=seed, pictures={})
    assert set(got) == set(stems)
    counts = Counter(got.values())
    assert set(counts) <= set(splits.NAMES[: len(parts)])
    given_one = sum(0 < fraction * len(stems) < 1 for fraction in fractions)  # by the largest
    for name, fraction in zip(splits.NAMES, fractions, strict=False):
        assert abs(counts[name] - fraction * len(stems)) < 1 + given_one
        assert fraction > 0 or counts[name] == 0
    mixed = list(stems)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert splits.assign(mixed, fractions, seed=seed, pictures={}) == got


def test_seeds_differ() -> None:
    stems = [f"img{i}" for i in range(50)]
    one, two = (splits.assign(stems, [0.5], seed=seed, pictures={}) for seed in (0, 1))
    assert one != two


def test_it_stays_what_it_was() -> None:
    """Held fixed: a published split must not move with a new version."""
    stems = [f"img{i}" for i in range(8)]
    got = splits.assign(stems, [0.5, 0.25, 0.25], seed=0, pictures={})
    assert {name: [s for s in stems if got[s] == name] for name in splits.NAMES} == {
        "train": ["img0", "img1", "img2", "img6"],
        "val": ["img4", "img5"],
        "test": ["img3", "img7"],
    }


def test_one_picture_of_several_names_is_in_one_split() -> None:
    stems = [f"img{i}" for i in range(20)]
    twins = {f"img{i}": f"picture {i % 7}" for i in range(14)} | {"img19": None, "img18": None}
    got = splits.assign(stems, [0.5, 0.3, 0.2], seed=0, pictures=twins)
    assert splits.assign(stems[::-1], [0.5, 0.3, 0.2], seed=0, pictures=twins) == got
    assert list(got) == stems
    assert all(got[f"img{i}"] == got[f"img{i + 7}"] for i in range(7))
    of_pictures = [got[f"img{i}"] for i in (*range(7), *range(14, 20))]
    assert [of_pictures.count(name) for name in splits.NAMES] == [6, 4, 3]  # of 13 pictures
