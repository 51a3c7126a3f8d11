"""Street scenes from scratch: mean IoU on what was held back, with the networks that are named.

    python benchmarks/training/street.py --data DIR --minutes 60 [--networks default,fcn8s]
        [-- --batch 8 --lr 1e-3 …]

DIR is a folder such as CamVid's: images/train, images/val, masks/train, masks/val, ids in the
masks. Each network is trained by `maskforge train DIR --labels … --size full --minutes M`, what
stands behind `--` added, and scored by `maskforge evaluate` at full size. "default" is the network
of the default recipe; any other is one of `--network`. The minutes are the training's own clock, in
which its evaluations are. Without --minutes and without a length behind `--` a run has the default
number of epochs. Peak MB is that of the process, without what a GPU holds. Prints Markdown, and a
table of the classes.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import common
import numpy as np
import ours

from maskforge.scores import metrics

# 12 ids in the masks; the last one is not scored, and id 0 is a class like the others.
CAMVID = "0:sky,building,pole,road,pavement,tree,sign,fence,car,pedestrian,bicyclist,void"


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--data", required=True, help="folder of images/ and masks/")
    parser.add_argument("--minutes", type=float, help="for each network")
    parser.add_argument("--networks", default="default,fcn8s", help="(default: %(default)s)")
    parser.add_argument("--labels", default=CAMVID, help="(default: CamVid's, %(default)s)")
    parser.add_argument("--size", default="full", help="as of maskforge train (default: full)")
    parser.add_argument("--work", type=Path, help="keep the runs in this folder")
    parser.add_argument("train", nargs="*", help="options of maskforge train, behind --")
    given = parser.parse_args()
    print(common.machine(0), flush=True)
    rows = []
    with common.workplace(given.work) as place:
        for network in given.networks.split(","):
            print(f"{network} …", file=sys.stderr, flush=True)
            rows.append(_run(network, given, place))
    heads = ["from scratch, street", "parameters", "minutes", "steps", "images/s", "peak MB"]
    heads += [f"{score}, {kind}" for score in ("mIoU", "accuracy") for kind in ours.CHECKPOINTS]
    print(f"\n{common.table([heads, *map(_cells, rows)])}")
    print(f"\n{common.table(_by_class(given.labels, rows))}")


def _run(network: str, given: Any, place: Path) -> dict[str, Any]:
    arguments = ["--size", given.size, *given.train]
    if given.minutes:
        arguments += ["--minutes", str(given.minutes)]
    if network != "default":
        arguments += ["--network", network]
    out = place / network.replace(":", "-")
    return ours.run(network, given.data, out, arguments, labels=given.labels)


def _cells(row: dict[str, Any]) -> list[str]:
    matrices = [np.array(row["matrices"][kind]) for kind in ours.CHECKPOINTS]
    scores = [score(m) for score in (metrics.mean_iou, metrics.pixel_accuracy) for m in matrices]
    return [*ours.cells(row), *(f"{score:.3f}" for score in scores)]


def _by_class(labels: str, rows: list[dict[str, Any]]) -> list[list[str]]:
    """Return the IoU of each class, best checkpoint."""
    columns = [metrics.iou(np.array(row["matrices"]["best"])) for row in rows]
    names = [name.rpartition(":")[2] for name in labels.split(",")][: len(columns[0])]
    lines = zip(names, zip(*columns, strict=True), strict=False)
    body = [[name, *(f"{value:.3f}" for value in values)] for name, values in lines]
    return [["IoU, best", *(row["name"] for row in rows)], *body]


if __name__ == "__main__":
    main()
