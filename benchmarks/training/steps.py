"""Time and memory of a training step: maskforge's networks beside the same ones elsewhere.

    python benchmarks/training/steps.py [--only default,unet,…] [--rounds N] [--steps N]

A step is forward, backward and update, from uint8 arrays on. Each network runs under two sets of
settings: "plain" (float32, NCHW, cross entropy, torch's AdamW, as torch does it unasked) and
"maskforge" (as `maskforge train` does by default: channels-last, bfloat16 where the machine has it
in hardware, cross entropy plus dice, gradient clipped, the fused AdamW, weights averaged). So rows
of the same settings compare networks, and rows of the same network compare settings.

"textbook" is the same network as tutorials write it, see textbook.py; beside the default network,
whose options tutorials do not know, it is the U-Net of width 32, and so is maskforge's without
options. Of segmentation-models-pytorch and torchvision it is the nearest they have: look at
parameters and GFLOP (forward and backward).

Every turn is a process of its own, and they take turns; the median of all steps counts, and is
compared with maskforge's network under its own settings. Peak MB is that of the process, and on a
GPU what torch took there. Prints Markdown. Time an idle machine.
"""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import common

from maskforge.prediction.config import Config

Network = tuple[str, str, dict[str, Any]]
"""Where it is from, its name there, options: see stepping.py."""

SETTINGS = ("maskforge", "plain")
DEFAULT = Config()


class Case(NamedTuple):
    """Networks that do the same, maskforge's first, on ``batch`` squares of ``size`` pixels."""

    size: int
    batch: int
    networks: dict[str, Network]


CASES = {
    "default": Case(
        DEFAULT.size[0],
        DEFAULT.batch,
        {
            "maskforge": ("maskforge", DEFAULT.network, DEFAULT.options),
            "maskforge, width 32,": ("maskforge", "unet", {"width": 32}),
            "textbook": ("textbook", "UNet", {"width": 32}),
            "smp.Unet": ("smp", "Unet", {"encoder_name": "resnet18"}),
        },
    ),
    "unet": Case(
        256,
        4,
        {
            "maskforge": ("maskforge", "unet", {}),
            "textbook": ("textbook", "UNet", {}),
            "smp.Unet": (
                "smp",
                "Unet",
                {
                    "encoder_name": "vgg13_bn",
                    "encoder_depth": 4,
                    "decoder_channels": [512, 256, 128, 64],
                },
            ),
        },
    ),
    "unet-small": Case(
        128,
        32,
        {
            "maskforge": ("maskforge", "unet-small", {}),
            "textbook": ("textbook", "SmallUNet", {}),
        },
    ),
    "fcn-pyramid": Case(
        256,
        4,
        {
            "maskforge": ("maskforge", "fcn-pyramid", {}),
            "textbook": ("textbook", "PyramidFCN", {}),
            "smp.FPN": ("smp", "FPN", {"encoder_name": "resnet18"}),
        },
    ),
    "fcn8s": Case(
        256,
        4,
        {
            "maskforge": ("maskforge", "fcn8s", {}),
            "torchvision's VGG16": ("textbook", "FCN8s", {}),
            "torchvision": ("torchvision", "fcn_resnet50", {}),
        },
    ),
}


@dataclass
class Turns:
    """What a network under some settings has shown so far."""

    seconds: list[float] = field(default_factory=list)
    peak: float = 0.0
    gpu_mb: float | None = None
    parameters: int = 0
    gflop: float = 0.0

    def take(self, found: dict[str, Any], peak: float) -> None:
        self.seconds += found["seconds"]
        self.peak = max(self.peak, peak)
        self.gpu_mb, self.parameters, self.gflop = (
            found[name] for name in ("gpu_mb", "parameters", "gflop")
        )


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--only", default="", help=f"some of {','.join(CASES)}")
    parser.add_argument("--quick", action="store_true", help="small images, to see that it works")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each (default: 3)")
    parser.add_argument("--steps", type=int, default=5, help="timed steps a turn (default: 5)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
    parser.add_argument("--threads", type=int, default=0, help="of torch; 0: its own choice")
    given = parser.parse_args()
    chosen = given.only.split(",") if given.only else list(CASES)
    if set(chosen) - set(CASES) or min(given.rounds, given.steps) < 1:
        parser.error(f"--only must name some of {list(CASES)}, the counts be at least 1")
    print(f"{common.machine(given.threads)}, on {given.device}")
    for name in chosen:
        # Two images: batch norm needs more than one value a channel.
        case = CASES[name]._replace(size=32, batch=2) if given.quick else CASES[name]
        print(f"\n{_table(name, case, _race(case, given))}", flush=True)


def _race(case: Case, given: Any) -> dict[tuple[str, str], Turns]:
    turns = {(name, settings): Turns() for settings in SETTINGS for name in case.networks}
    for _ in range(given.rounds):
        for (name, settings), taken in turns.items():
            origin, network, options = case.networks[name]
            numbers = {
                "size": case.size,
                "batch": case.batch,
                "steps": given.steps,
                "threads": given.threads,
            }
            command = [origin, network, json.dumps(options), "--settings", settings]
            command += ["--device", given.device]
            command += [word for key, n in numbers.items() for word in (f"--{key}", str(n))]
            taken.take(*common.answered("stepping.py", *command))
    return turns


def _table(title: str, case: Case, turns: dict[tuple[str, str], Turns]) -> str:
    what = f"{title}, {case.batch} of {case.size}x{case.size}"
    heads = [what, "settings", "parameters", "GFLOP", "ms/step", "best", "images/s", "times ours"]
    heads += ["peak MB"]
    on_gpu = any(taken.gpu_mb is not None for taken in turns.values())
    heads += ["GPU MB"] if on_gpu else []
    ours = statistics.median(turns["maskforge", "maskforge"].seconds)
    rows = [heads]
    for (name, settings), taken in turns.items():
        _, network, options = case.networks[name]
        middle = statistics.median(taken.seconds)
        shown = f"{name} {options.get('encoder_name', network)}"
        cells = [shown, settings, f"{taken.parameters:,}", f"{taken.gflop:.1f}"]
        cells += [f"{middle * 1e3:.1f}", f"{min(taken.seconds) * 1e3:.1f}"]
        cells += [f"{case.batch / middle:.1f}", f"{middle / ours:.2f}x", f"{taken.peak:,.0f}"]
        cells += [f"{taken.gpu_mb or 0:,.0f}"] if on_gpu else []
        rows.append(cells)
    return common.table(rows)


if __name__ == "__main__":
    main()
