"""maskforge beside its peers: speed, memory and start-up, from one run on one machine.

    python benchmarks/run.py [--quick] [--only street,…] [--repeats N] [--cache DIR] [--scratch DIR]
                             [--json FILE]

Prints Markdown. Every entrant works in one thread of one process on the same files, which lie in
the page cache, and their results go to memory where there is a file system for that (creating a
file on ext4 takes 15 to 100 µs, by what was deleted there in the last seconds); entrants take
turns, and the median of the repetitions counts. maskforge is called
as a user calls it, ``maskforge.convert(…, workers=1)``, with all that this does: problems, journal,
manifest. Every result is checked before it is timed (benchmarks/truth.py). What the peers do is
told in benchmarks/peers.py, what the floor is in benchmarks/floor.py. Time an idle machine.

With MASKFORGE_LABELME_PYTHON, a Python that has labelme 6.3.1, labelme's own functions run as well.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import measure

from maskforge import __version__

RACES = ("street", "street-jpeg", "spiky", "photographs", "via", "ochuman", "article")
OTHERS = ("workers", "memory", "planning", "startup")


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
    arguments = parser.parse_args()
    chosen = arguments.only.split(",") if arguments.only else [*RACES, *OTHERS]
    strangers = set(chosen) - {*RACES, *OTHERS}
    if strangers or arguments.repeats < 1:
        parser.error(f"--only must name some of {[*RACES, *OTHERS]}, --repeats be at least 1")
    # Before NumPy and OpenCV are loaded, which look at it then.
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    figures: dict[str, Any] = {"machine": _machine(), "quick": arguments.quick}
    print("Measured on: " + ", ".join(f"{k} {v}" for k, v in figures["machine"].items()))
    with tempfile.TemporaryDirectory(prefix="maskforge-bench-", dir=arguments.scratch) as scratch:
        place = Path(scratch)
        cache = arguments.cache or place / "inputs"
        for name in chosen:
            work = _work(name)
            figures[name] = work(cache, place, arguments.quick, arguments.repeats)
            if arguments.json:
                arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def _memory() -> Path:
    """Return a folder that lies in memory, else the usual one for temporary files."""
    memory = Path("/dev/shm")
    return memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())


def _work(name: str) -> Callable[[Path, Path, bool, int], Any]:
    if name in RACES:
        return lambda cache, place, quick, repeats: _race(name, cache, place, quick, repeats)
    import memory
    import planning
    import startup
    import workers

    modules = {
        "workers": workers.run,
        "memory": memory.run,
        "planning": planning.run,
        "startup": startup.run,
    }
    return modules[name]


def _race(name: str, cache: Path, place: Path, quick: bool, repeats: int) -> dict[str, Any]:
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
        measure.race(race.entrants, scratch=place, repeats=repeats)
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
    return {e.name: {"count": e.count, "seconds": e.seconds} for e in race.entrants}


def _machine() -> dict[str, str]:
    packages = ("numpy", "pillow", "opencv-python-headless", "pycocotools")
    return {
        "CPU": f"{measure.cpu()} ({os.cpu_count()} cores)",
        "Python": sys.version.split()[0],
        "maskforge": __version__,
        **{name: version(name) for name in packages},
    }


if __name__ == "__main__":
    main()
