"""The rule against labelme itself: golden results, and optionally a labelme that is installed."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import PIL
import pytest
from PIL import Image
from shapes import HEIGHT, WIDTH, drawn, ring

from maskforge import rasterize
from maskforge.classes import ClassTable
from maskforge.raster.annotation import Annotation
from maskforge.raster.geometry import Bitmap, Box, Ellipse, Polygon, Polyline
from maskforge.readers import labelme as reader
from maskforge.rules import labelme

GOLDEN = Path(__file__).parents[1] / "golden" / "labelme.npz"
MAKE = GOLDEN.with_name("make_labelme.py")
LIVE = os.environ.get("MASKFORGE_LABELME_PYTHON", "")
KINDS = ["polygon", "rectangle", "circle", "line", "linestrip", "point"]
KINDS += ["oriented_rectangle", "mask"]


def check_pillow(golden: dict[str, Any]) -> None:
    """Pillow's fills differ from version to version: other pixels, and nobody's mistake."""
    recorded = str(golden["pillow"])
    if recorded == PIL.__version__:
        return
    message = (
        f"golden/labelme.npz was made with Pillow {recorded}, but {PIL.__version__} runs: install "
        f"that one (see constraints/), or make the file anew with golden/make_labelme.py"
    )
    if {"CI", "PIP_CONSTRAINT"} & os.environ.keys():  # make test pins Pillow, and says so like this
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    arrays = dict(np.load(GOLDEN))
    check_pillow(arrays)
    return arrays


def shapes_of(golden: dict[str, Any], *, label: str = "1") -> list[dict[str, Any]]:
    """Return all shapes as they stand in a Labelme file."""
    ends = np.cumsum(golden["count"].astype(int))
    bits = np.unpackbits(golden["patches"]).astype(bool)
    shapes = []
    used = 0
    for kind, points in zip(
        golden["kind"].tolist(), np.split(golden["points"], ends[:-1]), strict=True
    ):
        shape = {"label": label, "points": points.tolist(), "shape_type": KINDS[kind]}
        if shape["shape_type"] == "mask":
            (x1, y1), (x2, y2) = points.astype(int)
            size = (y2 - y1 + 1, x2 - x1 + 1)
            patch = bits[used : used + size[0] * size[1]].reshape(size)
            used += patch.size
            stream = io.BytesIO()
            Image.fromarray(patch.astype(np.uint8)).save(stream, "PNG", compress_level=1)
            shape["mask"] = base64.b64encode(stream.getvalue()).decode()
        shapes.append(shape)
    return shapes


def read(path: Path, shapes: list[dict[str, Any]]) -> Annotation:
    path.write_text(json.dumps({"shapes": shapes, "imageHeight": HEIGHT, "imageWidth": WIDTH}))
    (annotation,) = reader.read(path, reader.Options())
    assert isinstance(annotation, Annotation)
    assert not annotation.problems
    return annotation


def differing(golden: dict[str, Any], kind: str, folder: Path) -> dict[int, int]:
    """Return how many pixels differ from labelme's, by shape, where any do."""
    numbers = np.flatnonzero(golden["kind"] == KINDS.index(kind))
    assert len(numbers) >= 2000
    shapes = shapes_of(golden)
    annotation = read(folder / "all.json", [shapes[n] for n in numbers.tolist()])
    runs = labelme.cover([r.geometry for r in annotation.regions], height=HEIGHT, width=WIDTH)
    expected = np.unpackbits(golden["masks"][numbers], axis=1, count=HEIGHT * WIDTH).astype(bool)
    wrong = {}
    for index, mask in enumerate(expected.reshape(-1, HEIGHT, WIDTH)):
        pixels = int((runs.mask(index, height=HEIGHT, width=WIDTH) != mask).sum())
        if pixels:
            wrong[int(numbers[index])] = pixels
    return wrong


