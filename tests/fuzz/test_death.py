"""Sudden death and full disks: what was converted is kept, what was not is done by --resume."""

from __future__ import annotations

import errno
import itertools
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import maskforge
from maskforge.errors import WriteError

if sys.platform != "linux":
    pytest.skip("signals, limits and mounts differ elsewhere", allow_module_level=True)

sys.path.append(str(Path(__file__).parent))
import hostile
import kill
from harness import check_no_half_file, convert, make_space, no_hang

SETTINGS = {"LC_ALL": "C", "LANG": "C", "TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "77"}


@pytest.fixture(autouse=True)
def _no_hang() -> Iterator[None]:
    with no_hang():
        yield


@pytest.fixture
def space(tmp_path: Path) -> Path:
    """A folder with ``in`` for the input and ``out`` for the output."""
    return make_space(tmp_path)


NAMES = ("labelme", "via", "labelme --layout coco", "one file")


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kill.make_input(tmp_path_factory.mktemp("originals") / "input", images=6)


@pytest.fixture(scope="module")
def whole(originals: Path) -> dict[str, tuple[dict[str, bytes], float]]:
    return {name: kill.undisturbed(originals, name) for name in NAMES}


@pytest.fixture
def out(originals: Path) -> Iterator[Path]:
    """An output folder as far from the originals as the undisturbed runs' own."""
    with tempfile.TemporaryDirectory(dir=originals.parent) as scratch:
        folder = Path(scratch, "out")
        folder.mkdir()
        yield folder


@pytest.mark.parametrize(
    ("name", "share"),
    [*itertools.product(NAMES[:2], (0.15, 0.5, 0.9, 1.0))]
    + [(name, share) for name in NAMES[2:] for share in (0.5, 0.95)],
)
def test_killed_at_a_change_and_resumed_gives_the_same_bytes(
    originals: Path, whole: dict[str, tuple[dict[str, bytes], float]], name: str, share: float
) -> None:
    number = max(2, round(kill.changes(originals, name) * share))
    assert kill.killed_at_change(originals, name, number, whole[name][0]) == ""


@pytest.mark.parametrize(
    ("name", "share", "standing"),
    [*itertools.product(NAMES[:2], (0.3, 0.8, 0.95), (False, True))]
    + [(name, 0.9, True) for name in NAMES[2:]],
)
def test_a_power_cut_loses_nothing_and_resume_gives_the_same_bytes(
    originals: Path,
    whole: dict[str, tuple[dict[str, bytes], float]],
    name: str,
    share: float,
    standing: bool,
) -> None:
    number = max(2, round(kill.changes(originals, name) * share))
    said = kill.cut_at_change(originals, name, number, whole[name][0], seed=7, standing=standing)
    assert said == ""


def test_killed_with_two_workers_and_resumed_gives_the_same_bytes(
    originals: Path, whole: dict[str, tuple[dict[str, bytes], float]]
) -> None:
    wanted, seconds = whole["labelme"]
    assert kill.killed_and_resumed(originals, "labelme -j 2", seconds * 0.8, wanted) == ""


def test_a_worker_killed_from_outside_costs_nothing(
    out: Path, originals: Path, whole: dict[str, tuple[dict[str, bytes], float]]
) -> None:
    killed = kill.kill_a_worker(originals, "labelme -j 2", out)
    assert killed
    assert kill.difference(kill.tree(out), whole["labelme"][0]) == ""


@pytest.mark.parametrize("name", ["labelme", "via"])
@pytest.mark.parametrize("more", [("-j", "2"), ("--engine", "processes", "-j", "1"), ()])
def test_workers_locale_umask_and_time_zone_change_no_byte(
    out: Path,
    originals: Path,
    whole: dict[str, tuple[dict[str, bytes], float]],
    name: str,
    more: tuple[str, ...],
) -> None:
    umask = os.umask(0o077)
    try:
        done = kill.convert(originals, name, out, *more, variables=SETTINGS)
    finally:
        os.umask(umask)
    assert done.returncode in (0, 1), done.stderr.decode()
    assert kill.difference(kill.tree(out), whole[name][0]) == ""


# Full disks


@pytest.mark.parametrize(("name", "limit"), [("labelme", 20_000), ("via", 100_000)])
def test_a_file_that_cannot_grow_is_absent_and_made_by_resume(
    out: Path,
    originals: Path,
    whole: dict[str, tuple[dict[str, bytes], float]],
    name: str,
    limit: int,
) -> None:
    done = kill.convert(originals, name, out, file_limit=limit)
    assert done.returncode == 1
    assert b"File too large" in done.stderr
    assert b"Traceback" not in done.stderr
    check_no_half_file(out, whole[name][0])
    kill.convert(originals, name, out, "--resume")
    assert kill.difference(kill.tree(out), whole[name][0]) == ""


@pytest.mark.parametrize("good", [0, 1, 5, 8, 11])
@pytest.mark.parametrize("call", ["write", "replace", "rename", "mkdir", "open"])
def test_a_full_disk_is_told_with_its_cure_and_resume_goes_on(
    space: Path, monkeypatch: pytest.MonkeyPatch, call: str, good: int
) -> None:
    for index in range(4):
        hostile.labelme(space / f"in/{index}.json")
    undisturbed = space / "undisturbed"
    maskforge.convert(space / "in", format="labelme", out=undisturbed)
    real, calls = getattr(os, call), iter(range(1000))

    def full(*arguments: Any, **more: Any) -> Any:
        if next(calls) >= good:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*arguments, **more)

    told = ""
    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        try:
            convert(space)
        except WriteError as error:
            told = str(error)
    assert not told or ("No space left" in told and "resume=True" in told)
    assert told or good > 0
    check_no_half_file(space / "out", kill.tree(undisturbed))
    convert(space, resume=True)
    assert kill.difference(kill.tree(space / "out"), kill.tree(undisturbed)) == ""


def test_a_real_full_disk(
    out: Path, originals: Path, whole: dict[str, tuple[dict[str, bytes], float]]
) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=120k", "none", str(out)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system is not allowed here")
    try:
        done = kill.convert(originals, "labelme", out)
        assert b"only 0.1 MB are free" in done.stderr, "copies are known not to fit"
        assert kill.tree(out) == {}
        # Links become copies on another disk, which nobody has counted.
        done = kill.convert(originals, "labelme", out, "--images", "link")
        assert done.returncode == 1
        assert b"No space left" in done.stderr
        check_no_half_file(out, whole["labelme"][0])
        subprocess.run(["mount", "-o", "remount,size=50m", str(out)], check=True)
        kill.convert(originals, "labelme", out, "--images", "link", "--resume")
        got, wanted = kill.tree(out), dict(whole["labelme"][0])
        for tree in (got, wanted):
            tree["masks/manifest.json"] = tree["masks/manifest.json"].replace(b'"link"', b'"auto"')
        said = kill.difference(got, wanted)
        assert said == "other bytes: masks/manifest.json", "the fingerprint"
    finally:
        subprocess.run(["umount", str(out)], check=True)
