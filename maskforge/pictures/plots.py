"""Pictures of a run and of its scores, drawn with Pillow: curves, confusion matrix, comparisons."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from maskforge.classes import BACKGROUND, ClassTable
from maskforge.pictures import previews
from maskforge.raster.label_image import to_raster
from maskforge.scores import metrics

Color: TypeAlias = tuple[int, int, int]

PANEL: Color = (27, 29, 34)
INK: Color = (236, 238, 242)
FAINT: Color = (150, 155, 166)
GRID: Color = (58, 62, 70)
LINES: tuple[Color, ...] = ((255, 179, 26), (77, 134, 255), (31, 199, 182), (255, 92, 200))
_GAP = 16


@cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return Pillow's own font."""
    return ImageFont.load_default(size)


def comparison(
    image: NDArray[np.uint8] | None,
    truth: NDArray[Any],
    prediction: NDArray[Any],
    *,
    classes: ClassTable,
    title: str,
) -> Image.Image:
    """Return input, truth and prediction side by side, with the image's own mean IoU.

    image: (H, W, 3) uint8 in RGB; None: it is left out. truth, prediction: label images (H, W), by
    channel.
    """
    picture = None if image is None else Image.fromarray(image)
    sheets = [previews.draw(picture, to_raster(ids, classes)) for ids in (truth, prediction)]
    matrix = metrics.confusion_matrix(
        truth,
        prediction,
        num_classes=len(classes),
        ignore_index=classes.channels.ignore_index,
        nothing=True,
    )
    score = metrics.mean_iou(matrix)
    said = "" if math.isnan(score) else f"   mIoU {100 * score:.1f} %"
    texts = ["truth", f"prediction{said}"]
    if picture is None:
        texts[0] = f"{title}   truth"
    else:
        sheets.insert(0, _plain(picture))
        texts.insert(0, title)
    height = max(sheet.height for sheet in sheets)
    width = sum(sheet.width for sheet in sheets) + (len(sheets) - 1) * _GAP
    row = Image.new("RGB", (width, height + 34), PANEL)
    pen = ImageDraw.Draw(row)
    left = 0
    for sheet, text in zip(sheets, texts, strict=True):
        row.paste(sheet, (left, 34))
        pen.text((left + 6, 17), _short(text, sheet.width - 12), INK, font(17), "lm")
        left += sheet.width + _GAP
    return row


def _plain(picture: Image.Image) -> Image.Image:
    """Return the image at the size that previews have, without the legend below."""
    empty = np.zeros((picture.height, picture.width), np.uint8)
    sheet = previews.draw(picture, to_raster(empty, ClassTable((BACKGROUND,))))
    sheet.paste(PANEL, (0, _height(picture), sheet.width, sheet.height))
    return sheet


