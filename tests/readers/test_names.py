"""What an image is called, and where it should be."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskforge.errors import ReadError
from maskforge.readers._names import image_name, image_path, shorten


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("a.jpg", "a.jpg"),
        ("a/b.jpg", "a/b.jpg"),
        ("../a/b.jpg", "../a/b.jpg"),
        ("./a\\b.jpg", "a/b.jpg"),
        ("50%20off #1.jpg", "50%20off #1.jpg"),
        ("http://host/x/a%20b.jpg?size=3#top", "a b.jpg"),
        ("file:///home/me/c.jpg", "c.jpg"),
        ("/home/me/c.jpg", "c.jpg"),
        ("C:\\pictures\\c.jpg", "c.jpg"),
    ],
)
def test_names(filename: str, name: str) -> None:
    assert image_name(filename) == name


@pytest.mark.parametrize(
    "filename",
    ["", ".", "..", "./", "a/", "x/..", "http://host/", "http://h/%2f", "a\0b", "\ud800"],
)
def test_what_names_nothing(filename: str) -> None:
    with pytest.raises(ReadError, match="filename must name an image file, but got"):
        image_name(filename)


@given(
    st.text(alphabet="ab./\\:%2fCF?#\0", max_size=12), st.sampled_from(["", "http://", "/", "c:/"])
)
def test_a_name_is_relative_and_ends_in_a_file(text: str, start: str) -> None:
    try:
        name = image_name(start + text)
    except ReadError:
        return
    assert not name.startswith("/")
    assert "\\" not in name
    assert name.rpartition("/")[2] not in ("", ".", "..")


def test_an_image_is_beside_the_file_if_it_is_nowhere(tmp_path: Path) -> None:
    assert image_path(tmp_path, "a.jpg", references=()) == tmp_path / "a.jpg"
    assert image_path(tmp_path, "a.jpg", references=("b/a.jpg",)) == tmp_path / "a.jpg"
    assert image_path(tmp_path, "a", references=("\0", "b" * 5000)) == tmp_path / "a"


def test_the_first_reference_that_exists_is_taken(tmp_path: Path) -> None:
    there = tmp_path / "x y" / "a.jpg"
    there.parent.mkdir()
    there.touch()
    url = "file://" + str(there).replace(" ", "%20")
    for reference in (str(there), url, "x y\\a.jpg"):
        found = image_path(tmp_path, "a.jpg", references=("http://host/a.jpg", reference))
        assert found.samefile(there)
    (tmp_path / "a.jpg").touch()
    assert image_path(tmp_path, "a.jpg", references=(url,)) == tmp_path / "a.jpg"


def test_shorten_keeps_the_ends() -> None:
    assert shorten("x" * 60) == "x" * 60
    assert len(shorten("a" + "x" * 100 + "b")) == 60
    assert (shorten("a" + "x" * 100 + "b")[0], shorten("a" + "x" * 100 + "b")[-1]) == ("a", "b")


@pytest.mark.parametrize(
    ("named", "found"),
    [
        (r"file:.\set1\a b.jpg", "set1/a b.jpg"),
        ("file:set1/a%20b.jpg", "set1/a b.jpg"),
        ("file:///home/me/a%20b.jpg", "a b.jpg"),
    ],
)
def test_a_file_url_names_what_it_leads_to(named: str, found: str) -> None:
    assert image_name(named) == found
