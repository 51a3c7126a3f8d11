"""The log of a run for people: history.csv, curves, previews; and what it was begun with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PIL import Image

from maskforge.pictures import plots, previews
from maskforge.prediction.config import Config
from maskforge.prediction.sizes import LabelImage
from maskforge.scores import history
from maskforge.scores.history import Row
from maskforge.training import run_folder
from maskforge.training.run_folder import RunFolder
from maskforge.training.samples import Data

IMAGES = 4
"""Validation images that are shown after each evaluation, the same each time."""


def write_setup(folder: RunFolder, config: Config, data: Data) -> None:
    """Write ``config.json``, ``labels.txt``, and which images are trained on and held back."""
    folder.write("config.json", config.to_json().encode())
    folder.write("labels.txt", data.classes.to_text().encode())
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
    pictures = {"curves": previews.encode(plots.curves(rows), suffix=".png")}
    folder.write("curves.png", pictures["curves"])
    if predictions:
        shown = [_comparison(data, number, found) for number, found in sorted(predictions.items())]
        pictures["previews"] = previews.encode(plots.stacked(shown), suffix=".png")
        folder.write(run_folder.preview(epoch), pictures["previews"])
    return pictures


def _comparison(data: Data, number: int, prediction: LabelImage) -> Image.Image:
    image, truth = data.val[number]
    return plots.comparison(
        image,
        truth,
        prediction,
        classes=data.classes,
        title=data.val.names[number],
    )
