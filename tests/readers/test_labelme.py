from __future__ import annotations

import base64
import io
import json
import math
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from maskforge.errors import ReadError, UsageError
from maskforge.io.digests import digest
from maskforge.raster import runs
from maskforge.raster.annotation import Annotation
from maskforge.raster.geometry import Bitmap, Box, Ellipse, Geometry, Polygon, Polyline
from maskforge.readers import _labelme_shapes, labelme

Read: TypeAlias = Callable[..., Annotation]

TRIANGLE = [[1, 2], [7.5, 3], [4, 9]]
# Taller than wide and without symmetry, so that a swap of rows and columns shows.
PATCH = np.array([[1, 0], [1, 1], [0, 0]], dtype=bool)


def shape(points: object = TRIANGLE, kind: str | None = "polygon", **more: object) -> object:
    return {"label": "a", "points": points, "shape_type": kind, **more}


def png(mask: NDArray[np.generic] = PATCH, mode: str = "L") -> str:
    buffer = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).convert(mode).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def run(
        *shapes: object, options: Mapping[str, float] | None = None, **top: object
    ) -> Annotation:
        path = tmp_path / "scene.json"
        document = {"version": "5.4.1", "shapes": shapes, "imagePath": "scene.jpg", **top}
        path.write_text(json.dumps(document), encoding="utf-8")
        (annotation,) = labelme.read(path, labelme.Options(**(options or {})))
        assert isinstance(annotation, Annotation)
        return annotation

    return run


def only(annotation: Annotation) -> Geometry:
    ((geometry,),) = (region.geometry for region in annotation.regions)
    return geometry


def test_the_whole_annotation(read: Read, tmp_path: Path) -> None:
    annotation = read(
        shape(group_id=3, flags={"x": True}, description=None),
        shape(group_id="b", label="person-1"),
        imageHeight=480,
        imageWidth=640.0,
        imageData=None,
        flags={},
    )
    path = tmp_path / "scene.json"
    assert (annotation.name, annotation.source, annotation.place) == ("scene.jpg", path, "")
    assert annotation.digest == digest(path.read_bytes())
    assert (annotation.height, annotation.width) == (480, 640)
    assert annotation.image == tmp_path / "scene.jpg"
    assert (annotation.embedded, annotation.split, annotation.problems) == (None, None, ())
    assert [r.label for r in annotation.regions] == ["a", "person-1"]
    assert [r.group for r in annotation.regions] == [3, "b"]
    assert [r.place for r in annotation.regions] == ["shapes[0]", "shapes[1]"]


@pytest.mark.parametrize("kind", ["polygon", None, ""])
def test_polygon(read: Read, kind: str | None) -> None:
    geometry = only(read(shape(kind=kind)))
    assert isinstance(geometry, Polygon)
    assert geometry.exterior.tolist() == TRIANGLE
    assert geometry.interiors == ()


