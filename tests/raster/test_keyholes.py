"""One ring for polygons with holes and of several parts, drawn again by the even-odd rule."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st
from label_images import Ids, figure, patches, seeds, small
from strategies import Mask, picture

from maskforge.raster import keyholes, regions, simplify, trace
from maskforge.raster import runs as runs_
from maskforge.raster.geometry import Polygon
from maskforge.rules import pixel_center


def parts_of(mask: Mask) -> tuple[Polygon, ...]:
    (parts,) = trace.polygons(runs_.gather([(0, *runs_.of_mask(mask))]), 1, width=mask.shape[1])
    return parts


def slits(ring: np.ndarray) -> list[shapely.LineString]:
    """Return the edges of ``ring`` that go both ways."""
    edges = [tuple(map(tuple, edge)) for edge in np.stack([ring, np.roll(ring, -1, 0)], 1).tolist()]
    return [shapely.LineString(edge) for edge in edges if edge[::-1] in edges and edge < edge[::-1]]


def test_a_polygon_without_holes_is_its_exterior() -> None:
    (part,) = parts_of(picture("##\n#."))
    assert keyholes.ring([part]) is part.exterior


def test_a_hole_is_tied_to_the_left() -> None:
    ring = keyholes.ring(parts_of(picture("#####\n##.##\n#####")))
    assert ring.tolist() == [
        *([0, 0], [5, 0], [5, 3], [0, 3], [0, 1]),
        *([2, 1], [2, 2], [3, 2], [3, 1], [2, 1]),
        [0, 1],
    ]


def test_a_hole_is_tied_to_a_hole_at_its_left() -> None:
    ring = keyholes.ring(parts_of(picture("######\n#.##.#\n######")))
    assert [line.coords[:] for line in slits(ring)] == [[(0, 1), (1, 1)], [(2, 1), (4, 1)]]


def test_parts_are_tied_where_they_are_near() -> None:
    ring = keyholes.ring(parts_of(picture("##....\n##....\n...###")))
    (slit,) = slits(ring)
    assert slit.coords[:] == [(2, 2), (3, 2)]
    assert len(ring) == 4 + 4 + 2


def test_many_at_once_come_to_the_same() -> None:
    pictures = ("#####\n##.##\n#####", "##\n#.", "######\n#.##.#\n######", "###\n#.#\n###")
    parts = [part for text in pictures for part in parts_of(picture(text))]
    found = keyholes.rings(parts)
    assert [ring.tolist() for ring in found] == [keyholes.ring([part]).tolist() for part in parts]
    assert found[1] is parts[1].exterior
    assert keyholes.rings([]) == []


def check(geometries: list[tuple[Polygon, ...]], *, height: int, width: int) -> None:
    rings = [(Polygon(keyholes.ring(parts)),) for parts in geometries]
    before, after = (
        pixel_center.cover(regions, height=height, width=width) for regions in (geometries, rings)
    )
    before, after = runs_.union(before), runs_.union(after)
    assert np.array_equal(before.region, after.region)
    assert np.array_equal(before.start, after.start)
    assert np.array_equal(before.stop, after.stop)
    for parts, (ring,) in zip(geometries, rings, strict=True):
        vertices = np.concatenate([r for p in parts for r in (p.exterior, *p.interiors)])
        count = sum(1 + len(p.interiors) for p in parts)
        assert len(ring.exterior) <= len(vertices) + 3 * (count - 1)
        assert set(map(tuple, vertices.tolist())) <= set(map(tuple, ring.exterior.tolist()))
        assert (ring.exterior != np.roll(ring.exterior, 1, axis=0)).any(axis=1).all()


@given(small, st.booleans())
def test_small_ones(label_image: Ids, as_one: bool) -> None:
    height, width = label_image.shape
    found = regions.of_label_image(label_image, np.ones_like(label_image) if as_one else None)
    check(list(trace.polygons(found.runs, len(found), width=width)), height=height, width=width)


@given(seeds, st.booleans())
def test_figures(seed: int, as_one: bool) -> None:
    image = figure(seed)
    height, width = image.shape
    found = regions.of_label_image(image, np.ones_like(image) if as_one else None)
    geometries = list(trace.polygons(found.runs, len(found), width=width))
    check(geometries, height=height, width=width)
    for parts in geometries:
        for part in parts:  # slits to holes run within the polygon
            shape = shapely.Polygon(part.exterior, part.interiors)
            assert all(map(shape.covers, slits(keyholes.ring([part]))))


@given(seeds, st.sampled_from([0.7, 1.5, 4]))
def test_simplified_ones(seed: int, tolerance: float) -> None:
    image = patches(seed, height=30, width=40, size=9)
    found = regions.of_label_image(image)
    simple = simplify.simplify(found, pixel_center.cover, tolerance=tolerance)
    check(list(simple.geometries), height=30, width=40)
    check_shapes(simple.geometries)


def check_shapes(geometries: Sequence[tuple[Polygon, ...]]) -> None:
    """Check that slits to holes run within the polygon, and the ring covers it by even-odd."""
    for part in (part for parts in geometries for part in parts if part.interiors):
        shape = shapely.Polygon(part.exterior, part.interiors)
        ring = keyholes.ring([part])
        assert all(map(shape.covers, slits(ring)))
        line = shapely.LinearRing(ring)
        faces = shapely.get_parts(shapely.polygonize([shapely.unary_union(line)]))
        inside = [face for face in faces if is_odd(ring, shapely.point_on_surface(face))]
        assert shapely.union_all(inside).symmetric_difference(shape).area < 1e-9


def is_odd(ring: np.ndarray, point: shapely.Point) -> bool:
    """Tell whether a ray from ``point`` to the left crosses ``ring`` an odd number of times."""
    (ax, ay), (bx, by) = ring.T, np.roll(ring, -1, axis=0).T
    crosses = (ay <= point.y) != (by <= point.y)
    step = np.where(crosses, by - ay, 1)
    return bool(np.count_nonzero(crosses & (ax + (point.y - ay) * (bx - ax) / step < point.x)) % 2)


@given(seeds, st.floats(0.9, 0.99))
def test_slits_of_simplified_ones_cross_nothing(seed: int, keep_iou: float) -> None:
    image = patches(seed, height=40, width=50, size=7)
    image[np.random.default_rng(seed).random(image.shape) < 0.02] = 0
    found = regions.of_label_image(image)
    check_shapes(simplify.simplify(found, pixel_center.cover, keep_iou=keep_iou).geometries)


def test_a_slit_goes_around_what_is_in_the_way() -> None:
    outside = np.array([[0, 0], [30, 0], [30, 31], [0, 30]], dtype=np.float64)
    hole = np.array([[20.0, 15], [24, 12], [25, 18]])
    thorn = np.array([[9.0, 3], [12, 14.8], [11, 3]])  # between the hole and the left edge's end
    part = Polygon(outside, (hole, thorn))
    ends = [set(line.coords) for line in slits(keyholes.ring([part]))]
    assert {(20.0, 15.0), (12.0, 14.8)} in ends
    check_shapes([(part,)])


def test_a_hole_that_touches_the_outline_is_tied_there() -> None:
    outside = np.array([[0, 0], [12, 2], [12, 12], [4, 6], [0, 12]], dtype=np.float64)
    for hole in (
        np.array([[4.0, 6], [6, 4], [5, 3]]),
        np.array([[2.0, 9], [2, 4], [3, 5]]),
        np.array([[0.0, 4], [2, 4], [2, 5]]),
        np.array([[4.0, 6], [6, 4], [7, 4.5]]),
    ):
        check_shapes([(Polygon(outside, (hole,)),)])
        check([(Polygon(outside, (hole,)),)], height=14, width=14)


def test_a_hole_that_leans_on_an_upright_edge() -> None:
    outside = np.array([[60.0, 22], [66, 32], [58, 28], [58, 24]])
    hole = np.array([[58.0, 27], [59, 26.5], [58.5, 26]])
    (slit,) = slits(keyholes.ring([Polygon(outside, (hole,))]))
    assert set(slit.coords) < {(58, 24), (58, 27), (58, 28)}


def test_a_hole_that_stands_on_a_level_edge() -> None:
    outside = np.array([[40, 16], [41, 17], [38, 20], [37, 23], [32, 23], [32, 20.0]])
    hole = np.array([[33.0, 23], [34, 22.5], [33.5, 22]])
    assert slits(keyholes.ring([Polygon(outside, (hole,))])) == [
        shapely.LineString([(32, 23), (33, 23)])
    ]


def test_a_hole_that_crosses_no_center_line() -> None:
    outside = np.array([[0, 0], [8, 1], [7, 7], [1, 6]], dtype=np.float64)
    hole = np.array([[3, 2.6], [5, 2.6], [4, 3.4]])
    ring = keyholes.ring([Polygon(outside, (hole,))])
    assert len(ring) == 4 + 3 + 2
    check([(Polygon(outside, (hole,)),)], height=8, width=9)


def test_holes_that_come_equally_far_left_are_not_tied_to_each_other_alone() -> None:
    outside = np.array([[0, 0], [9, 0], [9, 8], [0, 8]], dtype=np.float64)
    right = np.array([[3.5, 2.5], [7, 2.75], [6, 4]])
    left = np.array([[3.5, 2.5], [4, 6], [3.5, 6]])
    for holes in ((left, right), (right, left), (left, right[::-1]), (right[::-1], left[::-1])):
        check([(Polygon(outside, holes),)], height=8, width=9)


def test_a_hole_outside_is_not_lost() -> None:
    square = np.array([[4, 4], [9, 4], [9, 9], [4, 9]], dtype=np.float64)
    for move in ([-4, 0], [0, -4], [20, 0]):
        parts = [Polygon(square, (square / 2 + move,)), Polygon(square + 30)]
        ring = keyholes.ring(parts)
        assert len(ring) >= 12 + 2
        assert {*map(tuple, ring.tolist())} >= {*map(tuple, (square / 2 + move).tolist())}
