"""What glibc keeps while a network is trained, and gives back at the end."""

from __future__ import annotations

import subprocess
import sys

import pytest

from maskforge.training import memory

HELD = """
import sys
import numpy as np
from maskforge.training import memory

PAGE = 4096


def held():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * PAGE


def used():
    array = np.ones(100_000_000, dtype=np.uint8)
    return int(array[-1])


used()
before = held()
with memory.kept():
    used()
    inside = held() - before
after = held() - before
used()
print(inside, after, held() - before)
"""


@pytest.mark.skipif(memory._glibc() is None, reason="not the GNU C library")
def test_what_is_freed_is_kept_until_the_end() -> None:
    line = [sys.executable, "-c", HELD]
    found = subprocess.run(line, check=True, capture_output=True, text=True).stdout
    inside, after, later = map(int, found.split())
    assert inside > 90_000_000
    assert after < 10_000_000
    assert later < 10_000_000


def test_elsewhere_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.sys, "platform", "darwin")
    assert memory._glibc() is None
    with memory.kept():
        pass


def test_it_ends_with_an_error_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    class Libc:
        told: list[object] = []  # noqa: RUF012

        def mallopt(self, option: int, value: int) -> int:
            self.told.append((option, value))
            return 1

        def malloc_trim(self, pad: int) -> int:
            self.told.append("trimmed")
            return 1

    libc = Libc()
    monkeypatch.setattr(memory, "_glibc", lambda: libc)
    with pytest.raises(KeyboardInterrupt), memory.kept():
        raise KeyboardInterrupt
    assert libc.told[:2] == [(-4, 0), (-1, 2**31 - 1)]
    assert libc.told[2:] == [(-4, 65536), (-3, 1 << 25), (-1, 1 << 26), "trimmed"]
