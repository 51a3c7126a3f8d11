"""Images into an output: links, copies, shared blocks."""

import errno
import os

import pytest

from maskforge.io import copying


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(bytes(range(256)) * 5000)
    return path


def test_a_link_is_the_same_file_and_a_copy_is_not(photo, tmp_path):
    assert copying.put(photo, str(tmp_path / "link"), link=True) == "link"
    way = copying.put(photo, str(tmp_path / "copy"), link=False)
    assert way in ("copy", "reflink")
    assert (tmp_path / "link").samefile(photo)
    assert not (tmp_path / "copy").samefile(photo)
    assert (tmp_path / "copy").read_bytes() == photo.read_bytes()


def test_where_no_link_can_be_a_copy_is_made(photo, tmp_path, monkeypatch):
    def refuse(source, target):
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "link", refuse)
    assert copying.put(photo, str(tmp_path / "copy"), link=True) in ("copy", "reflink")
    assert (tmp_path / "copy").read_bytes() == photo.read_bytes()


def test_a_full_disk_is_no_reason_to_copy(photo, tmp_path, monkeypatch):
    def full(source, target):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "link", full)
    with pytest.raises(OSError, match="No space left"):
        copying.put(photo, str(tmp_path / "copy"), link=True)


@pytest.mark.parametrize("link", [True, False])
def test_what_is_there_is_never_written_over(photo, tmp_path, link):
    (tmp_path / "mine").write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        copying.put(photo, str(tmp_path / "mine"), link=link)
    assert (tmp_path / "mine").read_bytes() == b"mine"


def test_blocks_are_shared_where_the_file_system_can(photo, tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")
    asked = []

    def share(target, request, source):
        asked.append(request)
        os.write(target, photo.read_bytes())

    monkeypatch.setattr(fcntl, "ioctl", share)
    monkeypatch.setattr("sys.platform", "linux")
    assert copying.put(photo, str(tmp_path / "copy"), link=False) == "reflink"
    assert (tmp_path / "copy").read_bytes() == photo.read_bytes()
    assert asked == [0x40049409]
    (tmp_path / "trial").mkdir()
    assert copying.can_share(photo, tmp_path / "trial")


@pytest.mark.parametrize("size", [0, 1, 70_000])
def test_where_the_kernel_does_not_copy_we_do(tmp_path, monkeypatch, size):
    def refuse(*_):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    (tmp_path / "photo").write_bytes(bytes(range(256))[:1] * size)
    for name in ("by the kernel", "by us"):
        copying.put(tmp_path / "photo", str(tmp_path / name), link=False)
        assert (tmp_path / name).read_bytes() == (tmp_path / "photo").read_bytes()
        monkeypatch.setattr(os, "sendfile", refuse, raising=False)


def test_a_full_disk_in_the_middle_of_a_copy_is_told(photo, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "sendfile", full, raising=False)
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        copying.put(photo, str(tmp_path / "copy"), link=False)
