"""What waits on a shelf, and what need not, since it stands in its place with the same bytes."""

import os
from pathlib import Path

import pytest

from maskforge.errors import WriteError
from maskforge.io.digests import digest
from maskforge.io.ownership import Entry, digest_of
from maskforge.io.shelf import Digested, Put, Shelf

DATA = b"as it was"
ENTRY = Entry(len(DATA), digest(DATA))


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """A shelf beside its folder, in which a.txt stands."""
    for name in ("waiting", "out/sub"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "out/a.txt").write_bytes(DATA)
    return Shelf(str(tmp_path / "waiting"), str(tmp_path / "out"))


def waiting(shelf: Shelf) -> dict[str, bytes]:
    root = Path(shelf.root)
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def test_what_stands_there_with_these_bytes_is_not_written(shelf: Shelf) -> None:
    assert shelf.put("a.txt", DATA, ENTRY) == Put("a.txt", ENTRY, taken=True)
    assert waiting(shelf) == {}


def test_what_nobody_says_to_be_ours_is_written(shelf: Shelf) -> None:
    assert shelf.put("a.txt", DATA) == Put("a.txt", ENTRY)
    assert waiting(shelf) == {"a.txt": DATA}


@pytest.mark.parametrize("found", [b"as it WAS", b"as it was, and more", b"as it wa", b"", None])
def test_what_was_edited_since_it_was_noted_is_written(shelf: Shelf, found: bytes | None) -> None:
    path = Path(shelf.folder, "a.txt")
    path.unlink() if found is None else path.write_bytes(found)
    assert shelf.put("a.txt", DATA, ENTRY) == Put("a.txt", ENTRY)
    assert waiting(shelf) == {"a.txt": DATA}


def test_other_bytes_are_written(shelf: Shelf) -> None:
    for data in (b"as it WAS", b"another"):
        assert not shelf.put("a.txt", data, ENTRY).taken
        assert waiting(shelf) == {"a.txt": data}


def test_a_file_that_waits_already_is_replaced_and_not_written_through(shelf: Shelf) -> None:
    photo = Path(shelf.folder, "a.txt")
    os.link(photo, Path(shelf.root, "sub.png"))
    shelf.put("sub.png", b"new")
    assert photo.read_bytes() == DATA
    assert waiting(shelf) == {"sub.png": b"new"}


def test_folders_are_made_as_they_are_needed(shelf: Shelf) -> None:
    for name in ("x/y/b.txt", "x/c.txt"):
        assert shelf.put(name, DATA).name == name
    assert waiting(shelf) == {"x/y/b.txt": DATA, "x/c.txt": DATA}


# Images


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/p.png").write_bytes(DATA)
    return tmp_path / "photos/p.png"


NOTED = ENTRY._replace(source="../photos/p.png")


def image(shelf: Shelf, photo: Path, **more: object) -> Put | None:
    """Put ``photo`` in the place of sub/p.png."""
    return shelf.image("sub/p.png", photo, digest_of(photo), **{"link": False, **more})


def test_an_image_knows_its_source(shelf: Shelf, photo: Path) -> None:
    put = image(shelf, photo)
    assert put is not None
    assert put[:3] == ("sub/p.png", NOTED, False)
    assert waiting(shelf) == {"sub/p.png": DATA}


def test_an_image_that_stands_there_is_not_copied(shelf: Shelf, photo: Path) -> None:
    Path(shelf.folder, "sub/p.png").write_bytes(DATA)
    assert image(shelf, photo, earlier=ENTRY) == Put("sub/p.png", NOTED, taken=True)
    assert waiting(shelf) == {}


@pytest.mark.parametrize("found", [b"as it WAS", b"as it was, and more", None])
def test_an_image_that_was_edited_there_is_copied(
    shelf: Shelf, photo: Path, found: bytes | None
) -> None:
    if found is not None:
        Path(shelf.folder, "sub/p.png").write_bytes(found)
    put = image(shelf, photo, earlier=ENTRY)
    assert put is not None
    assert not put.taken
    assert waiting(shelf) == {"sub/p.png": DATA}


