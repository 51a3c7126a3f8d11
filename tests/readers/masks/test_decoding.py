from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from maskforge.classes import BACKGROUND, ClassTable
from maskforge.datasets import Decoding, MaskFile, check, load, open_dataset
from maskforge.errors import ClassError, ReadError
from maskforge.raster.annotation import IGNORED
from maskforge.readers.masks.dataset import id_decoding
from maskforge.readers.masks.decoding import decode, from_planes
from maskforge.readers.masks.fitting import apply, fit
from maskforge.readers.masks.pixels import Header

LABELS = "_background_,cat,dog"


def opened(files):
    return open_dataset(files.root, labels=LABELS)


class TestSize:
    def test_a_common_factor_is_resized_nearest_and_counted(self, files, ids):
        files.pair("big", np.kron(ids, np.ones((2, 2), np.uint8)))
        files.pair("same", ids)
        files.image("images/small.png", size=(6, 8))
        files.mask("masks/small.png", ids)
        data = opened(files)
        big, same, small = (load(example, data)[1] for example in data.examples)
        np.testing.assert_array_equal(big, ids)
        np.testing.assert_array_equal(same, ids)
        np.testing.assert_array_equal(small, np.kron(ids, np.ones((2, 2), np.uint8)))
        found = check(data)
        assert found.resized == 2
        assert ("masks resized", "2 (nearest), to their image's size") in found.rows()

    def test_rounding_is_no_other_shape(self, files):
        files.pair("a", np.ones((333, 1000), np.uint8), size=(10, 30))
        assert load(opened(files).examples[0], opened(files))[1].shape == (10, 30)

    def test_rows_and_columns_swapped(self, files, ids):
        files.pair("a", ids.T.copy())
        files.pair("b", np.kron(ids.T, np.ones((5, 5), np.uint8)))
        found = check(opened(files))
        assert found.refused == {"a", "b"}
        assert all("rows and columns are swapped" in p.message for p in found.errors)

    def test_another_shape_is_refused(self, files):
        files.pair("a", np.ones((3, 5), np.uint8))
        data = opened(files)
        with pytest.raises(
            ReadError, match=r"a\.png: the mask must have the shape.*4x3, but is 5x3"
        ):
            load(data.examples[0], data)

    @pytest.mark.parametrize("orientation", range(2, 9))
    def test_exif_turns_the_image_and_a_mask_of_the_stored_size(self, files, ids, orientation):
        path = files.image("images/a.png", orientation=orientation)
        upright = np.array(ImageOps.exif_transpose(Image.open(path)))
        files.mask("masks/a.png", ids)
        data = opened(files)
        image, label_image = load(data.examples[0], data)
        np.testing.assert_array_equal(image, upright)
        if orientation < 5:  # the sizes say nothing: upright
            np.testing.assert_array_equal(label_image, ids)
            assert check(data).undecided == 1
        else:
            exif = Image.Exif()
            exif[0x0112] = orientation
            stored = Image.fromarray(ids)
            stored.info["exif"] = exif.tobytes()
            np.testing.assert_array_equal(label_image, np.array(ImageOps.exif_transpose(stored)))
            assert check(data).turned == 1

    def test_a_mask_of_the_upright_size_is_not_turned(self, files, ids):
        files.image("images/a.jpg", orientation=6)
        files.mask("masks/a.png", ids.T.copy())
        data = opened(files)
        image, label_image = load(data.examples[0], data)
        assert image.shape == (4, 3, 3)
        np.testing.assert_array_equal(label_image, ids.T)
        assert (check(data).turned, check(data).undecided) == (0, 0)

    def test_turned_and_resized(self, files, ids):
        files.image("images/a.jpg", size=(6, 8), orientation=6)
        files.mask("masks/a.png", ids)
        data = opened(files)
        expected = np.rot90(np.kron(ids, np.ones((2, 2), np.uint8)), -1)
        np.testing.assert_array_equal(load(data.examples[0], data)[1], expected)

    @given(
        height=st.integers(1, 40),
        width=st.integers(1, 40),
        factor=st.integers(1, 5),
        orientation=st.integers(1, 8),
    )
    def test_any_whole_factor_fits_and_shrinks_back(self, height, width, factor, orientation):
        ids = np.arange(height * width, dtype=np.uint16).reshape(height, width)
        header = Header(height * factor, width * factor, orientation)
        mask = MaskFile(None, Decoding("ids"))
        upright = header.upright[0] // factor, header.upright[1] // factor
        grown = apply(fit(header, upright, mask, None), ids.reshape(upright), header)
        assert grown.shape == header.upright
        np.testing.assert_array_equal(grown[::factor, ::factor], ids.reshape(upright))


