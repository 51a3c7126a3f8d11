"""Outlines of a mask, as ``--as polygons`` writes them: exact, and simplified."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw

from _make.photos import GAP, INK, PANEL, font
from maskforge import convert
from maskforge.palette import display_palette

_SAMPLE = "park_039"
_ZOOM = 6
_WINDOW = (28, 14, 108, 100)
"""Left, top, right, bottom of what is shown, in pixels."""


def regions(samples: Path) -> Image.Image:
    """Return the outlines of one scene three times: fewer points from left to right."""
    ways = (
        ("exact", {}),
        ("--keep-iou 0.99", {"keep_iou": 0.99}),
        ("--keep-iou 0.95", {"keep_iou": 0.95}),
    )
    left, top, right, bottom = _WINDOW
    size = (right - left) * _ZOOM, (bottom - top) * _ZOOM
    head = 44
    sheet = Image.new("RGB", (3 * size[0] + 4 * GAP, size[1] + head + GAP), PANEL)
    pen = ImageDraw.Draw(sheet)
    with tempfile.TemporaryDirectory() as place:
        source = Path(place, "dir")
        source.mkdir()
        for path in (samples / "labelme").glob(f"{_SAMPLE}.*"):
            shutil.copy(path, source)
        shutil.copy(samples / "labelme/labels.txt", source)
        masks = convert(source, out=Path(place, "masks"), previews=False).out
        for number, (words, options) in enumerate(ways):
            out = Path(place, str(number))
            told = convert(masks, as_="polygons", out=out, previews=False, **options)
            path = out / f"{_SAMPLE}.json"
            shapes = json.loads(path.read_text(encoding="utf-8"))["shapes"]
            (photo,) = (p for p in out.glob(f"{_SAMPLE}.*") if p != path)
            names = {name: i for i, name in enumerate(told.classes.names)}
            panel = Image.open(photo).convert("RGB").crop(_WINDOW).resize(size, Image.NEAREST)
            _draw(panel, shapes, names)
            x = GAP + number * (size[0] + GAP)
            sheet.paste(panel, (x, head))
            points = sum(len(shape["points"]) for shape in shapes)
            pen.text(
                (x + 2, head // 2),
                f"{words}: {points} points",
                fill=INK,
                font=font(18),
                anchor="lm",
            )
    return sheet


def _draw(panel: Image.Image, shapes: list[dict[str, object]], names: dict[str, int]) -> None:
    pen = ImageDraw.Draw(panel)
    colors = display_palette()
    for shape in shapes:
        color = tuple(colors[names[str(shape["label"])]].tolist())
        ring = [((x - _WINDOW[0]) * _ZOOM, (y - _WINDOW[1]) * _ZOOM) for x, y in shape["points"]]
        pen.line([*ring, ring[0]], fill=color, width=3, joint="curve")
        for x, y in ring:
            pen.ellipse((x - 3, y - 3, x + 3, y + 3), fill=(255, 255, 255))
