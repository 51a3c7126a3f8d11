"""Plots of a run and of its scores, by matplotlib: curves, and the confusion matrix.

matplotlib comes with the extra ``train``. It is imported where something is drawn, since that takes
longer than a step of training, and used without pyplot, whose state belongs to the user.
"""

from __future__ import annotations

import importlib.util
import logging
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFont

from maskforge import extras
from maskforge.classes import ClassTable
from maskforge.labels import name_of_class
from maskforge.palette import display_index, display_palette
from maskforge.pictures import lettering
from maskforge.pictures.lettering import FAINT, GRID, INK, PANEL, Color
from maskforge.scores.history import best_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAMED = 8
"""Classes that curves show in a colour of their own, the largest; the others are thin and grey."""

_TRAINING, _VALIDATION, _MEAN, _OTHERS = (255, 179, 26), (77, 134, 255), INK, (104, 108, 118)
_RIGHT, _WRONG, _EMPTY = (31, 199, 182), (255, 77, 94), (38, 41, 48)
_MARKED = 40  # so few evaluations are points as well as lines
_ROUND = (1, 2, 5, 10)


def missing() -> str:
    """Return the line that says why there are no plots, "" where matplotlib is installed."""
    if importlib.util.find_spec("matplotlib") is not None:
        return ""
    cure = extras.install("train", "matplotlib")
    return f"no curves.png and confusion.png without matplotlib: {cure}"


# Curves


def curves(
    history: Sequence[Mapping[str, float]],
    classes: ClassTable,
    pixels: Sequence[float] = (),
    best: str = "mean-iou",
) -> Image.Image:
    """Return losses, learning rate, mean IoU and IoU by class over the epochs, 1280x720.

    history: as in ``history.csv``; one row at least. pixels: of each class (C,), by which the
    largest are known; none: the classes come in their order. best: what says which row is the best,
    see :func:`maskforge.scores.history.score`. The same bytes for the same history.
    """
    with _drawing():
        return _drawn(_curves(history, classes, pixels, best))


def _curves(
    history: Sequence[Mapping[str, float]],
    classes: ClassTable,
    pixels: Sequence[float],
    chosen: str = "mean-iou",
) -> Figure:
    figure = _figure(1280, 720)
    epochs = np.array([row["epoch"] for row in history], np.float64)
    best = best_of(history, chosen)
    named = _largest(classes, pixels)
    loss = _panel(figure, (76, 64, 440, 384), epochs)
    lines = {"training loss": ("loss", _TRAINING), "validation loss": ("val_loss", _VALIDATION)}
    left = 76.0
    for shown, (column, color) in lines.items():
        values = _column(history, column)
        if np.isfinite(values).any():
            _line(loss, epochs, values, color=color, width=2.0, over=3)
            said = shown + (f" {values[best]:.3g}" if math.isfinite(values[best]) else "")
            left = _key(figure, left, 38, color, said) + 28
    _from_zero(loss, [_column(history, column) for column, _ in lines.values()])
    _mark(loss, epochs[best])
    rate = _panel(figure, (76, 540, 440, 108), epochs)
    rates = _column(history, "lr")
    _line(rate, epochs, rates, color=FAINT, width=2.0, over=3)
    _key(figure, 76, 514, FAINT, "learning rate")
    _from_zero(rate, [rates], ticks=4)
    _mark(rate, epochs[best])
    scores = _panel(figure, (600, 64, 430, 584), epochs)
    scores.set_ylim(0, 100)
    scores.set_yticks(range(0, 101, 20), [f"{tick} %" for tick in range(0, 101, 20)])
    _mark(scores, epochs[best])
    mean = 100 * _column(history, "mean_iou")
    by_class = {name: 100 * _column(history, f"iou {name}") for name in classes.names}
    for name, values in by_class.items():
        if name not in named:
            _line(scores, epochs, values, color=_OTHERS, width=0.8, over=2)
    for name in reversed(named):  # the largest on top
        _line(scores, epochs, by_class[name], color=_shade(classes, name), width=1.5, over=3)
    if len(history) > 1:  # else the ring below is enough, and hides no class
        _line(scores, epochs, mean, color=_MEAN, width=3.0, over=4)
    _words(figure, 600, 38, "IoU", INK)
    _words(figure, 1052, 38, f"at epoch {epochs[best]:g}", FAINT, room=216)
    entries = [("mean IoU", _MEAN, mean[best])]
    entries += [
        (name_of_class(name), _shade(classes, name), by_class[name][best]) for name in named
    ]
    for number, (shown, color, value) in enumerate(entries):
        y = 78 + 30 * number
        _key(figure, 1052, y, color, shown, room=120)
        if math.isfinite(value):
            _words(figure, 1268, y, f"{value:.1f} %", INK, at="right")
    others = len(classes) - len(named)
    if others:
        said = f"{others} other class{'es' if others > 1 else ''}"
        _key(figure, 1052, 78 + 30 * len(entries), _OTHERS, said)
    if math.isfinite(mean[best]):
        point = scores.plot(epochs[best], mean[best], "o", markersize=11)[0]
        point.set(markerfacecolor="none", markeredgecolor=_hex(INK), markeredgewidth=2.0)
        point.set(zorder=5, gid="best")
        by = {"loss": " by validation loss", "image-mean-iou": " by image"}.get(chosen, "")
        said = f"best{by}: epoch {epochs[best]:g}, mean IoU {mean[best]:.1f} %"
    else:
        _words(figure, 815, 356, "no validation images were scored", FAINT, at="center")
        said = f"best: epoch {epochs[best]:g}, by the training loss"
    _words(figure, 1030, 38, said, INK, at="right")
    near = _near(len(history))
    if near > 1:
        _words(figure, 1052, 640, f"lines: means of {near} evaluations", FAINT, size=13)
    return figure


