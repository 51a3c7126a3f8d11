"""A lock that dies with its process."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from maskforge.errors import UsageError
from maskforge.io import lock
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


@pytest.mark.parametrize("is_made_again", [True, False])
def test_a_lock_on_a_file_that_was_removed_meanwhile_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_made_again: bool
) -> None:
    """Who held it before removes the file between our opening and our locking it."""
    path, real, seen = tmp_path / "lock", lock._lock, []

    def late(file: int) -> bool:
        if not seen:
            path.unlink()
            if is_made_again:
                path.touch()
        seen.append(file)
        return real(file)

    monkeypatch.setattr(lock, "_lock", late)
    held = Lock(path)
    assert held.holds
    assert len(seen) == 2
    monkeypatch.setattr(lock, "WAIT_S", 0.0)
    with pytest.raises(UsageError, match="another run is under way in"):
        Lock(path)
    held.release()
    assert not path.exists()


def test_where_the_system_knows_no_locks_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")

    def refuse(file: int, how: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert Lock(tmp_path / "lock").holds


def test_a_lock_is_waited_for_so_long_and_no_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a clock that only waiting moves, by a second each time."""
    now, tried, real = [100.0], [], Lock._acquire
    clock = SimpleNamespace(
        monotonic=lambda: now[0], sleep=lambda _: now.__setitem__(0, now[0] + 1.0)
    )

    def acquire(self: Lock) -> bool:
        tried.append(now[0])
        return real(self)

    held = Lock(tmp_path / "lock")
    monkeypatch.setattr(lock, "time", clock)
    monkeypatch.setattr(Lock, "_acquire", acquire)
    with pytest.raises(UsageError, match="another run is under way in"):
        Lock(tmp_path / "lock")
    assert tried == [100.0, 101.0, 102.0, 103.0, 104.0]
    held.release()
