"""Which points of the line through the middles of the steps are kept."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from label_images import Ids, arcs_in, patches, seeds, small
from strategies import numbers

from maskforge.raster import arcs as arcs_
from maskforge.raster import regions as regions_
from maskforge.raster import stairs, trace
from maskforge.raster.stairs import Lines
from maskforge.raster.trace import Outlines
from maskforge.rules import pixel_center


def ring(image: Ids, tolerance: float) -> list[list[float]]:
    """Return what is kept of the one arc of an image."""
    _, arcs = arcs_in(image, skip=(0,))
    lines = Lines.of(arcs)
    kept = lines.chosen(np.array([tolerance]), np.zeros(len(lines.points), dtype=bool))
    return lines.points[kept].tolist()


BOX = numbers("000000 011110 011110 011110 000000")
DIAMOND = numbers("""
    0000000
    0001000
    0011100
    0111110
    0011100
    0001000
    0000000
""")


def test_corners_of_long_sides_stay() -> None:
    corners = [[1, 1], [5, 1], [5, 4], [1, 4], [1, 1]]
    assert ring(BOX, 0.5) in (corners, corners[::-1])


def test_a_side_of_two_pixels_is_long() -> None:
    corners = [[1, 1], [3, 1], [3, 3], [1, 3], [1, 1]]
    assert ring(numbers("0000 0110 0110 0000"), 0.5) in (corners, corners[::-1])


def test_what_is_as_far_as_the_tolerance_is_left_out() -> None:
    _, arcs = arcs_in(patches(4, height=30, width=30))
    lines = Lines.of(arcs)
    point = int(np.flatnonzero((lines.weight > 0.5) & (lines.weight < 5))[0])
    none = np.zeros(len(lines.points), dtype=bool)
    for tolerance, is_kept in ((lines.weight[point], False), (lines.weight[point] - 1e-9, True)):
        kept = lines.chosen(np.full(len(arcs.closed), tolerance), none)
        assert (point in kept) == is_kept


def test_the_middles_of_steps() -> None:
    # A ramp on the border: steps of one, one and three pixels, then a corner of long sides.
    image = numbers("0000000 0000000 0001110 0111110 1111110")
    _, arcs = arcs_in(image, skip=(0,))
    points, start = stairs._middles(arcs)
    lines = [points[i:j].tolist() for i, j in pairwise(start)]
    ramp = [[0, 4], [0.5, 4], [1, 3.5], [1.5, 3], [2.5, 3], [3, 2.5], [3.5, 2]]
    assert [*ramp, [6, 2], [6, 5]] in [line if line[0] == [0, 4] else line[::-1] for line in lines]


def test_below_half_a_pixel_the_pixel_edges_stay() -> None:
    assert len(ring(DIAMOND, 0.3)) == 21
    assert all(x == int(x) and y == int(y) for x, y in ring(DIAMOND, 0.3))


def test_stairs_become_a_straight_line_through_their_middles() -> None:
    got = ring(DIAMOND, 0.5)
    assert got[0] == got[-1]
    assert set(map(tuple, got)) <= {
        (x, y) for x in np.arange(0, 7, 0.5) for y in np.arange(0, 7, 0.5) if x % 1 or y % 1
    }
    assert len(got) <= 9


@given(small)
def test_all_points_of_the_line_cover_the_same_and_do_not_touch(image: Ids) -> None:
    found = regions_.of_label_image(image)
    ((outlines, region),) = trace.batches(found.runs, width=found.width)
    arcs = arcs_.of_outlines(outlines, height=found.height, width=found.width)
    lines = Lines.of(arcs)
    whole = (~lines.exact).nonzero()[0]
    assert not lines.missing(whole, lines.points[whole]).any()
    size = np.bincount(lines.arc[whole], minlength=len(arcs.closed))
    points, start = arcs_.joined(arcs, lines.points[whole], size)
    parts = trace.parts(Outlines(points, start, outlines.part), region)
    geometries = list(trace.grouped(parts, len(found)))
    covered = pixel_center.cover(geometries, height=found.height, width=found.width)
    for k in range(len(found)):
        size = {"height": found.height, "width": found.width}
        np.testing.assert_array_equal(covered.mask(k, **size), found.runs.mask(k, **size))


@given(seeds)
def test_weights_are_those_of_douglas_and_peucker(seed: int) -> None:
    _, arcs = arcs_in(patches(seed, height=40, width=60))
    lines = Lines.of(arcs)
    for number in np.flatnonzero(~arcs.closed):
        mine = (lines.arc == number) & ~lines.exact
        points, weight = lines.points[mine], lines.weight[mine]
        assert weight[0] == weight[-1] == np.inf
        if (points[0] == points[-1]).all():
            continue
        for tolerance in (0.4, 0.9, 2.1):
            expected = shapely.LineString(points).simplify(tolerance, preserve_topology=False)
            kept = points[weight > tolerance]
            # Where two points are equally far another one may be chosen.
            assert abs(len(kept) - len(expected.coords)) <= 2 + len(kept) // 4
            assert (
                shapely.hausdorff_distance(shapely.LineString(kept), shapely.LineString(points))
                <= tolerance + 1e-9
            )


def test_chords_that_cross_touch_or_lie_on_each_other() -> None:
    a = np.array([[0, 0], [0, 4], [10, 0], [12, 0], [20, 0], [20, 0], [30, 0], [31, 1], [40, 0]])
    b = np.array([[4, 4], [4, 0], [12, 0], [14, 1], [24, 0], [22, 0], [32, 0], [31, 0], [40, 5]])
    a, b = a * 1.0, b * 1.0
    assert stairs._touching(a, b, a, b).tolist() == [
        *(True, True),  # cross
        *(False, False),  # share an end
        *(True, True),  # lie on each other
        *(True, True),  # one ends on the other
        False,
    ]


def test_a_chord_that_passes_an_island_gets_a_point_back() -> None:
    image = np.zeros((14, 40), dtype=np.uint8)
    image[:10] = 1
    image[2:10, 8:33] = 0  # a bay …
    image[5:7, 20:23] = 2  # … with an island
    _, arcs = arcs_in(image)
    lines = Lines.of(arcs)
    none = np.zeros(len(lines.points), dtype=bool)
    kept = lines.chosen(np.full(len(arcs.closed), 30.0), none)
    a, b = ends(lines, kept)
    assert not stairs._touching(a, b, a, b).any()
    back = lines.missing(kept, lines.points[kept])
    assert lines.points[back].tolist() in ([[8, 2]], [[33, 2]])
    image[5:7, 20:23] = 0
    _, arcs = arcs_in(image)
    lines = Lines.of(arcs)
    none = np.zeros(len(lines.points), dtype=bool)
    kept = lines.chosen(np.full(len(arcs.closed), 30.0), none)
    assert not lines.missing(kept, lines.points[kept]).any()


def ends(lines: Lines, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    same = lines.arc[kept[1:]] == lines.arc[kept[:-1]]
    return lines.points[kept[:-1][same]], lines.points[kept[1:][same]]


def test_places_that_meet_by_chance_touch() -> None:
    a, b = np.array([[0.0, 0], [4, 4]]), np.array([[4.0, 4], [9, 4]])
    assert not stairs._touching(a, b, a, b).any()
    assert stairs._touching(a, b, np.array([[0.0, 0], [4, 4]]), np.array([[4.0, 5], [9, 4]])).all()


def test_a_chord_whose_ends_were_moved_across_gets_them_back() -> None:
    image = np.zeros((12, 30), dtype=np.uint8)
    image[4:] = 1
    image[3, 8:15] = 1
    image[1, 11] = 2
    _, arcs = arcs_in(image)
    lines = Lines.of(arcs)
    kept = lines.chosen(np.full(len(arcs.closed), 0.4), np.zeros(len(lines.points), dtype=bool))
    places = lines.points[kept]
    (mine,) = np.flatnonzero((places == [8, 3]).all(axis=1))
    assert not lines.missing(kept, places).any()
    places[mine] = [11.5, 1.5]  # into the speck
    forced = lines.missing(kept, places)
    assert forced[kept[mine]]
    assert not lines.missing(kept, lines.points[kept]).any()


def test_the_corner_of_a_wedge_goes_to_its_tip() -> None:
    # Its sides meet at (4, 12) and rise a pixel in two and a pixel in three.
    y, x = np.indices((24, 30)) + 0.5
    image = ((y - 12 < (x - 4) / 2) & (y - 12 > -(x - 4) / 3)).astype(np.uint8)
    _, arcs = arcs_in(image, skip=(0,))
    lines = Lines.of(arcs)
    allowed, none = np.full(len(arcs.closed), 1.0), np.zeros(len(lines.points), dtype=bool)
    kept = lines.chosen(allowed, none)
    before, after = (
        np.abs(places - [4, 12]).max(axis=1).min()
        for places in (lines.points[kept], lines.placed(kept, allowed, none))
    )
    assert before >= 0.5
    assert after < 0.4
    forced = none.copy()
    forced[kept] = True
    assert (lines.placed(kept, allowed, forced) == lines.points[kept]).all()


@given(seeds, st.sampled_from([0.5, 1, 3]))
def test_points_go_to_where_chords_run_amid_the_line(seed: int, tolerance: float) -> None:
    _, arcs = arcs_in(patches(seed, height=50, width=40, size=16))
    lines = Lines.of(arcs)
    allowed = np.full(len(arcs.closed), float(tolerance))
    forced = np.zeros(len(lines.points), dtype=bool)
    kept = lines.chosen(allowed, forced)
    forced[kept[::7]] = True
    places = lines.placed(kept, allowed, forced)
    moved = (places != lines.points[kept]).any(axis=1)
    assert not moved[forced[kept] | lines.exact[kept]].any()
    assert np.abs(places - lines.points[kept]).max() <= 1.01
    assert (places * 64 == np.rint(places * 64)).all()
    before = after = 0.0
    for number in range(len(arcs.closed)):
        line = lines.points[(lines.arc == number) & ~lines.exact]
        mine = lines.arc[kept] == number
        if lines.exact[kept[mine]].any():
            assert not moved[mine].any()
            continue
        old, new = lines.points[kept[mine]], places[mine]
        assert (new[0] == new[-1]).all() == (old[0] == old[-1]).all()
        if not arcs.closed[number]:
            assert not moved[mine][[0, -1]].any()
        path, was = shapely.LineString(new), shapely.LineString(old)
        away = [path.distance(shapely.Point(point)) for point in line]
        assert max(away) <= tolerance + 1e-9
        after += sum(away)
        before += sum(was.distance(shapely.Point(point)) for point in line)
    assert after <= before * 1.1 + 0.5


@pytest.mark.parametrize("depth", [3, 1000])
def test_what_is_not_reached_is_kept(depth: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stairs, "_DEPTH", depth)
    points = np.stack([np.arange(40), np.arange(40) % 2 * 3], axis=1).astype(np.float64)
    weight = stairs._weights(points, np.array([0, 40]))
    assert (weight > 0).all()
