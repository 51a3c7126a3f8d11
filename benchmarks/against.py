"""This checkout against another one, such as an earlier version, in interleaved pairs.

    python benchmarks/against.py --other CHECKOUT [--kinds photographs,street-jpeg] [--pairs 7]
                                  [--no-previews]

Each turn is a whole conversion in a process of its own, one worker, to a new folder on the disk
that --scratch names; the ratio of a pair is the other's time to ours, and the median counts. What
this version does beside the other's work is timed within its own run and stated apart: digests of
images and outputs, by which a file is known again, and the one sync before an output is put in
place. Where the other has no ``--images auto``, its ``copy`` runs against it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import inputs
import measure

HERE = Path(__file__).resolve().parents[1]

_DRIVER = """
import json, sys, time
source, out, images, labels, previews = sys.argv[1:]
import maskforge
spent = {"digests": 0.0, "copies": 0.0, "sync": 0.0}

def timed(name, work):
    def run(*given, **more):
        begin = time.perf_counter()
        try:
            return work(*given, **more)
        finally:
            spent[name] += time.perf_counter() - begin
    return run

try:
    try:
        from maskforge.conversion import image
    except ImportError:
        image = None
    if not hasattr(image, "digest_of"):
        from maskforge.conversion import job as image
    from maskforge.io import copying, exchange, images as opened, shelf
except ImportError:
    pass
else:
    for module, name, kind in (
        (image, "digest_of", "digests"), (shelf, "digest", "digests"),
        (shelf, "digest_of", "digests"), (opened, "digest_in", "digests"),
        (copying, "put", "copies"), (exchange, "_sync", "sync"),
    ):
        if hasattr(module, name):
            setattr(module, name, timed(kind, getattr(module, name)))
options = {"labels": labels.split(",")} if labels else {}
options["previews"] = bool(previews)
begin = time.perf_counter()
result = maskforge.convert(source, format="labelme", out=out, images=images, workers=1, **options)
total = time.perf_counter() - begin
assert result.converted, result
print(json.dumps({"total": total, **spent}))
"""


def main() -> None:
    """Run the pairs and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--other", type=Path, required=True, help="a checkout of another version")
    parser.add_argument("--kinds", default="photographs,street-jpeg")
    parser.add_argument("--count", type=int, default=400, help="images (default: 400)")
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--cache", type=Path, help="keep the inputs here for the next time")
    parser.add_argument("--scratch", type=Path, help="put results here")
    parser.add_argument("--no-previews", action="store_true", help="masks and images only")
    given = parser.parse_args()
    previews = "" if given.no_previews else "yes"
    rows = [["images", "--images", "other", "ours", "ratio", "of ours: digests", "copies", "sync"]]
    with tempfile.TemporaryDirectory(prefix="maskforge-bench-", dir=given.scratch) as scratch:
        for kind in given.kinds.split(","):
            source = inputs.make(kind, given.cache or Path(scratch, "inputs"), count=given.count)
            labels = ",".join(inputs.STREET_LABELS) if kind.startswith("street") else ""
            for images in ("none", "link", "auto"):
                pairs = [
                    _pair(given.other, source, Path(scratch, "out"), images, labels, previews)
                    for _ in range(given.pairs + 1)  # the first warms up
                ][1:]
                rows.append(_row(kind, images, pairs, given.count))
    print(f"Measured on: {measure.cpu()}, {given.pairs} pairs of {given.count} images; ms an image")
    print(f"\n{measure.table(rows)}")


def _pair(
    other: Path, source: Path, out: Path, images: str, *more: str
) -> tuple[dict[str, float], dict[str, float]]:
    theirs = "copy" if images == "auto" else images
    return (
        _run(other, source, out, theirs, *more),
        _run(HERE, source, out, images, *more),
    )


def _run(checkout: Path, source: Path, out: Path, images: str, *more: str) -> dict[str, float]:
    shutil.rmtree(out, ignore_errors=True)
    os.sync()  # what the turn before left is not this one's work
    environment = {**os.environ, "PYTHONPATH": str(checkout), "OPENBLAS_NUM_THREADS": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # users' modules are compiled once
    line = [sys.executable, "-c", _DRIVER, str(source), str(out), images, *more]
    done = subprocess.run(line, env=environment, capture_output=True, check=True, cwd=source.parent)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _row(kind: str, images: str, pairs: list[Any], count: int) -> list[str]:
    def middle(which: int, name: str) -> str:
        return f"{1e3 / count * statistics.median(pair[which][name] for pair in pairs):.3f}"

    ratio = statistics.median(theirs["total"] / ours["total"] for theirs, ours in pairs)
    apart = statistics.median(
        theirs["total"] / (ours["total"] - ours["digests"] - ours["sync"]) for theirs, ours in pairs
    )
    return [
        kind,
        images,
        middle(0, "total"),
        middle(1, "total"),
        f"{ratio:.2f} ({apart:.2f} without digests and sync)",
        *(middle(1, name) for name in ("digests", "copies", "sync")),
    ]


if __name__ == "__main__":
    main()
