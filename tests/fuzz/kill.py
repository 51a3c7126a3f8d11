"""Kill -9 in the middle of a conversion, go on with --resume, compare with an undisturbed run."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from corpus import SAMPLES

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

CONVERSIONS: dict[str, tuple[str, ...]] = {
    "labelme": ("labelme", "labelme", "-j", "1"),
    "labelme -j 2": ("labelme", "labelme", "-j", "2"),
    "labelme --layout voc": ("labelme", "labelme", "-j", "1", "--layout", "voc"),
    "labelme --layout labelme -j 2": ("labelme", "labelme", "-j", "2", "--layout", "labelme"),
    "labelme --layout coco": (
        *("labelme", "labelme", "-j", "1", "--layout", "coco", "--split", "0.5"),
    ),
    "one file": (
        *("labelme", "labelme", "-j", "1", "--as", "coco", "--images", "copy", "--split", "0.5"),
    ),
    "via": ("via", "via/drinks.json", "-j", "1"),
    "via -j 2": ("via", "via/drinks.json", "-j", "2"),
    "ochuman": ("ochuman", "ochuman", "--size", "80x80"),
    "coco": ("coco", "coco", "-j", "1"),
    "coco -j 2": ("coco", "coco", "-j", "2"),
}
"""Name → reader, source below the input folder, options. All outputs must be as far from the input
as the undisturbed one, since a manifest tells the way to images that were left where they are."""


def make_input(folder: Path, *, images: int = 100) -> Path:
    """Copy samples to ``folder``, add files with problems, and return it.

    images: of Labelme; with few of them VIA has twelve.
    """
    for name in ("labelme", "via", "ochuman", "coco"):
        shutil.copytree(SAMPLES / name, folder / name, ignore=shutil.ignore_patterns("variants"))
    for path in sorted((folder / "labelme").glob("*.json"))[images:]:
        path.unlink()
    drinks = "segmentation_train.json" if images > 50 else "segmentation_test.json"
    shutil.copy(folder / "via" / drinks, folder / "via" / "drinks.json")
    _add_troubles(folder / "labelme")
    return folder


def _add_troubles(folder: Path) -> None:
    """Add what ends in warnings and errors, below a folder of its own, where names count."""
    inner = folder / "troubles" / "inner"
    inner.mkdir(parents=True)
    square = [[5, 5], [40, 5], [40, 30], [5, 30]]
    shapes = [
        {"label": "person", "points": square},
        {"label": "dog", "points": [[1, 1], [2, 2]]},
        {"label": "ball", "points": [[500, 500], [600, 500], [600, 600]]},
    ]
    sized = {"shapes": shapes, "imagePath": "gone.jpg", "imageData": None}
    sized |= {"imageHeight": 60, "imageWidth": 80}
    (inner / "warned.json").write_text(json.dumps(sized))
    (inner / "WARNED.json").write_text(json.dumps(sized))
    (inner / "broken.json").write_text(json.dumps(sized)[:100])


def command(*arguments: str | Path) -> list[str]:
    """Return the command line that runs maskforge."""
    return [sys.executable, "-m", "maskforge", *map(str, arguments)]


def environment(**more: str) -> dict[str, str]:
    """Return an environment in which the package of this checkout is found."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


