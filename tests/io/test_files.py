"""Whole or absent, inside the folder, under names that every system takes."""

from __future__ import annotations

import errno
import os
import re
import sys
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskforge.errors import ReadError, WriteError
from maskforge.io import files


def listing(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_write(tmp_path: Path) -> None:
    files.write(tmp_path / "a" / "b" / "x.bin", b"123")
    assert (tmp_path / "a/b/x.bin").read_bytes() == b"123"
    files.write(tmp_path / "a" / "b" / "x.bin", b"4")
    assert (tmp_path / "a/b/x.bin").read_bytes() == b"4"
    assert listing(tmp_path) == ["a", "a/b", "a/b/x.bin"]


@pytest.mark.parametrize("error", [RuntimeError("x"), KeyboardInterrupt(), MemoryError()])
@pytest.mark.parametrize("before", [None, b"old"])
def test_an_exception_leaves_what_was_there(
    tmp_path: Path, error: BaseException, before: bytes | None
) -> None:
    path = tmp_path / "x.bin"
    if before is not None:
        path.write_bytes(before)
    with pytest.raises(type(error)), files.atomic(path) as file:  # noqa: PT012
        file.write(b"half")
        file.flush()
        assert len(listing(tmp_path)) == 1 + (before is not None)
        raise error
    assert listing(tmp_path) == ([] if before is None else ["x.bin"])
    assert before is None or path.read_bytes() == before


@pytest.mark.parametrize(
    ("number", "cure"), [(errno.ENOSPC, "--resume"), (errno.EACCES, "--out"), (errno.EIO, "")]
)
@pytest.mark.parametrize("step", ["write", "replace"])
def test_what_the_system_refuses_is_a_write_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, cure: str, step: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    path = tmp_path / "x.bin"
    path.write_bytes(b"old")
    if step == "replace":
        monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(WriteError, match=os.strerror(number)) as caught, files.atomic(path) as file:  # noqa: PT012
        file.write(b"half")
        if step == "write":
            refuse()
    assert caught.value.code == "not-written"
    assert caught.value.file == str(path)
    assert cure in caught.value.cure
    assert listing(tmp_path) == ["x.bin"]
    assert path.read_bytes() == b"old"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small data stays in a buffer: the system refuses it only when the file is closed."""
    real = os.open
    monkeypatch.setattr(os, "open", lambda part, *how: real("/dev/full", *how))
    with pytest.raises(WriteError, match="space"):
        files.write(tmp_path / "x.bin", b"1")
    with pytest.raises(WriteError, match="space"), files.atomic(tmp_path / "x.bin") as file:
        file.write(b"1")
    assert listing(tmp_path) == []


def test_a_system_that_takes_a_few_bytes_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda file, data: real(file, bytes(data[:3])))
    files.write(tmp_path / "x.bin", b"1234567")
    assert (tmp_path / "x.bin").read_bytes() == b"1234567"


def test_a_folder_that_cannot_be_is_a_write_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(WriteError):
        files.write(tmp_path / "file" / "x.bin", b"1")


def test_a_folder_in_the_place_of_the_file_is_a_write_error(tmp_path: Path) -> None:
    (tmp_path / "x.bin" / "inner").mkdir(parents=True)
    with pytest.raises(WriteError):
        files.write(tmp_path / "x.bin", b"1")
    assert listing(tmp_path) == ["x.bin", "x.bin/inner"]


@pytest.mark.parametrize("name", ["é" * 119 + ".npy", "x" * 250 + ".npy"])
def test_every_name_that_the_system_takes_can_be_written(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"0")
    files.write(tmp_path / name, b"1")
    assert (tmp_path / name).read_bytes() == b"1"


def test_place_links(tmp_path: Path) -> None:
    source, target = tmp_path / "a.png", tmp_path / "out" / "b.png"
    source.write_bytes(b"1")
    files.place(source, target, link=True)
    assert target.samefile(source)
    files.place(source, target, link=True)
    assert target.samefile(source)
    assert listing(tmp_path) == ["a.png", "out", "out/b.png"]


def test_place_follows_a_link_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "real.png").write_bytes(b"1")
    (tmp_path / "link.png").symlink_to("real.png")
    files.place(tmp_path / "link.png", tmp_path / "out" / "b.png", link=True)
    assert not (tmp_path / "out/b.png").is_symlink()
    assert (tmp_path / "out/b.png").read_bytes() == b"1"


def test_place_copies(tmp_path: Path) -> None:
    source, target = tmp_path / "a.png", tmp_path / "out" / "b.png"
    source.write_bytes(b"1" * 3_000_000)
    files.place(source, target, link=False)
    assert not target.samefile(source)
    assert target.read_bytes() == source.read_bytes()


def test_place_copies_where_links_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "a.png").write_bytes(b"1")
    files.place(tmp_path / "a.png", tmp_path / "out" / "b.png", link=True)
    assert (tmp_path / "out/b.png").read_bytes() == b"1"
    assert listing(tmp_path) == ["a.png", "out", "out/b.png"]


@pytest.mark.parametrize("link", [True, False])
def test_place_onto_itself_keeps_the_file(tmp_path: Path, link: bool) -> None:
    (tmp_path / "a.png").write_bytes(b"1")
    files.place(tmp_path / "a.png", tmp_path / "a.png", link=link)
    assert listing(tmp_path) == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == b"1"


def test_a_linked_image_is_never_written_through(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"1")
    files.place(tmp_path / "a.png", tmp_path / "b.png", link=True)
    files.write(tmp_path / "b.png", b"2")
    assert (tmp_path / "a.png").read_bytes() == b"1"


@pytest.mark.parametrize("link", [True, False])
def test_a_source_that_cannot_be_read_is_no_fault_of_the_output(tmp_path: Path, link: bool) -> None:
    """One unreadable image must not look like a full disk, which ends the run."""
    with pytest.raises(ReadError):
        files.place(tmp_path / "gone.png", tmp_path / "b.png", link=link)
    assert listing(tmp_path) == []


hostile = st.one_of(
    st.text(max_size=20),
    st.text('.. /\\:<>|?*"\x00\n~conuxCOM1é\ud800a', max_size=20),
    st.lists(
        st.sampled_from(["..", ".", "a", "CON", "con.x", "", "C:", " ", "a.", "a .", "\ufeff"])
    ).map("/".join),
    st.text("aé", min_size=100, max_size=300),
)


@given(hostile)
def test_a_safe_name_stays_inside_and_is_legal_everywhere(name: str) -> None:
    safe = files.safe_name(name)
    assert safe
    for kind in (PurePosixPath, PureWindowsPath):
        path = kind(safe)
        assert not path.is_absolute()
        assert not path.drive
        assert ".." not in path.parts
    for part in safe.split("/"):
        assert part not in ("", ".", "..")
        assert not re.search(r'[\x00-\x1f\x7f<>:"|?*\\]', part)
        assert part == part.rstrip(". "), "Windows drops these"
        assert part.split(".")[0].rstrip().lower() not in (
            "con",
            "prn",
            "aux",
            "nul",
            "com1",
            "lpt9",
        )
        assert len(part.encode()) <= 120


@given(hostile)
def test_a_safe_name_is_safe_already(name: str) -> None:
    safe = files.safe_name(name)
    assert files.safe_name(safe) == safe


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("img 1.png", "img 1.png"),
        ("a/b\\c.png", "a/b/c.png"),
        ("/etc/passwd", "etc/passwd"),
        ("..\\..\\x", "x"),
        ("a/./../b", "a/b"),
        ("aux.png", "_aux.png"),
        ("con .png", "_con .png"),
        ("猫.png", "猫.png"),
        ("e\u0301.png", "é.png"),
        ("caf\udce9.png", "caf_.png"),
        ("..", "unnamed"),
        ("", "unnamed"),
        (".hidden", ".hidden"),
    ],
)
def test_safe_names(name: str, safe: str) -> None:
    assert files.safe_name(name) == safe


def test_long_names_that_differ_at_the_end_stay_different() -> None:
    one, two = (files.safe_name("x" * 300 + end) for end in "ab")
    assert one != two
    assert one[:100] == two[:100] == "x" * 100


def test_a_path_of_thousands_of_folders_becomes_one_that_systems_take() -> None:
    assert len(files.safe_name("a/" * 3000 + "x").encode()) <= 1024


names_ = st.lists(st.sampled_from(["a", "A", "a-2", "A-2", "a-3", "b", "ß", "ss", "d/a", "D/a"]))


def test_the_way_to_a_file_goes_by_where_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = tmp_path / "here", tmp_path / "there/deep"
    here.mkdir()
    there.mkdir(parents=True)
    monkeypatch.chdir(here)
    assert files.way_to("a.png", tmp_path) == "here/a.png"
    assert files.way_to(tmp_path / "a.png", ".") == "../a.png"
    assert files.way_to("sub/../a.png", "") == "a.png"
    assert files.way_to("..", tmp_path / "x") == f"../../{tmp_path.name}"
    monkeypatch.chdir(there)
    assert files.way_to("a.png", tmp_path) == "there/deep/a.png"
    assert files.way_to(tmp_path / "a.png", ".") == "../../a.png"


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps the folder one is in")
def test_the_way_to_a_file_where_the_current_folder_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert files.way_to(tmp_path / "a/b.png", tmp_path / "c") == "../a/b.png"


@given(names_)
def test_unique_names(names: list[str]) -> None:
    got = files.unique_names(names)
    assert len(got) == len(names)
    assert len({name.casefold() for name in got}) == len(got)
    for before, (name, chosen) in enumerate(zip(names, got, strict=True)):
        first = name.casefold() not in {n.casefold() for n in names[:before]}
        assert (chosen == name) if first else re.fullmatch(re.escape(name) + r"-\d+", chosen)


def test_unique_names_of_many_twins_cost_a_few_steps_each() -> None:
    """A file may name one image 100,000 times: starting to count at 2 each time would not end."""
    steps = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal steps
        steps += event == "c_call"

    names = ["a"] * 1000
    sys.setprofile(count)
    try:
        got = files.unique_names(names)
    finally:
        sys.setprofile(None)
    assert (got[0], got[1], got[-1]) == ("a", "a-2", "a-1000")
    assert steps < 20 * len(names)
