"""Engines that are not ours: what is lost is done again; what a machine must have. Without any."""

from __future__ import annotations

import os
import re
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from maskforge.engines import _tasks, ray
from maskforge.errors import UsageError, WriteError


class WorkerGone(Exception):
    pass


class MachineGone(WorkerGone):
    pass


class Defect(WorkerGone):
    pass


class NoModule(Defect):
    def __str__(self) -> str:
        return "Traceback\n  …\nno module\n"


class Team(_tasks.Team):
    """Does a task when its answer is asked for; ``deaths`` says what the jobs cost, in order."""

    def __init__(self, at_once: int = 2, **deaths: list[type[Exception]]) -> None:
        self.at_once = at_once
        self.deaths = {int(job.removeprefix("at_")): kinds for job, kinds in deaths.items()}
        self.started: list[list[int]] = []
        self.cancelled: list[Any] = []
        self._start, self._cancel = self._note, self.cancelled.append
        self._failed, self._lost, self._lost_machine = Defect, WorkerGone, (MachineGone,)

    def _note(self, do: Any, jobs: list[int]) -> Any:
        self.started.append(jobs)
        return partial(do, jobs)

    def _get(self, task: Any) -> Any:
        (jobs,) = task.args[-1:]
        for job in jobs:
            if self.deaths.get(job):
                raise self.deaths[job].pop(0)
        return task()

    def _under_way(self, tasks: list[Any], *, wait: bool) -> list[Any]:
        return []

    def leave(self) -> None:
        pass


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    monkeypatch.setattr(_tasks, "SHARD", 3)
    folder = os.getcwd()
    yield
    os.chdir(folder)


def answers(team: Team, work: Any = lambda n: 2 * n, count: int = 8) -> list[Any]:
    return list(team.run(work, range(count), on_death="lost {}".format))


def test_answers_come_in_order() -> None:
    team = Team()
    assert answers(team) == [2 * n for n in range(8)]
    assert team.started == [[0, 1, 2], [3, 4, 5], [6, 7]]
    assert answers(Team(), count=0) == []


@pytest.mark.parametrize(
    ("deaths", "is_lost"),
    [
        ([WorkerGone], False),
        ([WorkerGone, WorkerGone], True),
        ([MachineGone] * 3, False),
        ([WorkerGone, MachineGone], False),
        ([MachineGone] * 4, True),
    ],
)
def test_a_job_is_given_up_that_costs_two_workers(
    deaths: list[type[Exception]], is_lost: bool
) -> None:
    team = Team(at_4=deaths)
    wanted = [2 * n for n in range(8)]
    assert answers(team) == [*wanted[:4], "lost 4" if is_lost else 8, *wanted[5:]]
    assert Counter(map(len, team.started))[3] == 2, "what is lost is done again one by one"


def test_where_work_fails_the_job_is_lost_and_the_log_says_why(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert answers(Team(), lambda n: 6 // (n - 2), 4) == [-3, -6, "lost 2", 6]
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_no_more_tasks_are_under_way_than_there_are_workers() -> None:
    class Slow(Team):
        busy: list[Any] = []  # noqa: RUF012

        def _under_way(self, tasks: list[Any], *, wait: bool) -> list[Any]:
            self.busy = tasks[1:] if wait else [task for task in tasks if task in self.busy]
            return self.busy

        def _note(self, do: Any, jobs: list[int]) -> Any:
            task = super()._note(do, jobs)
            self.busy = [*self.busy, task]
            assert len(self.busy) <= self.at_once
            return task

    team = Slow(2, at_0=[WorkerGone])
    assert answers(team, count=30) == [2 * n for n in range(30)]


def test_tasks_are_ended_that_nobody_waits_for() -> None:
    team = Team()
    running = team.run(lambda n: n, range(30), on_death=str)
    assert next(running) == 0
    running.close()
    assert [task.args[-1] for task in team.cancelled] == team.started[1:]


def test_what_cannot_begin_ends_the_run() -> None:
    with pytest.raises(WriteError, match="a worker could not begin: no module"):
        answers(Team(at_0=[NoModule]))


def test_a_machine_must_see_the_folders() -> None:
    team = Team()
    team.needs = ("/nowhere/at/all",)
    with pytest.raises(WriteError, match=r"must have the folder '/nowhere/at/all', but .* has not"):
        answers(team)


def test_a_machine_must_have_the_same_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def other(self: Team, do: Any, jobs: list[int]) -> Any:
        return partial(_tasks._do, "0.0.0", *do.args[1:], jobs)

    monkeypatch.setattr(Team, "_note", other)
    with pytest.raises(WriteError, match=r"must have maskforge 0\.0\.0, but"):
        answers(Team())


def test_nobody_waits_for_an_address_at_which_nobody_listens() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = "{}:{}".format(*listener.getsockname())
        with pytest.raises(OSError, match="refused"):
            _tasks.reach(address)
        listener.listen()
        _tasks.reach(address)
    for other in (None, "auto"):
        _tasks.reach(other)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (None, "^Ray must start on this machine, but: why$"),
        ("head:1", "^Ray must answer at 'head:1', but: why .*a token may be part of it"),
    ],
)
def test_what_is_said_where_there_is_no_engine(address: str | None, said: str) -> None:
    assert re.search(said, str(_tasks.no_answer("Ray", address, OSError("why"))))


def test_ray_that_is_not_installed_is_told_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    with pytest.raises(UsageError, match=r'is not installed.*pip install "?ray') as told:
        ray.Team(2)
    assert "maskforge" not in told.value.cure