@pytest.mark.parametrize("kind", KINDS)
def test_each_shape_covers_what_labelme_gives(
    golden: dict[str, Any], kind: str, tmp_path: Path
) -> None:
    assert golden["kinds"].tolist() == KINDS
    assert differing(golden, kind, tmp_path) == {}


def test_overlapping_shapes_give_the_label_images_that_labelme_gives(
    golden: dict[str, Any], tmp_path: Path
) -> None:
    shapes = shapes_of(golden)
    names = ("_background_", "one", "two", "three")
    assert len(golden["file_labels"]) == 150
    for numbers, classes, expected in zip(
        golden["file_shapes"].tolist(),
        golden["file_classes"].tolist(),
        golden["file_labels"],
        strict=True,
    ):
        file = [shapes[n] | {"label": names[c]} for n, c in zip(numbers, classes, strict=True)]
        raster = rasterize(read(tmp_path / "file.json", file), ClassTable(names), rule="labelme")
        np.testing.assert_array_equal(raster.label_image(), expected)


@pytest.mark.live
@pytest.mark.skipif(not LIVE, reason="MASKFORGE_LABELME_PYTHON names no Python with labelme in it")
def test_a_live_labelme_gives_the_same(tmp_path: Path) -> None:
    file = tmp_path / "live.npz"
    subprocess.run(
        [LIVE, "-B", str(MAKE), str(file), "20"],
        check=True,
        timeout=300,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
        cwd=tmp_path,
    )
    live = dict(np.load(file))
    check_pillow(live)
    assert [differing(live, kind, tmp_path) for kind in KINDS] == [{} for _ in KINDS]


def test_edges_belong_to_the_polygon() -> None:
    assert drawn(labelme, Polygon(ring((1.9, 1.2), (6.7, 1.0), (6.5, 3.9), (1.1, 3.4)))) == [
        ".........",
        ".######..",
        ".######..",
        ".######..",
        ".........",
        ".........",
    ]


def test_both_corners_belong_to_a_box_and_off_image_parts_are_clipped() -> None:
    assert drawn(labelme, Box(5.5, -3.0, 30.0, 1.9)) == [
        ".....####",
        ".....####",
        ".........",
        ".........",
        ".........",
        ".........",
    ]


def test_an_interior_erases_its_edges_too_but_no_other_part() -> None:
    holed = Polygon(ring((0, 0), (8, 0), (8, 5), (0, 5)), (ring((2, 1), (6, 1), (6, 4), (2, 4)),))
    assert drawn(labelme, Box(3, 2, 4, 9), holed) == [
        "#########",
        "##.....##",
        "##.##..##",
        "##.##..##",
        "##.##..##",
        "#########",
    ]


def test_a_bitmap_is_laid_on_its_truncated_corner_and_clipped() -> None:
    patch = np.array([[1, 0, 1], [1, 1, 0]], dtype=bool)
    assert drawn(labelme, Bitmap.of(patch, x=-1.5, y=4.9), Bitmap.of(patch, x=7.9)) == [
        ".......#.",
        ".......##",
        ".........",
        ".........",
        ".#.......",
        "#........",
    ]


def test_a_line_of_width_one_and_less() -> None:
    line = ring((1, 1), (7, 4))
    assert drawn(labelme, Polyline(line, 0.3)) == drawn(labelme, Polyline(line, 1.9))
    assert drawn(labelme, Polyline(line, 1.9)) == [
        ".........",
        ".#.......",
        "..##.....",
        "....##...",
        "......##.",
        ".........",
    ]


def test_regions_that_cover_nothing_have_no_runs() -> None:
    outside = (Box(20, 20, 30, 30), Ellipse(-50, 2, 3, 3), Polyline(ring((0, -9), (5, -9)), 2))
    runs = labelme.cover([(), outside, (Box(1, 1, 2, 2),)], height=6, width=9)
    assert runs.region.tolist() == [2, 2]
    assert runs.start.tolist() == [10, 19]
    assert runs.stop.tolist() == [12, 21]
    assert len(labelme.cover([], height=6, width=9)) == 0


