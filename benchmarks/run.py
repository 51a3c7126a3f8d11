"""maskforge beside its peers: speed, memory and start-up, from one run on one machine.

    python benchmarks/run.py [--quick] [--only street,…] [--repeats N] [--cache DIR] [--scratch DIR]
                             [--json FILE] [--processor-time] [--here-only]

Prints Markdown. Every entrant works in one thread of one process on the same files, which lie in
the page cache, and their results go to memory where there is a file system for that (creating a
file on ext4 takes 15 to 100 µs, by what was deleted there in the last seconds); entrants take
turns, and the median of the repetitions counts. maskforge is called
as a user calls it, ``maskforge.convert(…, workers=1)``, with all that this does: problems, journal,
manifest. Every result is checked before it is timed (benchmarks/truth.py). What the peers do is
told in benchmarks/peers.py, what the floor is in benchmarks/floor.py. Time an idle machine; where
there is none, ``--processor-time`` leaves out the time that others had.

With MASKFORGE_LABELME_PYTHON, a Python that has labelme 6.3.1, labelme's own functions run as well.

NumPy has several versions of its loops and takes that for the widest SIMD instructions it finds;
the print names them. So that nobody takes this machine's ratios for those of another one, the races
are run once more with NumPy's baseline alone (NPY_DISABLE_CPU_FEATURES), and the rows whose ratio
is another one there are told at the end; ``--here-only`` leaves that out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import measure

from maskforge import __version__

RACES = ("street", "street-jpeg", "spiky", "photographs", "via", "ochuman", "article")
OTHERS = ("workers", "memory", "planning", "regions", "coco", "startup")

MOVED = 0.1
"""A ratio is not promised elsewhere if with NumPy's baseline it is another one by such a part."""


def main() -> None:
    """Run what was asked for, and print it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="few images, to see that it works")
    parser.add_argument("--only", default="", help=f"some of {','.join((*RACES, *OTHERS))}")
    parser.add_argument("--repeats", type=int, default=5, help="timed repetitions (default: 5)")
    parser.add_argument("--cache", type=Path, help="keep the inputs here for the next time")
    parser.add_argument(
        "--scratch", type=Path, default=_memory(), help="put results here (default: %(default)s)"
    )
    parser.add_argument("--json", type=Path, help="write all figures to this file, too")
    parser.add_argument(
        "--processor-time",
        action="store_true",
        help="time the races by the processor's time: for a machine that has other work",
    )
    parser.add_argument("--here-only", action="store_true", help="no second run of the races")
    arguments = parser.parse_args()
    chosen = arguments.only.split(",") if arguments.only else [*RACES, *OTHERS]
    strangers = set(chosen) - {*RACES, *OTHERS}
    if strangers or arguments.repeats < 1:
        parser.error(f"--only must name some of {[*RACES, *OTHERS]}, --repeats be at least 1")
    # Before NumPy and OpenCV are loaded, which look at it then.
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    figures: dict[str, Any] = {"machine": _machine(), "quick": arguments.quick}
    print("Measured on: " + ", ".join(f"{k} {v}" for k, v in figures["machine"].items()))
    if arguments.processor_time:
        print("Races are timed by the processor's time.")
    with tempfile.TemporaryDirectory(prefix="maskforge-bench-", dir=arguments.scratch) as scratch:
        place = Path(scratch)
        cache = arguments.cache or place / "inputs"
        for name in chosen:
            work = _work(name, time.process_time if arguments.processor_time else time.perf_counter)
            figures[name] = work(cache, place, arguments.quick, arguments.repeats)
            if arguments.json:
                arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        races = [name for name in chosen if name in RACES]
        if races and _simd()[1] and not arguments.here_only:
            more = ["--only", ",".join(races), "--repeats", str(arguments.repeats)]
            more += ["--cache", str(cache), "--scratch", str(arguments.scratch)]
            more += ["--quick"] * arguments.quick
            more += ["--processor-time"] * arguments.processor_time
            _promises(figures, more, place / "baseline.json")


def _promises(figures: Mapping[str, Any], options: Sequence[str], found: Path) -> None:
    """Run the races with NumPy's baseline alone, and tell whose ratio is another one there."""
    baseline, features = _simd()
    line = [sys.executable, __file__, *options, "--here-only", "--json", str(found)]
    disabled = {**os.environ, "NPY_DISABLE_CPU_FEATURES": " ".join(features)}
    subprocess.run(line, env=disabled, check=True, stdout=subprocess.DEVNULL)
    elsewhere = json.loads(found.read_text(encoding="utf-8"))
    rows = [["not promised elsewhere", "times faster here", f"with {baseline} alone"]]
    for race in RACES:
        for name, entry in figures.get(race, {}).items():
            here, there = (_ratio(each[race], name) for each in (figures, elsewhere))
            if "against" in entry and abs(there / here - 1) > MOVED:
                rows.append([f"{race}: {name}", f"{here:.1f}x", f"{there:.1f}x"])
    if len(rows) == 1:
        print(f"\nWith NumPy's {baseline} alone every ratio is the same within {MOVED:.0%}.")
    else:
        print(f"\n{measure.table(rows)}")


