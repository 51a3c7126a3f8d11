"""One job after the other."""

from __future__ import annotations

import os

from maskforge.engines import serial


def never(job: int) -> int:
    raise AssertionError("nobody dies here")


def test_answers_come_in_order_from_this_process() -> None:
    with serial.Team(7) as team:
        got = list(team.run(lambda n: (n, os.getpid()), range(5), on_death=never))
    assert got == [(n, os.getpid()) for n in range(5)]


def test_a_job_is_done_when_its_answer_is_asked_for() -> None:
    done: list[int] = []
    answers = serial.Team().run(done.append, range(5), on_death=never)
    assert done == []
    next(answers)
    assert done == [0]
