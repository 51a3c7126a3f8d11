"""The list of an output that is written file by file, and of files that grow."""

import shutil
from pathlib import Path

from maskforge.io.digests import digest
from maskforge.io.ownership import Entry, Owned


def test_what_was_noted_before_stays_true(tmp_path: Path) -> None:
    owned = Owned(tmp_path, "test")
    for content in (b"1", b"2", b"3"):
        owned.note([(f"{content.decode()}.txt", Entry(1, digest(content)))], what="test")
    (tmp_path / "1.txt").write_bytes(b"1")
    assert Owned(tmp_path, "test").state("1.txt") == "ours"


def test_a_copied_list_keeps_what_is_believed_when_it_is_added_to(tmp_path: Path) -> None:
    first = Owned(tmp_path / "a", "test")
    (tmp_path / "a").mkdir()
    entry = Entry(1, digest(b"1"))
    first.note([(name, entry) for name in ("a.txt", "a.png", "c.txt")], what="test")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    for name in ("a.txt", "a.png", "c.txt"):
        (tmp_path / "b" / name).write_bytes(b"1")
    copied = Owned(tmp_path / "b", "test", copied=("a.txt", "a.png"))
    assert not copied.local
    copied.note([("b.txt", entry)], what="test")
    for owned in (copied, Owned(tmp_path / "b", "test")):
        states = [owned.state(name) for name in ("a.txt", "a.png", "c.txt")]
        assert states == ["ours", "foreign", "foreign"]


def test_files_that_grow_are_known_by_the_id(tmp_path: Path) -> None:
    owned = Owned(tmp_path, "test")
    owned.id = "0123456789abcdef"
    owned.rewrite([], what="test")
    (tmp_path / "way").mkdir()
    for name in ("log.0123456789abcdef", "log", "log.0123456789abcde0"):
        (tmp_path / "way" / name).touch()
    (tmp_path / "way/link.0123456789abcdef").symlink_to(tmp_path / "way/log")
    assert Owned(tmp_path, "test").grown("way") == ["way/log.0123456789abcdef"]
    owned.id = "way"  # no id, as a stranger might write one
    owned.rewrite([], what="test")
    assert Owned(tmp_path, "test").grown("way") == []


def test_one_file_after_the_other(tmp_path: Path) -> None:
    owned = Owned(tmp_path, "test")
    for content in (b"1", b"2"):
        owned.add("a.txt", Entry(1, digest(content)), what="test")
    (tmp_path / "a.txt").write_bytes(b"1")
    assert owned.state("a.txt") == Owned(tmp_path, "test").state("a.txt") == "ours"
    (tmp_path / "a.txt").write_bytes(b"2")
    owned.settle("a.txt")
    owned.compact(what="test")
    assert owned.path.read_bytes().count(b"a.txt") == 1
    (tmp_path / "a.txt").write_bytes(b"1")
    assert owned.state("a.txt") == Owned(tmp_path, "test").state("a.txt") == "changed"
