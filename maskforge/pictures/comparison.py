"""Truth and prediction beside each other, with what is wrong in colour: a sheet an image."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from maskforge.classes import ClassTable
from maskforge.labels import name_of_class
from maskforge.pictures import contact_sheet, lettering, previews
from maskforge.pictures.lettering import FAINT, INK, PANEL
from maskforge.raster.label_image import to_raster
from maskforge.scores import metrics

SIZE = (1600, 1000)
"""Width and height of a sheet at most. On a screen of 1280x800 its text is 14 pixels high."""

TEXT = 18
"""Pixels that letters are high."""

_CLASSES = 8
_GAP = 12
_RIGHT, _ADDED, _MISSED, _WRONG, _IGNORED = range(5)
# Orange, blue and yellow are told apart by nearly everybody, and on a grey picture.
_ERRORS = {
    _ADDED: ("false positive", (238, 88, 24)),
    _MISSED: ("false negative", (64, 156, 255)),
    _WRONG: ("wrong class", (255, 238, 90)),
    _IGNORED: ("ignored", (122, 126, 134)),
}


@dataclass(frozen=True, eq=False)
class Comparison:
    """One image, what is true of it and what was predicted.

    truth, prediction: label images (H, W), by channel; the prediction may hold the ignore index
    where nothing was predicted. image: uint8 (h, w, 3) in RGB, of any size; None: it is not known.
    """

    name: str
    truth: NDArray[Any]
    prediction: NDArray[Any]
    classes: ClassTable
    image: NDArray[np.uint8] | None = None

    @cached_property
    def matrix(self) -> NDArray[np.int64]:
        """The confusion matrix (C, C + 1); the last column is where nothing was predicted."""
        return metrics.confusion_matrix(
            self.truth,
            self.prediction,
            num_classes=len(self.classes),
            ignore_index=self.classes.channels.ignore_index,
            nothing=True,
        )

    @property
    def caption(self) -> str:
        """The image's own mean IoU; "" where it has none."""
        score = metrics.mean_iou(self.matrix)
        return "" if math.isnan(score) else f"mean IoU {lettering.percent(score)}"

    @cached_property
    def errors(self) -> NDArray[np.uint8]:
        """What is wrong with each pixel, (H, W): an index of the colours of the error map."""
        channels = self.classes.channels
        ignored, nothing = channels.ignore_index, channels.background
        wrong = np.where(self.truth == self.prediction, _RIGHT, _WRONG).astype(np.uint8)
        if nothing is not None:
            wrong[(wrong == _WRONG) & (self.truth == nothing)] = _ADDED
            wrong[(wrong == _WRONG) & (self.prediction == nothing)] = _MISSED
        wrong[self.prediction == ignored] = _MISSED
        wrong[self.truth == ignored] = _IGNORED
        return wrong