def _ratio(race: Mapping[str, Any], name: str) -> float:
    """Return how many times faster than its peer an entrant is, by the best turns of both."""
    times = [
        min(race[each]["seconds"]) / race[each]["count"]
        for each in (race[name].get("against", name), name)
    ]
    return times[0] / times[1]


def _simd() -> tuple[str, list[str]]:
    """Return the SIMD instructions of NumPy's baseline, and those found beyond it."""
    import numpy as np

    found = np.show_config(mode="dicts")["SIMD Extensions"]
    return found["baseline"][-1], found.get("found", [])


def _memory() -> Path:
    """Return a folder that lies in memory, else the usual one for temporary files."""
    memory = Path("/dev/shm")
    return memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())


def _work(name: str, clock: Callable[[], float]) -> Callable[[Path, Path, bool, int], Any]:
    if name in RACES:
        return partial(_race, name, clock)
    import coco
    import memory
    import planning
    import regions
    import startup
    import workers

    modules = {
        "workers": workers.run,
        "memory": memory.run,
        "planning": planning.run,
        "regions": regions.run,
        "coco": coco.run,
        "startup": startup.run,
    }
    return modules[name]


def _race(
    name: str, clock: Callable[[], float], cache: Path, place: Path, quick: bool, repeats: int
) -> dict[str, Any]:
    import cases
    import inputs

    counts = inputs.QUICK if quick else inputs.COUNTS
    makers: Mapping[str, Callable[..., Any]] = {
        "via": cases.via,
        "ochuman": cases.ochuman,
        "article": cases.article,
    }
    if name in makers:
        race = makers[name](cache, count=counts["ochuman" if name == "article" else name])
    else:
        race = cases.labelme(name, cache, count=counts[name])
    try:
        measure.race(race.entrants, scratch=place, repeats=repeats, clock=clock)
    finally:
        for close in race.close:
            close()
    rows = [[race.title, "ms/image", "best", "times faster", "times the floor"]]
    found = {entrant.name: entrant for entrant in race.entrants}
    for entrant in race.entrants:
        peer = race.against.get(entrant.name)
        faster = f"{found[peer].median / entrant.median:.1f}x" if peer else ""
        lowest = found[race.floor].median if peer and race.floor else 0
        slower = f"{entrant.median / lowest:.1f}x" if lowest else ""
        rows.append([entrant.name, f"{entrant.median:.2f}", f"{entrant.best:.2f}", faster, slower])
    print(f"\n{measure.table(rows)}", flush=True)
    return {
        entrant.name: {"count": entrant.count, "seconds": entrant.seconds}
        | ({"against": race.against[entrant.name]} if entrant.name in race.against else {})
        for entrant in race.entrants
    }


def _machine() -> dict[str, str]:
    packages = ["numpy", "pillow", "opencv-python-headless", "pycocotools"]
    peers = ("faster-coco-eval", "datumaro", "supervision", "labelformat")
    packages += [name for name in peers if find_spec(name.replace("-", "_"))]
    baseline, features = _simd()
    return {
        "CPU": f"{measure.cpu()} ({os.cpu_count()} cores)",
        "SIMD": " ".join(features[-1:] or [baseline]),
        "Python": sys.version.split()[0],
        "maskforge": __version__,
        **{name: version(name) for name in packages},
    }


if __name__ == "__main__":
    main()
