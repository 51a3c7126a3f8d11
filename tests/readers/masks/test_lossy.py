"""Masks stored as JPEG: every pixel comes back, or the file is refused."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskforge.datasets import check, load, open_dataset, open_masks
from maskforge.errors import ClassError, ReadError
from maskforge.readers import masks
from maskforge.readers.masks import lossy, pixels
from maskforge.readers.masks.decoding import read_label

PURPLE, YELLOW = (120, 0, 120), (235, 235, 50)


def drawn() -> np.ndarray:
    """Return the ids 0 and 1, (80, 112), of an L at the left and a dot at the right."""
    ids = np.zeros((80, 112), np.uint8)
    ids[10:66, 6:24] = 1
    ids[49:66, 6:60] = 1
    ids[3:27, 83:107] = 1
    return ids


def save(path: Path, values: np.ndarray, quality: int = 75, form: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path, form, quality=quality)
    return path


def jpeg(values: np.ndarray, quality: int = 75) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(values).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def painted(ids: np.ndarray, *colors: tuple[int, int, int]) -> np.ndarray:
    return np.array(colors, np.uint8)[ids]


@pytest.mark.parametrize("quality", [30, 75, 95])
def test_the_article_s_masks_come_back(files, quality):
    ids = np.kron(drawn(), np.ones((2, 2), np.uint8))
    for number in range(3):
        files.image(f"images/{number}.png", size=ids.shape)
        values = painted(np.roll(ids, number, axis=1), PURPLE, YELLOW)
        save(files.root / f"labels/{number}_y.jpg", values, quality)
    data = open_dataset(files.root)
    assert (data.kind, data.classes.names) == ("color", ("_background_", "object"))
    assert "colours: purple-yellow, as found" in data.notes
    for number, example in enumerate(data.examples):
        np.testing.assert_array_equal(load(example, data)[1], np.roll(ids, number, axis=1))
    (problem,) = check(data).problems
    assert (problem.code, problem.severity) == ("mask-damaged", "warning")
    assert problem.file.endswith("0_y.jpg")
    assert problem.message.startswith(
        "3 of 3 masks are stored with loss: each pixel is read as the nearest of #780078, #ebeb32; "
    )
    assert "of 107,520 pixels" in problem.message


def test_how_many_pixels_moved_how_far():
    values = np.full((2, 3), 255, np.uint8)
    values[0] = [0, 8, 9]
    values[1, 2] = 155
    assert lossy.loss(values, [0, 255]) == (6, 2, 109, 100)
    assert lossy.loss(np.array([[[120, 9, 120]]], np.uint8), [0x780078, 0xEBEB32]) == (1, 1, 9, 9)
    assert lossy.Loss(6, 2, 109, 100).plus(lossy.Loss(1, 1, 7, 7)) == (7, 3, 116, 100)


def test_black_and_white_with_and_without_names(files):
    ids = drawn()
    files.image("images/a.png", size=ids.shape)
    save(files.root / "masks/a.jpg", ids * 255)
    for labels in (None, "person", "0:_background_,1:person"):
        data = open_dataset(files.root, labels=labels)
        assert data.kind == "pairs"
        np.testing.assert_array_equal(load(data.examples[0], data)[1], ids)
        assert [p.code for p in data.problems] == ["mask-damaged"]
        assert "nearest of 0, 255;" in data.problems[0].message
        assert "1 of 1 masks" in data.problems[0].message


def test_grey_in_three_channels_and_webp_are_grey(files):
    ids = drawn()
    for stem, suffix in (("a", "jpg"), ("b", "webp")):
        files.image(f"images/{stem}.png", size=ids.shape)
        save(files.root / f"masks/{stem}.{suffix}", np.stack([ids * 255] * 3, axis=2), 80)
    data = open_dataset(files.root)
    assert data.kind == "pairs"
    for example in data.examples:
        np.testing.assert_array_equal(load(example, data)[1], ids)


def test_png_and_jpeg_in_one_set(files):
    ids = drawn()
    for stem, suffix in (("a", "jpg"), ("b", "png"), ("c", "png")):
        files.image(f"images/{stem}.png", size=ids.shape)
        save(files.root / f"masks/{stem}.{suffix}", painted(ids, PURPLE, YELLOW))
    data = open_dataset(files.root)
    for example in data.examples:
        np.testing.assert_array_equal(load(example, data)[1], ids)
    assert "1 of 3 masks" in data.problems[0].message
    assert "of 8,960 pixels" in data.problems[0].message  # of the JPEG alone


def test_levels_that_have_names(files):
    ids = drawn()
    ids[40:76, 71:101] = 2
    files.image("images/a.png", size=ids.shape)
    save(files.root / "masks/a.jpg", np.array([0, 90, 180], np.uint8)[ids])
    data = open_dataset(files.root, labels="0:_background_,90:cat,180:dog")
    np.testing.assert_array_equal(load(data.examples[0], data)[1], ids)
    with pytest.raises(ClassError, match=r"must be 0, 1, 2 …, but are 0, 9\d, 180.*9\d:NAME"):
        open_dataset(files.root)


def test_colours_that_are_given(files):
    colors = ((9, 9, 10), (255, 0, 0), (0, 0, 255))
    ids = drawn()
    ids[40:76, 71:101] = 2
    files.image("images/a.png", size=ids.shape)
    save(files.root / "masks/a.jpg", painted(ids, *colors), 90)
    with pytest.raises(ClassError, match=r"3 colours, of which nothing says what they mean"):
        open_dataset(files.root)
    data = open_dataset(files.root, style="#09090a,#ff0000,#0000ff")
    found = load(data.examples[0], data)[1]
    assert np.count_nonzero(found != ids) <= 20  # at corners, where chroma has 2 x 2 pixels
    alone = open_masks(files.root / "masks", style="#09090a,#ff0000,#0000ff")
    np.testing.assert_array_equal(read_label(alone.labels["a"], alone.classes), found)


def test_every_pixel_goes_to_the_nearest():
    values = np.array([[0, 49, 51, 100], [174, 176, 255, 130], [0, 0, 100, 0]], np.uint8)
    found = lossy.snapped(values, [-1, 0, 100, 250, 65535], Path("a.jpg"))
    assert found.tolist() == [[0, 0, 100, 100], [100, 250, 250, 100], [0, 0, 100, 0]]
    assert found.dtype == np.uint8
    wide = np.full((1, 5, 3), (120, 0, 120), np.uint8)
    wide[0, 1:3] = (170, 110, 90), (180, 130, 80)
    painted = lossy.snapped(wide, [0x780078, 0xEBEB32], Path("a.jpg"))
    assert painted.tolist() == [[[120, 0, 120]] * 2 + [[235, 235, 50]] + [[120, 0, 120]] * 2]


def test_ids_are_too_close_to_tell(files):
    ids = drawn()
    path = save(files.root / "a.jpg", ids, 95)
    with pytest.raises(ReadError, match=r"a\.jpg: a mask must be .*without loss.* too close"):
        lossy.snapped(pixels.read_mask(path).values, [-1, 0, 1, 255], path)
    for apart in (47, 48):
        values = np.where(drawn() == 1, apart, 0).astype(np.uint8)
        assert (lossy.colors(values) is None) == (apart < 48)


def test_a_photograph_is_never_a_mask(files):
    rng = np.random.default_rng(1)
    ramp = np.add.outer(np.arange(60) * 2, np.arange(80))[..., None] + np.array([0, 30, -20])
    noise = rng.integers(0, 256, (60, 80, 3))
    studio = np.full((60, 80, 3), 243)  # two thirds are flat
    studio[20:, 30:60] = noise[20:, 30:60]
    for photo in (ramp, noise, ramp // 2 + noise // 8, studio):
        values = np.clip(photo, 0, 255).astype(np.uint8)
        assert lossy.colors(jpeg(values)) is None
        assert lossy.colors(jpeg(values[..., 0])) is None
    for photo in (ramp, noise):
        values = np.clip(photo, 0, 255).astype(np.uint8)
        with pytest.raises(ReadError):
            lossy.snapped(jpeg(values), [0x000000, 0xFFFFFF], Path("a.jpg"))
    files.image("images/a.png", size=(60, 80))
    save(files.root / "masks/a.jpg", np.clip(ramp, 0, 255).astype(np.uint8))
    with pytest.raises(ClassError, match=r"a\.jpg: a mask stored with loss must have few colours"):
        open_dataset(files.root)


def test_areas_of_another_colour_are_no_damage():
    values = np.zeros((30, 40), np.uint8)
    values[4:20, 3:9] = 255
    values[10:22, 20:38] = 128
    with pytest.raises(ReadError, match="areas have colours that no class has, such as 128"):
        lossy.snapped(values, [0, 255], Path("a.jpg"))
    wide = painted((values // 127).astype(np.uint8), PURPLE, (0, 0, 255), YELLOW)
    with pytest.raises(ReadError, match="such as #0000ff"):
        lossy.snapped(wide, [0x780078, 0xEBEB32], Path("a.jpg"))


def test_one_photograph_among_masks_is_named(files):
    ids = drawn()
    for number in range(4):
        files.image(f"images/{number}.png", size=ids.shape)
        save(files.root / f"masks/{number}.jpg", painted(ids, PURPLE, YELLOW))
    files.image("images/-x.png", size=(80, 112))
    photo = np.random.default_rng(2).integers(0, 256, (80, 112, 3), dtype=np.uint8)
    save(files.root / "masks/-x.jpg", photo)  # the first by name
    data = open_dataset(files.root)
    assert [e.name for e in data.examples] == ["0", "1", "2", "3"]
    (error,) = check(data).errors
    assert Path(error.file).name == "-x.jpg"
    assert "the mask is left out" in error.cure


def test_colours_far_and_few():
    assert lossy.gap([5], 1) == float("inf")
    assert lossy.gap([0, 100, 130], 1) == 30
    assert lossy.gap([0x000000, 0x030400, 0xFFFFFF], 3) == 5
    rows = np.repeat(np.arange(6, dtype=np.uint8) * 50, 10)[:, None] * np.ones((1, 30), np.uint8)
    assert sorted(lossy.colors(rows) or []) == [0, 50, 100, 150, 200, 250]


def test_a_blended_png_is_told_as_before(files):
    """Rounding would make a mask of it, but nobody said that it may."""
    rows, columns = np.mgrid[:90, :120]
    for number in range(3):
        disc = ((rows - 40) ** 2 + (columns - 50 - number) ** 2 < 35**2).astype(np.uint8) * 255
        files.image(f"images/{number}.png", size=(200, 270))
        small = Image.fromarray(disc).resize((270, 200), Image.Resampling.BILINEAR)
        small.save(files._place(f"masks/{number}.png"))
    with pytest.raises(ClassError, match=r"0\.png|1\.png|2\.png") as caught:
        open_dataset(files.root)
    assert "blended edges" in caught.value.cure
    assert "else name the classes with --labels" in caught.value.cure


def test_what_is_far_from_all_colours_is_as_far_as_a_byte_says():
    place, far = lossy.nearest(np.array([[[255, 255, 255], [0, 0, 0]]], np.uint8), [0x000000])
    assert place.tolist() == [[0, 0]]
    assert far[0, 0] == 255
    assert far[0, 1] <= 2  # colours are looked up in steps
    place, far = lossy.nearest(np.array([[3, 99, 255]], np.uint8), [0, 100])
    assert (place.tolist(), far.tolist()) == ([[0, 1, 1]], [[3, 1, 155]])


def test_bands_of_a_large_mask_say_its_colours(monkeypatch):
    values = np.zeros((128, 64), np.uint8)
    values[16:32] = 200
    values[:, 40:] = 90
    assert sorted(lossy.colors(values) or []) == [0, 90, 200]
    monkeypatch.setattr(lossy, "_PIXELS", 32 * 64)  # a quarter of the bands: rows 0-15 and 64-79
    assert sorted(lossy.colors(values) or []) == [0, 90]


def test_a_speck_is_damage_and_no_colour():
    values = np.zeros((100, 130), np.uint8)
    values[20:60, 10:90] = 200
    values[70:73, 100:104] = 100  # one pixel of it has pixels like it all around, of over 10,000
    assert sorted(lossy.colors(values) or []) == [0, 200]
    values[70:90, 100:120] = 100
    assert sorted(lossy.colors(values) or []) == [0, 100, 200]


def test_a_photograph_of_a_few_pixels_is_no_mask(tmp_path):
    """Smaller than the eighth that a JPEG may be decoded at."""
    noise = np.random.default_rng(1).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.jpg")
    assert masks.sniff(tmp_path, b"") is None
    Image.fromarray(noise).save(tmp_path / "b.jpg")
    assert masks.sniff(tmp_path, b"") is None