class TestDamage:
    def test_a_truncated_image_is_found_by_its_header(self, files):
        files.pair("a")
        files.pair("b")
        path = files.image("images/c.jpg", size=(64, 64))
        files.mask("masks/c.png", np.ones((64, 64), np.uint8))
        for cut in (path, files.root / "images/a.png"):
            cut.write_bytes(cut.read_bytes()[:-40])
        found = check(opened(files))
        assert found.refused == {"a", "c"}
        assert {p.code for p in found.errors} == {"bad-image"}

    def test_a_text_file_is_no_image(self, files):
        files.pair("a")
        files.text("images/a.png", "nothing")
        with pytest.raises(ReadError, match=r"a\.png: the file must be an image"):
            load(opened(files).examples[0], opened(files))

    def test_what_pillow_would_hand_to_another_program_is_no_image(self, files):
        files.pair("a")
        files.text(
            "images/a.png", "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n"
        )
        with pytest.raises(ReadError, match=r"a\.png: the file must be an image"):
            load(opened(files).examples[0], opened(files))

    @pytest.mark.parametrize("folder", ["images", "masks"])
    def test_bombs_are_refused_by_header(self, files, folder):
        files.pair("a")
        path = files.root / folder / "a.png"
        data = bytearray(path.read_bytes())
        data[16:24] = (60000).to_bytes(4, "big") * 2
        import zlib

        data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
        path.write_bytes(bytes(data))
        found = check(opened(files))
        assert [p.code for p in found.errors] == ["too-large"]

    def test_a_pickle_in_npy_is_not_run(self, files):
        files.image("images/a.png")
        files.mask("masks/a.npy", np.array([{"a": 1}], dtype=object))
        with pytest.raises(ReadError, match=r"a\.npy: the mask must be a whole \.npy file"):
            load(opened(files).examples[0], opened(files))


class TestImages:
    @pytest.mark.parametrize(
        ("array", "pixel"),
        [
            (np.full((3, 4), 200, np.uint8), [200, 200, 200]),
            (np.arange(12, dtype=np.uint16).reshape(3, 4) * 93, [255, 255, 255]),  # 10 bits
            (np.full((3, 4, 4), (1, 2, 3, 0), np.uint8), [1, 2, 3]),
            (np.ones((3, 4), np.bool_), [255, 255, 255]),
        ],
    )
    def test_any_kind_becomes_rgb(self, files, ids, array, pixel):
        files.mask("images/a.png", array)
        files.mask("masks/a.png", ids)
        image, _ = load(opened(files).examples[0], opened(files))
        assert image[2, 3].tolist() == pixel

    def test_a_palette_with_transparency(self, files, ids):
        path = files.mask("images/a.png", ids % 3, palette=[1, 2, 3, 4, 5, 6, 7, 8, 9])
        Image.open(path).save(path, transparency=bytes([0, 255, 255]))
        files.mask("masks/a.png", ids)
        image, _ = load(opened(files).examples[0], opened(files))
        assert image[0, 2].tolist() == [4, 5, 6]


