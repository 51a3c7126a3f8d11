"""Ray: the same bytes as one worker, also when workers and machines are killed on the way."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import maskforge
from maskforge.conversion import image
from maskforge.engines import _tasks
from maskforge.errors import UsageError, WriteError

if importlib.util.find_spec("ray") is None:
    pytest.skip("Ray is not installed", allow_module_level=True)

ROOT = Path(maskforge.__file__).parents[1]
SAMPLES = ROOT / "samples"

# Ray stays on this machine, tells nobody that it is used, and writes no token into the home folder.
ALONE = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "disabled",
}

# Functions that travel to other processes must live in a module that these can import.
JOBS = """
import os, time
from pathlib import Path

from maskforge.conversion import image

MARKS = Path(__file__).parent / "marks"

def first_time(name):
    try:
        (MARKS / name).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True

def double(n):
    return 2 * n

def pid(n):
    return os.getpid()

def size(data):
    return len(data), data

def dies_at_3(n):
    if n == 3:
        os._exit(9)
    return n

def raises_at_3(n):
    if n == 3:
        raise RuntimeError("a defect")
    return n

def slow(n):
    (MARKS / f"begun-{n}").touch()
    time.sleep(0.05)
    return n

def dies_when_done(plan, sink, job):
    outcome = image.process(plan, sink, job)
    if job.source.stem in ("park_003", "park_042") and first_time(job.source.stem):
        os._exit(9)
    return outcome

def always_dies_at_3(plan, sink, job):
    if job.source.stem == "park_003":
        os._exit(9)
    return image.process(plan, sink, job)

def waits_for_the_end_of_its_machine(plan, sink, job):
    if job.source.stem == "park_028" and first_time("waits"):
        import ray

        (MARKS / "part").write_text(ray.get_runtime_context().get_node_id())
        (MARKS / "part").rename(MARKS / "doomed")
        time.sleep(600)
    return image.process(plan, sink, job)
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that has the module, where workers find it."""
    folder = tmp_path_factory.mktemp("ray")
    (folder / "jobs_of_ray.py").write_text(JOBS)
    return folder


@pytest.fixture(scope="module")
def _started(place: Path) -> Iterator[None]:
    """A Ray for all tests of this module: to start one takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ALONE.items():
            patch.setenv(name, value)
        patch.setenv("PYTHONPATH", str(place))
        patch.syspath_prepend(place)
        from maskforge.engines import ray

        with ray.Team(2) as team:
            assert {node["NodeManagerAddress"] for node in team._ray.nodes()} == {"127.0.0.1"}
            yield
        assert not team._ray.is_initialized()


@pytest.fixture
def marks(place: Path) -> Iterator[Path]:
    """A folder in which jobs leave files."""
    folder = place / "marks"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def jobs(_started: None, marks: Path) -> Any:
    import jobs_of_ray  # type: ignore[import-not-found]

    return jobs_of_ray


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_tasks, "SHARD", 4)


def lost(job: object) -> str:
    return f"lost {job}"


def answers(work: Any, given: Any) -> list[Any]:
    from maskforge.engines import ray

    with ray.Team(2) as team:
        return list(team.run(work, given, on_death=lost))


def tree(folder: Path) -> dict[str, bytes]:
    """Return the files of an output; not the hidden list, which is no part of "same bytes"."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name[0] != ".")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_answers_come_in_order_from_other_processes(jobs: Any) -> None:
    assert answers(jobs.double, range(31)) == [2 * n for n in range(31)]
    assert answers(jobs.double, []) == []
    found = set(answers(jobs.pid, range(40)))
    assert os.getpid() not in found


def test_large_jobs_and_answers(jobs: Any) -> None:
    data = [bytes([n]) * 1_000_000 for n in range(9)]
    assert answers(jobs.size, data) == [(1_000_000, block) for block in data]


def test_a_job_that_kills_its_worker_costs_itself_only(jobs: Any) -> None:
    assert answers(jobs.dies_at_3, range(9)) == [0, 1, 2, "lost 3", *range(4, 9)]


def test_an_exception_costs_its_job_only(jobs: Any) -> None:
    assert answers(jobs.raises_at_3, range(5)) == [0, 1, 2, "lost 3", 4]


def test_answers_that_nobody_waits_for_are_given_up(jobs: Any, marks: Path) -> None:
    from maskforge.engines import ray

    with ray.Team(2) as team:
        running = team.run(jobs.slow, range(1000), on_death=lost)
        assert next(running) == 0
        running.close()
        assert list(team.run(jobs.double, range(50, 60), on_death=lost)) == list(range(100, 120, 2))
    begun = len(list(marks.glob("begun-*")))
    assert begun <= _tasks.SHARD * _tasks.WINDOW * 2


def test_folders_that_a_machine_does_not_see_end_the_run(jobs: Any) -> None:
    from maskforge.engines import ray

    with ray.Team(2) as team:
        team.needs = ("/nowhere/at/all",)
        with pytest.raises(WriteError, match="must have the folder '/nowhere/at/all'"):
            list(team.run(jobs.double, range(9), on_death=lost))


def test_a_module_that_a_machine_lacks_ends_the_run(
    jobs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "only_here.py").write_text("def work(n): return n")
    monkeypatch.syspath_prepend(tmp_path)
    import only_here  # type: ignore[import-not-found]

    with pytest.raises(WriteError, match=r"a worker could not begin: .*'only_here'"):
        answers(only_here.work, range(9))


CASES: dict[str, dict[str, Any]] = {
    "labelme": {"source": SAMPLES / "labelme", "format": "labelme", "split": [0.8, 0.2]},
    "voc": {"source": SAMPLES / "labelme", "format": "labelme", "layout": "voc", "images": "link"},
    "onehot": {"source": SAMPLES / "via" / "segmentation_train.json", "format": "via"},
    "ochuman": {"source": SAMPLES / "ochuman", "format": "ochuman", "style": "purple-yellow"},
}


@pytest.mark.parametrize("name", CASES)
def test_the_same_bytes_as_one_worker(jobs: Any, tmp_path: Path, name: str) -> None:
    for engine in ("serial", "ray"):
        done = maskforge.convert(
            **CASES[name], out=tmp_path / engine / "out", engine=engine, workers=2
        )
        assert done.records
    assert tree(tmp_path / "ray") == tree(tmp_path / "serial")


def test_a_worker_that_is_killed_before_it_answers_costs_nothing(
    jobs: Any, tmp_path: Path, marks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files are on the shelf, and are put there once more."""
    maskforge.convert(**CASES["labelme"], out=tmp_path / "serial" / "out")
    monkeypatch.setattr(image, "process", jobs.dies_when_done)
    maskforge.convert(**CASES["labelme"], out=tmp_path / "ray" / "out", engine="ray", workers=2)
    assert len(list(marks.iterdir())) == 2
    assert tree(tmp_path / "ray") == tree(tmp_path / "serial")


