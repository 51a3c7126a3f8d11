"""Some dozens of the histories that ``make fuzz`` goes through by the thousand."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("signals, limits and audit hooks differ elsewhere", allow_module_level=True)

sys.path.append(str(Path(__file__).parent))
import history
from harness import no_hang

HISTORIES = range(48)


@pytest.mark.parametrize("number", HISTORIES)
def test_nothing_of_the_user_s_is_touched_in_any_history(tmp_path: Path, number: int) -> None:
    if history.is_of_networks(number):
        pytest.importorskip("torch")
    with no_hang():
        _, broken = history.live(number, tmp_path)
    assert not broken, broken


def test_a_history_follows_from_its_number(tmp_path: Path) -> None:
    told = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        lived = history.History(4, tmp_path / name)
        lived.run()
        told.append(lived.story())
    assert told[0] == told[1]
    assert len(told[0].splitlines()) >= 3
