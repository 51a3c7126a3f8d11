"""Inspect says what a mask holds, and what is wrong with it."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from maskforge.classes import ClassTable
from maskforge.errors import ReadError
from maskforge.io import png
from maskforge.palette import voc_palette
from maskforge.raster.label_image import to_raster
from maskforge.readers.masks.inspection import Inspection, inspect
from maskforge.writers import Scene, color, label, npy, palette
from maskforge.writers.onehot import OneHotWriter

TABLE = ClassTable.from_names(["person", "dog"])
IDS = np.zeros((60, 90), dtype=np.uint8)
IDS[10:40, 20:50] = 1
IDS[30:50, 60:80] = 2


def disc(
    value: object, background: object = 0, *, mode: str = "L", smooth: bool = False
) -> Image.Image:
    factor = 4 if smooth else 1
    image = Image.new(mode, (200 * factor, 150 * factor), background)  # type: ignore[arg-type]
    box = (30 * factor, 20 * factor, 150 * factor, 120 * factor)
    ImageDraw.Draw(image).ellipse(box, fill=value)  # type: ignore[arg-type]
    return image.resize((200, 150), Image.Resampling.BOX) if smooth else image


def looked(
    folder: Path, image: Image.Image | NDArray[np.generic], suffix: str = ".png"
) -> Inspection:
    path = folder / f"mask{suffix}"
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    image.save(path)
    return inspect(path)


def findings(found: Inspection) -> str:
    return " | ".join(one.message for one in found.problems)


def notes(found: Inspection) -> str:
    return " | ".join(note.message for note in found.notes)


def test_a_good_label_image_has_no_findings(tmp_path: Path) -> None:
    path = tmp_path / "good.png"
    path.write_bytes(label.encode(Scene(to_raster(IDS, TABLE)), label.Options()))
    found = inspect(path)
    assert (found.format, found.mode, found.bits, found.width, found.height) == (
        "PNG", "L", 8, 90, 60,
    )  # fmt: skip
    assert found.classes == ("_background_", "person", "dog")
    assert [(v.value, v.pixels, v.name) for v in found.values] == [
        ("0", 4100, "background"),
        ("1", 900, "person"),
        ("2", 400, "dog"),
    ]
    assert found.problems == ()
    assert found.notes == ()


def test_says_itself_as_text_and_as_json(tmp_path: Path) -> None:
    found = looked(tmp_path, IDS * 255)
    assert str(found).splitlines() == [
        str(tmp_path / "mask.png"),
        "  PNG, mode L, 8 bit, 90x60",
        "          0         4,100 px   75.926 %",
        "        254           400 px    7.407 %",
        "        255           900 px   16.667 %",
    ]
    assert json.loads(json.dumps(found.as_dict()))["values"][1] == {
        "value": "254", "pixels": 400, "share": 400 / 5400, "name": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("image", "text"),
    [
        (disc(255, smooth=True), "blended edges .* between the levels 0, 255"),
        (disc(38, smooth=True), "blended edges .* between the levels 0, 38"),
        (disc((235, 235, 50), (120, 0, 120), mode="RGB", smooth=True), "blended edges .*#780078"),
        (np.where(IDS == 2, 255, IDS * 128).astype(np.uint8), "grey levels .*: 0, 128, 255"),
        (np.array([0, 38, 75], dtype=np.uint8)[IDS], "VOC palette mask .*: 38 for 1, 75 for 2"),
        (np.stack([IDS] * 3, axis=2), "three equal channels"),
        (np.array([[0, 0, 0], [9, 9, 1], [4, 5, 6]], np.uint8)[IDS], "painted in 3 colours"),
        (voc_palette()[:3][IDS], "VOC colours .* ids 0, 1, 2"),
    ],
)  # fmt: skip
def test_what_is_wrong(tmp_path: Path, image: Image.Image | NDArray[np.uint8], text: str) -> None:
    found = looked(tmp_path, image)
    assert len(found.problems) == 1
    assert found.problems[0].cure
    with pytest.raises(AssertionError, match=text):
        raise AssertionError(findings(found))


@pytest.mark.parametrize("value", [255, 38, 1])
def test_jpeg_is_told_in_and_after_jpeg(tmp_path: Path, value: int) -> None:
    found = looked(tmp_path, disc(value), ".jpg")
    assert "JPEG" in findings(found)
    if value > 1:
        again = looked(tmp_path, Image.open(tmp_path / "mask.jpg"), ".png")
        assert "probably damaged by JPEG" in findings(again)
        assert "although this file itself is lossless" in findings(again)


def test_colour_mask_after_jpeg(tmp_path: Path) -> None:
    image = disc((235, 235, 50), (120, 0, 120), mode="RGB")
    looked(tmp_path, image, ".jpg")
    found = looked(tmp_path, Image.open(tmp_path / "mask.jpg"), ".png")
    assert "probably damaged by JPEG" in findings(found)
    assert found.distinct > 40
    assert len(found.values) == 10
    assert f"  … and {found.distinct - 10:,} values more" in str(found).splitlines()


def test_photograph_is_no_mask(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (60, 90, 3)).astype(np.uint8)
    assert "looks like a photograph" in findings(looked(tmp_path, noise))


def test_many_small_classes_are_no_damage(tmp_path: Path) -> None:
    blocks = np.random.default_rng(0).integers(0, 150, (15, 20)).astype(np.uint8)
    found = looked(tmp_path, np.kron(blocks, np.ones((8, 8), dtype=np.uint8)))
    assert found.problems == ()


def test_palette_images(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    path.write_bytes(palette.encode(Scene(to_raster(IDS, TABLE)), palette.Options()))
    found = inspect(path)
    assert (found.mode, found.palette, found.problems) == ("P", "VOC", ())
    assert "OpenCV reads colours (class 1 becomes BGR (0, 0, 128), and 38 as grey)" in notes(found)
    own = Image.fromarray(IDS)
    own.putpalette([9, 9, 9, 1, 2, 3, 4, 5, 6])
    assert looked(tmp_path, own).palette == "own"
    own.putpalette([0, 0, 0, 1, 1, 1, 2, 2, 2])
    found = looked(tmp_path, own)
    assert (found.palette, found.problems) == ("grey", ())


def test_0_and_255_is_told_as_training_takes_it(tmp_path: Path) -> None:
    found = looked(tmp_path, np.where(IDS == 1, 255, 0).astype(np.uint8))
    assert found.problems == ()
    assert "maskforge train and maskforge masks take 255 as the object" in notes(found)


def test_own_styles_are_known(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    path.write_bytes(color.encode(Scene(to_raster(IDS, TABLE)), color.Options()))
    found = inspect(path)
    assert found.problems == ()
    assert "a colour mask of style purple-yellow" in notes(found)


def test_values_beyond_the_class_table(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    path.write_bytes(png.encode(IDS * 3, text={"maskforge:classes": TABLE.to_text()}))
    found = inspect(path)
    assert "beyond the class table of 3 classes: 3 (900 px), 6 (400 px)" in findings(found)
    assert [v.name for v in found.values][1] == "(not in the class table)"
    plain = tmp_path / "plain.png"
    plain.write_bytes(png.encode(IDS))
    assert inspect(plain).problems == ()
    assert "2 (400 px)" in findings(inspect(plain, classes=ClassTable.from_names(["person"])))


def test_alpha(tmp_path: Path) -> None:
    colors = np.zeros((150, 200, 3), dtype=np.uint8)
    soft = np.dstack([colors, np.asarray(disc(255, smooth=True))])
    assert "probably in the alpha channel: 0 to 255" in findings(looked(tmp_path, soft))
    opaque = np.dstack([IDS, IDS, IDS, np.full_like(IDS, 255)])
    found = looked(tmp_path, opaque)
    assert "an alpha channel that is 255 everywhere" in notes(found)
    assert [v.value for v in found.values] == ["0", "1", "2"]


def test_form_of_the_file(tmp_path: Path) -> None:
    found = looked(tmp_path, IDS.astype(np.uint16) * 300)
    assert (found.bits, found.values[2].value) == (16, "600")
    assert "IMREAD_UNCHANGED" in notes(found)
    found = looked(tmp_path, IDS > 0)
    assert (found.bits, [v.value for v in found.values]) == (1, ["0", "1"])
    assert "OpenCV 255 where the mask is set" in notes(found)
    assert "all background" in notes(looked(tmp_path, IDS * 0))
    assert "every pixel is 3" in notes(looked(tmp_path, IDS * 0 + 3))
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(IDS).save(tmp_path / "turned.png", exif=exif)
    found = inspect(tmp_path / "turned.png")
    assert found.orientation == 6
    assert "EXIF orientation 6" in findings(found)


def test_numpy_label_image(tmp_path: Path) -> None:
    path = tmp_path / "mask.npy"
    ids = IDS.copy()
    ids[0, 0] = 255
    path.write_bytes(npy.encode(Scene(to_raster(ids, TABLE)), npy.Options()))
    found = inspect(path, classes=TABLE)
    assert (found.mode, found.width, found.height, found.problems) == ("int32", 90, 60, ())
    assert [(v.value, v.name) for v in found.values[:2]] == [
        ("-1", "ignore"),
        ("0", "background"),
    ]
    np.save(path, IDS / 2)
    assert "must be integers, but these are floats" in findings(inspect(path))
    np.save(path, np.eye(3, dtype=np.uint8)[IDS])
    assert [v.pixels for v in inspect(path).values] == [4100, 900, 400]


def test_one_hot_dictionary(tmp_path: Path) -> None:
    path = tmp_path / "all.npy"
    planes = np.eye(3, dtype=np.uint8)[IDS]
    planes[0, 0] = 0
    with path.open("wb") as file:
        writer = OneHotWriter(file)
        writer.add("a.jpg", planes)
        writer.add("b.jpg", np.eye(3, dtype=np.uint8)[IDS * 0])
        writer.close()
    found = inspect(path)
    assert found.format == "one-hot dictionary"
    assert found.arrays == (("a.jpg", (60, 90, 3)), ("b.jpg", (60, 90, 3)))
    assert [(v.value, v.pixels) for v in found.values] == [
        ("channel 0", 4099 + 5400), ("channel 1", 900), ("channel 2", 400),
    ]  # fmt: skip
    assert found.problems == ()
    assert "1 pixel belongs to no class" in notes(found)
    assert "1 of 2 images show background only" in notes(found)
    assert "  a.jpg  60x90x3" in str(found).splitlines()


def test_one_hot_dictionary_with_faults(tmp_path: Path) -> None:
    path = tmp_path / "all.npy"
    wide = np.ones((2, 3, 4), dtype=np.uint8)
    np.save(path, {"a": np.eye(3, dtype=np.uint8)[IDS] * 255, "b": wide})  # type: ignore[arg-type]
    found = inspect(path)
    assert "5,400 values other than 0 and 1" in findings(found)
    assert "different numbers of channels: [3, 4]" in findings(found)
    assert "6 pixels belong to several classes" in notes(found)
    np.save(path, {"a": np.ones((2, 3))})  # type: ignore[arg-type]
    assert "1 arrays that are not (H, W, C), such as 'a'" in findings(inspect(path))
    np.save(path, {"a": np.zeros((1, 1, 70_000), dtype=np.uint8)})  # type: ignore[arg-type]
    assert "1 arrays that are not (H, W, C)" in findings(inspect(path))
    np.save(path, {})  # type: ignore[arg-type]
    assert "empty" in findings(inspect(path))
    np.save(path, {"a": wide})  # type: ignore[arg-type]
    assert "4 channels, but the class table has 3" in findings(inspect(path, classes=TABLE))


def test_image_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")
        )

    for side in (16_385, 100_000):
        header = chunk(b"IHDR", side.to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0]))
        path = tmp_path / "bomb.png"
        path.write_bytes(png.SIGNATURE + header + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
        with pytest.raises(
            ReadError, match=f"at most 268435456 pixels, but has {side}x{side}"
        ) as caught:
            inspect(path)
        assert caught.value.code == "too-large"
        assert caught.value.file == str(path)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        png.SIGNATURE,
        png.encode(IDS)[:90],
        b"\x93NUMPY\x01\x00",
        b"\x93NUMPY" + b"(" * 300,
    ],
    ids=["empty", "text", "signature", "truncated", "short header", "no header"],
)
def test_what_is_neither_image_nor_array(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "mask.png"
    path.write_bytes(data)
    with pytest.raises(ReadError, match="file must be") as caught:
        inspect(path)
    assert caught.value.file == str(path)


def test_arrays_that_are_no_masks(tmp_path: Path) -> None:
    path = tmp_path / "mask.npy"
    np.save(path, IDS[0])
    with pytest.raises(
        ReadError, match=r"must be \(H, W\) or \(H, W, C\) numbers, but is uint8 \(90,\)"
    ):
        inspect(path)
    with pytest.raises(ReadError, match="the file cannot be read: No such file"):
        inspect(tmp_path / "missing.png")
