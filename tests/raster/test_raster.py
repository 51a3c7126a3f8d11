"""From annotation to raster, against a painter that keeps a stack of regions for every pixel."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import (
    annotation,
    assert_well_formed,
    masks,
    masks_of,
    numbers,
    patch,
    region,
)

from maskforge import rasterize
from maskforge.classes import BACKGROUND, IGNORE, ClassTable
from maskforge.errors import ClassError, GeometryError, ReadError, UsageError
from maskforge.raster import overlap as overlap_
from maskforge.raster import raster as raster_
from maskforge.raster.annotation import Annotation, Region
from maskforge.raster.geometry import Bitmap, Box, Ellipse, Geometry, Polygon, Polyline
from maskforge.raster.raster import MAX_CROSSINGS, Raster, _lines_crossed

HEIGHT, WIDTH = 3, 4
CLASSES = ClassTable.from_names(["a", "b", "c"])
LABELS = ["a", "b", "c", BACKGROUND, IGNORE]

LEFT = "##..\n##..\n...."
RIGHT = ".###\n.#..\n...."


def at(*regions: Region, height: int = HEIGHT, width: int = WIDTH) -> Annotation:
    return annotation(*regions, height=height, width=width)


def drawn(label: str, text: str, **more: object) -> Region:
    return region(label, patch(text), **more)


def raster(*regions: Region, classes: ClassTable = CLASSES, **options: object) -> Raster:
    return rasterize(at(*regions), classes, **options)  # type: ignore[arg-type]


LEFT_A, RIGHT_B = drawn("a", LEFT), drawn("b", RIGHT)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "1222 1200 0000"),
        ({"overlap": "last"}, "1222 1200 0000"),
        ({"overlap": "first"}, "1122 1100 0000"),
        ({"overlap": "smallest"}, "1222 1200 0000"),
        ({"overlap": "last", "priority": ["a"]}, "1122 1100 0000"),
        ({"overlap": "first", "priority": ["b", "a"]}, "1222 1200 0000"),
    ],
)
def test_who_wins(options: dict[str, object], expected: str) -> None:
    got = raster(LEFT_A, RIGHT_B, **options).label_image()
    assert got.dtype == np.uint8
    np.testing.assert_array_equal(got, numbers(expected))


def test_smallest_is_decided_by_area_not_by_order() -> None:
    small, large = drawn("a", "##..\n....\n...."), drawn("b", "####\n####\n....")
    for regions in ((small, large), (large, small)):
        got = raster(*regions, overlap="smallest").label_image()
        np.testing.assert_array_equal(got, numbers("1122 2222 0000"))


def test_error_counts_every_contested_pair() -> None:
    with pytest.raises(GeometryError, match=r"b over a \(2 px\)") as caught:
        raster(LEFT_A, RIGHT_B, overlap="error")
    assert caught.value.code == "contested"
    assert 'overlap="last", first or smallest' in caught.value.cure


def test_error_lets_one_class_overlap_itself_and_others_touch() -> None:
    other = drawn("b", "..##\n..##\n....")
    got = raster(LEFT_A, drawn("a", ".#..\n....\n...."), other, overlap="error")
    np.testing.assert_array_equal(got.label_image(), numbers("1122 1122 0000"))


@pytest.mark.parametrize(
    ("name", "value"), [("overlap", "lats"), ("overlap", "keep"), ("unknown", "ignored")]
)
def test_a_policy_that_is_none_is_refused(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=re.escape(repr(value))):
        raster(LEFT_A, **{name: value})


def test_a_rule_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="pixel-center"):
        raster(LEFT_A, rule="pixel-centre")


def test_background_erases_what_comes_before_and_not_what_comes_after() -> None:
    hole = drawn(BACKGROUND, "###.\n....\n....")
    np.testing.assert_array_equal(
        raster(LEFT_A, hole, RIGHT_B).label_image(), numbers("0222 1200 0000")
    )
    np.testing.assert_array_equal(
        raster(LEFT_A, hole, RIGHT_B, overlap="first").label_image(), numbers("0222 1100 0000")
    )
    got = raster(LEFT_A, RIGHT_B, hole, priority=["a"])
    np.testing.assert_array_equal(got.label_image(), numbers("0002 1100 0000"))
    assert got.contested == {(1, 2): 1}


def test_ignore_is_a_class_of_its_own() -> None:
    got = raster(LEFT_A, drawn(IGNORE, RIGHT))
    np.testing.assert_array_equal(got.label_image()[0], [1, 255, 255, 255])
    assert got.pixel_counts == {0: 6, 1: 2, 255: 4}
    assert got.image_classes == (0, 1, 255)
    assert got.contested == {(255, 1): 2}


def test_crowd_is_ignored() -> None:
    got = raster(LEFT_A, drawn("b", RIGHT, crowd=True))
    np.testing.assert_array_equal(got.label_image()[1], [1, 255, 0, 0])


@pytest.mark.parametrize(
    ("unknown", "expected"),
    [("skip", [1, 1, 0, 0]), ("ignore", [1, 255, 255, 255]), ("background", [1, 0, 0, 0])],
)
def test_unknown_labels(unknown: str, expected: list[int]) -> None:
    got = raster(LEFT_A, drawn("zebra", RIGHT), unknown=unknown)
    np.testing.assert_array_equal(got.label_image()[0], expected)
    assert got.region_class.tolist() == [1, {"skip": -1, "ignore": 255, "background": 0}[unknown]]


def test_unknown_labels_are_named_all_at_once_with_the_nearest_name() -> None:
    table = ClassTable.from_names(["person", "bottle"])
    strangers = [drawn(name, LEFT, place=f"shapes[{i}]") for i, name in enumerate(("persn", "x"))]
    with pytest.raises(ClassError, match=r"'persn', 'x'") as caught:
        raster(*strangers, *strangers, classes=table)
    assert caught.value.code == "unknown-label"
    assert caught.value.place == "shapes[0]"
    assert "did you mean 'person'" in caught.value.cure


def test_a_skipped_region_is_nowhere() -> None:
    got = raster(drawn("zebra", LEFT), RIGHT_B, unknown="skip")
    assert got.region_class.tolist() == [-1, 2]
    assert got.region_area.tolist() == [0, 4]
    assert got.region_instance.tolist() == [0, 1]
    assert got.contested == {}


def test_instances_are_pairs_of_label_and_group() -> None:
    rows = ["####\n....\n....", "....\n##..\n....", "....\n..##\n....", "....\n....\n####"]
    got = raster(
        drawn("a", rows[0], group=1),
        drawn("b", rows[1], group=1),
        drawn("a", rows[2], group=1),
        drawn("a", rows[3]),
    )
    np.testing.assert_array_equal(got.instance_image(), numbers("1111 2211 3333"))
    assert got.region_instance.tolist() == [1, 2, 1, 3]


def test_regions_without_a_group_are_instances_of_their_own() -> None:
    got = raster(drawn("a", LEFT), drawn("a", RIGHT), drawn(BACKGROUND, "#...\n....\n...."))
    np.testing.assert_array_equal(got.instance_image(), numbers("0222 1200 0000"))
    assert got.instance_image().dtype == np.uint8


def test_many_instances_take_16_bits() -> None:
    got = raster(*[LEFT_A] * 299, RIGHT_B)
    assert got.instance_image().dtype == np.uint16
    assert got.instance_image()[0].tolist() == [299, 300, 300, 300]


def test_more_instances_than_16_bits_hold_are_a_located_error() -> None:
    tiny = region("a", Box(0, 0, 1, 1))
    got = rasterize(at(*[tiny] * 65536, height=1, width=1), CLASSES)
    with pytest.raises(GeometryError, match="65535"):
        got.instance_image()


def test_300_classes_take_16_bits() -> None:
    table = ClassTable.from_names([f"c{i}" for i in range(300)])
    got = raster(
        drawn("c299", LEFT), drawn("c254", RIGHT), drawn(IGNORE, "...#\n....\n...."), classes=table
    )
    assert got.label_image().dtype == np.uint16
    assert got.label_image()[0].tolist() == [300, 255, 255, 65535]
    assert got.pixel_counts == {0: 6, 255: 3, 300: 2, 65535: 1}
    assert got.contested == {(255, 300): 2, (65535, 255): 1}
    assert got.one_hot().shape == (HEIGHT, WIDTH, 301)
    assert got.one_hot()[0, 0].nonzero()[0].tolist() == [300]
    assert got.one_hot()[0, 3].sum() == 0


def test_one_hot() -> None:
    planes = raster(LEFT_A, RIGHT_B).one_hot()
    assert planes.dtype == np.uint8
    assert planes.shape == (HEIGHT, WIDTH, 4)
    np.testing.assert_array_equal(planes[:, :, 0], numbers("0000 0011 1111"))
    np.testing.assert_array_equal(planes[:, :, 1], numbers("1000 1000 0000"))
    np.testing.assert_array_equal(planes[:, :, 2], numbers("0111 0100 0000"))
    kept = raster(LEFT_A, RIGHT_B).one_hot(keep_overlaps=True)
    np.testing.assert_array_equal(kept[:, :, 0], planes[:, :, 0])
    np.testing.assert_array_equal(kept[:, :, 1], numbers("1100 1100 0000"))
    np.testing.assert_array_equal(kept[:, :, 2], planes[:, :, 2])


def test_as_an_array() -> None:
    got = raster(LEFT_A)
    np.testing.assert_array_equal(np.asarray(got), got.label_image())
    assert np.asarray(got).dtype == np.uint8
    assert np.asarray(got, dtype=np.float32).dtype == np.float32


def test_no_regions_is_all_background() -> None:
    got = raster()
    assert not got.label_image().any()
    assert not got.instance_image().any()
    assert got.one_hot()[:, :, 0].all()
    assert got.pixel_counts == {0: HEIGHT * WIDTH}
    assert got.contested == {}


@given(st.data())
def test_everything_against_a_painter(data: st.DataObject) -> None:
    shapes = data.draw(st.lists(masks(height=HEIGHT, width=WIDTH), max_size=6))
    labels = [data.draw(st.sampled_from([*LABELS, "zebra"])) for _ in shapes]
    groups = [data.draw(st.sampled_from([None, 1, 2])) for _ in shapes]
    policy = data.draw(st.sampled_from(["last", "first", "smallest"]))
    priority = data.draw(st.lists(st.sampled_from("abc"), unique=True, max_size=2))
    unknown = data.draw(st.sampled_from(["skip", "ignore", "background"]))
    limit = data.draw(st.sampled_from([1, 7, 10**6]))
    regions = [
        region(label, Bitmap.of(mask), group=group)
        for label, mask, group in zip(labels, shapes, groups, strict=True)
    ]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(overlap_, "MAX_PAIRS", limit)
        got = raster(*regions, overlap=policy, priority=priority, unknown=unknown)
    ids = {"a": 1, "b": 2, "c": 3, BACKGROUND: 0, IGNORE: 255}
    ids["zebra"] = {"skip": -1, "ignore": 255, "background": 0}[unknown]
    known = [ids[label] for label in labels]

    def rank(k: int) -> tuple[int, int, int]:
        name = labels[k]
        level = len(priority) - priority.index(name) if name in priority else 0
        area = int(shapes[k].sum())
        return (level, {"last": k, "first": -k, "smallest": -area}[policy], k)

    image = np.zeros((HEIGHT, WIDTH), dtype=int)
    kept = np.zeros((HEIGHT, WIDTH, 4), dtype=int)
    plain = np.zeros((HEIGHT, WIDTH, 4), dtype=int)
    instance_of: dict[object, int] = {}
    for k, label in enumerate(labels):
        if known[k] > 0:
            key = k if groups[k] is None else (label, groups[k])
            instance_of.setdefault(key, len(instance_of) + 1)
    instances = np.zeros((HEIGHT, WIDTH), dtype=int)
    contested: dict[tuple[int, int], int] = {}
    for pixel in np.ndindex(HEIGHT, WIDTH):
        stack: list[int] = []
        for k, mask in enumerate(shapes):
            if mask[pixel] and known[k] >= 0:
                stack = [] if known[k] == 0 else [*stack, k]
        top = max(stack, key=rank) if stack else None
        image[pixel] = 0 if top is None else known[top]
        if top is not None and known[top] != 255:  # what is ignored is no instance
            key = top if groups[top] is None else (labels[top], groups[top])
            instances[pixel] = instance_of[key]
        for other in {known[k] for k in stack} - {int(image[pixel])}:
            pair = (int(image[pixel]), other)
            contested[pair] = contested.get(pair, 0) + 1
        if image[pixel] != 255:
            plain[pixel][image[pixel]] = 1
        for class_id in {known[k] for k in stack} - {255} or ({0} if not stack else set()):
            kept[pixel][class_id] = 1
    np.testing.assert_array_equal(got.label_image(), image)
    np.testing.assert_array_equal(got.instance_image(), instances)
    np.testing.assert_array_equal(got.one_hot(), plain)
    np.testing.assert_array_equal(got.one_hot(keep_overlaps=True), kept)
    assert got.contested == contested
    values, counts = np.unique(image, return_counts=True)
    assert got.pixel_counts == dict(zip(values.tolist(), counts.tolist(), strict=True))
    areas = [int(mask.sum()) if i >= 0 else 0 for mask, i in zip(shapes, known, strict=True)]
    assert got.region_area.tolist() == areas
    stays = [mask & (i > 0) for mask, i in zip(shapes, known, strict=True)]
    for k in (k for k, i in enumerate(known) if i == 0):  # the background erases what is before it
        stays[:k] = [mask & ~shapes[k] for mask in stays[:k]]
    assert_well_formed(got.amodal, len(shapes), height=HEIGHT, width=WIDTH)
    amodal = masks_of(got.amodal, len(shapes), height=HEIGHT, width=WIDTH)
    np.testing.assert_array_equal(amodal, stays)


def test_size_of_the_call_goes_before_that_of_the_annotation() -> None:
    got = rasterize(at(region("a", Box(0, 0, 9, 9))), CLASSES, height=2, width=5)
    assert got.label_image().shape == (2, 5)


def test_size_must_be_known() -> None:
    with pytest.raises(ReadError, match="size is not known") as caught:
        rasterize(annotation(height=3), CLASSES)
    assert caught.value.code == "no-image"


@pytest.mark.parametrize(("height", "width"), [(0, 4), (3, 0), (-1, 4), (-3, -4)])
def test_size_must_be_positive(height: int, width: int) -> None:
    with pytest.raises(ReadError, match=f"{width}x{height}") as caught:
        rasterize(annotation(), CLASSES, height=height, width=width)
    assert caught.value.code == "bad-field"


def test_size_must_be_within_the_limit() -> None:
    with pytest.raises(ReadError, match="100000x100000") as caught:
        rasterize(annotation(height=100_000, width=100_000), CLASSES)
    assert caught.value.code == "too-large"
    assert "max_pixels=" in caught.value.cure
    with pytest.raises(ReadError, match="1 to 11"):
        rasterize(at(), CLASSES, max_pixels=11)
    assert rasterize(at(), CLASSES, max_pixels=12).height == HEIGHT


@pytest.mark.parametrize("rule", ["coco", "pixel-center"])
def test_boxes_that_are_absurdly_many_and_wide_are_refused(rule: str) -> None:
    boxes = [region("a", Box(0, 0, 100_000, 2)) for _ in range(300)]
    with pytest.raises(GeometryError, match=str(MAX_CROSSINGS)):
        rasterize(at(*boxes, height=2, width=100_000), CLASSES, rule=rule)


def test_a_polygon_that_crosses_absurdly_many_rows_is_refused() -> None:
    zigzag = np.tile(np.array([(0.0, 0.0), (1.0, 4000.0)]), (6000, 1))
    for geometry in (Polygon(zigzag), Polyline(zigzag, 1.0)):
        with pytest.raises(GeometryError, match=str(MAX_CROSSINGS)) as caught:
            rasterize(at(region("a", geometry, place="shapes[0]"), height=4000, width=3), CLASSES)
        assert caught.value.code == "too-large"
        assert caught.value.place == "shapes[0]"


SPARSE = ClassTable(("b", BACKGROUND, "a"), ids=(3, 5, 40))
NOWHERE = ClassTable(("a", "b"))  # from id 0, and none of them the background


@pytest.mark.parametrize(
    ("classes", "expected", "counts"),
    [
        (SPARSE, [[40, 3, 3, 3], [40, 3, 5, 5], [5, 5, 5, 5]], {3: 4, 5: 6, 40: 2}),
        (NOWHERE, [[0, 1, 1, 1], [0, 1, 255, 255], [255] * 4], {0: 2, 1: 4, 255: 6}),
    ],
)
def test_ids_are_those_of_the_table(
    classes: ClassTable, expected: list[list[int]], counts: dict[int, int]
) -> None:
    got = raster(LEFT_A, RIGHT_B, classes=classes)
    assert got.label_image().tolist() == expected
    assert got.label_image().dtype == np.uint8
    assert got.pixel_counts == counts
    assert got.contested == {(classes.id_of("b"), classes.id_of("a")): 2}
    assert got.instance_image().tolist() == [[1, 2, 2, 2], [1, 2, 0, 0], [0, 0, 0, 0]]


def test_channels_of_planes_are_places_in_the_table() -> None:
    planes = raster(LEFT_A, RIGHT_B, classes=SPARSE).one_hot()
    assert planes.argmax(axis=2).tolist() == [[2, 0, 0, 0], [2, 0, 1, 1], [1, 1, 1, 1]]
    kept = raster(LEFT_A, RIGHT_B, classes=SPARSE).one_hot(keep_overlaps=True)
    assert kept[0].tolist() == [[0, 0, 1], [1, 0, 1], [1, 0, 0], [1, 0, 0]]
    assert kept[1, 3].tolist() == [0, 1, 0]
    nowhere = raster(LEFT_A, RIGHT_B, classes=NOWHERE)
    for keep in (False, True):
        assert nowhere.one_hot(keep_overlaps=keep)[1, 3].tolist() == [0, 0]


def test_the_background_erases_under_any_id() -> None:
    hole = drawn(BACKGROUND, "##..\n....\n....")
    got = raster(LEFT_A, hole, classes=SPARSE).label_image()
    assert got.tolist() == [[5, 5, 5, 5], [40, 40, 5, 5], [5, 5, 5, 5]]
    with pytest.raises(ClassError, match="_background_"):
        raster(LEFT_A, hole, classes=NOWHERE)


@pytest.mark.parametrize(("classes", "uncovered"), [(SPARSE, 5), (NOWHERE, 255)])
def test_an_unknown_label_as_background_is_what_is_uncovered(
    classes: ClassTable, uncovered: int
) -> None:
    stranger = drawn("?", "#...\n....\n....")
    got = raster(LEFT_A, stranger, classes=classes, unknown="background").label_image()
    assert got[0, 0] == got[2, 3] == uncovered
    got = raster(LEFT_A, stranger, classes=SPARSE, unknown="ignore").label_image()
    assert got[0].tolist() == [255, 40, 5, 5]


CORNER = np.array([(1.0, 1.0), (4.0, 1.0), (4.0, 3.0)])
FAR = np.array([(-50.0, 1.0), (100.0, 1.0), (100.0, 3.0)])


@pytest.mark.parametrize(
    ("geometry", "count"),
    [
        (Box(-3, 1, 5, 99), 2 * ((6 - 1) + (5 - 0))),
        (Box(2, -4, 20, 2), 2 * ((2 - 0) + (9 - 2))),
        (Box(20, 20, 30, 40), 0),
        (Ellipse(4, 3, 1, 1), 2 * (6 + 9)),
        (patch("##.#\n.#.."), 2 * 3),
        (Polygon(CORNER), 3 + (3 + 2)),
        (Polygon(CORNER, (CORNER,)), 6 + 2 * (3 + 2) + (3 + 2)),  # and the step back between them
        (Polygon(FAR), 3 + (9 + 2)),
        (Polyline(CORNER, 2.0), 3 * (1 + 2) + 3 + (3 + 2)),
        (Polyline(CORNER, 500.0), 3 * (1 + 6) + 3 + (3 + 2)),
    ],
)
def test_the_effort_is_about_the_rows_and_columns_that_edges_cross(
    geometry: Geometry, count: int
) -> None:
    assert _lines_crossed([geometry], 6, 9) == count
    assert _lines_crossed([geometry, geometry], 6, 9) in range(2 * count, 2 * count + 6 + 9)
    assert _lines_crossed([geometry], 6, 9, enough=200) >= count


def test_an_effort_that_is_small_for_sure_is_not_worked_out() -> None:
    assert _lines_crossed([Polygon(CORNER)], 6, 9, enough=3 * 16) == 3 * 16
    assert _lines_crossed([Polygon(CORNER)], 6, 9, enough=3 * 16 - 1) == 3 + (3 + 2)


@pytest.mark.parametrize("batch", [1, 20, 45, 10**9])
def test_many_edges_are_worked_out_in_batches(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two boxes have an effort of 9 or 13 each; the numbers of the regions go on over batches."""
    boxes = [Box(0, 0, 3, 1), Box(1, 0, 4, 3), Box(2, 1, 4, 3), Box(0, 2, 1, 3)]
    monkeypatch.setattr(raster_, "BATCH", batch)
    found = raster(*(region(label, box) for label, box in zip("abca", boxes, strict=True)))
    np.testing.assert_array_equal(found.label_image(), numbers("1222 0233 1233"))
    assert found.region_area.tolist() == [3, 9, 4, 1]
    assert found.pixel_counts == {0: 1, 1: 2, 2: 5, 3: 4}


def test_as_much_effort_as_is_allowed_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    boxes = [region("a", Box(0, 0, 3, 1)), region("b", Box(1, 0, 4, 3))]  # efforts of 9 and 13
    monkeypatch.setattr(raster_, "BATCH", 10)
    monkeypatch.setattr(raster_, "MAX_CROSSINGS", 22)
    np.testing.assert_array_equal(raster(*boxes).label_image(), numbers("1222 0222 0222"))
    monkeypatch.setattr(raster_, "MAX_CROSSINGS", 21)
    with pytest.raises(GeometryError, match=r"at most 21 rows .* they cross 22"):
        raster(*boxes)