def sheet(
    compared: Comparison, *, errors: bool = True, size: tuple[int, int] = SIZE
) -> Image.Image:
    """Return image, truth, prediction and error map, with captions and legends.

    size: (width, height) at most, but for legends of very many lines.
    """
    titles = ["image", "truth", "prediction", "errors, percent of the image below"]
    titles = titles[compared.image is None :][: None if errors else -1]
    told = [_of_errors(compared)] * errors + [_of_classes(compared)]
    head, above = 44, 30
    width = size[0]
    for _ in range(2):  # a narrower sheet has longer legends, and less room for pictures
        legends = [previews.legend(entries, width, TEXT) for entries in told]
        room = size[1] - head - sum(legend.height for legend in legends) - _GAP
        columns, tile = _arranged(compared.truth.shape, len(titles), (size[0], room), above)
        width = max(640, columns * (tile[0] + _GAP) + _GAP)
    legends = [previews.legend(entries, width, TEXT) for entries in told]
    lines = -(-len(titles) // columns)
    below = head + lines * (tile[1] + above) + _GAP
    whole = Image.new("RGB", (width, below + sum(legend.height for legend in legends)), PANEL)
    pen = ImageDraw.Draw(whole)
    score, face = compared.caption, lettering.font(TEXT + 2)
    place = width - _GAP - face.getlength(score)
    name, named = lettering.line(compared.name, face, TEXT + 2, place - 2 * _GAP)
    pen.text((_GAP, head / 2), name, INK, named, "lm")
    pen.text((place, head / 2), score, INK, face, "lm")
    pictures = _pictures(compared, tile, errors=errors)
    start = (width - columns * (tile[0] + _GAP) + _GAP) // 2
    for number, (title, picture) in enumerate(zip(titles, pictures, strict=True)):
        left = start + number % columns * (tile[0] + _GAP)
        top = head + number // columns * (tile[1] + above)
        pen.text((left, top + above / 2), title, FAINT, lettering.font(TEXT), "lm")
        whole.paste(picture, (left, top + above))
    for legend in legends:
        whole.paste(legend, (0, below))
        below += legend.height
    return whole


def overview(
    names: Sequence[str],
    load: Callable[[str], Comparison],
    *,
    heading: str = "",
    errors: bool = False,
) -> Image.Image:
    """Return many comparisons, small, on one sheet: a strip of pictures each, and the score below.

    load: gives the comparison of a name; each is asked for once, and none is kept.
    """
    cell = 960, 960 // (4 if errors else 3) * 4 // 5
    shown: dict[int, None] = {}
    tables: list[ClassTable] = []

    def strip(name: str) -> tuple[Image.Image, str]:
        compared = load(name)
        tables.append(compared.classes)
        counts = compared.matrix.sum(axis=1) + compared.matrix[:, :-1].sum(axis=0)
        shown.update(dict.fromkeys(np.flatnonzero(counts).tolist()))
        count = 2 + (compared.image is not None) + errors
        room = (cell[0] - (count - 1) * 4) // count, cell[1]
        pictures = _pictures(compared, _within(compared.truth.shape, room), errors=errors)
        row = Image.new("RGB", (sum(p.width + 4 for p in pictures) - 4, pictures[0].height), PANEL)
        for at, picture in enumerate(pictures):
            row.paste(picture, (at * (picture.width + 4), 0))
        return row, " · ".join(filter(None, [compared.name, compared.caption]))

    told = "image, truth, prediction" + (", errors" if errors else "")
    whole = contact_sheet.draw(
        names, strip, cell=cell, heading=f"{heading} · {told}" if heading else told
    )
    legends = []
    if errors:
        entries = [previews.Entry(color, "", said, "") for said, color in _ERRORS.values()]
        legends.append(previews.legend(entries, whole.width, contact_sheet.TEXT))
    if tables:
        table, last = tables[0], 24
        entries = [_entry(table, channel, "") for channel in sorted(shown)[:last]]
        if len(shown) > last:
            entries.append(previews.Entry(FAINT, str(len(shown) - last), "more", ""))
        legends.append(previews.legend(entries, whole.width, contact_sheet.TEXT))
    return stacked([whole, *legends], gap=0)


def stacked(pictures: Sequence[Image.Image], *, gap: int = 16) -> Image.Image:
    """Return the pictures below each other."""
    height = sum(p.height for p in pictures) + gap * (len(pictures) - 1)
    whole = Image.new("RGB", (max(p.width for p in pictures), height), PANEL)
    top = 0
    for picture in pictures:
        whole.paste(picture, (0, top))
        top += picture.height + gap
    return whole


def _arranged(
    shape: tuple[int, ...], count: int, room: tuple[int, int], above: int
) -> tuple[int, tuple[int, int]]:
    """Return in how many columns ``count`` pictures are largest, and (width, height) of one."""
    found = []
    for columns in {count, 2} if count == 4 else {count}:
        lines = -(-count // columns)
        # Legends of very many lines leave little room, but pictures there are.
        box = (room[0] - _GAP) // columns - _GAP, max(40, room[1] // lines - above)
        found.append((_within(shape, box), columns))
    tile, columns = max(found)
    return columns, tile


def _within(shape: tuple[int, ...], room: tuple[int, int]) -> tuple[int, int]:
    """Return the largest (width, height) of this shape (H, W) in a room (width, height)."""
    scale = min(room[0] / shape[1], room[1] / shape[0])
    return max(1, math.floor(shape[1] * scale)), max(1, math.floor(shape[0] * scale))


def _pictures(compared: Comparison, size: tuple[int, int], *, errors: bool) -> list[Image.Image]:
    """Return image, truth, prediction and, with ``errors``, the error map, ``size`` each."""
    image = None if compared.image is None else Image.fromarray(compared.image)
    if image is not None and image.size != size:
        image = image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    drawn = [image] if image is not None else []
    for ids in (compared.truth, compared.prediction):
        drawn.append(previews.overlay(image, to_raster(ids, compared.classes), size))
    if errors:
        drawn.append(_error_map(image, compared.errors, size))
    return drawn


def _error_map(
    image: Image.Image | None, errors: NDArray[np.uint8], size: tuple[int, int]
) -> Image.Image:
    """Return what is wrong in full colour, on the image in dark grey."""
    shown = previews.nearest(errors, size)
    table = np.zeros((256, 3), np.uint8)
    for index, (_, color) in _ERRORS.items():
        table[index] = color
    over = Image.fromarray(shown)
    over.putpalette(table.tobytes())
    if image is None:
        under = Image.new("RGB", size, previews.NO_IMAGE)
    else:  # so dark that no grey is taken for an error
        under = image.convert("L").point([value // 2 for value in range(256)]).convert("RGB")
    rows, columns = np.ogrid[: size[1], : size[0]]
    hatched = (shown == _IGNORED) & ((rows + columns) // 4 % 2 == 0)
    opaque = ((shown != _RIGHT) & ~hatched).astype(np.uint8) * np.uint8(255)
    under.paste(over.convert("RGB"), (0, 0), Image.fromarray(opaque))
    return under


def _of_errors(compared: Comparison) -> list[previews.Entry]:
    """Return the legend of the error map: shares of the image, and what is right."""
    share = np.bincount(compared.errors.ravel(), minlength=5) / compared.errors.size
    entries = [
        previews.Entry(color, "", said, lettering.percent(float(share[index])))
        for index, (said, color) in _ERRORS.items()
    ]
    return [*entries, previews.Entry(PANEL, "", "right", lettering.percent(float(share[_RIGHT])))]


def _of_classes(compared: Comparison) -> list[previews.Entry]:
    """Return the classes of truth and prediction with their IoU, those with most errors first."""
    matrix = compared.matrix
    hits, scores = np.diagonal(matrix), metrics.iou(matrix)
    errors = matrix.sum(axis=1) + matrix.sum(axis=0)[: len(matrix)] - 2 * hits
    there = [at for at in np.argsort(-errors, kind="stable").tolist() if not np.isnan(scores[at])]
    entries = [
        _entry(compared.classes, at, f"IoU {lettering.percent(float(scores[at]))}")
        for at in there[:_CLASSES]
    ]
    if len(there) > _CLASSES:
        entries.append(previews.Entry(FAINT, str(len(there) - _CLASSES), "more", ""))
    return entries


def _entry(classes: ClassTable, channel: int, said: str) -> previews.Entry:
    class_id = classes.ids[channel]
    name = name_of_class(classes.names[channel])
    return previews.Entry(previews.color_of(class_id, classes), str(class_id), name, said)
