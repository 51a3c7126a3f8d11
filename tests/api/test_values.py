"""Rasters, class tables, annotations and results, as notebooks and scripts use them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import maskforge
from maskforge import Annotation, Box, ClassTable, Problem, Region
from maskforge.errors import ClassError, ReadError, UsageError

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
TABLE = ClassTable.from_names(["sail", "sun"])
BOAT = Annotation(
    "boat.png",
    Path("boat.json"),
    "",
    (Region("sail", (Box(1, 1, 4, 3),)), Region("sun", (Box(3, 0, 6, 2),))),
    height=4,
    width=7,
)


@pytest.fixture
def raster() -> maskforge.Raster:
    return maskforge.rasterize(BOAT, TABLE)


def test_a_raster_has_a_shape_and_a_line(raster) -> None:
    assert raster.shape == (4, 7) == np.asarray(raster).shape
    assert repr(raster) == "Raster(7x4: _background_ 17 px, sail 5 px, sun 6 px)"
    assert isinstance(raster, maskforge.Raster)


def test_a_mask_is_where_a_class_shows(raster) -> None:
    mask = raster.mask("sail")
    assert mask.dtype == np.bool_
    assert mask.astype(int).tolist() == [
        [0, 0, 0, 0, 0, 0, 0],
        [0, 1, 1, 0, 0, 0, 0],
        [0, 1, 1, 1, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0],
    ]
    np.testing.assert_array_equal(mask, np.asarray(raster) == 1)
    np.testing.assert_array_equal(raster.mask("_background_"), np.asarray(raster) == 0)
    assert not raster.mask("__ignore__").any()
    with pytest.raises(ClassError, match="'sali' is not in the class table") as caught:
        raster.mask("sali")
    assert "did you mean 'sail'" in caught.value.cure


def test_a_raster_is_saved_as_the_writers_write(raster, tmp_path) -> None:
    raster.save(str(tmp_path / "boat.png"))
    with Image.open(tmp_path / "boat.png") as label:
        np.testing.assert_array_equal(np.asarray(label), raster)
    raster.save(tmp_path / "color.png", as_="color", style="black-white")
    with Image.open(tmp_path / "color.png") as color:
        assert color.mode == "RGB"
    raster.save(tmp_path / "boat.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "boat.npy"), raster)
    with pytest.raises(UsageError, match=r"must end with \.png, but got .*boat\.jpg"):
        raster.save(tmp_path / "boat.jpg")
    with pytest.raises(UsageError, match="one file of all images"):
        raster.save(tmp_path / "a.npy", as_="onehot")
    with pytest.raises(UsageError, match="as must be one of"):
        raster.save(tmp_path / "a.png", as_="labels")


def test_a_notebook_shows_a_raster(raster) -> None:
    picture = Image.open(io.BytesIO(raster._repr_png_()))
    assert picture.format == "PNG"
    assert picture.mode == "RGB"


def test_lists_are_taken_for_a_table() -> None:
    one = maskforge.rasterize(BOAT, ["sail", "sun"])
    np.testing.assert_array_equal(one, maskforge.rasterize(BOAT, TABLE))
    with pytest.raises(ClassError, match="every label must be in the class table"):
        maskforge.rasterize(BOAT, ["sail"])
    with pytest.raises(ClassError) as caught:
        maskforge.rasterize(BOAT, ["date"])
    assert 'unknown="skip"' in caught.value.cure


def test_a_file_is_taken_for_a_table(tmp_path) -> None:
    (tmp_path / "labels.txt").write_text("sail\nsun\n")
    made = maskforge.rasterize(BOAT, tmp_path / "labels.txt")
    assert made.classes == TABLE
    with pytest.raises(UsageError, match="there must be classes"):
        maskforge.rasterize(BOAT, None)


def test_a_table_iterates_and_is_asked_by_id_and_name() -> None:
    table = ClassTable.of({0: "_background_", 7: "road", 11: "cat"})
    assert list(table) == ["_background_", "road", "cat"]
    assert table[7] == "road"
    assert table[np.uint8(11)] == "cat"
    assert table["cat"] == 11
    assert table[255] == "__ignore__"
    with pytest.raises(ClassError, match="no class has the id 8, the ids are 0, 7, 11"):
        table[8]
    with pytest.raises(ClassError, match="'cta' is not in the class table") as caught:
        table["cta"]
    assert "did you mean 'cat'?" in caught.value.cure


def test_a_table_comes_from_a_file(tmp_path) -> None:
    (tmp_path / "labels.txt").write_text("sail\nsun\n", encoding="utf-16")
    assert ClassTable.from_file(str(tmp_path / "labels.txt")) == TABLE
    (tmp_path / "classes.txt").write_text("sky\nroad\n")
    assert ClassTable.from_file(tmp_path / "classes.txt")["sky"] == 0
    with pytest.raises(ReadError):
        ClassTable.from_file(tmp_path / "nothing.txt")


def test_an_annotation_is_one_line() -> None:
    assert repr(BOAT) == "Annotation('boat.png', 7x4, 2 regions: sail 1, sun 1)"
    assert repr(BOAT.regions[0]) == "Region('sail', 1 Box)"
    nothing = Annotation("a.png", Path("a.json"), "", ())
    assert repr(nothing) == "Annotation('a.png', size unknown, no regions)"
    many = tuple(Region(f"c{n}", ()) for n in range(30))
    assert len(repr(Annotation("a.png", Path("a.json"), "", many))) < 200


def test_a_conversion_is_one_line_and_iterates(tmp_path) -> None:
    source = SAMPLES / "labelme"
    result = maskforge.convert(source, format="labelme", out=tmp_path / "out", split=0.2, size=128)
    assert repr(result) == f"<Conversion: 60 images converted → {tmp_path / 'out'}>"
    records = list(result)
    assert len(records) == result.converted == 60
    assert {record["split"] for record in records} == {"train", "val"}
    assert (records[0]["height"], records[0]["width"]) == (96, 128)
    shown = result._repr_html_()
    assert shown.count("data:image/jpeg;base64,") == 6
    assert len(shown) < 300_000


def test_a_conversion_without_previews_shows_its_table(tmp_path) -> None:
    source = SAMPLES / "labelme" / "park_001.json"
    result = maskforge.convert(source, out=tmp_path / "out", previews=False)
    assert "<img" not in result._repr_html_()
    assert "<table>" in result._repr_html_()


def test_a_mask_is_inspected_with_names(raster, tmp_path) -> None:
    raster.save(tmp_path / "boat.png")
    found = maskforge.inspect(str(tmp_path / "boat.png"), classes=["sea", "sky"])
    assert found.classes == ("_background_", "sea", "sky")


def test_read_takes_text_and_tells_problems(tmp_path) -> None:
    (tmp_path / "cut.json").write_text('{"shapes": [')
    found = list(maskforge.read(str(SAMPLES / "labelme" / "park_001.json")))
    assert [type(one) for one in found] == [Annotation]
    with pytest.raises(ReadError):
        list(maskforge.read(tmp_path / "nothing"))
    assert Problem is maskforge.Problem
