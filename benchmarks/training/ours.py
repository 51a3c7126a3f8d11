"""A training run of maskforge through its command line, from the data to judged checkpoints."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import common

CHECKPOINTS = ("best", "last")

_PARAMETERS = """
import sys
from pathlib import Path
from maskforge.training import checkpoint
path = Path(sys.argv[1])
print(sum(p.numel() for p in checkpoint.network(checkpoint.load(path), path=path).parameters()))
"""


def run(
    name: str, data: str, out: Path, arguments: Sequence[str], *, labels: str | None = None
) -> dict[str, Any]:
    """Train with ``arguments`` and evaluate both checkpoints on what was held back.

    Steps and images a second are those of the training's own clock, in which its evaluations are.
    """
    meaning = [] if labels is None else ["--labels", labels]
    maskforge = [sys.executable, "-m", "maskforge"]
    # 1: finished, but the data have problems, such as masks that do not fit their images.
    command = [*maskforge, "train", data, "-o", out, "--overwrite", *meaning, *arguments]
    _, peak = common.started(command, fine=(0, 1))
    last = list(csv.DictReader((out / "history.csv").read_text(encoding="utf-8").splitlines()))[-1]
    batch = json.loads((out / "config.json").read_text(encoding="utf-8"))["batch"]
    steps, seconds = int(last["step"]), float(last["seconds"])
    parameters, _ = common.started([sys.executable, "-c", _PARAMETERS, out / "last.pt"])
    matrices = {}
    for kind in CHECKPOINTS:
        command = [*maskforge, "evaluate", out / f"{kind}.pt", data, "--part", "val", "--json"]
        scores, _ = common.started([*command, *meaning], fine=(0, 1))
        matrices[kind] = json.loads(scores)["confusion_matrix"]
    return {
        "name": name,
        "parameters": int(parameters),
        "steps": steps,
        "seconds": seconds,
        "images_per_second": steps * batch / seconds,
        "peak": peak,
        "matrices": matrices,
    }


def cells(row: dict[str, Any]) -> list[str]:
    """Return name, parameters, minutes, steps, images a second and peak, as text."""
    return [
        row["name"],
        f"{row['parameters']:,}",
        f"{row['seconds'] / 60:.1f}",
        f"{row['steps']:,}",
        f"{row['images_per_second']:.1f}",
        f"{row['peak']:,.0f}",
    ]
