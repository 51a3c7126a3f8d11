"""Scores on a terminal: a row for each class, and one line for the whole."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from maskforge.metrics import Scores
from maskforge.palette import display_index, display_palette


def table(scores: Scores, *, title: str = "") -> Table:
    """Return the scores of each class in percent."""
    header, *rows = scores.to_table()
    made = Table(title=escape(title) or None, title_justify="left", box=None)
    for name in header:
        made.add_column(
            name, justify="left" if name == "class" else "right", header_style="dim", no_wrap=True
        )
    colors = display_palette()
    for class_id, row in enumerate(rows):
        red, green, blue = colors[display_index(class_id)].tolist()
        swatch = f"[rgb({red},{green},{blue})]██[/] " if class_id else "   "
        made.add_row(row[0], swatch + escape(row[1]), *row[2:-1], f"{int(row[-1]):,}")
    return made


def line(scores: Scores) -> str:
    """Return the scores of the whole in words."""
    overall = scores.overall()
    shown = {
        "mIoU (classes present)": "mean_iou_present",
        "pixel accuracy": "pixel_accuracy",
        "mean accuracy": "mean_accuracy",
        "frequency-weighted IoU": "frequency_weighted_iou",
        "boundary IoU": "mean_boundary_iou",
        "per image: mIoU": "image_mean_iou",
        "accuracy": "image_pixel_accuracy",
    }
    return " · ".join(
        f"{text} {100 * overall[name]:.2f}" for text, name in shown.items() if name in overall
    )