def test_files_of_2x_have_no_shape_type_and_no_size(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    path.write_text(
        '{"lineColor": [0, 255, 0, 128], "imageData": "", "imagePath": "o.jpg", "shapes": '
        '[{"line_color": null, "label": "a", "points": [[1, 2], [7, 3], [4, 9], [1, 2]]}]}'
    )
    (annotation,) = labelme.read(path, labelme.Options())
    assert isinstance(annotation, Annotation)
    geometry = only(annotation)
    assert isinstance(geometry, Polygon)
    assert geometry.exterior.tolist() == [[1, 2], [7, 3], [4, 9]]
    assert (annotation.height, annotation.width, annotation.embedded) == (None, None, None)


def test_polygons_keep_to_themselves(read: Read) -> None:
    closed = [*TRIANGLE, TRIANGLE[0]]
    other = [[20, 20], [30, 20], [30, 30], [20, 31]]
    shapes = [r.geometry[0] for r in read(shape(closed), shape(other)).regions]
    assert [s.exterior.tolist() for s in shapes if isinstance(s, Polygon)] == [TRIANGLE, other]


def test_rectangle_corners_are_sorted(read: Read) -> None:
    assert only(read(shape([[9, 2], [3.5, 20]], "rectangle"))) == Box(3.5, 2, 9, 20)


def test_circle(read: Read) -> None:
    assert only(read(shape([[10, 20], [13, 24]], "circle"))) == Ellipse(10, 20, 5, 5)


def test_oriented_rectangle(read: Read) -> None:
    corners = [[4, 0], [8, 2], [6, 6], [2, 4]]
    geometry = only(read(shape(corners, "oriented_rectangle")))
    assert isinstance(geometry, Polygon)
    assert geometry.exterior.tolist() == corners


@pytest.mark.parametrize(
    ("kind", "points"), [("line", [[1, 2], [3, 9]]), ("linestrip", [[1, 2], [3, 9], [5, 5]])]
)
def test_lines(read: Read, kind: str, points: object) -> None:
    geometry = only(read(shape(points, kind)))
    assert isinstance(geometry, Polyline)
    assert (geometry.points.tolist(), geometry.width) == (points, 10)
    thin = only(read(shape(points, kind), options={"line_width": 1.5}))
    assert isinstance(thin, Polyline)
    assert thin.width == 1.5


def test_points(read: Read) -> None:
    assert only(read(shape([[3, 8]], "point"))) == Ellipse(3, 8, 5, 5)
    (region,) = read(shape([[3, 8], [20, 1]], "points"), options={"point_size": 2}).regions
    assert region.geometry == (Ellipse(3, 8, 2, 2), Ellipse(20, 1, 2, 2))


@pytest.mark.parametrize("mode", ["1", "L", "P"])
def test_mask(read: Read, mode: str) -> None:
    geometry = only(read(shape([[10, 20], [11, 22]], "mask", mask=png(mode=mode))))
    assert isinstance(geometry, Bitmap)
    assert geometry.mask.dtype == np.bool_
    assert np.array_equal(geometry.mask, PATCH)
    assert (geometry.x, geometry.y) == (10, 20)


def test_mask_between_pixels_has_the_size_of_its_patch(read: Read) -> None:
    geometry = only(read(shape([[10.4, 20.6], [12.4, 23.6]], "mask", mask=png())))
    assert isinstance(geometry, Bitmap)
    assert (geometry.mask.shape, geometry.x, geometry.y) == ((3, 2), 10.4, 20.6)


@pytest.mark.parametrize(
    ("points", "kind", "more", "message"),
    [
        ([], "polygon", {}, "a polygon must have points, but has none"),
        ([[1, 2], [3, 4]], "polygon", {}, "at least 3 points, but got 2"),
        ([[1, 2], [3, 4], [1, 2]], "polygon", {}, "at least 3 points, but got 2"),
        ([], "points", {}, "must have points"),
        ([[1, 2]], "linestrip", {}, "at least 2 points"),
        ([[5, 5], [5, 5]], "circle", {}, "a radius above 0"),
        ([[5, 5], [5, 9]], "rectangle", {}, "a width and a height"),
        ([[0, 0], [1, 2]], "mask", {"mask": png(np.zeros((3, 2)))}, "a pixel that is set"),
    ],
)
def test_what_covers_nothing_is_left_out_with_a_warning(
    read: Read, points: object, kind: str, more: dict[str, object], message: str
) -> None:
    annotation = read(shape(), shape(points, kind, **more))
    assert [region.place for region in annotation.regions] == ["shapes[0]"]
    (problem,) = annotation.problems
    assert (problem.code, problem.place, problem.severity) == (
        "empty-shape",
        "shapes[1]",
        "warning",
    )
    assert message in problem.message


@pytest.mark.parametrize(
    ("points", "kind", "more", "code", "place", "message"),
    [
        (TRIANGLE, "star", {}, "bad-field", "", "must be one of ['polygon', 'rectangle'"),
        (TRIANGLE, "rectangle", {}, "bad-shape", "", "exactly 2 points, but got 3"),
        (TRIANGLE, "circle", {}, "bad-shape", "", "exactly 2 points, but got 3"),
        (TRIANGLE, "point", {}, "bad-shape", "", "exactly 1 points, but got 3"),
        (TRIANGLE, "oriented_rectangle", {}, "bad-shape", "", "exactly 4 points, but got 3"),
        (TRIANGLE, "mask", {}, "bad-shape", "", "exactly 2 points, but got 3"),
        (TRIANGLE, 5, {}, "bad-field", ".shape_type", "must be text or null"),
        (TRIANGLE, None, {"label": " "}, "no-label", "", "must have a label"),
        (TRIANGLE, None, {"label": 3}, "bad-field", ".label", "must be text"),
        (TRIANGLE, None, {"group_id": True}, "bad-field", ".group_id", "whole number or text"),
        ([[0, 0], [9, 9], [1e7, 0]], None, {}, "bad-shape", ".points", "point 2 is (10000000.0"),
        ([[0, 0], [9, math.nan], [1, 0]], None, {}, "bad-field", ".points[1][1]", "finite"),
        ([[0, 0], [9, True], [1, 0]], None, {}, "bad-field", ".points[1][1]", "a number"),
        ([[0, 0], ["9", 9], [1, 0]], None, {}, "bad-field", ".points[1][0]", "a number"),
        ([[0, 0], [9, 9, 9], [1, 0]], None, {}, "bad-field", ".points[1]", "length 2"),
        ([[0, 0], [2, 2]], "mask", {"mask": png()}, "bad-shape", "", "say, 3x3, but is 2x3"),
        ([[0, 0], [1, 2]], "mask", {}, "bad-field", "", "must be a PNG in base64"),
        ([[0, 0], [1, 2]], "mask", {"mask": "A"}, "bad-field", "", "must be base64"),
        ([[0, 0], [1, 2]], "mask", {"mask": png()[:60]}, "bad-field", "", "must be a PNG"),
        ([[0, 0], [1, 2]], "mask", {"mask": png(mode="RGB")}, "bad-field", "", "one channel"),
    ],
)  # fmt: skip
def test_a_malformed_shape_is_an_error_beside_the_others(
    read: Read,
    points: object,
    kind: str,
    more: dict[str, object],
    code: str,
    place: str,
    message: str,
) -> None:
    found = read(shape(), shape(points, kind, **more), shape())
    (problem,) = found.problems
    assert (problem.code, problem.place) == (code, f"shapes[1]{place}")
    assert problem.severity == "error"
    assert problem.file.endswith("scene.json")
    assert message in problem.message
    assert [region.place for region in found.regions] == ["shapes[0]", "shapes[2]"]


def test_a_decompression_bomb_is_refused_by_its_header(read: Read) -> None:
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 1, 0, 0, 0, 0)
    chunk = b"IHDR" + header
    data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk
    data += struct.pack(">I", zlib.crc32(chunk))
    with pytest.raises(ReadError, match="at most 268435456 pixels") as caught:
        read(shape([[0, 0], [99_999, 99_999]], "mask", mask=base64.b64encode(data).decode()))
    assert caught.value.code == "too-large"


