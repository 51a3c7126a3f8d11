"""Centers on an edge, or a hair beside it, where doubles alone would go wrong."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import inside

from maskforge.rules import _ties
from maskforge.rules.pixel_center import ring_runs


def settled(edges: list[tuple[float, float, float, float]], rows: list[int]) -> list[int]:
    ends = np.array(edges, dtype=np.float64).T
    upper, lower, row = ends[:2], ends[2:], np.array(rows)
    x = upper[0] + (row + 0.5 - upper[1]) * (lower - upper)[0] / (lower - upper)[1]
    column = np.ceil(x - 0.5)
    _ties.settle(column, x - 0.5, upper, lower, np.ones(len(row), dtype=np.int64), row)
    return column.astype(int).tolist()


def exactly(edge: tuple[float, float, float, float], row: int) -> int:
    xa, ya, xb, yb = map(Fraction, edge)
    x = xa + (row + Fraction(1, 2) - ya) * (xb - xa) / (yb - ya)
    return -((Fraction(1, 2) - x) // 1)


@st.composite
def edges_near_ties(draw: st.DrawFn) -> tuple[tuple[float, float, float, float], int]:
    """An edge through, or within a few units in the last place of, the center of a pixel."""
    row, column = draw(st.integers(0, 3000)), draw(st.integers(0, 3000))
    dx = draw(st.integers(-4000, 4000)) / draw(st.sampled_from([1, 2, 10, 64, 100]))
    dy = draw(st.integers(1, 4000)) / draw(st.sampled_from([1, 2, 10, 64, 100]))
    above, below = draw(st.floats(0.01, 3)), draw(st.floats(0.01, 3))
    xa, ya = column + 0.5 - above * dx, row + 0.5 - above * dy
    xb, yb = column + 0.5 + below * dx, row + 0.5 + below * dy
    for _ in range(draw(st.integers(0, 3))):
        xa = float(np.nextafter(xa, draw(st.sampled_from([-np.inf, np.inf]))))
    return (xa, ya, xb, yb), row


@given(st.lists(edges_near_ties(), min_size=1, max_size=8))
def test_near_ties_are_decided_as_fractions_decide(
    cases: list[tuple[tuple[float, float, float, float], int]],
) -> None:
    edges, rows = [c[0] for c in cases], [c[1] for c in cases]
    assert settled(edges, rows) == [exactly(e, r) for e, r in cases]


def test_doubles_alone_would_be_wrong() -> None:
    """The search below must find edges that ``settle`` puts right, else it tests nothing."""
    rng = np.random.default_rng(0)
    wrong = 0
    for _ in range(4000):
        column, row = rng.integers(0, 2000, 2)
        step = rng.integers(-500, 500, 2) / 10
        if step[1] <= 0.5:
            continue
        xa, ya, xb, yb = (
            column + 0.5 - step[0],
            row + 0.5 - step[1],
            column + 0.5 + step[0],
            row + 0.5 + step[1],
        )
        naive = int(np.ceil(xa + (row + 0.5 - ya) * (xb - xa) / (yb - ya) - 0.5))
        right = exactly((xa, ya, xb, yb), int(row))
        wrong += naive != right
        assert settled([(xa, ya, xb, yb)], [int(row)]) == [right]
    assert wrong > 0


def test_diagonal_through_centers_of_tenths() -> None:
    """x.1 coordinates have no exact double: the diagonal from (0.1, 0.1) still meets (4.5, 4.5)."""
    ring = np.array([(0.1, 0.1), (9.1, 9.1), (0.1, 9.1)])
    runs = ring_runs([ring], height=10, width=10)
    mask = runs.mask(0, height=10, width=10)
    expected = [[inside(ring, r, c) for c in range(10)] for r in range(10)]
    np.testing.assert_array_equal(mask, expected)


@pytest.mark.parametrize("limit", [0, 1])
def test_beyond_the_limit_doubles_decide(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(_ties, "MAX_EXACT", limit)
    edge = (0.1, 0.1, 8.9, 8.9)
    assert all(abs(s - exactly(edge, 3)) <= 1 for s in settled([edge] * 3, [3, 3, 3]))


def test_without_near_ties_nothing_changes() -> None:
    assert settled([(0.2, 0.0, 0.2, 3.0)], [1]) == [0]
    assert settled([(7.7, 0.0, 7.7, 3.0)], [1]) == [8]
