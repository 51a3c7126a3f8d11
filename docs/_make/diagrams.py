"""Drawings that explain: enlarged pixels under the true outline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from _make.areas import contested, cover, polygon_area
from maskforge import Annotation, Box, ClassTable, Ellipse, Polygon, Region, rasterize
from maskforge.raster.geometry import Geometry

_PAPER, _GRID, _INK, _FAINT = (252, 252, 250), (221, 223, 226), (33, 37, 43), (107, 114, 125)
_IN, _EXTRA, _BOTH, _DOT = (126, 208, 196), (246, 173, 85), (229, 72, 88), (150, 157, 166)
_RULES = ("pixel-center", "labelme", "opencv", "coco")
_CELL = 17
_FINE = 3  # drawn so many times larger, then reduced: smooth outlines
_GAP = 20

_OUTER = np.array([[1.3, 3.6], [6.2, 0.9], [12.6, 2.2], [14.6, 7.7], [9.4, 12.5], [2.4, 10.4]])
_HOLE = np.array([[5.2, 4.6], [9.9, 4.3], [10.6, 7.6], [6.4, 8.8]])
_SHAPE = Polygon(_OUTER, (_HOLE,))
_WIDE, _HIGH, _LOW = 16, 14, 12


def rules() -> Image.Image:
    """Return the four rules side by side: a polygon with a hole, and two squares with one edge."""
    panel, head, middle = _WIDE * _CELL, 58, 46
    width = 4 * panel + 5 * _GAP
    height = head + _HIGH * _CELL + middle + _LOW * _CELL + 50
    sheet = Image.new("RGB", (width, height), _PAPER)
    pen = ImageDraw.Draw(sheet)
    exact = cover("pixel-center", _SHAPE, height=_HIGH, width=_WIDE)
    area = polygon_area(_OUTER) - polygon_area(_HOLE)
    for number, rule in enumerate(_RULES):
        x = _GAP + number * (panel + _GAP)
        mask = cover(rule, _SHAPE, height=_HIGH, width=_WIDE)
        grid = _grid(mask & exact, mask & ~exact, [_OUTER, _HOLE])
        pen.text((x, 20), rule, fill=_INK, font=_font(19), anchor="lm")
        shown = f"{mask.sum()} pixels, the area is {area:.1f}"
        pen.text((x, 43), shown, fill=_FAINT, font=_font(14), anchor="lm")
        sheet.paste(grid, (x, head))
        y = head + _HIGH * _CELL + middle
        left, right = _squares()
        sheet.paste(_two(rule, left, right), (x, y))
        words = f"{contested(rule)} pixels contested"
        pen.text((x, y - 20), words, fill=_FAINT, font=_font(14), anchor="lm")
    _legend(pen, height - 24, width)
    return sheet


def overlap() -> Image.Image:
    """Return the same three regions under each policy."""
    panel, head = 240, 44
    choices: Sequence[tuple[str, dict[str, object]]] = (
        ("--overlap last", {"overlap": "last"}),
        ("--overlap first", {"overlap": "first"}),
        ("--overlap smallest", {"overlap": "smallest"}),
        ("--priority cup", {"priority": ("cup",)}),
    )
    colors = np.array([(244, 244, 241), (77, 134, 255), (255, 179, 26), (255, 77, 94)], np.uint8)
    sheet = Image.new("RGB", (4 * panel + 5 * _GAP, panel * 3 // 4 + head + _GAP), _PAPER)
    pen = ImageDraw.Draw(sheet)
    for number, (words, options) in enumerate(choices):
        raster = rasterize(_scene(4 * panel), _CLASSES, **options)  # type: ignore[arg-type]
        tile = Image.fromarray(colors[raster.label_image()])
        x = _GAP + number * (panel + _GAP)
        sheet.paste(tile.resize((panel, panel * 3 // 4), Image.Resampling.BOX), (x, head))
        pen.text((x, head // 2), words, fill=_INK, font=_font(17), anchor="lm")
        for place, name in (((34, 154), "table"), ((92, 62), "cup"), ((195, 74), "lid")):
            pen.text((x + place[0], head + place[1]), name, fill=_INK, font=_font(14), anchor="mm")
    return sheet


_CLASSES = ClassTable.from_names(["table", "cup", "lid"])


def _scene(width: int) -> Annotation:
    unit = width / 240
    shapes: tuple[tuple[str, Geometry], ...] = (
        ("cup", Ellipse(118 * unit, 84 * unit, 62 * unit, 62 * unit)),
        ("lid", Ellipse(180 * unit, 84 * unit, 31 * unit, 31 * unit)),
        ("table", Box(10 * unit, 104 * unit, 230 * unit, 170 * unit)),
    )
    regions = tuple(Region(label, (shape,)) for label, shape in shapes)
    return Annotation("scene", Path("scene.json"), "", regions, height=width * 3 // 4, width=width)


def _squares() -> list[NDArray[np.float64]]:
    return [np.array([(x, 2), (x + 6, 2), (x + 6, 10), (x, 10)], dtype=np.float64) for x in (2, 8)]


def _two(rule: str, left: NDArray[np.float64], right: NDArray[np.float64]) -> Image.Image:
    (exact_a, a), (exact_b, b) = (
        tuple(cover(r, Polygon(ring), height=_LOW, width=_WIDE) for r in ("pixel-center", rule))
        for ring in (left, right)
    )
    once, exact = a ^ b, exact_a | exact_b
    return _grid(once & exact, once & ~exact, [left, right], twice=a & b)


def _grid(
    inside: NDArray[np.bool_],
    extra: NDArray[np.bool_],
    rings: Sequence[NDArray[np.float64]],
    *,
    twice: NDArray[np.bool_] | None = None,
) -> Image.Image:
    """Return pixels as cells with their centers, coloured, and the rings over them."""
    height, width = inside.shape
    cell = _CELL * _FINE
    big = Image.new("RGB", (width * cell, height * cell), "white")
    pen = ImageDraw.Draw(big)
    both = np.zeros_like(inside) if twice is None else twice
    for mask, fill in ((inside, _IN), (extra, _EXTRA), (both, _BOTH)):
        for row, column in zip(*np.nonzero(mask), strict=True):
            x, y = int(column) * cell, int(row) * cell
            pen.rectangle((x, y, x + cell - 1, y + cell - 1), fill=fill)
    for step in range(max(width, height) + 1):
        place = min(step * cell, big.width - 1)
        pen.line((place, 0, place, big.height), fill=_GRID, width=_FINE)
        pen.line((0, step * cell, big.width, step * cell), fill=_GRID, width=_FINE)
    for row, column in np.ndindex(height, width):
        x, y = (column + 0.5) * cell, (row + 0.5) * cell
        pen.ellipse((x - _FINE, y - _FINE, x + _FINE, y + _FINE), fill=_DOT)
    for ring in rings:
        points = [(float(x) * cell, float(y) * cell) for x, y in [*ring, ring[0], ring[1]]]
        pen.line(points, fill=_INK, width=2 * _FINE, joint="curve")
    return big.resize((width * _CELL, height * _CELL), Image.Resampling.LANCZOS)


def _legend(pen: ImageDraw.ImageDraw, y: int, width: int) -> None:
    x = _GAP
    for fill, words in (
        (_IN, "pixel center inside, and covered"),
        (_EXTRA, "covered although its center is outside"),
        (_BOTH, "claimed by both squares"),
    ):
        pen.rectangle((x, y - 8, x + 16, y + 8), fill=fill, outline=_GRID)
        pen.text((x + 26, y), words, fill=_FAINT, font=_font(14), anchor="lm")
        x += width // 3


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