def test_many_masks_together_are_limited(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    patch = shape([[0, 0], [1, 2]], "mask", mask=png())
    monkeypatch.setattr(_labelme_shapes, "MAX_PATCH_PIXELS", 12)
    assert len(read(patch, patch).regions) == 2
    with pytest.raises(ReadError, match="at most 12 pixels, but have 18"):
        read(patch, patch, patch)
    monkeypatch.setattr(runs, "MAX_RUNS", 4)  # one patch has two
    monkeypatch.setattr(_labelme_shapes, "MAX_PATCH_PIXELS", 100)
    assert len(read(patch, patch).regions) == 2
    with pytest.raises(ReadError, match="runs of pixels in their rows"):
        read(patch, patch, patch)


@pytest.mark.parametrize("value", [0, -1, 1.5, math.nan, True, "480"])
def test_bad_sizes(read: Read, value: object) -> None:
    with pytest.raises(ReadError) as caught:
        read(shape(), imageHeight=value)
    assert (caught.value.code, caught.value.place) == ("bad-field", "imageHeight")


@pytest.mark.parametrize(
    ("image_path", "image", "name"),
    [
        ("b.PNG", "{folder}/b.PNG", "scene.PNG"),
        ("..\\images\\b.jpg", "{folder}/../images/b.jpg", "scene.jpg"),
        ("/data/b.jpg", "/data/b.jpg", "scene.jpg"),
        ("C:\\data\\b.jpg", "C:/data/b.jpg", "scene.jpg"),
        ("https://host/b.jpg", "https:/host/b.jpg", "scene.jpg"),
        ("no_suffix", "{folder}/no_suffix", "scene.png"),
        ("scene.json", None, "scene.png"),
        ("", None, "scene.png"),
        (None, None, "scene.png"),
    ],
)
def test_image_path(
    read: Read, tmp_path: Path, image_path: str | None, image: str | None, name: str
) -> None:
    annotation = read(shape(), imagePath=image_path)
    expected = None if image is None else Path(image.format(folder=tmp_path.as_posix()))
    assert (annotation.image, annotation.name) == (expected, name)


def test_embedded_image_is_handed_on_as_it_stands(read: Read) -> None:
    assert bytes(read(shape(), imageData="QUJD").embedded or b"") == b"QUJD"
    assert read(shape(), imageData="").embedded is None
    with pytest.raises(ReadError, match="imageData: must be base64 text or null"):
        read(shape(), imageData=[1])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.json"
    document = {"shapes": [{"label": "人物", "points": TRIANGLE}], "imagePath": "图片.jpg"}
    path.write_bytes(json.dumps(document, ensure_ascii=False, indent=1).encode(encoding))
    (annotation,) = labelme.read(path, labelme.Options())
    assert isinstance(annotation, Annotation)
    assert annotation.image == tmp_path / "图片.jpg"
    assert annotation.regions[0].label == "人物"
    assert labelme.labels(path, labelme.Options()) == {"人物"}


def test_labels(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"shapes": [{"label": "b"}, {"label": "a", "points": 5}, {"label": "b"}]}')
    assert labelme.labels(path, labelme.Options()) == {"a", "b"}


@pytest.mark.parametrize("text", ["[]", '{"images": []}', "3"])
def test_other_files_are_the_wrong_format(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    for call in (lambda: list(labelme.read(path, labelme.Options())),
                 lambda: labelme.labels(path, labelme.Options())):  # fmt: skip
        with pytest.raises(ReadError, match="a Labelme file must") as caught:
            call()
        assert caught.value.code == "wrong-format"


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
@pytest.mark.parametrize("name", ["line_width", "point_size"])
def test_options(name: str, value: float) -> None:
    with pytest.raises(UsageError, match=f"{name} must be above 0 and at most 1000000"):
        labelme.Options(**{name: value})


BIG = '"imageData": "' + "A" * 100_000


@pytest.mark.parametrize(
    "text",
    [
        '{"version": "5.0", "shapes": [{"label": "a", "points": [[1',
        '{"shapes": [], "imagePath": "a.jpg"}',
        '{"imagePath": "a.jpg", "flags": {}, "shapes": [',
        "{\r\n\t" + BIG,
        '\ufeff{"version": "3.1", "imagePath": "a.jpg", ' + BIG,
    ],
)
def test_sniff(text: str) -> None:
    for encoding in ("utf-8", "utf-16"):
        assert "key" in (labelme.sniff(Path("x"), text.encode(encoding)[:65536]) or "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"shapes": [1, 2]}',
        '{"a.jpg12": {"filename": "a.jpg", "size": 12, "regions": [{"shape_attributes": {}}]}}',
        '{"_via_settings": {"shapes": [{"label": "a", "points": []}]}, "_via_img_metadata": {}}',
        '{"images": [{"id": 1, "file_name": "a"}], "annotations": [{"segmentation": []}]}',
        '{"keypoint_visible": {}, "images": [{"annotations": [{"segms": null}]}]}',
        '{"description": "", "size": {}, "objects": [{"points": {"exterior": []}}]}',
        '{"imgHeight": 1024, "imgWidth": 2048, "objects": [{"label": "a", "polygon": []}]}',
    ],
)
def test_sniff_is_not_fooled(text: str) -> None:
    assert labelme.sniff(Path("x"), text.encode()) is None


CORNERS = [[5.0, 5.0], [15.0, 5.0], [15.0, 20.0], [5.0, 20.0]]


@pytest.mark.parametrize("kind", ["rectangle", "rotation", "quadrilateral", "Polygon", "POLYGON"])
def test_shapes_of_x_anylabeling_are_polygons(tmp_path: Path, kind: str) -> None:
    file = {"imagePath": "a.jpg", "imageHeight": 30, "imageWidth": 40}
    shape = {"label": "a", "points": CORNERS, "shape_type": kind, "group_id": None}
    path = tmp_path / "a.json"
    path.write_text(json.dumps({**file, "shapes": [shape]}))
    [found] = labelme.read(path, labelme.Options())
    assert isinstance(found, Annotation)
    [polygon] = found.regions[0].geometry
    assert isinstance(polygon, Polygon)
    assert polygon.exterior.tolist() == CORNERS


def test_a_line_of_many_points_is_a_strip(tmp_path: Path) -> None:
    file = {"imagePath": "a.jpg", "imageHeight": 30, "imageWidth": 40}
    shape = {"label": "a", "points": CORNERS, "shape_type": "line", "group_id": None}
    path = tmp_path / "a.json"
    path.write_text(json.dumps({**file, "shapes": [shape]}))
    [found] = labelme.read(path, labelme.Options())
    assert isinstance(found, Annotation)
    [strip] = found.regions[0].geometry
    assert isinstance(strip, Polyline)
    assert len(strip.points) == 4


def one_shape(tmp_path: Path, kind: str, points: list[list[float]]) -> Any:
    path = tmp_path / "a.json"
    shape = {"label": "a", "points": points, "shape_type": kind, "group_id": None}
    path.write_text(json.dumps({"imagePath": "a.jpg", "shapes": [shape]}))
    [found] = labelme.read(path, labelme.Options())
    assert isinstance(found, Annotation)
    return found.regions[0].geometry[0] if found.regions else found.problems[0].code


@pytest.mark.parametrize("order", [range(8), (3, 0, 7, 5, 1, 6, 2, 4)])
def test_a_cuboid_is_the_hull_of_its_corners(tmp_path: Path, order: Sequence[int]) -> None:
    front = [[2.0, 4.0], [10.0, 4.0], [10.0, 12.0], [2.0, 12.0]]
    back = [[5.0, 1.0], [12.0, 1.0], [12.0, 8.0], [5.0, 8.0]]
    corners = [*front, *back]
    hull = one_shape(tmp_path, "cuboid", [corners[index] for index in order])
    assert {tuple(point) for point in hull.exterior.tolist()} == {
        (2, 4), (5, 1), (12, 1), (12, 8), (10, 12), (2, 12),
    }  # fmt: skip
    assert one_shape(tmp_path, "cuboid", [[n, 2 * n] for n in range(8)]) == "empty-shape"
    assert one_shape(tmp_path, "cuboid", corners[:7]) == "bad-shape"


@pytest.mark.parametrize(
    ("points", "ellipse"),
    [
        ([[2, 10], [12, 4]], (7, 7, 5, 3, 0)),
        ([[2, 4], [12, 4], [12, 10], [2, 10]], (7, 7, 5, 3, 0)),
        ([[7, 7], [12, 7], [7, 10]], (7, 7, 5, 3, 0)),
        ([[7, 7], [10, 11], [3, 10]], (7, 7, 5, 5, math.atan2(4, 3))),
        ([[0, 0], [6, 8], [2, 11], [-4, 3]], (1, 5.5, 5, 2.5, math.atan2(8, 6))),
    ],
)
def test_ellipses_of_other_programs(tmp_path: Path, points: Any, ellipse: Any) -> None:
    found = one_shape(tmp_path, "ellipse", points)
    made = (found.cx, found.cy, found.rx, found.ry, found.theta)
    assert made == pytest.approx(ellipse)


@pytest.mark.parametrize("points", [[[1, 1], [5, 1]], [[1, 1], [1, 1], [4, 1]]])
def test_an_ellipse_without_extent_covers_nothing(tmp_path: Path, points: Any) -> None:
    assert one_shape(tmp_path, "ellipse", points) == "empty-shape"


def test_an_ellipse_of_five_points_cannot_be_told(tmp_path: Path) -> None:
    assert one_shape(tmp_path, "ellipse", [[1, 1]] * 5) == "bad-shape"
