"""Outlines as arcs between junctions."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_images import Ids, arcs_in, figure, seeds, small
from strategies import numbers

from maskforge.raster import arcs as arcs_
from maskforge.raster import regions, trace
from maskforge.raster.arcs import Arcs


def lines(arcs: Arcs) -> list[list[list[float]]]:
    return [arcs.points[i:j].tolist() for i, j in zip(arcs.start[:-1], arcs.start[1:], strict=True)]


def test_neighbours_share_an_arc() -> None:
    _, arcs = arcs_in(numbers("1122 1122"))
    both = [
        *([[2, 0], [2, 2]], [[2, 0], [4, 0]], [[4, 0], [4, 2]], [[2, 2], [4, 2]]),
        *([[0, 0], [2, 0]], [[0, 0], [0, 2]], [[0, 2], [2, 2]]),
    ]
    assert sorted(lines(arcs)) == sorted(both)
    assert np.bincount(arcs.use)[lines(arcs).index([[2, 0], [2, 2]])] == 2
    first, second = arcs.use[:4].tolist(), arcs.use[4:].tolist()
    assert len(set(first) & set(second)) == 1


def test_a_junction_on_a_straight_edge_of_the_third() -> None:
    image = numbers("0000000 0112220 0112220 0333330 0000000")
    _, arcs = arcs_in(image, skip=(0,))
    assert sorted(lines(arcs)) == [
        [[1, 3], [1, 4], [6, 4], [6, 3]],
        [[1, 3], [3, 3]],
        [[3, 1], [1, 1], [1, 3]],
        [[3, 1], [3, 3]],
        [[3, 1], [6, 1], [6, 3]],
        [[3, 3], [6, 3]],
    ]


def test_an_island_is_one_arc_all_around_seen_from_both_sides() -> None:
    image = numbers("00000 01110 01100 00000")
    outlines, arcs = arcs_in(image)
    assert arcs.closed.sum() == 1
    (around,) = np.flatnonzero(arcs.closed)
    ring = [[1, 1], [4, 1], [4, 2], [3, 2], [3, 3], [1, 3], [1, 1]]
    assert lines(arcs)[around] in (ring, ring[::-1])
    assert np.bincount(arcs.use)[around] == 2
    assert len(outlines.start) == 3
    assert arcs.forward[arcs.use == around].tolist().count(True) == 1


def test_where_an_outline_leaves_the_border_is_a_junction() -> None:
    _, arcs = arcs_in(numbers("0110 0000"), skip=(0,))
    assert sorted(lines(arcs)) == [[[1, 0], [1, 1], [3, 1], [3, 0]], [[1, 0], [3, 0]]]


def check(image: Ids, skip: tuple[int, ...]) -> None:
    found = regions.of_label_image(image, skip=skip)
    for outlines, _ in trace.batches(found.runs, width=found.width):
        arcs = arcs_.of_outlines(outlines, height=found.height, width=found.width)
        points, start = arcs_.joined(arcs, arcs.points, np.diff(arcs.start))
        # The rings are the same, wherever they begin, with no corner too many.
        assert len(points) == len(outlines.points)
        assert start.tolist() == outlines.start.tolist()
        ends = [*start.tolist()[1:], len(points)]
        for i, j in zip(start.tolist(), ends, strict=True):
            ring, again = outlines.points[i:j].tolist(), points[i:j].tolist()
            turn = ring.index(again[0])
            assert ring[turn:] + ring[:turn] == again
        # No edge of a pixel is in two arcs.
        edges = set()
        for line in lines(arcs):
            assert len(line) >= 2
            for (ax, ay), (bx, by) in pairwise(line):
                steps = int(abs(bx - ax) + abs(by - ay))
                for k in range(steps):
                    middle = (
                        ax + (bx - ax) * (k + 0.5) / steps,
                        ay + (by - ay) * (k + 0.5) / steps,
                    )
                    assert middle not in edges
                    edges.add(middle)
        assert (np.bincount(arcs.use) <= 2).all()


@given(small, st.sampled_from([(), (0,), (1, 2)]))
def test_arcs_make_the_rings_again(image: Ids, skip: tuple[int, ...]) -> None:
    check(image, skip)


@given(seeds, st.sampled_from([(), (0,)]))
def test_arcs_of_figures(seed: int, skip: tuple[int, ...]) -> None:
    check(figure(seed), skip)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1)])
def test_images_of_a_row_or_a_column(shape: tuple[int, int]) -> None:
    check(np.arange(7).reshape(-1, 1)[: shape[0]] // 2 + np.arange(7)[: shape[1]] // 3, ())