def convert(
    folder: Path,
    name: str,
    out: Path,
    *more: str,
    variables: dict[str, str] | None = None,
    file_limit: int | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run one of :data:`CONVERSIONS` to its end.

    variables: of the environment. file_limit: bytes beyond which the system lets no file grow.
    """

    def limit() -> None:
        if file_limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))

    return subprocess.run(
        _line(folder, name, out, *more),
        env=environment(**(variables or {})),
        capture_output=True,
        check=False,
        preexec_fn=limit,
    )


def kill_a_worker(folder: Path, name: str, out: Path) -> bool:
    """Run a conversion and kill one of its workers after the first file; tell if one was killed."""
    process = subprocess.Popen(
        _line(folder, name, out), env=environment(), stdout=subprocess.DEVNULL
    )
    killed = False
    while process.poll() is None:
        if not killed and any(p.suffix in (".png", ".jpg") for p in out.rglob("*")):
            for child in _children(process.pid):
                line = _command_line(child)
                if line and b"resource_tracker" not in line:
                    os.kill(child, signal.SIGKILL)
                    killed = True
                    break
        time.sleep(0.002)
    return killed


def _children(pid: int) -> list[int]:
    try:
        return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
    except OSError:
        return []


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _line(folder: Path, name: str, out: Path, *more: str) -> list[str]:
    reader, source, *options = CONVERSIONS[name]
    return command(reader, folder / source, *options, "-o", target(name, out), "-q", *more)


def target(name: str, out: Path) -> Path:
    """Return the output of a conversion, all of which lies in the folder ``out``."""
    if name == "one file":
        return out / "all.json"
    return out / "all.npy" if name.startswith("via") else out / "masks"


def tree(folder: Path) -> dict[str, bytes]:
    """Return the contents of all files below ``folder``, b"/" for what is none.

    The lists of what maskforge owns are left out: what they are bound to differs by the run.
    """
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else b"/"
        for path in sorted(folder.rglob("*"))
        if not (path.name.startswith(".maskforge-") and path.suffix == ".owned")
    }


def difference(got: dict[str, bytes], wanted: dict[str, bytes]) -> str:
    """Return in words how two trees differ, "" when they are equal."""
    extra, lost = sorted(got.keys() - wanted.keys()), sorted(wanted.keys() - got.keys())
    changed = sorted(name for name in got.keys() & wanted.keys() if got[name] != wanted[name])
    words = []
    for what, names in (("left over", extra), ("missing", lost), ("other bytes", changed)):
        if names:
            words.append(f"{what}: {', '.join(names[:5])}" + (" …" if len(names) > 5 else ""))
    return "; ".join(words)


def kill_after(line: list[str], seconds: float) -> bool:
    """Start ``line``, kill it, not its workers, after ``seconds``; tell if it still ran."""
    process = subprocess.Popen(
        line, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    _wait_for_orphans(process.pid)
    return process.returncode == -signal.SIGKILL


def _wait_for_orphans(group: int, *, seconds: float = 20.0) -> None:
    """Wait until the workers of a killed process have left on their own; they must."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.01)
    os.killpg(group, signal.SIGKILL)
    raise AssertionError(f"workers must leave when their parent is killed, but ran {seconds} s on")


def killed_and_resumed(folder: Path, name: str, seconds: float, wanted: dict[str, bytes]) -> str:
    """Kill one conversion after ``seconds``, resume it, return how it differs from ``wanted``."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        out = Path(scratch, "out")
        out.mkdir()
        kill_after(_line(folder, name, out), seconds)
        return _resumed(folder, name, out, wanted)


def changes(folder: Path, name: str) -> int:
    """Return how many times a conversion changes something in its output folder."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        count = Path(scratch, "count")
        _die_at(0, folder, name, Path(scratch, "out"), count)
        return int(count.read_text())


def killed_at_change(folder: Path, name: str, number: int, wanted: dict[str, bytes]) -> str:
    """Kill before the change ``number``, resume, return how it differs from ``wanted``."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        out = Path(scratch, "out")
        out.mkdir()
        _die_at(number, folder, name, out, Path(scratch, "count"))
        return _resumed(folder, name, out, wanted)


def cut_at_change(
    folder: Path, name: str, number: int, wanted: dict[str, bytes], *, seed: int, standing: bool
) -> str:
    """Cut the power before the change ``number``, resume, return how it differs from ``wanted``.

    standing: an output of other settings stands there, and is being replaced. What the disk had
    lost of the run may leave nothing to resume; then the run is done again.
    """
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        out = Path(scratch, "out")
        out.mkdir()
        before, earlier = tree(folder), {}
        if standing:
            convert(folder, name, out, "--size", "33x21")
            earlier = tree(out)
        arguments = _line(folder, name, out, *(["--overwrite"] if standing else []))[3:]
        program = [str(HERE / "power_cut.py"), str(number), str(seed), str(out), *arguments]
        line = [sys.executable, *program]
        ended = subprocess.run(line, env=environment(), capture_output=True, check=False)
        if ended.returncode != -signal.SIGKILL:
            return "" if ended.returncode in (0, 1) else f"ended with {ended.returncode}"
        if tree(folder) != before:
            return "the input changed"
        between = _placed(tree(out))
        is_between = any(out.rglob("exchange.jsonl"))
        if not is_between and between not in (_placed(earlier), _placed(wanted)):
            return f"neither old nor new: {difference(between, earlier)}"
        ended = convert(folder, name, out, "--resume")
        if ended.returncode == 2 and standing and b"other settings" in ended.stderr:
            ended = convert(folder, name, out, "--overwrite")
        if ended.returncode not in (0, 1):
            return f"--resume ended with {ended.returncode}: {ended.stderr.decode()[-400:]}"
        return difference(tree(out), wanted)


def _placed(found: dict[str, bytes]) -> dict[str, bytes]:
    """Return the files of a tree that are in their places."""
    return {n: data for n, data in found.items() if ".maskforge-" not in n and data != b"/"}


def _die_at(number: int, folder: Path, name: str, out: Path, count: Path) -> None:
    out.mkdir(exist_ok=True)
    arguments = _line(folder, name, out)[3:]
    line = [sys.executable, str(HERE / "die_at.py"), str(number), str(out), str(count), *arguments]
    ended = subprocess.run(line, env=environment(), capture_output=True, check=False)
    if number and ended.returncode != -signal.SIGKILL:
        raise AssertionError(f"must have been killed, but: {ended}")


def _resumed(folder: Path, name: str, out: Path, wanted: dict[str, bytes]) -> str:
    ended = convert(folder, name, out, "--resume")
    if ended.returncode not in (0, 1):
        return f"--resume ended with {ended.returncode}: {ended.stderr.decode()[-400:]}"
    return difference(tree(out), wanted)


def undisturbed(folder: Path, name: str) -> tuple[dict[str, bytes], float]:
    """Return the tree that a conversion makes, and the seconds it took."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        out = Path(scratch, "out")
        out.mkdir()
        begin = time.monotonic()
        ended = convert(folder, name, out)
        if ended.returncode not in (0, 1):
            raise AssertionError(f"the undisturbed run must end well, but: {ended}")
        return tree(out), time.monotonic() - begin


def power(moments: int, *, seed: int) -> int:
    """Cut the power at ``moments`` changes of every conversion; return the exit code."""
    failed = 0
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as scratch:
        folder = make_input(Path(scratch, "input"), images=12)
        for name in CONVERSIONS:
            if "-j 2" in name or "--size" in CONVERSIONS[name]:
                continue
            wanted, _ = undisturbed(folder, name)
            total = changes(folder, name)
            for standing in (False, True):
                found = []
                for number in sorted(rng.sample(range(2, total + 1), min(moments, total - 1))):
                    words = cut_at_change(
                        folder, name, number, wanted, seed=seed, standing=standing
                    )
                    if words:
                        found.append(f"  before change {number} of {total}: {words}")
                beside = " over an output" if standing else ""
                print(f"{name}{beside}: {moments} power cuts, {len(found)} differ", flush=True)
                print("\n".join(found[:10]), end="\n" if found else "", flush=True)
                failed += len(found)
    return 1 if failed else 0


def main(moments: int, *, seed: int) -> int:
    """Kill every conversion at ``moments`` random moments; return the exit code."""
    failed = 0
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as scratch:
        folder = make_input(Path(scratch, "input"))
        for name in CONVERSIONS:
            wanted, seconds = undisturbed(folder, name)
            found = []
            for _ in range(moments):
                moment = rng.uniform(0.1, 1.0) * seconds
                if words := killed_and_resumed(folder, name, moment, wanted):
                    found.append(f"  after {moment:.3f} s: {words}")
            if "-j 2" not in name:  # the changes of workers are not counted
                total = changes(folder, name)
                for number in sorted(rng.sample(range(1, total + 1), min(moments, total))):
                    if words := killed_at_change(folder, name, number, wanted):
                        found.append(f"  before change {number} of {total}: {words}")
            print(f"{name}: {len(wanted)} files, {seconds:.2f} s, {len(found)} differ", flush=True)
            print("\n".join(found[:10]), end="\n" if found else "", flush=True)
            failed += len(found)
    return 1 if failed else 0
