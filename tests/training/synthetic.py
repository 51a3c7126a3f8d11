"""A tiny data set that a tiny network learns: bright boxes on a dark ground, one corner ignored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from maskforge.classes import ClassTable
from maskforge.prediction.config import Config
from maskforge.training.samples import Arrays, Data

CLASSES = ClassTable.from_names(["box"])
SETTINGS = {
    "options": {"width": 4, "depth": 2},
    "size": (),
    "batch": 4,
    "steps": 6,
    "ema": 0.0,
    "evaluate_every": 1,
    "threads": 1,
    "precision": "float32",
}


def config(**changes: object) -> Config:
    """Return the settings of a run that takes a moment."""
    return Config(**{**SETTINGS, **changes})


def pairs(count: int, *, height: int = 18, width: int = 26, seed: int = 0):
    """Return images (height, width, 3) and label images."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        ids = np.zeros((height, width), np.uint8)
        top, left = rng.integers(0, height // 2), rng.integers(0, width // 2)
        ids[top : top + height // 2, left : left + width // 2] = 1
        image = rng.integers(0, 60, (height, width, 3)).astype(np.uint8)
        image[ids == 1] += 150
        ids[:2, -3:] = 255
        made.append((image, ids))
    return made


def data(train: int = 8, val: int = 3, **size: int) -> Data:
    """Return what a network is trained on, in memory."""
    items = pairs(train, **size)
    counts = np.array([np.bincount(ids.ravel(), minlength=2)[:2] for _, ids in items])
    return Data(CLASSES, Arrays(items), Arrays(pairs(val, seed=1, **size)), counts)


def folder(path: Path, count: int = 8) -> Path:
    """Write a data set of files: images/, masks/ and labels.txt."""
    for kind in ("images", "masks"):
        (path / kind).mkdir(parents=True)
    (path / "labels.txt").write_text("box\n")
    for number, (image, ids) in enumerate(pairs(count)):
        Image.fromarray(image).save(path / f"images/{number}.png")
        Image.fromarray(ids).save(path / f"masks/{number}.png")
    return path
