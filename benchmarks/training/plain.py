"""The peers of people.py: a plain, decent loop around a network that is not maskforge's.

Cross entropy plus dice, AdamW under a one-cycle schedule, bfloat16 autocast where the machine has
it in hardware, channels-last, batches of 16. Images are squeezed once to a square a little larger
than the crop, kept, cropped, mirrored, brightened or darkened. The clock covers loading and
training; it stands still while the network is scored, now and then, to choose the best.

Prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence

import common
import cv2
import numpy as np
import textbook
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from maskforge.datasets import Dataset, Example, load
from maskforge.prediction.config import Config
from maskforge.scores import metrics
from maskforge.training.device import Machine
from maskforge.training.inputs import MEAN, STD
from maskforge.training.models import smp
from maskforge.training.schedules import one_cycle

SIZES = {"textbook": 160, "smp": 192}
BATCH = 16
LR = 2e-3
LOOK_SECONDS = 60.0
"""Time between two looks at the scores."""

ROOM = 1.15
"""Side of the images that are kept over that of the crop."""

FINE = 100_000
Matrix = NDArray[np.int64]


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("network", choices=list(SIZES), help="U-Net of 4.4 M, or smp.Unet resnet18")
    parser.add_argument("data", help="folder of images and masks")
    parser.add_argument("--minutes", type=float, default=15.0, help="(default: 15)")
    parser.add_argument("--threads", type=int, default=0, help="of torch; 0: its own choice")
    given = parser.parse_args()
    machine = Machine.of(Config(device="cpu", threads=given.threads))
    torch.manual_seed(common.SEED)
    dataset, train, val = common.data_of(given.data)
    size, classes = SIZES[given.network], len(dataset.classes)
    network: nn.Module = (
        textbook.UNet(classes, width=24)
        if given.network == "textbook"
        else smp.load_library().Unet("resnet18", encoder_weights=None, classes=classes)
    )
    network.to(memory_format=torch.channels_last)

    def score() -> Matrix:
        network.eval()
        found = common.judged(dataset, val, lambda image: predict(network, image, size, machine))
        network.train()
        return found

    seconds, looks = fit(
        network.train(),
        lambda: batches(dataset, train, size),
        ignore_index=dataset.classes.ignore_index,
        machine=machine,
        budget=60 * given.minutes,
        score=score,
    )
    steps = looks[-1][0]
    found = {
        "parameters": sum(p.numel() for p in network.parameters()),
        "steps": steps,
        "seconds": seconds,
        "images_per_second": steps * BATCH / seconds,
        "matrices": {
            "best": max((matrix for _, matrix in looks), key=metrics.mean_iou).tolist(),
            "last": looks[-1][1].tolist(),
        },
    }
    sys.stdout.write(json.dumps(found) + "\n")


def fit(
    network: nn.Module,
    data: Callable[[], Iterator[tuple[Tensor, Tensor]]],
    *,
    ignore_index: int,
    machine: Machine,
    budget: float,
    score: Callable[[], Matrix],
) -> tuple[float, list[tuple[int, Matrix]]]:
    """Train for ``budget`` seconds; return those taken, and step and confusion matrix of each look.

    The last look is at the end.
    """
    optimizer = torch.optim.AdamW(network.parameters(), lr=LR, weight_decay=1e-2)
    looks: list[tuple[int, Matrix]] = []
    steps, paused, begin = 0, 0.0, time.perf_counter()
    stream = data()
    while (seconds := time.perf_counter() - begin - paused) < budget:
        if seconds > (len(looks) + 1) * LOOK_SECONDS:
            stopped = time.perf_counter()
            looks.append((steps, score()))
            paused += time.perf_counter() - stopped
        for group in optimizer.param_groups:
            group["lr"] = LR * one_cycle(int(seconds / budget * FINE), FINE)
        images, targets = next(stream)
        optimizer.zero_grad()
        with machine.autocast():
            logits = network(images)
        loss_of(logits.float(), targets, ignore_index).backward()
        optimizer.step()
        steps += 1
    return seconds, [*looks, (steps, score())]


def batches(
    dataset: Dataset, examples: Sequence[Example], size: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield images (N, 3, size, size) and targets without end, changed at random."""
    side = round(size * ROOM)
    loaded = (load(example, dataset) for example in examples)
    kept = [
        (
            cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA),
            cv2.resize(label_image, (side, side), interpolation=cv2.INTER_NEAREST),
        )
        for image, label_image in loaded
    ]
    rng = np.random.default_rng(common.SEED)
    order: list[int] = []
    while True:
        while len(order) < BATCH:
            order += rng.permutation(len(kept)).tolist()
        chosen, order = order[:BATCH], order[BATCH:]
        pairs = [_changed(*kept[number], size, rng) for number in chosen]
        images = _normalized(np.stack([image for image, _ in pairs]))
        factor = torch.from_numpy(rng.uniform(0.7, 1.3, (BATCH, 1, 1, 1)).astype(np.float32))
        targets = torch.from_numpy(np.stack([label_image for _, label_image in pairs])).long()
        yield images * factor, targets


def _changed(
    image: common.Image, label_image: common.LabelImage, size: int, rng: np.random.Generator
) -> tuple[common.Image, common.LabelImage]:
    top, left = rng.integers(0, image.shape[0] - size + 1, 2)
    cut = slice(top, top + size), slice(left, left + size)
    step = 1 if rng.random() < 0.5 else -1
    return image[cut][:, ::step], label_image[cut][:, ::step]


def _normalized(images: NDArray[np.uint8]) -> Tensor:
    scaled = (images.astype(np.float32) / 255 - np.float32(MEAN)) / np.float32(STD)
    return torch.from_numpy(scaled).permute(0, 3, 1, 2)  # channels-last as it is


def loss_of(logits: Tensor, targets: Tensor, ignore_index: int) -> Tensor:
    """Return cross entropy plus dice."""
    entropy = F.cross_entropy(logits, targets, ignore_index=ignore_index)
    known = (targets != ignore_index)[:, None]
    truth = F.one_hot(targets * known[:, 0], logits.shape[1]).movedim(-1, 1) * known
    found = logits.softmax(dim=1) * known
    hits, both = (found * truth).sum(dim=(0, 2, 3)), (found + truth).sum(dim=(0, 2, 3))
    return entropy + 1 - ((2 * hits + 1) / (both + 1)).mean()


def predict(
    network: nn.Module, image: common.Image, size: int, machine: Machine
) -> common.LabelImage:
    """Return the label image of ``image``, squeezed as in training, scores stretched back."""
    small = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
    with torch.inference_mode(), machine.autocast():
        [logits] = network(_normalized(small[None])).float().softmax(dim=1).numpy()
    height, width = image.shape[:2]
    return np.array([cv2.resize(plane, (width, height)) for plane in logits]).argmax(axis=0)


if __name__ == "__main__":
    main()