def near_edge(ellipse: Ellipse, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return which vertices-as-pixels lie inside, and which lie within 1.5 pixels of the edge."""
    y, x = np.mgrid[:height, :width] - np.array([ellipse.cy, ellipse.cx]).reshape(2, 1, 1)
    cos, sin = np.cos(ellipse.theta), np.sin(ellipse.theta)
    u, v = x * cos + y * sin, y * cos - x * sin
    level = np.hypot(u / ellipse.rx, v / ellipse.ry)
    slope = np.hypot(u / ellipse.rx**2, v / ellipse.ry**2) / np.maximum(level, 1e-9)
    return level < 1, np.abs(level - 1) < 1.5 * slope


@pytest.mark.parametrize(
    "ellipse",
    [
        Ellipse(60, 40, 50, 20, 0.5),  # slanted
        Ellipse(60, 40, 50, 20),  # upright
        Ellipse(60 + 1e5, 40, 1e5, 1e5),  # larger than Pillow can count
        Ellipse(-9e5, 40, 9e5 + 60, 9e5 + 60),
    ],
)
def test_ellipses_that_labelme_cannot_do(ellipse: Ellipse) -> None:
    height, width = 90, 130
    mask = labelme.cover([(ellipse,)], height=height, width=width).mask(
        0, height=height, width=width
    )
    inside, near = near_edge(ellipse, height, width)
    assert 0.05 < near.mean() + inside.mean() < 1.9
    assert ((mask == inside) | near).all()


def test_a_polygon_of_very_many_vertices_is_the_same_but_for_its_edge() -> None:
    angle = np.linspace(0, 2 * np.pi, 30_001)[:-1]
    circle = Ellipse(60, 40, 35, 35)
    many = Polygon(
        ring(*zip(60 + 35 * np.cos(angle), 40 + 35 * np.sin(angle), strict=True)),
        (ring((55, 35), (65, 35), (65, 45), (55, 45)),),
    )
    mask = labelme.cover([(many,)], height=90, width=130).mask(0, height=90, width=130)
    inside, near = near_edge(circle, 90, 130)
    inside[36:45, 56:65] = False
    near[35:46, 35:66] = True
    near[36:45, 56:65] = False
    assert ((mask == inside) | near).all()


def test_far_coordinates_end_in_time_and_stay_right() -> None:
    line = Polyline(ring((-1e6, -1e6), (1e6, 1e6)), 1)
    square = Polygon(ring((-1e6, 2), (4, 2), (4, 1e6), (-1e6, 1e6)))
    masks = [
        labelme.cover([(g,)], height=7, width=8).mask(0, height=7, width=8) for g in (line, square)
    ]
    np.testing.assert_array_equal(masks[0], np.eye(7, 8, dtype=bool))
    assert masks[1][2:, :5].all()
    assert masks[1].sum() == 25


def test_a_pillow_that_draws_on_a_copy_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = Image.frombuffer
    monkeypatch.setattr(Image, "frombuffer", lambda *args: shared(*args).copy())
    with pytest.raises(RuntimeError, match="draw into shared memory"):
        labelme.cover([(Box(1, 1, 2, 2),)], height=6, width=9)


@pytest.mark.parametrize(("height", "width"), [(3, 20), (20, 3)])
def test_a_line_from_far_away_to_far_away_crosses_all_of_a_long_image(
    height: int, width: int
) -> None:
    for points in ([(-1e5, 1.0), (1e5, 1.0)], [(1.0, -1e5), (1.0, 1e5)]):
        line = Polyline(np.array(points), 1.0)
        found = labelme.cover([(line,)], height=height, width=width)
        expected = np.zeros((height, width), dtype=bool)
        if points[0][1] == 1.0:
            expected[1] = True
        else:
            expected[:, 1] = True
        np.testing.assert_array_equal(found.mask(0, height=height, width=width), expected)
