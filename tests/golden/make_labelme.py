"""Make labelme.npz: shapes, and the masks and label images that labelme itself makes of them.

Run by hand, where labelme 6.3.1 is installed with the Pillow that constraints/ pins (labelme is
GPL-3: it is asked for its results, and nothing of it is kept):

    python -m venv /path/to/venv && /path/to/venv/bin/pip install labelme==6.3.1 pillow==13.0.0
    /path/to/venv/bin/python tests/golden/make_labelme.py [FILE [SEED]]

The same versions and seed make the same bytes. The file holds, for N shapes on canvases of 37 x 53:

    labelme, pillow     versions, text
    kinds               names of the shape types
    kind                (N,) index into kinds
    count, points       (N,) and (sum of count, 2) float64 x, y
    patches             bits of the patches of the "mask" shapes, one after the other
    masks               (N, 246) bits of the masks, row-major
    file_shapes         (F, 12) numbers of the shapes in a file, bottom first
    file_classes        (F, 12) their class ids, 0 is the background
    file_labels         (F, 37, 53) uint8 label images
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import labelme
import numpy as np
import PIL
from labelme.utils.shape import shape_to_mask, shapes_to_label
from numpy.typing import NDArray

HEIGHT, WIDTH = 37, 53
SHAPES_OF_A_KIND = 2000
FILES, SHAPES_OF_A_FILE, CLASSES = 150, 12, 4

Points = NDArray[np.float64]
Random = np.random.Generator


def main(file: str = "", seed: str = "631") -> None:
    """Write FILE; by default labelme.npz beside this script."""
    random = np.random.default_rng(int(seed))
    kind, points, patches, masks = [], [], [], []
    for index, make in enumerate(KINDS.values()):
        for _ in range(SHAPES_OF_A_KIND):
            kind.append(index)
            points.append(make(random))
            patches.append(_patch(random, points[-1]) if make is _mask else None)
            shape = _shape(index, points[-1], patches[-1])
            masks.append(shapes_to_label((HEIGHT, WIDTH), [shape], {"1": 1})[0] == 1)
            if make is not _mask:
                alone = shape_to_mask((HEIGHT, WIDTH), shape["points"], shape["shape_type"])
                assert (alone == masks[-1]).all()
    files = random.integers(0, len(kind), (FILES, SHAPES_OF_A_FILE))
    classes = random.integers(0, CLASSES, files.shape)
    labels = [
        shapes_to_label(
            (HEIGHT, WIDTH),
            [_shape(kind[s], points[s], patches[s], str(c)) for s, c in zip(*row, strict=True)],
            {str(c): c for c in range(CLASSES)},
        )[0]
        for row in zip(files.tolist(), classes.tolist(), strict=True)
    ]
    np.savez_compressed(
        file or Path(__file__).with_name("labelme.npz"),
        labelme=labelme.__version__,
        pillow=PIL.__version__,
        kinds=list(KINDS),
        kind=np.array(kind, dtype=np.uint8),
        count=np.array([len(p) for p in points], dtype=np.uint8),
        points=np.concatenate(points),
        patches=np.packbits(np.concatenate([p.ravel() for p in patches if p is not None])),
        masks=np.packbits(np.array(masks).reshape(len(masks), -1), axis=1),
        file_shapes=files.astype(np.uint16),
        file_classes=classes.astype(np.uint8),
        file_labels=np.array(labels, dtype=np.uint8),
    )


def _shape(
    kind: int, points: Points, patch: NDArray[np.bool_] | None, label: str = "1"
) -> dict[str, Any]:
    name = list(KINDS)[kind]
    return {"label": label, "points": points.tolist(), "shape_type": name, "mask": patch}


def _polygon(random: Random) -> Points:
    """Return 3 to 24 vertices: scattered (so self-intersecting) or around a center, some closed."""
    count = int(random.integers(3, 25))
    if random.random() < 0.5:
        unit = random.uniform(-1, 1, (count, 2))
    else:
        angle = np.sort(random.uniform(0, 2 * np.pi, count))
        radius = random.uniform(0.3, 1, count)
        unit = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    points = _placed(random, unit)
    return np.concatenate([points, points[:1]]) if random.random() < 0.1 else points


def _placed(random: Random, unit: Points) -> Points:
    """Return points within ±1 somewhere in or around the canvas, of many sizes and roundings."""
    size = random.choice([0.8, 3, 8, 16, 30, 60, 1000], p=[0.04, 0.1, 0.2, 0.3, 0.2, 0.12, 0.04])
    center = random.uniform(-8, [WIDTH + 8, HEIGHT + 8])
    points = center + unit * size * random.uniform(0.5, 1, 2)
    rounding = random.choice(["none", "cents", "halves", "whole"], p=[0.3, 0.3, 0.1, 0.3])
    if rounding != "none":
        points = (
            np.round(points * 2) / 2
            if rounding == "halves"
            else points.round(2 if rounding == "cents" else 0)
        )
    if np.unique(points, axis=0).shape[0] < min(len(points), 3):
        return _placed(random, unit)  # too small for its rounding: nothing is left of the shape
    return points


def _oriented(random: Random) -> Points:
    angle, (a, b) = random.uniform(0, 2 * np.pi), random.uniform(0.1, 0.7, 2)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return _placed(random, np.array([[-a, -b], [a, -b], [a, b], [-a, b]]) @ turn)


def _pair(random: Random) -> Points:
    while True:
        points = _placed(random, random.uniform(-1, 1, (2, 2)))
        if (points[0] != points[1]).all():
            return points


def _linestrip(random: Random) -> Points:
    return _placed(random, random.uniform(-1, 1, (int(random.integers(2, 8)), 2)))


def _point(random: Random) -> Points:
    return _placed(random, np.zeros((1, 2)))


def _mask(random: Random) -> Points:
    """Return the corners of a patch inside the canvas: labelme 6.3.1 cannot clip one."""
    x = np.sort(random.integers(0, WIDTH, 2))
    y = np.sort(random.integers(0, HEIGHT, 2))
    points = np.array([[x[0], y[0]], [x[1], y[1]]], dtype=np.float64)
    if random.random() < 0.5:  # cut off when drawn
        points += random.uniform(0, 1, (2, 2)).round(2).clip(0, 0.99)
    return points


def _patch(random: Random, points: Points) -> NDArray[np.bool_]:
    (x1, y1), (x2, y2) = points.astype(int)
    patch = random.random((y2 - y1 + 1, x2 - x1 + 1)) < random.choice([0.1, 0.5, 0.9])
    patch[0, 0] = True
    return patch


KINDS: dict[str, Callable[[Random], Points]] = {
    "polygon": _polygon,
    "rectangle": _pair,
    "circle": _pair,
    "line": _pair,
    "linestrip": _linestrip,
    "point": _point,
    "oriented_rectangle": _oriented,
    "mask": _mask,
}


if __name__ == "__main__":
    main(*sys.argv[1:])
