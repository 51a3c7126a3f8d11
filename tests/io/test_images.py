"""Where an image is, how large, which way up."""

from __future__ import annotations

import base64
import contextlib
import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from maskforge.errors import ReadError
from maskforge.io import images
from maskforge.io.images import Picture
from maskforge.io.ownership import digest_of
from maskforge.raster.annotation import Annotation

HEIGHT, WIDTH = 4, 6


def image_bytes(
    kind: str = "JPEG", orientation: int | None = None, *, height: int = HEIGHT, width: int = WIDTH
) -> bytes:
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (200, 10, 10)).save(buffer, kind, exif=exif)
    return buffer.getvalue()


def annotation(folder: Path, name: str = "a.jpg", **more: object) -> Annotation:
    return Annotation(name, folder / "a.json", "", (), **more)  # type: ignore[arg-type]


def stored(orientation: int = 1) -> Picture:
    return Picture(Path("a.jpg"), None, HEIGHT, WIDTH, orientation, ".jpg")


SAME, SWAPPED, OTHER = (HEIGHT, WIDTH), (WIDTH, HEIGHT), (9, 9)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("exif", ["auto", "upright", "stored"])
@pytest.mark.parametrize("declared", [(None, None), (HEIGHT, None), SAME, SWAPPED, OTHER])
def test_frame(
    tmp_path: Path, orientation: int, exif: images.Exif, declared: tuple[int | None, int | None]
) -> None:
    upright = SWAPPED if orientation >= 5 else SAME
    frames = {"upright": upright, "stored": SAME}
    allowed = list(frames.values()) if exif == "auto" else [frames[exif]]
    item = annotation(tmp_path, height=declared[0], width=declared[1])
    if None not in declared and declared not in allowed:
        with pytest.raises(ReadError, match=f"{WIDTH}x{HEIGHT}") as caught:
            images.frame(item, stored(orientation), exif)
        assert caught.value.code == "size-mismatch"
        return
    got = images.frame(item, stored(orientation), exif)
    if orientation == 1:
        assert got == "upright"
    elif exif != "auto":
        assert got == exif
    else:  # shown upright by every tool; only a swapped size tells of another frame
        assert got == ("stored" if None not in declared and declared != upright else "upright")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_sizes_upright_and_stored(orientation: int) -> None:
    picture = stored(orientation)
    assert (picture.stored_height, picture.stored_width) == SAME
    assert (picture.height, picture.width) == (SWAPPED if orientation >= 5 else SAME)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", [None, 1, 6, 8])
def test_header(tmp_path: Path, kind: str, orientation: int | None) -> None:
    (tmp_path / "a.jpg").write_bytes(image_bytes(kind, orientation))
    got = images.picture(annotation(tmp_path))
    is_plain = (kind, orientation) == ("PNG", None)
    entry = digest_of(tmp_path / "a.jpg") if is_plain else None  # of one that was open anyway
    header = (HEIGHT, WIDTH, orientation or 1)
    assert got == Picture(tmp_path / "a.jpg", None, *header, ".jpg", entry=entry)
    with got.open() as opened:
        assert opened.size == (WIDTH, HEIGHT)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_is_that_of_the_image_once_it_is_upright(
    tmp_path: Path, kind: str, orientation: int
) -> None:
    """Pillow turns TIFF by itself, in the size it tells as well, and other formats not."""
    (tmp_path / "a.jpg").write_bytes(image_bytes(kind, orientation))
    got = images.picture(annotation(tmp_path))
    assert got is not None
    assert (got.height, got.width) == (SWAPPED if orientation >= 5 else SAME)
    with got.open() as opened:
        opened.load()
        assert images.upright(opened).size == (got.width, got.height)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("orientation", range(10))