def test_a_job_that_kills_two_workers_is_a_problem(
    jobs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = maskforge.convert(**CASES["labelme"], out=tmp_path / "whole")
    monkeypatch.setattr(image, "process", jobs.always_dies_at_3)
    done = maskforge.convert(**CASES["labelme"], out=tmp_path / "out", engine="ray", workers=2)
    new = set(done.problems) - set(whole.problems)
    assert [(problem.code, Path(problem.file).stem) for problem in new] == [
        ("worker-died", "park_003")
    ]
    assert len(done.records) == len(whole.records) - 1


def test_an_address_without_a_cluster_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Ray must answer at '127\.0\.0\.1:1', but: .*refused"):
        maskforge.convert(
            **CASES["labelme"],
            out=tmp_path / "out",
            engine="ray",
            engine_options={"address": "127.0.0.1:1"},
        )


def run(code: str, place: Path) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, **ALONE, "PYTHONPATH": os.pathsep.join([str(place), str(ROOT)])}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=variables,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is a thing of POSIX")
def test_a_machine_that_is_killed_costs_nothing(place: Path, marks: Path, tmp_path: Path) -> None:
    """A cluster of two machines, both here, of which one is killed while it works."""
    out = tmp_path / "ray" / "out"
    done = run(
        f"""
        import json, os, threading, time
        from pathlib import Path
        import jobs_of_ray, maskforge
        from maskforge.conversion import image
        from maskforge.engines import _tasks, ray
        os.environ.update(ray._QUIET)  # before the import, as in a run
        from ray.cluster_utils import Cluster

        cluster = Cluster(
            initialize_head=True, head_node_args={{"num_cpus": 0, "include_dashboard": False}}
        )
        machines = [cluster.add_node(num_cpus=1) for _ in range(2)]
        cluster.wait_for_nodes()
        image.process, _tasks.SHARD = jobs_of_ray.waits_for_the_end_of_its_machine, 4

        def kill():
            doomed = Path({str(marks / "doomed")!r})
            while not doomed.exists():
                time.sleep(0.05)
            machine = next(each for each in machines if each.node_id == doomed.read_text())
            cluster.remove_node(machine, allow_graceful=False)
            doomed.rename(doomed.with_name("dead"))

        threading.Thread(target=kill, daemon=True).start()
        done = maskforge.convert(
            {str(SAMPLES / "labelme")!r}, format="labelme", split=[0.8, 0.2], out={str(out)!r},
            engine="ray", engine_options={{"address": cluster.address}}, workers=None,
        )
        assert len(cluster.list_all_nodes()) == 2
        cluster.shutdown()
        """,
        place,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
    assert (marks / "dead").exists()
    maskforge.convert(**CASES["labelme"], out=tmp_path / "serial" / "out")
    assert tree(tmp_path / "ray") == tree(tmp_path / "serial")


def test_a_ray_of_our_own_starts_and_ends_with_the_command(
    place: Path, marks: Path, tmp_path: Path
) -> None:
    """Nothing but the result is on standard output, though workers die."""
    code = f"""
        import sys
        import jobs_of_ray
        from maskforge import cli
        from maskforge.conversion import image
        from maskforge.engines import _tasks
        image.process, _tasks.SHARD = jobs_of_ray.dies_when_done, 4
        sys.argv[1:] = [
            "labelme", {str(SAMPLES / "labelme")!r}, "-o", {str(tmp_path / "ray" / "out")!r},
            "--split", "0.8,0.2", "--engine", "ray", "-j", "2", "--json",
        ]
        try:
            cli.main()
        finally:
            import ray
            assert not ray.is_initialized()
    """
    done = run(code, place)
    assert len(list(marks.iterdir())) == 2
    assert done.stderr == ""
    assert json.loads(done.stdout)
    maskforge.convert(**CASES["labelme"], out=tmp_path / "serial" / "out")
    assert tree(tmp_path / "ray") == tree(tmp_path / "serial")