class TestDecode:
    CLASSES = ClassTable.from_names([f"c{i}" for i in range(299)])

    def test_more_classes_than_a_byte_holds(self):
        label = MaskFile(None, id_decoding(self.CLASSES))
        ids = np.array([[0, 299, 65535]], dtype=np.uint16)
        result = decode(ids, label, self.CLASSES)
        assert result.dtype == np.uint16
        np.testing.assert_array_equal(result, ids)
        np.testing.assert_array_equal(
            decode(np.array([[7, 255]], np.uint8), label, self.CLASSES), [[7, 255]]
        )

    @given(st.lists(st.integers(-5, 70000), min_size=1, max_size=12))
    def test_every_value_is_decoded_or_refused(self, tmp_path_factory, values):
        path = tmp_path_factory.mktemp("m") / "m.npy"
        np.save(path, np.array([values], dtype=np.int32))
        label = MaskFile(path, id_decoding(self.CLASSES))
        good = all(-1 <= v < 300 or v == 65535 for v in values)
        if good:
            expected = [65535 if v == -1 else v for v in values]
            assert decode(np.array([values]), label, self.CLASSES).tolist() == [expected]
        else:
            with pytest.raises(ClassError, match="every pixel must have a value"):
                decode(np.array([values]), label, self.CLASSES)


def test_of_several_planes_the_lowest_id_wins_and_of_none_it_is_ignored() -> None:
    """As in an argmax; planes that overlap are what --keep-overlaps writes."""
    stacked = [["0", "1", "2", ""], ["01", "12", "02", "012"]]  # the planes that are 1
    planes = np.array([[[str(k) in cell for k in range(3)] for cell in row] for row in stacked])
    found = from_planes(planes.astype(np.uint8), ClassTable.from_names(["cat", "dog"]))
    assert found.tolist() == [[0, 1, 2, 255], [0, 1, 0, 0]]
    assert found.dtype == np.uint8


COLORS = Decoding("colors", ((0x000000, 0), (0x010203, 2), (0x040506, IGNORED), (0x102030, 1)))


def test_colours_are_looked_up_by_all_three_of_their_bytes() -> None:
    pixels = [
        [(0, 0, 0), (1, 2, 3), (1, 2, 3), (16, 32, 48)],
        [(16, 32, 48), (4, 5, 6), (0, 0, 0), (1, 2, 3)],
    ]
    label = MaskFile(Path("a.png"), COLORS)
    table = ClassTable.from_names(["cat", "dog"])
    found = decode(np.array(pixels, np.uint8), label, table)
    assert found.tolist() == [[0, 2, 2, 1], [1, 255, 0, 2]]
    assert found.dtype == np.uint8


@pytest.mark.parametrize("strange", [(0, 2, 3), (1, 0, 3), (1, 2, 0), (3, 2, 1)])
def test_a_colour_of_no_class_is_named_with_its_place(strange: tuple[int, int, int]) -> None:
    pixels = np.zeros((2, 3, 3), np.uint8)
    pixels[1, :2] = strange
    shown = "#{:02x}{:02x}{:02x}".format(*strange)
    with pytest.raises(ClassError, match=rf"one of the 3 classes .* {shown} \(2 px\)") as caught:
        decode(pixels, MaskFile(Path("a.png"), COLORS), ClassTable.from_names(["cat", "dog"]))
    assert (caught.value.file, caught.value.place) == ("a.png", "row 1, column 0")


def test_without_a_list_values_count_the_classes_and_minus_1_is_ignored(
    files: Any, ids: np.ndarray
) -> None:
    for stem, dtype in (("a", np.int16), ("b", np.int64)):
        values = ids.astype(dtype)
        values[0, 0] = -1
        files.image(f"images/{stem}.png")
        files.mask(f"masks/{stem}.npy", values)
    data = open_dataset(files.root)
    assert data.classes.names == (BACKGROUND, "class_1", "class_2")
    assert data.classes.has_ignore
    found = load(data.examples[0], data)[1]
    assert found[0, 0] == 255
    np.testing.assert_array_equal(found.ravel()[1:], ids.ravel()[1:])
