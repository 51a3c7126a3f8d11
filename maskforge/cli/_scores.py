"""Scores on a terminal: a row for each class, and one line for the whole."""

from __future__ import annotations

from typing import Literal

from rich.table import Table

from maskforge.classes import BACKGROUND
from maskforge.cli._console import escape
from maskforge.labels import name_of_class
from maskforge.palette import display_index, display_palette
from maskforge.scores.scorer import Scores


def table(scores: Scores, *, title: str = "") -> Table:
    """Return the scores of each class in percent."""
    table = scores.to_table()
    twice = table[0].index("accuracy")  # of a class that is its recall
    header, *rows = ([*row[:twice], *row[twice + 1 :]] for row in table)
    made = Table(title=escape(title) or None, title_justify="left", box=None)
    for name in header:
        side: Literal["left", "right"] = "left" if name == "class" else "right"
        width = {"pixels": 9, "id": 3, "class": None}.get(name, 6)
        made.add_column(name, justify=side, header_style="dim", min_width=width)
    colors = display_palette()
    background = scores.names.index(BACKGROUND) if BACKGROUND in scores.names else None
    for channel, row in enumerate(rows):
        red, green, blue = colors[display_index(channel, background)].tolist()
        swatch = "   " if channel == background else f"[rgb({red},{green},{blue})]██[/] "
        made.add_row(
            row[0], swatch + escape(name_of_class(row[1])), *row[2:-1], f"{int(row[-1]):,}"
        )
    return made


_SHOWN: tuple[dict[str, str], ...] = (
    {
        "mIoU (classes present)": "mean_iou_present",
        "pixel accuracy": "pixel_accuracy",
        "mean accuracy": "mean_accuracy",
    },
    {"frequency-weighted IoU": "frequency_weighted_iou", "boundary IoU": "mean_boundary_iou"},
    {"per image: mIoU": "image_mean_iou", "accuracy": "image_pixel_accuracy"},
)
"""Scores of the whole by what they are called, a line each time."""


def lines(scores: Scores) -> list[str]:
    """Return the scores of the whole in words, in percent."""
    overall = scores.overall()
    return [
        " · ".join(f"{text} {100 * overall[name]:.2f}" for text, name in shown.items())
        for shown in _SHOWN
        if overall.keys() >= set(shown.values())
    ]