def _largest(classes: ClassTable, pixels: Sequence[float]) -> list[str]:
    sizes = list(pixels) or [0] * len(classes)
    order = sorted(range(len(classes)), key=lambda at: (-sizes[at], at))
    return [classes.names[at] for at in order[:NAMED]]


def _column(history: Sequence[Mapping[str, float]], name: str) -> NDArray[np.float64]:
    return np.array([row.get(name, math.nan) for row in history], np.float64)


def _shade(classes: ClassTable, name: str) -> Color:
    """Return the colour that previews give a class; the background, black there, is grey."""
    index = display_index(classes.ids[classes.names.index(name)], classes.background)
    if index == 0:
        return FAINT
    red, green, blue = display_palette()[index].tolist()
    return red, green, blue


def _panel(figure: Figure, box: tuple[int, int, int, int], epochs: NDArray[np.float64]) -> Axes:
    """Return axes in ``box`` (left, top, width, height; pixels from the upper left corner)."""
    from matplotlib.ticker import MaxNLocator

    axes = _axes(figure, box)
    axes.tick_params(length=0, pad=6, labelsize=_points(14), labelcolor=_hex(FAINT))
    axes.grid(color=_hex(GRID), linewidth=_points(1))
    axes.set_axisbelow(True)
    first, last = float(epochs.min()), float(epochs.max())
    # A run of one evaluation is a point in the middle, and no tick is half an epoch.
    side = 0.02 * (last - first) if last > first else 1.0
    axes.set_xlim(first - side, last + side)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=_ROUND, min_n_ticks=1))
    axes.set_xlabel("epoch", fontsize=_points(14), color=_hex(FAINT), labelpad=4)
    return axes


