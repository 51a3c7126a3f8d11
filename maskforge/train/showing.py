"""The files of a run that people look at: settings, history, curves, and a few images each time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from maskforge import files, preview
from maskforge.datasets import list_text
from maskforge.train import history, report
from maskforge.train.augment import LabelImage
from maskforge.train.config import Config
from maskforge.train.history import Row
from maskforge.train.items import Data

IMAGES = 4
"""Validation images that are shown after each evaluation, the same each time."""


def write_setup(out: Path, config: Config, data: Data) -> None:
    """Write ``config.json``, ``labels.txt``, and which images are trained on and held back."""
    files.write(out / "config.json", config.to_json().encode())
    files.write(out / "labels.txt", list_text(data.classes, data.shown).encode())
    for name, items in (("train.txt", data.train), ("val.txt", data.val)):
        text = "".join(f"{item}\n" for item in items.names)
        files.write(out / name, text.encode("utf-8", "surrogateescape"))


def write_progress(
    out: Path,
    rows: Sequence[Row],
    data: Data,
    predictions: Mapping[int, LabelImage],
    *,
    epoch: int,
) -> Path | None:
    """Write ``history.csv``, ``curves.png`` and, of the predictions, ``previews/epoch_NNN.png``.

    Returns the path of the latter, None without predictions.
    """
    history.write_csv(out / "history.csv", rows)
    files.write(out / "curves.png", preview.encode(report.curves(rows), suffix=".png"))
    if not predictions:
        return None
    pictures = []
    for number, prediction in sorted(predictions.items()):
        image, truth = data.val[number]
        pictures.append(
            report.comparison(
                image,
                truth,
                prediction,
                classes=data.classes,
                title=data.val.names[number],
                background=data.shown[0],
            )
        )
    path = out / "previews" / f"epoch_{epoch:03d}.png"
    files.write(path, preview.encode(report.stacked(pictures), suffix=".png"))
    return path
