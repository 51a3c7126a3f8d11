"""Outlines on pixel edges: drawn by eye, drawn again, and against shapely and OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from label_images import Ids, figure, patches, seeds, small
from strategies import masks, masks_of, numbers, picture

from maskforge.classes import ClassTable
from maskforge.raster import regions, trace
from maskforge.raster import runs as runs_
from maskforge.raster.geometry import Polygon
from maskforge.raster.regions import Regions
from maskforge.rules import pixel_center

Points = list[list[float]]


def traced(mask: Ids) -> list[tuple[Points, list[Points]]]:
    """Return exterior and interiors of the parts of a mask, as one region."""
    whole = runs_.gather([(0, *runs_.of_mask(mask.astype(bool)))])
    (parts,) = trace.polygons(whole, 1, width=mask.shape[1])
    return [(p.exterior.tolist(), [r.tolist() for r in p.interiors]) for p in parts]


def test_one_pixel() -> None:
    assert traced(picture("...\n..#")) == [([[2, 1], [3, 1], [3, 2], [2, 2]], [])]


def test_clockwise_from_the_left_end_of_the_topmost_edge_and_without_collinear_vertices() -> None:
    exterior = [[1, 0], [3, 0], [3, 1], [4, 1], [4, 2], [0, 2], [0, 1], [1, 1]]
    assert traced(picture(".##..\n####.")) == [(exterior, [])]


def test_a_hole_runs_the_other_way_round() -> None:
    ring = picture("#####\n#..##\n#####")
    exterior = [[0, 0], [5, 0], [5, 3], [0, 3]]
    assert traced(ring) == [(exterior, [[[1, 1], [1, 2], [3, 2], [3, 1]]])]


def test_an_island_in_a_hole_is_a_part_of_its_own() -> None:
    parts = traced(picture("#####\n#...#\n#.#.#\n#...#\n#####"))
    square = [[1, 1], [1, 4], [4, 4], [4, 1]]
    assert parts[0] == ([[0, 0], [5, 0], [5, 5], [0, 5]], [square])
    assert parts[1] == ([[2, 2], [3, 2], [3, 3], [2, 3]], [])


def test_what_meets_in_a_corner_is_two_parts_and_holes_that_do_are_two_holes() -> None:
    assert len(traced(picture("#.\n.#"))) == 2
    ((_, holes),) = traced(picture("####\n#.##\n##.#\n####"))
    assert holes == [[[1, 1], [1, 2], [2, 2], [2, 1]], [[2, 2], [2, 3], [3, 3], [3, 2]]]


def test_a_hole_that_meets_the_outside_in_a_corner_stays_a_hole() -> None:
    ((exterior, holes),) = traced(picture("###.\n#.##\n####")[:, ::-1])
    assert holes == [[[2, 1], [2, 2], [3, 2], [3, 1]]]
    assert len(exterior) == 6
    ((exterior, holes),) = traced(picture("##.\n#.#\n###"))  # the corner is on the outline itself
    assert exterior == [[0, 0], [2, 0], [2, 1], [3, 1], [3, 3], [0, 3]]
    assert holes == [[[1, 1], [1, 2], [2, 2], [2, 1]]]


def test_regions_may_overlap_and_some_have_no_pixels() -> None:
    left, right = picture("##.\n##."), picture(".##\n...")
    whole = runs_.gather([(1, *runs_.of_mask(left)), (3, *runs_.of_mask(right))])
    got = list(trace.polygons(whole, 6, width=3))
    assert [len(parts) for parts in got] == [0, 1, 0, 1, 0, 0]
    assert got[3][0].exterior.tolist() == [[1, 0], [3, 0], [3, 1], [1, 1]]
    assert list(trace.polygons(runs_.empty(), 2, width=3)) == [(), ()]


def test_runs_that_go_on_into_the_next_row() -> None:
    whole = runs_.Runs(*(np.array([a]) for a in (0, 1, 11)))  # of 4 rows of 3 pixels
    ((part,),) = trace.polygons(whole, 1, width=3)
    assert part.exterior.tolist() == [
        *([1, 0], [3, 0], [3, 3], [2, 3]),
        *([2, 4], [0, 4], [0, 1], [1, 1]),
    ]


def check(found: Regions) -> None:
    """Compare ``found`` with what its polygons cover, and the polygons with what OpenCV finds."""
    size = {"height": found.height, "width": found.width}
    geometries = list(trace.polygons(found.runs, len(found), width=found.width))
    drawn = masks_of(pixel_center.cover(geometries, **size), len(found), **size)
    for mask, parts, again in zip(
        masks_of(found.runs, len(found), **size), geometries, drawn, strict=True
    ):
        np.testing.assert_array_equal(again, mask)
        count, numbered = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
        assert len(parts) == count - 1
        for part in parts:
            check_part(part, numbered)


def check_part(part: Polygon, numbered: Ids) -> None:
    shape = shapely.Polygon(part.exterior, part.interiors)
    assert shape.is_valid, "rings do not touch themselves"
    x, y = part.exterior[0].astype(int)
    mine = numbered == numbered[y, x]
    assert shape.area == mine.sum(), "the holes are in the right outline"
    contours, tree = cv2.findContours(mine.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    assert len(contours) == 1 + len(part.interiors)
    assert (tree[0, :, 3] >= 0).sum() == len(part.interiors)
    for ring, is_exterior in ((part.exterior, True), *((r, False) for r in part.interiors)):
        steps = np.roll(ring, -1, axis=0) - ring
        assert ((steps == 0).sum(axis=1) == 1).all(), "edges are upright or level"
        assert ((steps == 0) != np.roll(steps == 0, 1, axis=0)).all(), "each vertex is a corner"
        assert shapely.LinearRing(ring).is_ccw == is_exterior, "y is down"  # so that is clockwise
        first = np.lexsort((ring[:, 0], ring[:, 1]))[0]
        assert first == 0


@given(small, st.booleans())
def test_drawn_again_every_region_is_the_same(label_image: Ids, with_instances: bool) -> None:
    instances = label_image[::-1] % 3 if with_instances else None
    check(regions.of_label_image(label_image, instances))


@given(seeds, st.booleans())
def test_figures_with_holes_islands_bridges_and_contacts(seed: int, as_one: bool) -> None:
    image = figure(seed)
    check(regions.of_label_image(image, np.ones_like(image) if as_one else None))


@given(seeds)
def test_patches(seed: int) -> None:
    check(regions.of_label_image(patches(seed, height=40, width=55)))


@given(st.lists(masks(height=4, width=5), max_size=4))
def test_overlapping_regions_are_the_same_drawn_again(regions_: list[Ids]) -> None:
    whole = runs_.gather([(k, *runs_.of_mask(mask)) for k, mask in enumerate(regions_)])
    check(Regions(4, 5, whole, np.zeros(len(regions_)), np.zeros(len(regions_))))


@pytest.mark.parametrize("batch", [1, 7])
def test_batches_change_nothing(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    image = figure(5) + 2 * patches(5, height=figure(5).shape[0], width=figure(5).shape[1])
    for found in (regions.of_label_image(image), regions.of_label_image(image, image // 2)):
        once = list(trace.polygons(found.runs, len(found), width=found.width))
        with monkeypatch.context() as patch:
            patch.setattr(trace, "BATCH", batch)
            again = list(trace.polygons(found.runs, len(found), width=found.width))
        flat = [[[r.tolist() for r in (p.exterior, *p.interiors)] for p in g] for g in once]
        assert flat == [
            [[r.tolist() for r in (p.exterior, *p.interiors)] for p in g] for g in again
        ]


def test_regions_have_labels_and_groups() -> None:
    classes = ClassTable.from_names(["person", "dog"])
    image, instances = numbers("11022\n10001"), numbers("77000\n00007")
    got = list(trace.regions(regions.of_label_image(image, instances, skip=(0,)), classes))
    assert [(r.label, r.group, len(r.geometry)) for r in got] == [
        *(("person", None, 1), ("dog", None, 1)),
        ("person", 7, 2),
    ]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.randoms())
def test_cycles(sizes: list[int], random: st.randoms) -> None:
    numbers = list(range(sum(sizes)))
    random.shuffle(numbers)
    after = np.zeros(len(numbers), dtype=np.int64)
    expected = []
    for size in sizes:
        ring, numbers = numbers[:size], numbers[size:]
        after[ring] = ring[1:] + ring[:1]
        low = ring.index(min(ring))
        expected.append(ring[low:] + ring[:low])
    order, begin = trace.cycles(after)
    assert [ring.tolist() for ring in np.split(order, begin[1:])] == sorted(expected)