def _from_zero(axes: Axes, lines: Sequence[NDArray[np.float64]], *, ticks: int = 6) -> None:
    """Let the axis begin at 0, with round numbers up to the highest value."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    known = np.concatenate([line[np.isfinite(line)] for line in lines])
    low, high = float(known.min(initial=0)), float(known.max(initial=0))
    axes.set_ylim(1.05 * low, (1.05 * high if high > 0 else 1.0))
    axes.yaxis.set_major_locator(MaxNLocator(ticks, steps=_ROUND))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.6g}"))


def _line(
    axes: Axes,
    epochs: NDArray[np.float64],
    values: NDArray[np.float64],
    *,
    color: Color,
    width: float,
    over: int,
) -> None:
    """Draw the values; those that are few, or stand alone, as points too."""
    known = np.isfinite(values)
    near = _near(len(values))
    if near > 1:  # each evaluation faintly, and what it comes to
        axes.plot(epochs, values, color=_hex(color), linewidth=0.5, alpha=0.3, zorder=over)
        window = np.ones(near)
        count = np.convolve(known, window, "same")
        total = np.convolve(np.where(known, values, 0), window, "same")
        values = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        known = np.isfinite(values)
    before, after = np.append(False, known[:-1]), np.append(known[1:], False)
    points = known if len(values) <= _MARKED else known & ~before & ~after
    [line] = axes.plot(epochs, np.where(known, values, np.nan), color=_hex(color), zorder=over)
    line.set(linewidth=_points(width), solid_joinstyle="round")
    line.set(marker="o", markersize=_points(2 * width + 4), markeredgewidth=0)
    line.set_markevery(np.flatnonzero(points).tolist())


def _near(count: int) -> int:
    """Return how many of ``count`` evaluations a point of a line is the mean of; it is odd."""
    return count // 200 * 2 + 1


def _mark(axes: Axes, epoch: float) -> None:
    axes.axvline(epoch, color=_hex(INK), linewidth=_points(1), linestyle=(0, (4, 4)), zorder=1.5)


def _key(
    figure: Figure, x: float, y: float, color: Color, text: str, *, room: float = 300
) -> float:
    """Write ``text`` behind a piece of line in ``color``; return where it ends."""
    from matplotlib.lines import Line2D

    width, height = _size(figure)
    ends, level = (x / width, (x + 18) / width), 1 - y / height
    line = Line2D(ends, (level, level), color=_hex(color), linewidth=_points(4))
    figure.add_artist(line)
    return _words(figure, x + 26, y, text, INK, room=room)


# The confusion matrix


def confusion(
    matrix: NDArray[np.int64], names: Sequence[str], *, counts: bool = False
) -> Image.Image:
    """Return the confusion matrix: rows the truth, columns the prediction, percent of each row.

    matrix: (C, C) pixels, or (C, C + 1) where nothing was predicted for some. counts: the pixels
    are written below the percent.
    """
    with _drawing():
        return _drawn(_confusion(matrix, names, counts=counts))


def _confusion(matrix: NDArray[np.int64], names: Sequence[str], *, counts: bool) -> Figure:
    rows, columns = matrix.shape
    shown = [name_of_class(name) for name in names]
    cell = min(64, max(16, 960 // columns)) if columns <= 80 else max(2, 1280 // columns)
    cell = max(cell, 60) if counts and columns <= 20 else cell
    size = min(15, max(11, cell - 5))
    every = -(-14 // cell)  # of very many classes only some are named
    fitted = [_fitted(name, size, 200) for name in (*shown, "nothing")]
    label = max(_length(text, face) for text, face in fitted[:rows]) + 16
    head = max(_length(text, face) for text, face in fitted[:columns]) + 16
    heading = "rows: truth · columns: prediction · cells: percent of the row"
    left, top = 16 + math.ceil(label), 52 + math.ceil(head)
    said = _length(*_fitted(heading, 15, math.inf))
    width = max(left + columns * cell, 16 + math.ceil(said)) + 24
    figure = _figure(width, top + rows * cell + 24)
    _words(figure, 16, 26, heading, FAINT, size=15)
    total = matrix.sum(axis=1, keepdims=True)
    share = matrix / np.maximum(total, 1)
    axes = _axes(figure, (left, top, columns * cell, rows * cell))
    axes.set_axis_off()
    axes.imshow(_colors(share), interpolation="nearest", aspect="auto")
    if cell >= 8:
        gaps: dict[str, Any] = {"color": _hex(PANEL), "linewidth": _points(2)}
        axes.hlines(np.arange(rows + 1) - 0.5, -0.5, columns - 0.5, **gaps)
        axes.vlines(np.arange(columns + 1) - 0.5, -0.5, rows - 0.5, **gaps)
    axes.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5))
    for at in range(0, rows, every):
        ink = INK if total[at, 0] else FAINT
        y = top + (at + 0.5) * cell
        _words(figure, left - 8, y, shown[at], ink, size=size, at="right", room=200)
    for at in range(0, columns, every):
        x, name = left + (at + 0.5) * cell, [*shown, "nothing"][at]
        _words(figure, x, top - 8, name, INK, size=size, at="top", room=200)
    if cell >= 26:
        for row, column in np.argwhere(share >= 0.0005).tolist():
            said_there = _in_cell(float(share[row, column]), fine=cell >= 44)
            if counts and cell >= 60:
                said_there += f"\n{_short_number(int(matrix[row, column]))}"
            ink = PANEL if share[row, column] > 0.5 else INK
            text = axes.text(column, row, said_there, color=_hex(ink), fontsize=_points(size - 1))
            text.set(ha="center", va="center", linespacing=1.3)
    return figure


def _colors(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the colours of the cells, 0 to 1, (rows, columns, 3): right ones are of another."""
    strong = np.full((*share.shape, 3), _WRONG)
    np.einsum("iic->ic", strong[:, : len(share)])[:] = _RIGHT
    # Small shares would hardly be seen.
    colors: NDArray[np.float64] = _EMPTY + (strong - _EMPTY) * share[:, :, None] ** 0.7
    return colors / 255