def _height(picture: Image.Image) -> int:
    """Return how many rows of a preview are the image; the legend is below."""
    longer = max(picture.size)
    if longer < previews.SHORT_SIDE:
        return picture.height * -(-previews.SHORT_SIDE // longer)
    return max(1, round(picture.height * min(1.0, previews.LONG_SIDE / longer)))


def stacked(rows: Sequence[Image.Image]) -> Image.Image:
    """Return the pictures below each other."""
    sheet = Image.new(
        "RGB",
        (max(r.width for r in rows), sum(r.height for r in rows) + _GAP * (len(rows) - 1)),
        PANEL,
    )
    top = 0
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height + _GAP
    return sheet


def curves(history: Sequence[Mapping[str, float]]) -> Image.Image:
    """Return the losses, and the scores, over the epochs; two panels side by side."""
    epochs = [row["epoch"] for row in history]
    sheet = Image.new("RGB", (1200, 460), PANEL)
    losses = {"training loss": "loss", "validation loss": "val_loss"}
    scores = {"mean IoU": "mean_iou", "pixel accuracy": "pixel_accuracy"}
    for left, names, top in ((0, losses, None), (600, scores, 1.0)):
        lines = {shown: [row[name] for row in history] for shown, name in names.items()}
        _panel(sheet, (left, 0, left + 600, 460), epochs, lines, top)
    return sheet


def _panel(
    sheet: Image.Image,
    box: tuple[int, int, int, int],
    epochs: Sequence[float],
    lines: Mapping[str, Sequence[float]],
    top: float | None,
) -> None:
    pen = ImageDraw.Draw(sheet)
    left, upper, right, lower = box[0] + 64, box[1] + 48, box[2] - 24, box[3] - 56
    known = [v for line in lines.values() for v in line if math.isfinite(v)]
    high = top or max([*known, 1e-6]) * 1.05
    first, last = epochs[0], max(epochs[-1], epochs[0] + 1)

    def place(epoch: float, value: float) -> tuple[float, float]:
        across = (epoch - first) / (last - first)
        up = min(1.0, max(0.0, value / high))
        return left + across * (right - left), lower - up * (lower - upper)

    for part in range(5):
        value = high * part / 4
        y = place(first, value)[1]
        pen.line((left, y, right, y), GRID)
        pen.text((left - 8, y), f"{value:.3g}", FAINT, font(14), "rm")
    for epoch in sorted({round(first + (last - first) * part / 4) for part in range(5)}):
        pen.text((place(epoch, 0)[0], lower + 8), str(epoch), FAINT, font(14), "ma")
    pen.text(((left + right) / 2, box[3] - 4), "epoch", FAINT, font(14), "md")
    x = float(left)
    for color, (name, line) in zip(LINES, lines.items(), strict=False):
        points = [place(e, v) for e, v in zip(epochs, line, strict=True) if math.isfinite(v)]
        if not points:
            continue
        if len(points) > 1:
            pen.line(points, color, 3, "curve")
        _dot(pen, points[-1], 4, color)
        said = f"{name} {[v for v in line if math.isfinite(v)][-1]:.3f}"
        _dot(pen, (x + 6, box[1] + 24), 5, color)
        pen.text((x + 18, box[1] + 24), said, INK, font(16), "lm")
        x += 48 + font(16).getlength(said)


def _dot(pen: ImageDraw.ImageDraw, at: tuple[float, float], radius: int, color: Color) -> None:
    (x, y), r = at, radius
    pen.ellipse((x - r, y - r, x + r, y + r), fill=color)


def confusion(matrix: NDArray[np.int64], names: Sequence[str]) -> Image.Image:
    """Return the confusion matrix: rows the truth, columns the prediction, shares of each row.

    matrix: (C, C) pixels.
    """
    count = len(names)
    cell = max(14, min(72, 1000 // count))
    text = font(max(10, min(15, cell // 3 + 3)))
    room = int(max(text.getlength(_short(n, 160, text)) for n in names)) + 24
    side, heading = room + count * cell, "rows: truth   columns: prediction   % of the row"
    width = max(side, int(font(14).getlength(heading)) + 1) + 24
    sheet = Image.new("RGB", (width, side + 56), PANEL)
    pen = ImageDraw.Draw(sheet)
    pen.text((12, 12), heading, FAINT, font(14))
    top = room + 36
    total = matrix.sum(axis=1, keepdims=True)
    share = matrix / np.maximum(total, 1)
    for row in range(count):
        y = top + row * cell
        pen.text((room - 8, y + cell / 2), _short(names[row], 160, text), INK, text, "rm")
        _upright(sheet, names[row], (room + row * cell, top), cell, text)
        for column in range(count):
            part = float(share[row, column])
            right = row == column
            strong, weak = LINES[2] if right else (255, 77, 94), (38, 41, 48)
            color = tuple(round(w + (s - w) * part**0.7) for s, w in zip(strong, weak, strict=True))
            x = room + column * cell
            pen.rectangle((x, y, x + cell - 2, y + cell - 2), fill=color)
            if cell >= 26 and total[row, 0] and part >= 0.0005:
                said = f"{100 * part:.0f}" if part >= 0.01 else f"{100 * part:.1f}"
                ink = (15, 16, 20) if part > 0.5 else INK
                pen.text((x + cell / 2 - 1, y + cell / 2 - 1), said, ink, text, "mm")
    return sheet


def _upright(
    sheet: Image.Image,
    name: str,
    corner: tuple[int, int],
    cell: int,
    text: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    """Write ``name`` upwards from ``corner`` (x, y)."""
    shown = _short(name, 160, text)
    strip = Image.new("RGB", (int(text.getlength(shown)) + 4, cell), PANEL)
    ImageDraw.Draw(strip).text((0, cell / 2), shown, INK, text, "lm")
    turned = strip.transpose(Image.Transpose.ROTATE_90)
    sheet.paste(turned, (corner[0], corner[1] - 6 - turned.height))


def _short(
    text: str,
    room: float,
    of: ImageFont.FreeTypeFont | ImageFont.ImageFont | None = None,
) -> str:
    of = of or font(17)
    text = " ".join(text.split())
    if of.getlength(text) <= room:
        return text
    while text and of.getlength(text + "…") > room:
        text = text[:-1]
    return text + "…"