@pytest.mark.parametrize("link", [False, True])
@pytest.mark.parametrize("is_link", [False, True])
def test_a_link_is_no_copy(shelf: Shelf, photo: Path, link: bool, is_link: bool) -> None:
    there = Path(shelf.folder, "sub/p.png")
    os.link(photo, there) if is_link else there.write_bytes(DATA)
    put = image(shelf, photo, link=link, earlier=ENTRY)
    assert put is not None
    assert put.taken == (link == is_link)
    if not put.taken:
        assert Path(shelf.root, "sub/p.png").samefile(photo) == link


def test_an_image_in_its_own_place_stays_the_user_s(shelf: Shelf) -> None:
    own = Path(shelf.folder, "sub/p.png")
    own.write_bytes(DATA)
    assert image(shelf, own) is None
    assert image(shelf, own, earlier=ENTRY, link=True) is None
    assert waiting(shelf) == {}


# Files that others write


@pytest.mark.parametrize(
    ("found", "is_taken"),
    [(DATA, True), (b"as it WAS", False), (b"as it was, and more", False), (None, False)],
)
def test_a_file_that_others_wrote_is_taken_up(
    shelf: Shelf, found: bytes | None, is_taken: bool
) -> None:
    path = Path(shelf.folder, "a.txt")
    path.unlink() if found is None else path.write_bytes(found)
    with shelf.file("a.txt") as file:
        file.write(DATA)
    assert shelf.put_file("a.txt", ENTRY) == Put("a.txt", ENTRY, taken=is_taken)
    assert waiting(shelf) == ({} if is_taken else {"a.txt": DATA})


@pytest.mark.parametrize("parts", [[], [b"a"], [b"ab" * 9000, b"c", b"d" * 70_000, b"e"]])
def test_what_was_streamed_is_known_without_reading_it(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, parts: list[bytes]
) -> None:
    with shelf.stream("x/a.txt") as file:
        file.writelines(parts)
    monkeypatch.setattr("maskforge.io.shelf.digest_of", None)
    data = b"".join(parts)
    put = shelf.put_file("x/a.txt", entry=file.entry)
    assert put == Put("x/a.txt", Entry(len(data), digest(data)))
    assert waiting(shelf) == {"x/a.txt": data}


def test_what_was_streamed_is_what_the_system_took() -> None:
    """It may take less at once than it is given, as a pipe does that nobody reads."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    data = b"x" * (1 << 20)
    with os.fdopen(reading, "rb", buffering=0) as there, Digested(writing, "wb") as file:
        taken = file.write(data)
        assert 0 < taken < len(data)
        assert (file.size, file.seen.hexdigest()) == (taken, digest(data[:taken]))
        assert len(there.read(taken)) == taken


def test_what_was_streamed_and_changed_since_is_read(shelf: Shelf) -> None:
    with shelf.stream("a.txt") as file:
        file.write(DATA)
    Path(shelf.root, "a.txt").write_bytes(DATA + b"!")
    assert shelf.put_file("a.txt", entry=file.entry).entry == Entry(
        len(DATA) + 1, digest(DATA + b"!")
    )


def test_a_stream_that_cannot_be_opened_says_so(shelf: Shelf) -> None:
    Path(shelf.root, "a").write_bytes(b"")
    with pytest.raises(WriteError, match="could not be written"), shelf.stream("a/b.txt"):
        pass


def test_without_an_earlier_one_it_waits(shelf: Shelf) -> None:
    shelf.path("x/a.txt").write_bytes(DATA)
    assert shelf.put_file("x/a.txt") == Put("x/a.txt", ENTRY)
    assert shelf.put_file("x/a.txt", Entry(7, "other")) == Put("x/a.txt", ENTRY)
    assert waiting(shelf) == {"x/a.txt": DATA}
