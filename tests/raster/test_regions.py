"""Which regions a label image consists of."""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from label_images import Ids, small
from numpy.typing import NDArray
from strategies import annotation, assert_well_formed, drawing, masks_of, numbers, patch, region

from maskforge import rasterize
from maskforge.classes import ClassTable
from maskforge.raster import regions
from maskforge.raster import runs as runs_
from maskforge.raster.label_image import to_raster
from maskforge.raster.regions import Regions
from maskforge.raster.runs import Runs

TWO_OF_ONE = numbers("""
    00117
    21171
    22117
""")


def masks_in(found: Regions) -> list[NDArray[np.bool_]]:
    return masks_of(found.runs, len(found), height=found.height, width=found.width)


def test_a_region_is_a_4_connected_part_of_one_class() -> None:
    found = regions.of_label_image(TWO_OF_ONE, skip=(0,))
    # Diagonal contacts connect nothing; classes ascend, and their parts come in reading order.
    assert found.value.tolist() == [1, 1, 2, 7, 7, 7]
    assert found.areas.tolist() == [6, 1, 3, 1, 1, 1]
    assert found.instance.tolist() == [0] * 6
    assert found.boxes.tolist() == [
        *([1, 0, 3, 3], [4, 1, 1, 1], [0, 1, 2, 2]),
        *([4, 0, 1, 1], [3, 1, 1, 1], [4, 2, 1, 1]),
    ]
    assert (masks_in(found)[2] == (TWO_OF_ONE == 2)).all()


def test_an_instance_is_one_region_of_several_parts() -> None:
    instances = numbers("""
        00550
        03050
        33005
    """)
    found = regions.of_label_image(TWO_OF_ONE, instances, skip=(0, 7))
    assert list(zip(found.value.tolist(), found.instance.tolist(), strict=True)) == [
        *((1, 0), (1, 0), (2, 0)),  # without an instance, part by part
        *((1, 3), (2, 3), (1, 5)),  # 5 is one object, though it has 7s as well that are left out
    ]
    assert found.areas.tolist() == [3, 1, 1, 1, 2, 2]


@given(small, st.booleans())
def test_regions_are_parts_of_the_label_image(label_image: Ids, with_instances: bool) -> None:
    instances = label_image[::-1, ::-1] // 2 if with_instances else None
    found = regions.of_label_image(label_image, instances)
    height, width = label_image.shape
    assert_well_formed(found.runs, len(found), height=height, width=width)
    masks = masks_in(found)
    assert (sum(masks) == 1).all()
    for mask, value, instance in zip(masks, found.value, found.instance, strict=True):
        assert (label_image[mask] == value).all()
        parts, _ = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
        if instances is None or not instance:
            assert instance == 0
            assert parts == 2
        else:
            assert (mask == ((label_image == value) & (instances == instance))).all()
    rows = [np.flatnonzero(mask.any(axis=1)) for mask in masks]
    columns = [np.flatnonzero(mask.any(axis=0)) for mask in masks]
    assert found.boxes.tolist() == [
        [x[0], y[0], x[-1] + 1 - x[0], y[-1] + 1 - y[0]] for y, x in zip(rows, columns, strict=True)
    ]
    assert found.areas.tolist() == [mask.sum() for mask in masks]


def test_large_ids() -> None:
    label_image = np.array([[65535, 65535, 256], [0, 256, 256]], dtype=np.uint16)
    found = regions.of_label_image(label_image, np.full((2, 3), 70_000))
    assert found.value.tolist() == [0, 256, 65535]
    assert found.instance.tolist() == [70_000] * 3
    assert found.areas.tolist() == [1, 3, 2]


def test_what_shows_of_an_annotation() -> None:
    raster = rasterize(
        annotation(
            region("person", patch("####\n####"), group=4),
            region("dog", patch("##\n##", x=1)),
            region("person", patch("#", x=5), group=4),
            region("_background_", patch("#", x=0)),
            region("__ignore__", patch("#", x=3)),
            height=2,
            width=6,
        ),
        ClassTable.from_names(["dog", "person"]),
    )
    found = regions.of_raster(raster)
    assert found.value.tolist() == [2, 1]
    assert found.instance.tolist() == [1, 2]
    assert drawing(masks_in(found)[0]).split() == [".....#", "#..#.."]
    assert drawing(masks_in(found)[1]).split() == [".##...", ".##..."]


@given(small)
def test_a_raster_of_a_label_image_has_the_regions_of_that(label_image: Ids) -> None:
    label_image = np.where(label_image == 3, 255, label_image)
    classes = ClassTable.from_names(["a", "b"])
    got = regions.of_raster(to_raster(label_image, classes))
    expected = regions.of_label_image(label_image, skip=(0, 255))
    assert got.value.tolist() == expected.value.tolist()
    for mine, theirs in zip(masks_in(got), masks_in(expected), strict=True):
        assert (mine == theirs).all()


def test_no_regions() -> None:
    found = regions.of_label_image(np.zeros((2, 3), dtype=np.uint8), skip=(0,))
    assert len(found) == len(found.runs) == 0
    assert found.areas.shape == (0,)
    assert found.boxes.shape == (0, 4)


def test_boxes_of_regions_that_overlap_or_are_empty() -> None:
    # 3 by 5 pixels; the run of region 2 goes on from the end of a row into the next one but one.
    runs = Runs(*(np.array(a) for a in ([0, 2, 2], [6, 4, 13], [8, 11, 14])))
    got = regions.boxes(runs, 4, width=5)
    assert got.tolist() == [[1, 1, 2, 1], [0] * 4, [0, 0, 5, 3], [0] * 4]


@given(small)
def test_in_rows(label_image: Ids) -> None:
    mask = label_image > 1
    width = mask.shape[1]
    whole = runs_.union(runs_.gather([(0, *runs_.of_mask(mask))]))
    halves = Runs(
        np.zeros(2 * len(whole), dtype=np.int64),
        *(
            np.stack(ends, axis=1).ravel()
            for ends in (
                (whole.start, (whole.start + whole.stop) // 2),
                ((whole.start + whole.stop) // 2, whole.stop),
            )
        ),
    )
    halves = Runs(
        *(a[halves.start < halves.stop] for a in (halves.region, halves.start, halves.stop))
    )
    for runs in (whole, halves):
        got = regions.in_rows(runs, width=width)
        start, stop = runs_.of_mask(mask)
        assert got.start.tolist() == start.tolist()
        assert got.stop.tolist() == stop.tolist()


def test_a_long_way_round_is_one_part() -> None:
    spiral = numbers("""
        111111111
        000000001
        111111101
        100000101
        101110101
        101000101
        101111101
        100000001
        111111111
    """)
    for image in (spiral, spiral[::-1], spiral.T, spiral[:, ::-1].T):
        found = regions.of_label_image(np.ascontiguousarray(image))
        assert found.value.tolist() == [0, 1]


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=12))
def test_united(pairs: list[tuple[int, int]]) -> None:
    sets = [{number} for number in range(9)]
    for a, b in pairs:
        one = sets[a] | sets[b]
        for number in one:
            sets[number] = one
    a, b = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    assert regions.united(a, b, 9).tolist() == [min(one) for one in sets]
