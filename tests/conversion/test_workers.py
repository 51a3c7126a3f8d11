"""Who does the work: what an engine is told, and how many workers that comes to."""

from __future__ import annotations

from pathlib import Path

import pytest

import maskforge
from maskforge.cli import main
from maskforge.conversion import workers
from maskforge.engines import Options, processes, ray, serial
from maskforge.errors import UsageError


def test_an_engine_is_told_its_own_options_only() -> None:
    assert workers.options("ray", {"address": "head:6379"}) == ray.Options("head:6379")
    assert workers.options("serial", {}) == workers.options(None, {}) == Options()
    with pytest.raises(UsageError, match=r"processes must be given only its own options \[\], but"):
        workers.options("processes", {"address": "head:6379"})
    with pytest.raises(UsageError, match=r"an engine for the options \['address'\], but none was"):
        workers.options(None, {"address": "head:6379"})


def test_it_is_looked_at_before_anything_is_read() -> None:
    with pytest.raises(UsageError, match="must be given only its own options"):
        maskforge.convert("nowhere", format="labelme", engine="ray", engine_options={"port": 6379})


@pytest.mark.parametrize("engine", [[], ["--engine", "serial"]])
def test_an_option_of_another_engine_is_refused(
    engine: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["labelme", str(tmp_path), "--ray-address", "head:6379", *engine])
    assert stop.value.code == 2
    named = engine[1] if engine else "not named"
    assert f"with --engine ray only, but the engine is {named}" in capsys.readouterr().err


def test_few_jobs_are_done_here_and_a_cluster_says_itself_how_many_help(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert isinstance(workers.team(None, None, 1, Options()), serial.Team)
    with workers.team(None, 2, 1, Options()) as team:
        assert isinstance(team, processes.Team)
    monkeypatch.setattr(ray, "Team", lambda count, told: (count, told.address))
    assert workers.team("ray", None, 1000, ray.Options("head:6379")) == (1000, "head:6379")
    assert workers.team("ray", 7, 1000, ray.Options("head:6379")) == (7, "head:6379")
    assert workers.team("ray", None, 10, ray.Options()) == (1, None)