def _in_cell(share: float, *, fine: bool) -> str:
    """Return percent, never rounded up to 100, nor down to 0."""
    percent = 100 * share
    if fine or percent < 1:
        tenths = max(0.1, math.floor(10 * percent + 1e-9) / 10)
        return f"{tenths:.1f}" if share < 1 else "100"
    return f"{math.floor(percent + 0.5) if percent < 99 else math.floor(percent + 1e-9)}"


def _short_number(count: int) -> str:
    """Return ``count`` in four letters or so: 950, 1.2k, 35k, 1.2M."""
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if count >= size:
            return f"{count / size:.{1 if count < 9.95 * size else 0}f}{unit}"
    return str(count)


# matplotlib


@contextmanager
def _drawing() -> Iterator[None]:
    """Draw as matplotlib does by default, whatever the user's own file says."""
    log = logging.getLogger("matplotlib")
    level = log.level
    log.setLevel(logging.ERROR)  # it tells of its cache of fonts, in the middle of our lines
    try:
        import matplotlib

        default = {
            key: value
            for key, value in matplotlib.rcParamsDefault.items()
            if not key.startswith("backend")
        }
        with matplotlib.rc_context(default):
            yield
    finally:
        log.setLevel(level)


def _figure(width: int, height: int) -> Figure:
    """Return a sheet of ``width`` x ``height`` pixels."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width / 100, height / 100), dpi=100, facecolor=_hex(PANEL))


def _size(figure: Figure) -> tuple[float, float]:
    width, height = figure.get_size_inches() * 100
    return float(width), float(height)


def _axes(figure: Figure, box: tuple[int, int, int, int]) -> Axes:
    """Return axes in ``box`` (left, top, width, height; pixels from the upper left corner)."""
    width, height = _size(figure)
    x, y, wide, high = box
    axes = figure.add_axes((x / width, 1 - (y + high) / height, wide / width, high / height))
    axes.set_facecolor(_hex(PANEL))
    axes.spines[:].set_visible(False)
    return axes


def _drawn(figure: Figure) -> Image.Image:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[:, :, :3].copy())


def _words(
    figure: Figure,
    x: float,
    y: float,
    text: str,
    color: Color,
    *,
    size: int = 15,
    at: str = "left",
    room: float = math.inf,
) -> float:
    """Write ``text`` beside the point, pixels from the upper left corner; return where it ends.

    at: which end of the text the point is; "top": the text stands upright on it.
    """
    from matplotlib.font_manager import FontProperties

    said, face = _fitted(text, size, room)
    width, height = _size(figure)
    # A $ in a name begins no formula.
    words = figure.text(x / width, 1 - y / height, said, color=_hex(color), parse_math=False)
    words.set(font=FontProperties(fname=str(face.path), size=_points(size)))
    upright = at == "top"
    words.set(rotation=90 if upright else 0, ha="center" if upright else at)
    words.set(va="bottom" if upright else "center", rotation_mode="default")
    return x + _length(said, face)


def _fitted(text: str, size: int, room: float) -> tuple[str, ImageFont.FreeTypeFont]:
    """Return ``text`` as it is written, and a font of a file, which matplotlib reads too."""
    usual = _usual(size)
    said, face = lettering.line(text, usual, size, room)
    if face is not usual and not _opens(face):
        said, face = lettering.shortened(lettering.spelled(said, usual), usual, room), usual
    return said, face  # type: ignore[return-value]  # the usual one is of a file, and so are others


@cache
def _usual(size: int) -> ImageFont.FreeTypeFont:
    """Return the font that comes with matplotlib."""
    import matplotlib

    path = os.path.join(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
    return ImageFont.truetype(path, size)


def _opens(face: Any) -> bool:
    """Tell whether matplotlib can draw with the file of ``face``, too."""
    from matplotlib.ft2font import FT2Font

    with suppress(OSError, RuntimeError, ValueError):
        return bool(FT2Font(face.path).scalable)
    return False


def _length(text: str, face: ImageFont.FreeTypeFont) -> float:
    """Return how many pixels ``text`` takes. matplotlib's letters are a little wider."""
    return 1.03 * face.getlength(text) + 1


def _points(pixels: float) -> float:
    return pixels * 72 / 100


def _hex(color: Color) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)
