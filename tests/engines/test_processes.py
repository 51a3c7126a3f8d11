"""Several processes: order, the window, deaths, interrupts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from maskforge.engines import processes

# Functions that travel to other processes must live in a module that these can import.
JOBS = """
import os, time
from pathlib import Path

def double(n):
    return 2 * n

def pid(n):
    return os.getpid()

def size(data):
    return len(data), data

def first_is_slow(job):
    folder, n = job
    if n == 0:
        while not Path(folder, "go").exists():
            time.sleep(0.01)
    Path(folder, f"done-{n}").touch()
    return n

def dies_at_3(n):
    if n == 3:
        os._exit(9)
    return n

def dies_once(job):
    folder, n = job
    mark = Path(folder, "died")
    if n == 3 and not mark.exists():
        mark.touch()
        os._exit(9)
    return n

def always_dies(n):
    os._exit(1)

def raises_at_3(n):
    if n == 3:
        raise RuntimeError("a defect")
    return n

def note_pid(folder):
    Path(folder, f"pid-{os.getpid()}").touch()
    time.sleep(0.05)
    return 0
"""


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    (tmp_path / "jobs_of_engines.py").write_text(JOBS)
    monkeypatch.syspath_prepend(tmp_path)  # spawn hands sys.path on
    import jobs_of_engines  # type: ignore[import-not-found]

    yield jobs_of_engines
    del sys.modules["jobs_of_engines"]


def lost(job: object) -> str:
    return f"lost {job}"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "CHUNK", 2)
    monkeypatch.setattr(processes, "WINDOW", 3)


def run(work: object, jobs: Iterable[object], *, workers: int = 2) -> Iterator[Any]:
    """Yield the answers of a team that does one kind of work and leaves."""
    with processes.Team(workers) as team:
        yield from team.run(work, jobs, on_death=lost)  # type: ignore[arg-type]


def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it did not happen within 20 seconds")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:  # a zombie has ended, though nobody has asked for its exit status
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return not Path("/proc/self").exists()


def test_answers_come_in_order(jobs: object) -> None:
    got = list(run(jobs.double, range(31)))
    assert got == [2 * n for n in range(31)]


def test_no_jobs(jobs: object) -> None:
    assert list(run(jobs.double, [])) == []


def test_work_is_done_elsewhere(jobs: object) -> None:
    found = set(run(jobs.pid, range(12)))
    assert os.getpid() not in found
    assert 1 <= len(found) <= 2


def test_a_team_does_one_kind_of_work_after_the_other(jobs: object) -> None:
    with processes.Team(2) as team:
        first = set(team.run(jobs.pid, range(12), on_death=lost))
        assert list(team.run(jobs.double, range(5), on_death=lost)) == [0, 2, 4, 6, 8]
        assert list(team.run(jobs.dies_at_3, range(5), on_death=lost)) == [0, 1, 2, "lost 3", 4]
        assert list(team.run(jobs.double, range(5), on_death=lost)) == [0, 2, 4, 6, 8]
        assert first & set(team.run(jobs.pid, range(12), on_death=lost))


def test_answers_that_nobody_waits_for_are_not_those_to_the_next_question(jobs: object) -> None:
    with processes.Team(2) as team:
        answers = team.run(jobs.double, range(100), on_death=lost)
        assert next(answers) == 0
        answers.close()
        assert list(team.run(jobs.double, range(50, 60), on_death=lost)) == list(range(100, 120, 2))


def test_jobs_and_answers_larger_than_a_pipe(jobs: object) -> None:
    data = [bytes([n]) * 1_000_000 for n in range(6)]
    got = list(run(jobs.size, data))
    assert got == [(1_000_000, block) for block in data]


def test_a_slow_first_job_holds_the_others_back_and_loses_none(
    jobs: object, tmp_path: Path
) -> None:
    """More jobs than the window holds: memory is bounded, and the rest is done afterwards."""
    total = 60
    asked: list[int] = []

    def source() -> Iterator[tuple[str, int]]:
        for n in range(total):
            asked.append(n)
            if n == 0:
                continue_when_the_window_is_full()
            yield str(tmp_path), n

    def continue_when_the_window_is_full() -> None:
        """Let the first job go on once the other worker has filled the window."""
        script = (
            "import time, sys; from pathlib import Path; p = Path(sys.argv[1])\n"
            "while len(list(p.glob('done-*'))) < 6: time.sleep(0.02)\n"
            "time.sleep(0.3); (p / 'go').touch()"
        )
        watchers.append(subprocess.Popen([sys.executable, "-c", script, str(tmp_path)]))

    watchers: list[subprocess.Popen[bytes]] = []
    got = []
    asked_first = 0
    for answer in run(jobs.first_is_slow, source()):
        asked_first = asked_first or len(asked)
        got.append(answer)
    for watcher in watchers:
        watcher.wait(timeout=20)
    # The window (3 chunks) and a chunk a worker, 2 jobs each.
    assert asked_first <= (3 + 2) * 2
    assert got == list(range(total))


def test_a_job_that_kills_its_worker_costs_itself_only(jobs: object) -> None:
    got = list(run(jobs.dies_at_3, range(9)))
    assert got == [0, 1, 2, "lost 3", 4, 5, 6, 7, 8]


def test_a_worker_that_dies_once_costs_nothing(jobs: object, tmp_path: Path) -> None:
    listed = [(str(tmp_path), n) for n in range(9)]
    assert list(run(jobs.dies_once, listed)) == list(range(9))
    assert (tmp_path / "died").exists()


@pytest.mark.parametrize("is_full", [False, True])
def test_a_worker_that_dies_while_idle_costs_nothing(jobs: object, is_full: bool) -> None:
    """Whether the system takes what is sent to it, or says that nobody reads it."""
    with processes.Team(2) as team:
        assert list(team.run(jobs.double, range(5), on_death=lost)) == [0, 2, 4, 6, 8]
        for worker in team._workers:
            worker.process.kill()
            worker.process.join()
        data = [bytes([n]) * (1_000_000 if is_full else 1) for n in range(6)]
        got = list(team.run(jobs.size, data, on_death=lost))
    assert got == [(len(block), block) for block in data]


def test_when_every_worker_dies_every_job_is_lost(jobs: object) -> None:
    got = list(run(jobs.always_dies, range(3)))
    assert got == ["lost 0", "lost 1", "lost 2"]


def test_an_exception_is_a_death(jobs: object, capfd: pytest.CaptureFixture[str]) -> None:
    got = list(run(jobs.raises_at_3, range(5), workers=1))
    assert got == [0, 1, 2, "lost 3", 4]
    assert "a defect" in capfd.readouterr().err


@pytest.mark.parametrize("end", ["close", "throw"])
def test_no_worker_outlives_an_interrupted_run(jobs: object, tmp_path: Path, end: str) -> None:
    folder = str(tmp_path)
    answers = run(jobs.note_pid, [folder] * 1000)
    next(answers)
    if end == "close":
        answers.close()
    else:
        with pytest.raises(KeyboardInterrupt):
            answers.throw(KeyboardInterrupt)
    workers = [int(path.name.partition("-")[2]) for path in tmp_path.glob("pid-*")]
    assert workers
    assert not any(map(alive, workers))


STARTS = [
    "spawn",
    pytest.param(
        "fork", marks=pytest.mark.skipif(sys.platform != "linux", reason="fork is for Linux")
    ),
]


def program(folder: Path, body: str, start: str = "") -> list[str]:
    """Return the command that runs ``body`` in a process of one thread, with workers by ``start``.

    This process may have threads, of NumPy or of the test runner, and must not be forked.
    """
    script = folder / "parent.py"
    beginning = f"""
        import sys
        sys.path[:0] = {[str(folder), str(Path(processes.__file__).parents[2])]!r}
        import jobs_of_engines as jobs
        from maskforge.engines import processes
        {f"processes._start_method = lambda: {start!r}" if start else ""}
        processes.CHUNK = 2
        if __name__ == "__main__":
    """
    script.write_text(textwrap.dedent(beginning) + textwrap.indent(textwrap.dedent(body), "    "))
    return [sys.executable, str(script)]


@pytest.mark.parametrize("start", STARTS)
def test_all_of_this_holds_however_workers_start(jobs: object, tmp_path: Path, start: str) -> None:
    body = f"""
        folder = {str(tmp_path)!r}
        data = [bytes([n]) * 1_000_000 for n in range(6)]
        with processes.Team(2) as team:
            def answers(work, given):
                return list(team.run(work, given, on_death="lost {{}}".format))
            assert answers(jobs.double, range(31)) == [2 * n for n in range(31)]
            assert answers(jobs.size, data) == [(1_000_000, block) for block in data]
            assert answers(jobs.dies_at_3, range(6)) == [0, 1, 2, "lost 3", 4, 5]
            assert answers(jobs.dies_once, [(folder, n) for n in range(9)]) == list(range(9))
            assert answers(jobs.raises_at_3, range(5)) == [0, 1, 2, "lost 3", 4]
        print("whole")
    """
    done = subprocess.run(
        program(tmp_path, body, start), capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "whole\n"
    assert done.stderr.count("RuntimeError: a defect") == 2


def test_a_process_with_threads_is_not_forked() -> None:
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(processes._start_method).result() == "spawn"


@pytest.mark.skipif(sys.platform != "linux", reason="fork is for Linux")
def test_a_process_of_one_thread_is_forked(jobs: object, tmp_path: Path) -> None:
    command = program(tmp_path, "print(processes._start_method())")
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "fork\n"


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is a thing of POSIX")
@pytest.mark.parametrize("start", STARTS)
def test_workers_leave_when_their_parent_is_killed(
    jobs: object, tmp_path: Path, start: str
) -> None:
    body = f"""
        endless = iter(lambda: {str(tmp_path)!r}, None)
        with processes.Team(2) as team:
            for _ in team.run(jobs.note_pid, endless, on_death=str):
                pass
    """
    parent = subprocess.Popen(program(tmp_path, body, start), stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: len(list(tmp_path.glob("pid-*"))) >= 2)
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    workers = [int(path.name.partition("-")[2]) for path in tmp_path.glob("pid-*")]
    wait_for(lambda: not any(map(alive, workers)))
