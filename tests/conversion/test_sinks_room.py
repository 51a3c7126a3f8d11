"""The room for copies of the images is looked at before anything is written."""

import shutil
from collections import namedtuple

import pytest
from projects import elsewhere, folder, tree  # noqa: F401

import maskforge
from maskforge.errors import WriteError
from maskforge.io import copying

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def small_disk(monkeypatch, folder):
    """Leave room for all but the images of ``folder``, which are 2 kB larger than they were."""
    for path in folder.rglob("*.png"):
        path.write_bytes(path.read_bytes() + bytes(40_000))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 0, 70_000))
    monkeypatch.setattr(copying, "can_share", lambda image, place: False)


@pytest.mark.usefixtures("small_disk")
def test_too_little_room_is_told_before_anything_is_written(folder):
    with pytest.raises(WriteError, match=r"only 0\.1 MB are free") as caught:
        maskforge.convert(folder, format="labelme")
    assert 'images="link" or none takes no room' in str(caught.value)
    assert not (folder.parent / "photos-masks").exists()


@pytest.mark.parametrize(("less", "is_enough"), [(0, True), (1, False)])
def test_just_as_much_room_as_is_needed_is_enough(folder, monkeypatch, less, is_enough):
    needed = 2 * 8192 + sum(path.stat().st_size for path in folder.rglob("*.png"))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 0, needed - less))
    monkeypatch.setattr(copying, "can_share", lambda image, place: False)
    if is_enough:
        assert maskforge.convert(folder, format="labelme").converted == 2
        return
    with pytest.raises(WriteError, match="the output needs about"):
        maskforge.convert(folder, format="labelme")


@pytest.mark.usefixtures("small_disk")
def test_images_that_have_grown_since_they_were_copied_need_room(folder, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 0, 10**8))
        maskforge.convert(folder, format="labelme")
    for path in folder.rglob("*.png"):
        path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(WriteError, match="the output needs about"):
        maskforge.convert(folder, format="labelme", overwrite=True)


@pytest.mark.usefixtures("small_disk")
@pytest.mark.parametrize("images", ["link", "none"])
def test_links_need_no_room(folder, images):
    assert maskforge.convert(folder, format="labelme", images=images).converted == 2


@pytest.mark.usefixtures("small_disk")
def test_shared_blocks_need_no_room(folder, monkeypatch):
    monkeypatch.setattr(copying, "can_share", lambda image, place: True)
    assert maskforge.convert(folder, format="labelme").converted == 2


@pytest.mark.usefixtures("small_disk")
def test_images_that_stand_in_the_output_need_no_room(folder, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 0, 10**8))
        out = maskforge.convert(folder, format="labelme").out
    before = tree(out)
    assert maskforge.convert(folder, format="labelme", overwrite=True).converted == 2
    assert tree(out) == before


@pytest.mark.usefixtures("small_disk")
def test_images_of_files_with_many_count_as_well(folder, tmp_path):
    import json

    entry = {"filename": "a.png", "size": 1, "regions": [], "file_attributes": {}}
    entry["regions"] = [
        {
            "shape_attributes": {"name": "rect", "x": 1, "y": 1, "width": 3, "height": 2},
            "region_attributes": {"class": "cat"},
        }
    ]
    (folder / "a.png").write_bytes((folder / "a.png").read_bytes() + bytes(100_000))
    (folder / "via.json").write_text(json.dumps({"a.png1": entry}))
    with pytest.raises(WriteError, match=r"needs about 0\.1 MB"):
        maskforge.convert(folder / "via.json", format="via", as_="label", out=tmp_path / "out")
    assert maskforge.convert(folder / "via.json", format="via").converted == 1, "one-hot: no images"
