"""A lock that dies with its process."""

from pathlib import Path

from maskforge.io.lock import Lock


def test_the_lock_of_somebody_else_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    first = Lock(tmp_path / "a/lock")
    assert first.holds
    (tmp_path / "a").rename(tmp_path / "b")
    (tmp_path / "a").mkdir()
    assert not first.holds
    second = Lock(tmp_path / "a/lock")
    assert not first.holds
    first.release()
    assert second.holds
    second.release()
    assert not (tmp_path / "a/lock").exists()
