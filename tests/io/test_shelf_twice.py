"""Where new files wait: whole for whoever was answered, also when a job is done twice."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from maskforge.io.ownership import digest_of
from maskforge.io.shelf import Put, Shelf

NAME = "masks/a.png"


class Killed(BaseException):
    """What a worker would not live to see."""


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    for name in ("new", "folder"):
        (tmp_path / name).mkdir()
    return Shelf(str(tmp_path / "new"), str(tmp_path / "folder"))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"photograph")
    return path


def waiting(shelf: Shelf) -> dict[str, bytes]:
    files = (path for path in Path(shelf.root).rglob("*") if path.is_file())
    return {path.relative_to(shelf.root).as_posix(): path.read_bytes() for path in files}


def image(shelf: Shelf, photo: Path, *, link: bool = False) -> Put | None:
    return shelf.image(NAME, photo, digest_of(photo), link=link)


def die_at_half(patch: pytest.MonkeyPatch) -> None:
    """Have the next write end midway, as does one whose process is killed."""
    real = os.write

    def write(descriptor: int, data: memoryview) -> int:
        real(descriptor, data[: len(data) // 2])
        raise Killed

    patch.setattr(os, "write", write)


def test_what_a_killed_worker_left_is_made_anew(shelf: Shelf) -> None:
    with pytest.MonkeyPatch.context() as patch:
        die_at_half(patch)
        with pytest.raises(Killed):
            shelf.put(NAME, b"whole")
    assert waiting(shelf) == {NAME: b"wh"}
    put = shelf.put(NAME, b"whole")
    assert waiting(shelf) == {NAME: b"whole"}
    assert shelf.put(NAME, b"whole") == put


@pytest.mark.parametrize("link", [False, True])
def test_an_image_is_put_there_twice(shelf: Shelf, photo: Path, link: bool) -> None:
    put = image(shelf, photo, link=link)
    assert image(shelf, photo, link=link) == put
    assert waiting(shelf) == {NAME: b"photograph"}
    assert Path(shelf.root, NAME).samefile(photo) == link


def test_a_worker_that_was_taken_for_dead_spoils_nothing(shelf: Shelf) -> None:
    """On a machine that was cut off, it still does what another one has done again meanwhile."""
    shelf.put(NAME, b"whole")
    with pytest.MonkeyPatch.context() as patch:
        die_at_half(patch)
        with pytest.raises(Killed):
            shelf.put(NAME, b"whole")
    assert waiting(shelf)[NAME] == b"whole"


@pytest.mark.parametrize("kind", ["file", "image"])
def test_two_workers_do_the_same_at_the_same_time(shelf: Shelf, photo: Path, kind: str) -> None:
    def put(_: int) -> None:
        if kind == "file":
            shelf.put(NAME, b"photograph")
        else:
            image(shelf, photo)
        assert Path(shelf.root, NAME).read_bytes() == b"photograph"

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(put, range(400)))
    assert waiting(shelf) == {NAME: b"photograph"}
