"""What a power cut leaves of a file, told from what a person makes of it."""

import io
import zipfile

import pytest
from PIL import Image

from maskforge.io.damage import is_cut


def picture(kind, *, row):
    image = Image.new("RGB", (5, 3), (200, 10, 30))
    image.paste((row, row, row), (0, 0, 5, 1))
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def archive():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("data.pkl", b"weights")
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "data"), [("black at the top.bmp", picture("BMP", row=0)), ("small.pt2", archive())]
)
def test_what_ends_in_zeros_by_itself_is_not_damaged(tmp_path, name, data):
    assert data.endswith(bytes(4))
    (tmp_path / name).write_bytes(data)
    assert not is_cut(tmp_path / name, len(data) + 100)


@pytest.mark.parametrize("name", ["a.json", "a.png", "a.jpg", "a.npy", "a.pt", "a.txt"])
def test_a_shorter_file_of_another_kind_is_somebodys(tmp_path, name):
    (tmp_path / name).write_bytes(b"call the printer\n")
    assert not is_cut(tmp_path / name, 100)


def test_json_that_was_cut_is_damaged(tmp_path):
    (tmp_path / "a.json").write_bytes(b'{"images": [{"mask": ')
    assert is_cut(tmp_path / "a.json", 100)


@pytest.mark.parametrize("cut", [0, 4, 20, -1])
@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_picture_that_was_cut_or_whose_end_is_zeros_is_damaged(tmp_path, suffix, cut):
    data = picture({".png": "PNG", ".jpg": "JPEG"}[suffix], row=7)
    path = tmp_path / f"a{suffix}"
    path.write_bytes(data[:cut])
    assert is_cut(path, len(data))
    path.write_bytes(data[:-5] + bytes(5))
    assert is_cut(path, len(data))
    path.write_bytes(data)
    assert not is_cut(path, len(data))
