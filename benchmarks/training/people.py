"""Person segmentation from scratch beside two peers: same data, split, minutes, cores, one run.

    python benchmarks/training/people.py --data DIR --minutes 15

- maskforge: `maskforge train DIR --minutes M`, all else the defaults; then `maskforge evaluate`.
- smp.Unet: random ResNet-18 encoder, in the plain loop of plain.py, at 192 pixels.
- textbook U-Net: 4.4 M parameters, in the same loop, at 160 pixels.
- maskforge, pretrained: with --encoder-weights, the network of --network.

DIR holds images/ and masks/. Everybody gets the pairs that maskforge.datasets finds fit, and the
same fifth is held back. The minutes are of training, loading included; the peers' clock stands
still while they are scored, maskforge's runs on during its own evaluations. Every prediction is
scored at the size of its label image by maskforge.scores.metrics. "best" is the checkpoint with the
highest mIoU on what was held back, which flatters everybody alike; "last" is the end of the run.
The peers choose theirs by the very scores that count, once a minute; maskforge by those at the size
it works at.

Prints Markdown. Time an idle machine.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import common
import numpy as np
import ours

from maskforge.scores import metrics

ENTRANTS = {
    "maskforge": "maskforge, defaults",
    "smp": "smp.Unet, random ResNet-18",
    "textbook": "textbook U-Net",
    "pretrained": "maskforge, {network}, pretrained",
}


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--data", required=True, help="folder of images/ and masks/")
    parser.add_argument("--minutes", type=float, default=15.0, help="for each (default: 15)")
    parser.add_argument("--only", default="", help=f"some of {','.join(ENTRANTS)}")
    parser.add_argument("--encoder-weights", metavar="FILE", help="one more run, pretrained")
    parser.add_argument(
        "--network", default="smp:unet:resnet18", help="of that (default: %(default)s)"
    )
    parser.add_argument("--threads", type=int, default=0, help="of torch; 0: its own choice")
    parser.add_argument("--work", type=Path, help="keep maskforge's runs in this folder")
    given = parser.parse_args()
    chosen = given.only.split(",") if given.only else list(ENTRANTS)
    if set(chosen) - set(ENTRANTS):
        parser.error(f"--only must name some of {list(ENTRANTS)}")
    if not given.encoder_weights:
        chosen = [name for name in chosen if name != "pretrained"]
    print(common.machine(given.threads))
    dataset, train, val = common.data_of(given.data)
    left_out = len(dataset) - len(train) - len(val)
    print(f"{len(train)} pairs to train on, {len(val)} held back, {left_out} unfit", flush=True)
    rows = []
    with common.workplace(given.work) as place:
        for name in chosen:
            print(f"{name} …", file=sys.stderr, flush=True)
            rows.append(_run(name, given, place))
    _same_pixels(rows)
    print(f"\n{common.table([_HEADS, *map(_cells, rows)])}")


def _run(name: str, given: Any, place: Path) -> dict[str, Any]:
    shared = ["--minutes", str(given.minutes), "--threads", str(given.threads)]
    shown = ENTRANTS[name].format(network=given.network)
    if name in ("smp", "textbook"):
        found, peak = common.answered("plain.py", name, given.data, *shared)
        return {"name": shown, "peak": peak, **found}
    arguments = ["--device", "cpu", *shared]
    if name == "pretrained":
        arguments += ["--network", given.network, "--encoder-weights", given.encoder_weights]
    return ours.run(shown, given.data, place / name, arguments)


def _same_pixels(rows: list[dict[str, Any]]) -> None:
    """End the run unless all were scored on the same true pixels of each class."""
    truths = {str(np.sum(m, axis=1)) for row in rows for m in row["matrices"].values()}
    if len(truths) > 1:
        raise SystemExit(f"all must be scored on the same pixels, but the true ones are {truths}")


_HEADS = ["person", "parameters", "minutes", "steps", "images/s", "peak MB"]
_HEADS += [
    f"{score}, {kind}" for score in ("person IoU", "mIoU", "accuracy") for kind in ours.CHECKPOINTS
]


def _cells(row: dict[str, Any]) -> list[str]:
    matrices = [np.array(row["matrices"][kind]) for kind in ours.CHECKPOINTS]
    scores = [float(metrics.iou(matrix)[1]) for matrix in matrices]
    scores += [metrics.mean_iou(matrix) for matrix in matrices]
    scores += [metrics.pixel_accuracy(matrix) for matrix in matrices]
    return [*ours.cells(row), *(f"{score:.3f}" for score in scores)]


if __name__ == "__main__":
    main()
