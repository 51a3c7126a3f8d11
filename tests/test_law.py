"""Nothing of the user's is ever touched: what real runs once deleted."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image
from projects import box, elsewhere, folder, labelme_file, tree  # noqa: F401

import maskforge
from maskforge.cli import main
from maskforge.errors import ReadError, UsageError, WriteError
from maskforge.io import lock


def via_project(place, *names):
    """Write a VIA export and its photographs, one rectangle in each."""
    entries = {}
    for number, name in enumerate(names):
        pixels = np.full((6, 9, 3), 40 * number, np.uint8)
        Image.fromarray(pixels).save(place / name)
        entries[name + "1"] = {
            "filename": name,
            "size": 1,
            "regions": [
                {
                    "shape_attributes": {"name": "rect", "x": 1, "y": 1, "width": 4, "height": 3},
                    "region_attributes": {"class": "dog"},
                }
            ],
            "file_attributes": {},
        }
    (place / "seg.json").write_text(json.dumps(entries))


@pytest.mark.parametrize("again", ["overwrite", "resume"])
def test_a_photograph_that_left_the_project_stays(tmp_path, monkeypatch, again):
    monkeypatch.chdir(tmp_path)
    via_project(tmp_path, "a.png", "b.png")
    maskforge.convert("seg.json")
    via_project(tmp_path, "a.png")
    maskforge.convert("seg.json", **{again: True})
    assert (tmp_path / "b.png").is_file()


def test_the_photograph_of_a_damaged_annotation_stays(folder):
    maskforge.convert(folder, as_="onehot")
    (folder / "a.json").write_text("{")
    maskforge.convert(folder, format="labelme", as_="onehot", resume=True)
    assert (folder / "a.png").is_file()


def test_train_looks_at_the_data_before_it_makes_room(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "run"
    run.mkdir()
    (run / "best.pt").write_bytes(b"weeks of work")
    with pytest.raises(SystemExit):
        main(["train", "typo", "-o", "run", "--overwrite", "-q"])
    assert (run / "best.pt").read_bytes() == b"weeks of work"


def test_an_output_among_the_photographs_leaves_them(folder, monkeypatch):
    photos = {path: path.read_bytes() for path in folder.rglob("*.png")}
    monkeypatch.chdir(folder)
    for again in ({}, {"overwrite": True}, {"overwrite": True}, {"resume": True}):
        result = maskforge.convert(".", format="labelme", out=".", images="none", **again)
        assert result.converted == 2
    assert {path: path.read_bytes() for path in photos} == photos


def test_images_that_lie_in_their_place_stay_the_user_s(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        labelme_file(
            tmp_path / f"annotations/{name}.json", [("cat", box(1, 1, 5, 3))], image=False,
            imagePath=f"../images/{name}.png",
        )  # fmt: skip
    (tmp_path / "images").mkdir()
    for name, grey in (("a", 7), ("b", 8)):
        Image.fromarray(np.full((6, 9), grey, np.uint8)).save(tmp_path / f"images/{name}.png")
    before = tree(tmp_path / "images")
    for again in ({}, {"overwrite": True}, {"resume": True}):
        result = maskforge.convert("annotations", format="labelme", out=".", **again)
        record = result.records[0]
        assert (record["image"], record["original"]) == (None, "images/a.png")
    (tmp_path / "annotations/b.json").unlink()
    maskforge.convert("annotations", format="labelme", out=".", overwrite=True)
    assert tree(tmp_path / "images") == before
    assert not (tmp_path / "masks/b.png").exists()


def test_a_stranger_s_manifest_leads_to_no_document(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    via_project(tmp_path, "a.png")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/thesis.docx").write_bytes(b"years")
    record = {"stem": "x", "image": "notes/thesis.docx", "mask": "notes/thesis.docx", "pixels": {}}
    manifest = {"format": "maskforge-manifest/1", "classes": {}, "settings": {}, "images": [record]}
    (tmp_path / "seg.manifest.json").write_text(json.dumps({**manifest, "fingerprint": ""}))
    before = tree(tmp_path)
    for again in ({}, {"overwrite": True}, {"resume": True}):
        with pytest.raises(UsageError, match="the list of its files") as caught:
            maskforge.convert("seg.json", **again)
        assert caught.value.code == "in-the-way"
    assert tree(tmp_path) == before


@pytest.mark.parametrize("name", ["masks/a.png", "images/a.png", "labels.txt", "previews"])
@pytest.mark.parametrize("again", [{}, {"overwrite": True}, {"resume": True}])
def test_what_a_person_made_is_not_replaced(folder, name, again):
    out = folder.parent / "out"
    (out / name).parent.mkdir(parents=True)
    (out / name).write_bytes(b"painted by hand")
    with pytest.raises(UsageError, match=name) as caught:
        maskforge.convert(folder, format="labelme", out=out, **again)
    assert caught.value.code == "in-the-way"
    assert tree(out) == {name: b"painted by hand"}
    assert not list(out.glob(".maskforge-*"))


def test_what_a_person_wrote_beside_a_one_hot_file_is_not_replaced(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    via_project(tmp_path, "a.png")
    (tmp_path / "seg.labels.txt").write_text("my notes\n")
    with pytest.raises(UsageError, match=r"seg\.labels\.txt"):
        maskforge.convert("seg.json", overwrite=True)
    (tmp_path / "seg.labels.txt").write_text("_background_\ndog\n")  # the very bytes
    maskforge.convert("seg.json")
    (tmp_path / "labels.txt").write_text("cat\ndog\n")
    with pytest.raises(UsageError, match=r"seg\.labels\.txt"):
        maskforge.convert("seg.json", overwrite=True)
    assert (tmp_path / "seg.labels.txt").read_text() == "_background_\ndog\n"


def test_a_mask_that_was_edited_is_not_replaced(folder):
    out = maskforge.convert(folder, format="labelme").out
    Image.fromarray(np.full((6, 9), 1, np.uint8)).save(out / "masks/a.png")
    before = tree(out)
    for again in ({"overwrite": True}, {"resume": True}):
        with pytest.raises(UsageError, match=r"masks/a\.png was changed"):
            maskforge.convert(folder, format="labelme", **again)
    assert tree(out) == before
    (folder / "a.json").unlink()  # then nobody needs its place
    result = maskforge.convert(folder, format="labelme", overwrite=True)
    assert result.left == ("masks/a.png",)
    assert (out / "masks/a.png").read_bytes() == before["masks/a.png"]


def test_where_nothing_can_be_converted_the_old_output_stands(folder):
    out = maskforge.convert(folder, format="labelme").out
    before = tree(out)
    for name in ("a.json", "more/b.json"):
        (folder / name).write_text("{")
    assert maskforge.convert(folder, format="labelme", overwrite=True).exit_code == 3
    assert {n: d for n, d in tree(out).items() if n != "problems.failed.jsonl"} == before
    assert not list(out.glob(".maskforge-*.new"))


def test_an_image_whose_original_is_gone_stays(folder):
    out = maskforge.convert(folder, format="labelme").out
    photo = (folder / "a.png").read_bytes()
    (folder / "a.json").unlink()
    (folder / "a.png").unlink()
    result = maskforge.convert(folder, format="labelme", overwrite=True)
    assert result.left == ("images/a.png",)
    assert (out / "images/a.png").read_bytes() == photo
    assert not (out / "masks/a.png").exists()
    (folder / "a.png").write_bytes(photo)  # it is there again: the copy is one too many
    result = maskforge.convert(folder, format="labelme", overwrite=True)
    assert result.left == ()
    assert not (out / "images/a.png").exists()


def test_an_image_whose_original_was_changed_is_set_aside(folder):
    out = maskforge.convert(folder, format="labelme").out
    photo = (folder / "a.png").read_bytes()
    for number, grey in enumerate((10, 20)):
        Image.fromarray(np.full((6, 9, 3), grey, np.uint8)).save(folder / "a.png")
        again = maskforge.convert(folder, format="labelme", resume=True)
        where = "set-aside/images/a.png" if not number else "set-aside/images/a-2.png"
        assert again.aside == (("images/a.png", where),)
        assert (out / where).read_bytes() == photo
        photo = (folder / "a.png").read_bytes()
        assert (out / "images/a.png").read_bytes() == photo


def test_what_is_the_same_is_taken_over_and_not_written_again(folder):
    out = maskforge.convert(folder, format="labelme").out
    before = {path: path.stat() for path in out.rglob("*") if path.is_file()}
    labelme_file(folder / "a.json", [("dog", box(0, 0, 9, 1))], image=False)
    maskforge.convert(folder, format="labelme", overwrite=True)
    changed = {
        path.relative_to(out).as_posix()
        for path, known in before.items()
        if (path.stat().st_ino, path.stat().st_mtime_ns) != (known.st_ino, known.st_mtime_ns)
    }
    assert changed == {
        "masks/a.png", "previews/a.jpg", "previews.jpg", "manifest.json",
        ".maskforge-convert.owned",
    }  # fmt: skip


def test_of_two_runs_into_one_place_the_second_is_refused(folder, monkeypatch):
    monkeypatch.setattr(lock, "WAIT_S", 0.0)
    refused = []

    def another(done, total):
        with pytest.raises(UsageError, match="another run is under way") as caught:
            maskforge.convert(folder, format="labelme", overwrite=True)
        refused.append(caught.value)

    result = maskforge.convert(folder, format="labelme", progress=another)
    assert (result.converted, len(refused)) == (2, 2)
    assert not list(result.out.glob(".maskforge-*.lock"))


@pytest.mark.parametrize("moved", [True, False])
def test_an_output_that_is_gone_midway_is_told(folder, moved):
    out = folder.parent / "photos-masks"

    def away(done, total):
        if done == 1:
            out.rename(folder.parent / "moved") if moved else shutil.rmtree(out)

    with pytest.raises(WriteError, match="moved or removed while it was written"):
        maskforge.convert(folder, format="labelme", progress=away)
    assert not (out / "manifest.json").exists()


def test_an_image_called_like_a_list_gets_another_name(folder):
    labelme_file(folder / "labels.txt.json", [("cat", box(1, 1, 5, 3))])
    labelme_file(folder / "a/label.png.json", [("cat", box(1, 1, 5, 3))])
    result = maskforge.convert(folder, format="labelme", layout="labelme")
    assert (result.converted, result.failed) == (4, 0)
    assert sorted(record["stem"] for record in result.records) == [
        "a", "a/label.png-2", "labels.txt-2", "more/b",
    ]  # fmt: skip
    assert {problem.code for problem in result.problems} == {"name-collision"}
    assert (result.out / "labels.txt").read_text() == "_background_\ncat\ndog\n"


def test_an_image_of_too_many_labels_stops_no_other(folder):
    shapes = [(f"object {n}", box(1, 1, 5, 3)) for n in range(66_000)]
    labelme_file(folder / "many.json", shapes)
    result = maskforge.convert(folder, format="labelme", previews=False)
    assert (result.converted, result.failed) == (2, 1)
    assert [problem.code for problem in result.problems] == ["too-large"]
    assert result.classes.names == ("_background_", "cat", "dog")


@pytest.mark.parametrize(
    "wrong",
    [
        {"style": "pink", "as_": "color"}, {"rule": "cocoa"}, {"layout": "vox"}, {"as_": "labels"},
        {"engine": "rays"}, {"images": "move"}, {"split": (2.0,)}, {"overlap": "top"},
    ],
)  # fmt: skip
def test_options_are_checked_before_data_are_read(folder, wrong, monkeypatch):
    monkeypatch.setattr(
        "maskforge.conversion.sources.plan", lambda *_, **__: pytest.fail("data were read")
    )
    with pytest.raises(UsageError):
        maskforge.convert(folder, format="labelme", **wrong)
    with pytest.raises(ReadError, match="list of labels"):
        maskforge.convert(folder, format="labelme", labels="none.txt")
