"""Is the loader ever the bottleneck? Images a second with loading and without.

    python benchmarks/training/loading.py [--data DIR] [--steps N] [--rounds N]

Two networks, the default one and the smallest (unet-small at 128 pixels), each trained in steps of
maskforge's defaults on

- one batch again and again: no loading at all,
- the loader, images decoded and resized once and kept (what --cache is for),
- the loader, each image decoded and resized again every time (--cache 0);

and the loader alone, nothing trained. All augment as by default. "waiting" is the time in which a
step stood still for its batch. DIR is a folder of images/ and masks/; without it, 96 photographs of
640x480 are drawn. Turns are taken, the median counts. Prints Markdown. Time an idle machine.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import common
import cv2
import inputs
import numpy as np
from stepping import Stepper

from maskforge.datasets import check, open_dataset, split
from maskforge.prediction.config import Config
from maskforge.training import checkpoint, samples
from maskforge.training import loader as batches

COUNT = 96
DEFAULT = Config()
CONFIGS = {
    "default": DEFAULT,
    "unet-small": replace(DEFAULT, network="unet-small", options={}, size=(128,)),
}


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--data", type=Path, help="folder of images/ and masks/")
    parser.add_argument("--only", default="", help=f"some of {','.join(CONFIGS)}")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each (default: 3)")
    parser.add_argument("--steps", type=int, default=10, help="steps a turn (default: 10)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
    parser.add_argument("--threads", type=int, default=0, help="of torch; 0: its own choice")
    given = parser.parse_args()
    chosen = given.only.split(",") if given.only else list(CONFIGS)
    if set(chosen) - set(CONFIGS) or min(given.rounds, given.steps) < 1:
        parser.error(f"--only must name some of {list(CONFIGS)}, the counts be at least 1")
    print(f"{common.machine(given.threads)}, on {given.device}", flush=True)
    with common.workplace(None) as place:
        data = given.data or _drawn(place)
        for name in chosen:
            config = replace(CONFIGS[name], device=given.device, threads=given.threads)
            rows = _measured(config, data, given.rounds, given.steps)
            size = config.size[0]
            heads = [f"{name}, {config.batch} of {size} px", "images/s", "best", "waiting"]
            print(f"\n{common.table([heads, *rows])}", flush=True)


def _drawn(folder: Path) -> Path:
    """Return a folder of photographs, each with a person-like blob as its mask."""
    random = np.random.default_rng(common.SEED)
    images, masks = folder / "images", folder / "masks"
    images.mkdir()
    masks.mkdir()
    drawn = inputs.photographs(random, COUNT, height=480, width=640, grain=9)
    for number, image in enumerate(drawn):
        image.save(images / f"{number:03}.jpg", quality=92)
        mask = np.zeros((480, 640), np.uint8)
        x, y = random.uniform(150, 490), random.uniform(150, 330)
        points = inputs.blob(random, x=x, y=y, radius=150, count=30)
        cv2.fillPoly(mask, [points.astype(np.int32)], [1])
        cv2.imwrite(str(masks / f"{number:03}.png"), mask)
    return folder


def _measured(config: Config, folder: Path, rounds: int, steps: int) -> list[list[str]]:
    found = check(split(open_dataset(folder), val=config.val, seed=config.seed))
    kept, decoded = (samples.from_dataset(found, replace(config, cache=c)) for c in (4096, 0))
    for number in range(len(kept.train)):
        kept.train[number]
    network = checkpoint.build(config, kept.classes)
    config = replace(config, crop=batches.middle_size(kept.train, int(network.divisor)))
    stepper = Stepper(network, "maskforge", config)

    def loader(data: samples.Data) -> Iterator[batches.Batch]:
        return batches.training_batches(
            data.train,
            config,
            ignore_index=data.classes.ignore_index,
            workers=stepper.machine.workers,
        )

    first = next(loader(kept))
    sources: dict[str, Callable[[], Iterator[batches.Batch]]] = {
        "one batch": lambda: itertools.repeat(first),
        "loader, kept": lambda: loader(kept),
        "loader, decoded again": lambda: loader(decoded),
    }
    turns: dict[str, list[tuple[float, float]]] = {}
    for number in range(rounds + 1):
        for name, source in sources.items():
            ways = {name: stepper} | ({f"{name}, alone": None} if name != "one batch" else {})
            for shown, way in ways.items():
                taken = _turn(source(), way, steps)
                if number:  # the first one makes ready
                    turns.setdefault(shown, []).append(taken)
    return [_row(name, config.batch * steps, taken) for name, taken in turns.items()]


def _turn(stream: Iterator[Any], stepper: Stepper | None, steps: int) -> tuple[float, float]:
    """Return seconds of ``steps`` batches, and how many of them were spent waiting for a batch."""
    for _ in range(2):  # what was loaded ahead, while nothing was trained, does not count
        batch = next(stream)
    waited, begin = 0.0, time.perf_counter()
    for _ in range(steps):
        asked = time.perf_counter()
        batch = next(stream)
        waited += time.perf_counter() - asked
        if stepper is not None:
            stepper.step(batch.images, batch.targets)
    if stepper is not None:
        stepper.wait()
    seconds = time.perf_counter() - begin
    if not isinstance(stream, itertools.repeat):
        stream.close()
    return seconds, waited


def _row(name: str, count: int, turns: list[tuple[float, float]]) -> list[str]:
    seconds = [taken for taken, _ in turns]
    waiting = "" if name.endswith("alone") else f"{_share(turns):.1%}"
    rates = f"{count / statistics.median(seconds):.1f}", f"{count / min(seconds):.1f}"
    return [name, *rates, waiting]


def _share(turns: list[tuple[float, float]]) -> float:
    return statistics.median(waited / seconds for seconds, waited in turns)


if __name__ == "__main__":
    main()
