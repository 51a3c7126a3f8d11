"""The log of a run for people: history.csv, curves, previews; and what it was begun with."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image

from maskforge.pictures import comparison, plots, previews
from maskforge.pictures.comparison import Comparison
from maskforge.prediction.config import Config
from maskforge.prediction.sizes import LabelImage
from maskforge.scores import history
from maskforge.scores.history import Row
from maskforge.training import run_folder
from maskforge.training.run_folder import RunFolder
from maskforge.training.samples import Data

IMAGES = 8
"""Validation images that are shown after each evaluation, the same each time."""


def write_setup(folder: RunFolder, config: Config, data: Data, trial: Mapping[str, Any]) -> None:
    """Write ``config.json``, ``labels.txt``, and which images are trained on and held back.

    ``config.json`` holds the command, where it was one, what the data are, and every setting.
    trial: settings of the machine that a trial chose.
    """
    command = {"command": shlex.join(folder.typed)} if folder.typed else {}
    settings = json.loads(config.to_json())
    known = {**command, "data": list(data.notes), **settings, "trial": dict(trial)}
    folder.write("config.json", json.dumps(known, indent=1).encode())
    folder.write("labels.txt", data.classes.to_text().encode())
    for name, items in (("train.txt", data.train), ("val.txt", data.val)):
        text = "".join(f"{item}\n" for item in items.names)
        folder.write(name, text.encode("utf-8", "surrogateescape"))


def write_progress(
    folder: RunFolder,
    rows: Sequence[Row],
    data: Data,
    predictions: Mapping[int, LabelImage],
    best: str,
) -> dict[str, Image.Image]:
    """Write ``history.csv``, ``curves.png`` and, of the predictions, ``previews/epoch_NNN.png``.

    predictions: of the last of ``rows``. best: what says which is the best, as in the settings.
    Returns the pictures: "curves", unless :func:`maskforge.pictures.plots.missing`
    says why not, and "previews" where there are predictions.
    """
    folder.write("history.csv", history.to_csv(rows))
    pictures = {}
    if not plots.missing():
        drawn = plots.curves(rows, data.classes, data.counts.sum(axis=0).tolist(), best)
        folder.write("curves.png", previews.encode(drawn, suffix=".png"))
        pictures["curves"] = drawn
    if predictions:

        def load(number: str) -> Comparison:
            at = int(number)
            truth, image = data.val[at][1], data.val.photograph(at)
            return Comparison(data.val.names[at], truth, predictions[at], data.classes, image)

        epoch = int(rows[-1]["epoch"])
        numbers = [str(number) for number in sorted(predictions)]
        sheet = comparison.overview(numbers, load, heading=f"epoch {epoch}")
        folder.write(run_folder.preview(epoch), previews.encode(sheet, suffix=".png"))
        pictures["previews"] = sheet
    return pictures
