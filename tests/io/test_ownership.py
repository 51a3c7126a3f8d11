"""Which files are maskforge's own: only what a list made here says, and what is still the same."""

import json
import shutil
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskforge.io.digests import digest
from maskforge.io.ownership import Entry, Owned, Standing, digest_of, hidden, lists

WHAT = "conversion"


def write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def own(folder: Path, files: dict[str, bytes], key: str = "convert") -> Owned:
    """Write files, and the list that says that they are ours."""
    for name, data in files.items():
        write(folder / name, data)
    entries = [(name, digest_of(folder / name)) for name in files]
    Owned(folder, key).note(entries, what=WHAT)
    return Owned(folder, key)


def png(*pixels: int) -> bytes:
    import io

    file = io.BytesIO()
    Image.fromarray(np.array([pixels], np.uint8)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("size", [0, 1, 1 << 18, (1 << 19) + 1])
def test_size_and_digest_of_files_of_any_size(tmp_path, size):
    data = bytes(range(251)) * (size // 251 + 1)
    assert digest_of(write(tmp_path / "a", data[:size])) == (size, digest(data[:size]), None, None)


def test_what_stands_at_a_path(tmp_path):
    owned = own(tmp_path, {"masks/a.png": png(1, 2), "b.txt": b"words\n", "c.txt": b"x\n"})
    write(tmp_path / "b.txt", b"other\n")
    write(tmp_path / "mine.png", png(3))
    states = {name: owned.state(name) for name in ("masks/a.png", "b.txt", "mine.png", "none")}
    assert states == {
        "masks/a.png": "ours", "b.txt": "changed", "mine.png": "foreign", "none": "absent",
    }  # fmt: skip


def test_a_folder_or_a_link_at_the_path_is_foreign(tmp_path):
    owned = own(tmp_path, {"a.txt": b"a", "b.txt": b"b"})
    (tmp_path / "a.txt").unlink()
    (tmp_path / "a.txt").mkdir()
    (tmp_path / "b.txt").unlink()
    (tmp_path / "b.txt").symlink_to(write(tmp_path / "same", b"b"))
    assert (owned.state("a.txt"), owned.state("b.txt")) == ("foreign", "foreign")


def test_a_file_where_a_folder_has_to_be_is_foreign_and_named(tmp_path):
    owned = own(tmp_path, {"x.txt": b"x"})
    write(tmp_path / "masks", b"mine")
    assert owned.state("masks/a.png") == "foreign"
    assert owned.blocker("masks/more/a.png") == "masks"
    assert owned.blocker("new/a.png") is None


def test_what_a_link_leads_out_of_the_folder_is_foreign(tmp_path):
    owned = own(tmp_path / "out", {"masks/a.txt": b"a"})
    shutil.move(tmp_path / "out/masks", tmp_path / "elsewhere")
    (tmp_path / "out/masks").symlink_to(tmp_path / "elsewhere")
    assert Owned(tmp_path / "out", "convert").state("masks/a.txt") == "foreign"
    assert owned.folder == tmp_path / "out"


_HEADER = b"{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }"
NPY = b"\x93NUMPY\x01\x00v\x00" + _HEADER.ljust(118) + b"abc"


@pytest.mark.parametrize(
    ("name", "whole", "cut"),
    [
        ("a.png", png(1, 2, 3), b""),
        ("a.png", png(1, 2, 3), png(1, 2, 3)[:-1]),
        ("a.png", png(1, 2, 3), png(1, 2, 3)[:4]),
        ("a.png", png(1, 2, 3), bytes(len(png(1, 2, 3)))),
        ("a.png", png(1, 2, 3), png(1, 2, 3)[:-9] + bytes(9)),
        ("a.jpg", b"\xff\xd8 picture \xff\xd9", b"\xff\xd8 pict"),
        ("m.json", b'{"a": [1]}\n', b'{"a": [1'),
        ("t.txt", b"one\ntwo\n", b""),
        ("t.txt", b"one\ntwo\n", b"one\n\0\0\0\0"),
        ("x.npy", NPY, NPY[:-1]),
        ("x.npy", NPY, NPY[:30]),
    ],
)
def test_what_a_power_cut_leaves_is_damage_and_nobodys_work(tmp_path, name, whole, cut):
    owned = own(tmp_path, {name: whole})
    assert owned.state(name) == "ours"
    write(tmp_path / name, cut)
    assert owned.state(name) == "damaged"


@pytest.mark.parametrize(
    ("name", "whole", "edited"),
    [
        ("a.png", png(1, 2, 3), png(1)),
        ("a.png", png(1), png(1, 2, 3)),
        ("a.png", png(1, 2, 3), b"GIF89a"),
        ("a.jpg", b"\xff\xd8 picture \xff\xd9", b"\xff\xd8 pi\xff\xd9"),
        ("m.json", b'{"a": [1]}\n', b"{}"),
        ("t.txt", b"one\ntwo\n", b"one\n"),
        ("t.txt", b"one\ntwo\n", b"one"),
        ("x.npy", NPY + b"d", NPY),
        ("x.npy", NPY, b"abc"),
    ],
)
def test_what_a_person_saved_is_changed(tmp_path, name, whole, edited):
    owned = own(tmp_path, {name: whole})
    write(tmp_path / name, edited)
    assert owned.state(name) == "changed"


# Images


def test_an_image_is_spare_while_its_source_has_the_same_bytes(tmp_path):
    out = tmp_path / "out"
    write(out / "images/a.png", png(1, 2))
    write(out / "images/b.png", png(7))
    write(tmp_path / "a.png", png(1, 2))
    write(tmp_path / "b.png", png(9, 9))
    entry = digest_of(out / "images/a.png")
    owned = Owned(out, "convert")
    turned = digest_of(out / "images/b.png")._replace(
        source="../b.png", origin=digest_of(tmp_path / "b.png").digest
    )
    owned.note(
        [("images/a.png", entry._replace(source="../a.png")), ("images/b.png", turned)], what=WHAT
    )
    owned = Owned(out, "convert")
    assert owned.is_spare("images/a.png")
    assert owned.is_spare("images/b.png"), "turned: the digest of its origin counts"
    write(tmp_path / "a.png", png(1, 3))
    (tmp_path / "b.png").unlink()
    assert not owned.is_spare("images/a.png")
    assert not owned.is_spare("images/b.png")


def test_a_hard_link_is_spare_and_its_own_source_is_not(tmp_path):
    out = tmp_path / "out"
    write(tmp_path / "a.png", png(1, 2))
    (out / "images").mkdir(parents=True)
    (out / "images/a.png").hardlink_to(tmp_path / "a.png")
    entry = digest_of(tmp_path / "a.png")
    owned = Owned(out, "convert")
    owned.note([("images/a.png", entry._replace(source="../a.png"))], what=WHAT)
    assert Owned(out, "convert").is_spare("images/a.png")
    owned.note([("images/a.png", entry._replace(source="images/a.png"))], what=WHAT)
    assert not Owned(out, "convert").is_spare("images/a.png")


# Lists from elsewhere


def test_a_list_that_was_copied_proves_nothing(tmp_path):
    own(tmp_path / "there", {"a.png": png(1), "labels.txt": b"cat\n"})
    shutil.copytree(tmp_path / "there", tmp_path / "here")
    owned = Owned(tmp_path / "here", "convert")
    assert not owned.local
    assert (owned.state("a.png"), owned.state("labels.txt")) == ("foreign", "foreign")
    assert owned.names == {"a.png", "labels.txt"}
    owned.note([("b.txt", Entry(1, "x"))], what=WHAT)
    assert set(Owned(tmp_path / "here", "convert").entries) == {"b.txt"}


def test_a_list_that_was_copied_may_be_believed_in_names_that_are_no_image(tmp_path):
    made = {"a.png": png(1), "last.pt": b"PK", "notes.txt": b"mine"}
    own(tmp_path / "there", made)
    shutil.copytree(tmp_path / "there", tmp_path / "here")
    owned = Owned(tmp_path / "here", "convert", copied=("last.pt", "a.png"))
    found = {name: owned.state(name) for name in made}
    assert found == {"a.png": "foreign", "last.pt": "ours", "notes.txt": "foreign"}


def test_a_list_of_an_earlier_version_proves_nothing_and_is_told(tmp_path):
    """It has digests that are computed no more; its own, too."""
    write(tmp_path / "last.pt", b"PK")
    path = hidden(tmp_path, "train", "owned")
    head = b'{"format":"maskforge-owned/1","what":"run"}\n'
    text = head + json.dumps(["last.pt", 2, sha256(b"PK").hexdigest()]).encode() + b"\n"
    path.write_bytes(text)
    check = sha256(text + b"%d" % path.stat().st_ino).hexdigest()
    with path.open("ab") as file:
        file.write(json.dumps({"check": check}).encode() + b"\n")
    standing = Standing(tmp_path, "train", copied=("last.pt",))
    assert not standing.owned.local
    assert standing.judge("last.pt") == (
        "foreign",
        "was made by another version of maskforge, whose list proves nothing here",
    )


def test_a_list_that_was_renamed_with_its_folder_is_still_one(tmp_path):
    own(tmp_path / "there", {"a.png": png(1)})
    (tmp_path / "there").rename(tmp_path / "here")
    assert Owned(tmp_path / "here", "convert").state("a.png") == "ours"


def test_what_is_added_to_a_list_by_others_does_not_count(tmp_path):
    owned = own(tmp_path, {"a.png": png(1)})
    photo = write(tmp_path / "photo.png", png(5, 5))
    line = ["photo.png", *digest_of(photo)[:2]]
    with owned.path.open("a") as file:  # in place, so that it stays the same file
        file.write(json.dumps(line) + "\n")
    owned = Owned(tmp_path, "convert")
    assert (owned.state("a.png"), owned.state("photo.png")) == ("ours", "foreign")
    owned.note([("b.png", Entry(1, "x"))], what=WHAT)
    owned = Owned(tmp_path, "convert")
    assert (owned.state("a.png"), owned.state("photo.png")) == ("ours", "foreign")


def test_an_edited_list_is_no_proof_for_images(tmp_path):
    owned = own(tmp_path, {"a.png": png(1), "b.txt": b"b"})
    text = owned.path.read_bytes()
    with owned.path.open("r+b") as file:
        file.write(text.replace(b'"a.png"', b'"A.png"'))
    assert not Owned(tmp_path, "convert").local


@pytest.mark.parametrize("name", ["../thesis.docx", "/etc/passwd", "a/../../b", "", "a//b"])
def test_names_stay_inside(tmp_path, name):
    write(tmp_path / "thesis.docx", b"years")
    entry = Entry(5, digest_of(tmp_path / "thesis.docx").digest)
    (tmp_path / "out").mkdir()
    owned = Owned(tmp_path / "out", "convert")
    owned.note([(name, entry)], what=WHAT)
    assert Owned(tmp_path / "out", "convert").entries == {}


def test_a_path_may_be_listed_twice_between_old_and_new(tmp_path):
    owned = own(tmp_path, {"a.txt": b"old"})
    owned.note([("a.txt", Entry(3, digest_of(write(tmp_path / "n", b"new")).digest))], what=WHAT)
    owned = Owned(tmp_path, "convert")
    assert owned.state("a.txt") == "ours"
    assert owned.entry("a.txt") == digest_of(write(tmp_path / "o", b"old"))
    write(tmp_path / "a.txt", b"new")
    assert Owned(tmp_path, "convert").state("a.txt") == "ours"
    assert Owned(tmp_path, "convert").entry("a.txt") == digest_of(tmp_path / "n")


def test_a_list_cut_in_a_line_proves_what_came_before(tmp_path):
    owned = own(tmp_path, {"a.png": png(1)})
    with owned.path.open("ab") as file:
        file.write(b'["b.png",3,"ab')
    assert Owned(tmp_path, "convert").state("a.png") == "ours"


def test_outputs_in_one_folder_have_lists_of_their_own(tmp_path):
    own(tmp_path, {"a.npy": NPY}, key="a.npy")
    own(tmp_path, {"masks/a.png": png(1)}, key="convert")
    assert Owned(tmp_path, "convert").state("a.npy") == "foreign"
    found = {owned.path.name: owned.is_folder for owned in lists(tmp_path)}
    assert found == {".maskforge-a.npy.owned": False, ".maskforge-convert.owned": True}


def test_long_keys_are_cut_and_stay_different(tmp_path):
    names = {hidden(tmp_path, "é" * 100 + end, "owned").name for end in ("a.npy", "b.npy")}
    assert len(names) == 2
    assert all(len(name.encode()) <= 255 for name in names)
    for length, kept in ((160, 160), (161, 151)):
        name = hidden(tmp_path, "x" * length, "owned").name
        assert name.count("x") == kept
        assert ("-" in name.removeprefix(".maskforge-")) == (length > 160)
