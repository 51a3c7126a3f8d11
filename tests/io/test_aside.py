"""An earlier output goes to a folder beside, with its list."""

from pathlib import Path

import pytest

from maskforge.errors import UsageError, WriteError
from maskforge.io import aside
from maskforge.io.ownership import Owned, digest_of
from maskforge.io.stage import Stage


def place(
    folder: Path, *names: str, content: bytes = b"new", moving: tuple[str, ...] = ()
) -> Stage:
    with Stage(folder, "test", what="test") as stage:
        stage.begin()
        for name in names:
            stage.add(stage.shelf.put(name, content))
        stage.exchange(moving=moving)
        return stage


def test_what_is_moved_is_known_there_and_no_more_here(tmp_path: Path) -> None:
    out = tmp_path / "out"
    place(out, "a.txt", "sub/b.txt", content=b"old")
    assert place(out, "a.txt", moving=("a.txt", "sub/b.txt")).moved == tmp_path / "out-1"
    assert (out / "a.txt").read_bytes() == b"new"
    assert not (out / "sub").exists()
    there, here = Owned(tmp_path / "out-1", "test"), Owned(out, "test")
    assert there.local
    assert [there.state(name) for name in there.entries] == ["ours", "ours"]
    assert list(here.entries) == ["a.txt"]
    assert (tmp_path / "out-1/sub/b.txt").read_bytes() == b"old"


def test_a_file_of_the_same_name_that_is_not_moved_is_in_the_way(tmp_path: Path) -> None:
    out = tmp_path / "out"
    place(out, "a.txt", content=b"old")
    (out / "b.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"b\.txt was not made"):
        place(out, "a.txt", "b.txt", moving=("a.txt",))
    assert (out / "a.txt").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert aside.beside(Path("runs/people"), 1) == Path("runs/people-1")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert aside.beside(Path(), 2) == tmp_path / "here-2"
    with pytest.raises(UsageError, match="cannot be moved"):
        aside.check(Path("/"), tmp_path)


def test_files_are_placed_one_by_one_where_an_output_stands(tmp_path: Path) -> None:
    with Stage(tmp_path, "test", what="test") as stage:
        stage.begin()
        stage.add(stage.shelf.put("a.txt", b"1"))
        stage.exchange()
        stage.stay()
        for content in (b"2", b"3"):
            for name in ("a.txt", "sub/b.txt"):
                stage.place_one(stage.shelf.put(name, content))
        assert Owned(tmp_path, "test").state("a.txt") == "ours"
        (tmp_path / "a.txt").write_text("mine")
        with pytest.raises(UsageError, match=r"a\.txt was changed"):
            stage.place_one(stage.shelf.put("a.txt", b"4"))
        stage.discard()
    assert (tmp_path / "a.txt").read_text() == "mine"
    assert Owned(tmp_path, "test").entries["sub/b.txt"] == digest_of(tmp_path / "sub/b.txt")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".maskforge-test.owned",
        "a.txt",
        "sub",
    ]


@pytest.mark.parametrize("has_begun", [False, True])
def test_a_new_output_that_was_damaged_before_it_came_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_begun: bool
) -> None:
    """Where the earlier one had not begun to move it stays, else it goes, whole."""
    out = tmp_path / "out"
    place(out, "a.txt", "sub/b.txt", content=b"old")

    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(aside, "_move_file" if has_begun else "_move_list", fail)
        with pytest.raises(WriteError, match="Input/output error"):
            place(out, "a.txt", moving=("a.txt", "sub/b.txt"))
    [waiting] = out.glob(".maskforge-test.new/files-*/a.txt")
    waiting.write_bytes(b"n")
    stage = Stage(out, "test", what="test")
    stage.settle()
    there = tmp_path / "out-1" if has_begun else out
    assert stage.moved == (there if has_begun else None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "out-1"][: 1 + has_begun]
    owned = Owned(there, "test")
    assert {name: owned.state(name) for name in owned.entries} == {
        "a.txt": "ours",
        "sub/b.txt": "ours",
    }
    assert (there / "a.txt").read_bytes() == b"old"
    assert bool(Stage(out, "test", what="test").stands) == (not has_begun)
