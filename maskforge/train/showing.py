"""The files of a run that people look at: settings, history, curves, and a few images each time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PIL import Image

from maskforge import preview
from maskforge.datasets import list_text
from maskforge.train import history, report, run_folder
from maskforge.train.augment import LabelImage
from maskforge.train.config import Config
from maskforge.train.history import Row
from maskforge.train.items import Data
from maskforge.train.run_folder import RunFolder

IMAGES = 4
"""Validation images that are shown after each evaluation, the same each time."""


def write_setup(folder: RunFolder, config: Config, data: Data) -> None:
    """Write ``config.json``, ``labels.txt``, and which images are trained on and held back."""
    folder.write("config.json", config.to_json().encode())
    folder.write("labels.txt", list_text(data.classes, data.shown).encode())
    for name, items in (("train.txt", data.train), ("val.txt", data.val)):
        text = "".join(f"{item}\n" for item in items.names)
        folder.write(name, text.encode("utf-8", "surrogateescape"))


def write_progress(
    folder: RunFolder,
    rows: Sequence[Row],
    data: Data,
    predictions: Mapping[int, LabelImage],
    *,
    epoch: int,
) -> dict[str, bytes]:
    """Write ``history.csv``, ``curves.png`` and, of the predictions, ``previews/epoch_NNN.png``.

    Returns the pictures as PNG files: "curves", and "previews" where there are predictions.
    """
    folder.write("history.csv", history.to_csv(rows))
    pictures = {"curves": preview.encode(report.curves(rows), suffix=".png")}
    folder.write("curves.png", pictures["curves"])
    if predictions:
        shown = [_comparison(data, number, found) for number, found in sorted(predictions.items())]
        pictures["previews"] = preview.encode(report.stacked(shown), suffix=".png")
        folder.write(run_folder.preview(epoch), pictures["previews"])
    return pictures


def _comparison(data: Data, number: int, prediction: LabelImage) -> Image.Image:
    image, truth = data.val[number]
    return report.comparison(
        image,
        truth,
        prediction,
        classes=data.classes,
        title=data.val.names[number],
        background=data.shown[0],
    )