def test_pixels_are_turned_as_pillow_turns_them(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    ramp = np.arange(HEIGHT * WIDTH, dtype=np.uint8).reshape(HEIGHT, WIDTH)
    buffer = io.BytesIO()
    Image.fromarray(ramp).save(buffer, kind, exif=exif)
    with Image.open(buffer) as ours, Image.open(io.BytesIO(buffer.getvalue())) as theirs:
        expected = np.asarray(ImageOps.exif_transpose(theirs))
        assert np.array_equal(np.asarray(images.upright(ours)), expected)


@pytest.mark.parametrize("orientation", [0, 9, 77])
def test_an_orientation_that_is_none_counts_for_nothing(tmp_path: Path, orientation: int) -> None:
    (tmp_path / "a.jpg").write_bytes(image_bytes("JPEG", orientation))
    got = images.picture(annotation(tmp_path))
    assert got is not None
    assert got.orientation == 1


def test_damaged_exif_is_passed_over_without_a_word(tmp_path: Path) -> None:
    """Warnings are errors in tests: Pillow's words about the damage must not reach the user."""
    data = bytearray(image_bytes("TIFF", 6))
    start = int.from_bytes(data[4:8], "little")
    data[start : start + 2] = b"\xff\x0f"  # a table of 4095 entries, nearly all beyond the end
    (tmp_path / "a.jpg").write_bytes(bytes(data))
    with contextlib.suppress(ReadError):
        assert images.picture(annotation(tmp_path)) is not None


@pytest.mark.parametrize(
    "data", [b"", b"no image", image_bytes()[:20], b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"]
)
def test_damaged_image(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(data)
    with pytest.raises(ReadError, match="must be an image") as caught:
        images.picture(annotation(tmp_path))
    assert caught.value.code == "bad-image"
    assert caught.value.file == str(tmp_path / "a.jpg")


def test_only_formats_of_pixels_are_opened(tmp_path: Path) -> None:
    """Pillow hands PostScript to Ghostscript: a program that a stranger wrote would run."""
    (tmp_path / "a.jpg").write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 20 10\n%%EndComments\nshowpage\n"
    )
    with pytest.raises(ReadError, match="must be an image"):
        images.picture(annotation(tmp_path))


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_one_of_too_many_pixels_is_refused(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a.jpg").write_bytes(image_bytes(kind))
    assert images.picture(annotation(tmp_path), max_pixels=HEIGHT * WIDTH) is not None
    with pytest.raises(ReadError, match=f"at most {HEIGHT * WIDTH - 1} pixels") as caught:
        images.picture(annotation(tmp_path), max_pixels=HEIGHT * WIDTH - 1)
    assert (caught.value.code, caught.value.file) == ("too-large", str(tmp_path / "a.jpg"))


def test_an_image_that_the_system_cannot_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow meets the same, and what it says is told."""
    (tmp_path / "a.jpg").write_bytes(image_bytes("PNG"))

    def fail(file: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(images, "digest_in", fail)
    got = images.picture(annotation(tmp_path))
    assert got == Picture(tmp_path / "a.jpg", None, HEIGHT, WIDTH, 1, ".jpg")


def test_a_large_image_is_measured_without_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", HEIGHT * WIDTH - 1)
    (tmp_path / "a.jpg").write_bytes(image_bytes())
    assert images.picture(annotation(tmp_path)) is not None


def test_our_limit_on_pixels_is_the_only_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Raising --max-pixels must help: Pillow's own limit, a third of ours, must not step in."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", HEIGHT * WIDTH // 3)
    (tmp_path / "a.jpg").write_bytes(image_bytes())
    assert images.picture(annotation(tmp_path)) is not None


@pytest.mark.parametrize(
    ("places", "named", "found"),
    [
        (["x/a.jpg", "a.jpg"], "x/a.jpg", "x/a.jpg"),
        (["a.jpg"], "gone/a.jpg", "a.jpg"),
        (["images/a.jpg"], None, "images/a.jpg"),
        (["a.jpg", "images/a.jpg"], None, "a.jpg"),
        (["a.png"], "a.jpg", "a.png"),
        ([], "a.jpg", None),
        (["b.jpg"], "a.jpg", None),
    ],
)
def test_locate(tmp_path: Path, places: list[str], named: str | None, found: str | None) -> None:
    for place in places:
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).touch()
    item = annotation(tmp_path, image=None if named is None else tmp_path / named)
    assert images.locate(item) == (None if found is None else tmp_path / found)


def test_locate_takes_the_stem_of_a_renamed_source(tmp_path: Path) -> None:
    (tmp_path / "new.jpg").touch()
    item = replace(annotation(tmp_path, "old.jpg"), source=tmp_path / "new.json")
    assert images.locate(item) == tmp_path / "new.jpg"


@pytest.mark.parametrize("name", ["a\0b.jpg", "x" * 5000 + ".jpg", "", "."])
def test_names_that_no_system_takes_are_not_found(tmp_path: Path, name: str) -> None:
    assert images.locate(annotation(tmp_path, name, image=tmp_path / "x" / name)) is None


def test_the_annotation_is_no_image_of_itself(tmp_path: Path) -> None:
    (tmp_path / "a.json").touch()
    item = annotation(tmp_path, "a.json", image=tmp_path / "a.json")
    assert images.locate(item) is None


def embedded(data: bytes) -> bytes:
    return base64.b64encode(data)


def test_embedded_image_where_there_is_no_file(tmp_path: Path) -> None:
    data = image_bytes("PNG")
    got = images.picture(annotation(tmp_path, embedded=embedded(data)))
    assert got == Picture(None, data, HEIGHT, WIDTH, 1, ".png")


@pytest.mark.parametrize(("declared", "inner"), [(SAME, True), (OTHER, False)])
def test_embedded_image_goes_before_a_file_of_another_size_only_if_its_own_fits(
    tmp_path: Path, declared: tuple[int, int], inner: bool
) -> None:
    (tmp_path / "a.jpg").write_bytes(image_bytes(height=20, width=30))
    item = annotation(
        tmp_path, embedded=embedded(image_bytes()), height=declared[0], width=declared[1]
    )
    got = images.picture(item)
    assert got is not None
    assert (got.path is None) is inner


def test_the_file_goes_before_an_embedded_image_which_is_then_not_decoded(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(image_bytes())
    got = images.picture(annotation(tmp_path, embedded=b"no base64 at all", height=4, width=6))
    assert got is not None
    assert got.path == tmp_path / "a.jpg"


def test_base64_as_json_writes_it(tmp_path: Path) -> None:
    text = embedded(image_bytes()).replace(b"/", rb"\/")
    folded = rb"\n".join(text[i : i + 60] for i in range(0, len(text), 60))
    assert (
        images.decode_embedded(annotation(tmp_path, embedded=memoryview(folded))) == image_bytes()
    )


@pytest.mark.parametrize("text", [b"x", b"AAAA", b""])
def test_damaged_embedded_image(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(ReadError) as caught:
        images.picture(annotation(tmp_path, embedded=text))
    assert caught.value.code == "bad-image"


def test_no_image(tmp_path: Path) -> None:
    item = annotation(tmp_path)
    assert images.picture(item) is None
    error, warning = (images.missing(item, severity=s) for s in ("error", "warning"))
    assert (error.code, error.severity, warning.severity) == ("no-image", "error", "warning")
    assert "'a.jpg'" in str(error)
    assert "--images none" in warning.cure


@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_turns_as_the_geometry_does(orientation: int) -> None:
    from maskforge.raster.transform import upright_matrix

    pixels = np.arange(HEIGHT * WIDTH, dtype=np.uint8).reshape(HEIGHT, WIDTH)
    image = Image.fromarray(pixels)
    image.getexif()[0x0112] = orientation
    turned = np.asarray(images.upright(image))
    matrix = upright_matrix(orientation, height=HEIGHT, width=WIDTH)
    for row, column in np.ndindex(HEIGHT, WIDTH):
        x, y = matrix[:, :2] @ [column + 0.5, row + 0.5] + matrix[:, 2]
        assert turned[int(y), int(x)] == pixels[row, column]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr"])
@pytest.mark.parametrize(
    ("suffix", "kind"),
    [
        *((".jpg", "JPEG"), (".JPEG", "JPEG"), (".png", "PNG"), (".tif", "TIFF"), (".bmp", "BMP")),
        *((".webp", "WEBP"), (".gif", "PNG")),
    ],
)
def test_encode_takes_every_mode(mode: str, suffix: str, kind: str) -> None:
    data = images.encode(Image.new(mode, (WIDTH, HEIGHT)), suffix)
    with Image.open(io.BytesIO(data)) as again:
        assert again.format == kind
        assert again.size == (WIDTH, HEIGHT)
        assert 0x0112 not in again.getexif()


RAMP = np.arange(WIDTH * HEIGHT).reshape(HEIGHT, WIDTH)


@pytest.mark.parametrize(
    ("values", "suffix", "mode"),
    [
        (RAMP.astype(np.uint16) * 2500, ".png", "I;16"),
        (RAMP.astype(np.uint16) * 2500, ".tif", "I;16"),
        (RAMP.astype(np.int32) * 2500, ".png", "I;16"),
        (RAMP.astype(np.int32) * 30_000, ".tif", "I"),
        (RAMP.astype(np.float32) / 20, ".tif", "F"),
    ],
)
def test_depth_is_kept(values: np.ndarray, suffix: str, mode: str) -> None:
    data = images.encode(Image.fromarray(values), suffix)
    with Image.open(io.BytesIO(data)) as again:
        assert again.mode in (mode, "I")
        np.testing.assert_array_equal(np.asarray(again), values)


@pytest.mark.parametrize(
    ("values", "suffix"),
    [
        (RAMP.astype(np.float32), ".png"),
        (RAMP.astype(np.int32) * 30_000, ".png"),
        (-RAMP.astype(np.int32), ".png"),
        (RAMP.astype(np.uint16), ".jpg"),
        (RAMP.astype(np.uint16), ".bmp"),
    ],
)
def test_depth_is_not_lost_in_silence(values: np.ndarray, suffix: str) -> None:
    with pytest.raises(ReadError, match=r"cannot be written as .* without loss"):
        images.encode(Image.fromarray(values), suffix)


@pytest.mark.parametrize(
    "values",
    [
        RAMP.astype(np.uint16) * 2500,
        RAMP.astype(np.int32) - 5,
        RAMP.astype(np.float32) / 1000,
        np.where(RAMP == 3, np.nan, RAMP).astype(np.float32),
    ],
)
def test_what_has_more_than_8_bits_is_shown_from_its_lowest_to_its_highest(
    values: np.ndarray,
) -> None:
    found = np.asarray(images.shown(Image.fromarray(values)))[..., 0]
    assert (found[0, 0], found[-1, -1]) == (0, 255)
    whole = np.isfinite(values)
    assert (np.diff(found[whole].astype(int)) > 0).all()


def test_a_window_says_what_is_black_and_white() -> None:
    values = np.array([[0, 100, 150], [220, 300, 65535]], np.uint16)
    found = np.asarray(images.shown(Image.fromarray(values), (100, 300)))[..., 1]
    assert found.tolist() == [[0, 0, 64], [153, 255, 255]]
    eight = np.array([[0, 100, 150]], np.uint8)  # which has no more than 8 bits
    assert np.asarray(images.shown(Image.fromarray(eight), (100, 300)))[0, :, 0].tolist() == [
        0,
        100,
        150,
    ]


def test_what_is_one_value_everywhere_is_shown_black() -> None:
    assert not np.asarray(images.shown(Image.fromarray(np.full((2, 3), 7, np.uint16)))).any()


@pytest.mark.parametrize(
    ("kind", "suffix"),
    [("PPM", ".pgm"), ("JPEG2000", ".jp2"), ("TGA", ".tga"), ("GIF", ".gif"), ("TIFF", ".tif")],
)
def test_every_raster_format_of_pillow_is_read(tmp_path: Path, kind: str, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    Image.new("L", (WIDTH, HEIGHT), 9).save(path, kind)
    with images.opened(path) as image:
        assert (image.size, image.convert("L").getpixel((0, 0))) == ((WIDTH, HEIGHT), 9)
    with images.opened(path.read_bytes()) as image:
        assert image.size == (WIDTH, HEIGHT)


@pytest.mark.parametrize(
    ("data", "why", "cure"),
    [
        (b"<!DOCTYPE html><html>", "no decoder knows what begins with b'<!DOCTYPE html><'", "repl"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "it is HEIC", "pillow-heif"),
        (b"", "no decoder knows what begins with b''", "replace"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no decoder knows", "replace"),
    ],
)
def test_what_is_no_image_is_refused_with_a_reason(
    tmp_path: Path, data: bytes, why: str, cure: str
) -> None:
    (tmp_path / "a.jpg").write_bytes(data)
    with pytest.raises(ReadError, match=re.escape(why)) as caught:
        images.picture(annotation(tmp_path, "a.jpg", image=tmp_path / "a.jpg"))
    assert cure in caught.value.cure


@pytest.mark.parametrize(
    ("named", "there"),
    [
        ("IMG_1.jpg", "IMG_1.JPG"),
        ("img_1.JPG", "IMG_1.jpg"),
        ("Capture_d%C3%A9cran%201.png", "Capture_décran 1.png"),
        ("caf\u00e9.png", "cafe\u0301.png"),
        ("caf\u00e9.png", "images/cafe\u0301.png"),
        ("a.png", "../images/a.png"),
        ("a\u200b.png", "a.png"),
        ("a.jpg", "a.png"),
        (r"C:\\Users\\me\\set\\b.jpg", "b.jpg"),
        ("/home/me/b.jpg", "images/B.JPG"),
        ("b.jpg", "../train/b.jpg"),
    ],
)
def test_an_image_is_found_as_people_mean_it(tmp_path: Path, named: str, there: str) -> None:
    path = tmp_path / "deep" / there
    path.parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "deep").mkdir(exist_ok=True)
    path.write_bytes(b"")
    item = replace(annotation(tmp_path, named), source=tmp_path / "deep/instances_train.json")
    found = images.locate(item)
    assert found is not None
    assert found.samefile(path)


def test_two_files_that_could_be_meant_are_both_named(tmp_path: Path) -> None:
    for name in ("IMG_1.JPG", "img_1.jpg"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(ReadError, match=r"could be '(IMG_1.JPG|img_1.jpg)' or '"):
        images.locate(annotation(tmp_path, "Img_1.jpg"))
    assert images.locate(annotation(tmp_path, "img_1.jpg")) == tmp_path / "img_1.jpg"


@pytest.mark.parametrize(
    "wrap",
    [
        lambda text: text,
        lambda text: text.replace("+", r"\u002B").replace("/", r"\u002f").replace("=", r"\u003d"),
        lambda text: text.replace("/", r"\/"),
        lambda text: r"\r\n".join(text[i : i + 20] for i in range(0, len(text), 20)),
        lambda text: "data:image/png;base64," + text,
        lambda text: "b'" + text + "'",
        lambda text: text.replace("+", "-").replace("/", "_"),
        lambda text: text.rstrip("="),
    ],
)
def test_an_embedded_image_is_the_bytes_that_were_embedded(tmp_path: Path, wrap) -> None:
    data = bytes(range(256)) + b"\xfb\xff\xfe"  # all letters of the alphabet, and padding
    text = wrap(base64.b64encode(data).decode())
    item = annotation(tmp_path, "a.png", embedded=text.encode())
    assert images.decode_embedded(item) == data


@pytest.mark.parametrize("text", [b"!", b"a", rb"\u00e9", rb"\x"])
def test_what_is_no_base64_is_refused(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(ReadError, match="must be base64"):
        images.decode_embedded(annotation(tmp_path, "a.png", embedded=text))
