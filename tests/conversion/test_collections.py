"""Files of all images: one, or one a split, alone or in a folder, with images beside them."""

import json
from dataclasses import replace

import pytest
from PIL import Image
from projects import box, elsewhere, folder, labelme_file, tree  # noqa: F401

import maskforge
from maskforge.errors import UsageError
from maskforge.io.onehot import OneHotFile
from maskforge.layouts import named_by_split, voc
from maskforge.writers import onehot


def die(done, total):
    raise KeyboardInterrupt


@pytest.fixture(autouse=True)
def another_picture(folder):
    """Have two pictures, so that there can be two splits."""
    Image.new("RGB", (9, 6), (10, 20, 30)).save(folder / "more/b.png")


pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")


@pytest.fixture
def forked(monkeypatch):
    """Have workers know what a test has changed in here, whatever threads there are."""
    monkeypatch.setattr("maskforge.engines.processes._start_method", lambda: "fork")


@pytest.fixture
def by_split(monkeypatch, forked):
    monkeypatch.setattr(onehot, "BY_SPLIT", True)


@pytest.fixture
def in_a_folder(monkeypatch, forked):
    """Have a layout with a place for files of all images, and images in folders of their split."""

    def places(names, kind):
        found = real(names, kind)
        collection = None
        if kind.collection is not None:
            collection = f"lists/{named_by_split(kind.collection, names.split)}"
        image = f"{names.split}/{names.stem}{names.image_suffix}"
        return replace(found, collection=collection, image=image)

    real = voc.places
    monkeypatch.setattr(voc, "places", places)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_file_for_each_split(folder, tmp_path, by_split, workers):
    out = tmp_path / "out/all.npy"
    result = maskforge.convert(
        folder, as_="onehot", out=out, split=[0.5], workers=workers, labels=["cat", "dog"]
    )
    made = tree(out.parent)
    files = {name for name in made if name.endswith(".npy")}
    assert files == {"all_train.npy", "all_val.npy"}
    manifest = json.loads(made["all.manifest.json"])
    assert manifest["collection"] == ["all_train.npy", "all_val.npy"]
    for record in result.records:
        assert list(OneHotFile(out.with_name(f"all_{record['split']}.npy"))) == [record["key"]]
    again = maskforge.convert(
        folder, as_="onehot", out=out, split=[0.5], overwrite=True, labels=["cat", "dog"]
    )
    assert list(again) == list(result)
    assert tree(out.parent) == made


def test_one_file_of_all_splits_where_the_format_has_that(folder, tmp_path):
    out = tmp_path / "out/all.npy"
    result = maskforge.convert(folder, as_="onehot", out=out, split=[0.5])
    assert {record["split"] for record in result.records} == {"train", "val"}
    assert set(OneHotFile(out)) == {record["key"] for record in result.records}


def test_what_is_in_the_place_of_a_split_is_not_replaced(folder, tmp_path, by_split):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/all_val.npy").write_bytes(b"mine")
    (tmp_path / "out/all.npy").write_bytes(b"mine, and in no way")
    with pytest.raises(UsageError, match=r"all_val\.npy was not made"):
        maskforge.convert(folder, as_="onehot", out=tmp_path / "out/all.npy", split=[0.5])
    assert len(tree(tmp_path / "out")) == 2


def test_a_split_that_is_gone_is_removed(folder, tmp_path, by_split):
    out = tmp_path / "out/all.npy"
    maskforge.convert(folder, as_="onehot", out=out, split=[0.5])
    maskforge.convert(folder, as_="onehot", out=out, overwrite=True)
    assert {name for name in tree(out.parent) if name.endswith(".npy")} == {"all.npy"}


def test_images_beside_one_file_where_they_are_asked_for(folder, tmp_path):
    out = tmp_path / "out/all.npy"
    some = {"as_": "onehot", "out": out, "previews": False}
    result = maskforge.convert(folder, **some)
    assert {record["image"] for record in result.records} == {None}
    assert sorted(tree(out.parent)) == ["all.labels.txt", "all.manifest.json", "all.npy"]
    result = maskforge.convert(folder, **some, images="copy", overwrite=True)
    assert [record["image"] for record in result.records] == ["images/a.png", "images/more/b.png"]
    assert (out.parent / "images/more/b.png").read_bytes() == (folder / "more/b.png").read_bytes()
    (folder / "more/b.json").unlink()
    maskforge.convert(folder, **some, images="copy", overwrite=True)
    assert not (out.parent / "images/more").exists()


def test_images_that_lie_beside_the_file_already_stay_the_users(folder, tmp_path):
    (folder / "a.png").rename(folder / "images.png")
    (folder / "images").mkdir()
    (folder / "images.png").rename(folder / "images/a.png")
    out = folder / "all.npy"
    for again in ({}, {"overwrite": True}, {"resume": True}):
        result = maskforge.convert(folder / "a.json", as_="onehot", out=out, images="copy", **again)
        record = result.records[0]
        assert (record["image"], record["original"]) == (None, "images/a.png")
        assert (folder / "images/a.png").is_file()


def test_a_folder_with_files_of_all_images(folder, tmp_path, in_a_folder):
    out = tmp_path / "out"
    some = {"as_": "onehot", "layout": "voc", "split": [0.5]}
    result = maskforge.convert(folder, **some, out=out)
    made = tree(out)
    assert {"lists/onehot_train.npy", "lists/onehot_val.npy"} <= made.keys()
    assert {f"{r['split']}/{r['stem']}.png" for r in result.records} <= made.keys()
    assert "mask" not in result.records[0]
    two = maskforge.convert(folder, **some, out=tmp_path / "two", workers=2)
    assert tree(two.out) == made
    with pytest.raises(UsageError, match="an earlier output stands"):
        maskforge.convert(folder, **some, out=out)
    with pytest.raises(UsageError, match="other settings"):
        maskforge.convert(folder, **some, out=out, resume=True, rule="coco")
    labelme_file(folder / "c.json", [("cat", box(0, 0, 9, 6))])
    again = maskforge.convert(folder, **some, out=out, resume=True)
    assert (again.converted, again.kept) == (3, 0)  # a file of all images is made anew
    fresh = maskforge.convert(folder, **some, out=tmp_path / "fresh")
    assert tree(out) == tree(fresh.out)


@pytest.mark.parametrize("as_", ["onehot", "label"])
def test_a_run_that_was_killed_leaves_what_stood(folder, tmp_path, in_a_folder, as_):
    out = tmp_path / "out"
    some = {"layout": "voc", "split": [0.5], "out": out}
    maskforge.convert(folder, as_="onehot", **some)
    before = tree(out)
    labelme_file(folder / "c.json", [("cat", box(0, 0, 9, 6))])
    with pytest.raises(KeyboardInterrupt):
        maskforge.convert(folder, as_=as_, **some, overwrite=True, progress=die)
    stood = {name: data for name, data in tree(out).items() if not name.startswith(".")}
    assert stood == before
    again = maskforge.convert(
        folder, as_=as_, **some, resume=as_ == "label", overwrite=as_ != "label"
    )
    fresh = maskforge.convert(folder, as_=as_, **some | {"out": tmp_path / "fresh"})
    assert again.converted == 3
    assert tree(out) == tree(fresh.out)


def test_one_file_has_no_other_layout(folder):
    with pytest.raises(UsageError, match="one file of all images and cannot have layout 'voc'"):
        maskforge.convert(folder, as_="onehot", layout="voc")
