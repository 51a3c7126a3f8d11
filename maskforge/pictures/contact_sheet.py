"""A contact sheet: many pictures, small and with their names, on one that is looked at first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from maskforge.pictures import lettering
from maskforge.pictures.lettering import FAINT, INK, PANEL

MOST = 48
"""Pictures on a sheet at most."""

WIDTH = 2000
"""Pixels that a sheet is wide at most."""

TEXT = 22
"""Pixels that letters are high: 14 where the sheet is fitted to a screen of 1280 pixels."""

CELL = (320, 240)
"""Width and height of a picture at most, as long as there are few."""

_GAP = 16
_UNDER = 34


def chosen(count: int, most: int = MOST) -> list[int]:
    """Return which of ``count`` pictures are shown: all, or ``most`` at even distances."""
    shown = min(count, most)
    return [at * count // shown for at in range(shown)]


def of_files(pictures: Mapping[str, Path], *, heading: str = "") -> Image.Image:
    """Return the sheet of picture files, by name. One that cannot be read is an empty field."""

    def load(name: str) -> Image.Image:
        try:
            with Image.open(pictures[name]) as picture:
                picture.draft("RGB", CELL)
                return picture.convert("RGB")
        except OSError:
            return Image.new("RGB", CELL, FAINT)

    return draw(list(pictures), load, heading=heading)


def draw(
    names: Sequence[str],
    load: Callable[[str], Image.Image | tuple[Image.Image, str]],
    *,
    cell: tuple[int, int] = CELL,
    heading: str = "",
    most: int = MOST,
) -> Image.Image:
    """Return the sheet of ``names``, at most ``most`` of them, :data:`WIDTH` pixels wide at most.

    load: gives the picture of a name, RGB, of any size, and what to write below, if not the name.
    It is asked for those alone that are shown, one after the other, and none is kept: memory does
    not grow with their number. cell: (width, height) of a picture at most.
    """
    shown = [names[at] for at in chosen(len(names), most)] if names else []
    fitting = max(1, (WIDTH - _GAP) // (cell[0] + _GAP))
    columns = max(1, min(fitting, len(shown)))
    if len(shown) > 4 * fitting:  # more of them are smaller, so that all are seen at once
        columns = min(8, -(-len(shown) // 4))
        wide = (WIDTH - _GAP) // columns - _GAP
        cell = min(wide, cell[0]), min(wide * cell[1] // cell[0], cell[1])
    head = 2 * _UNDER if heading or len(shown) < len(names) else _GAP
    lines = -(-len(shown) // columns)
    width = columns * (cell[0] + _GAP) + _GAP
    sheet = Image.new("RGB", (width, head + lines * (cell[1] + _UNDER + _GAP)), PANEL)
    pen = ImageDraw.Draw(sheet)
    face = lettering.font(TEXT)
    if len(shown) < len(names):
        heading = f"{heading} · " * bool(heading) + f"{len(shown)} of {len(names):,}"
    said, face_of_it = lettering.line(heading, face, TEXT, width - 2 * _GAP)
    pen.text((_GAP, head / 2), said, FAINT, face_of_it, "lm")
    for number, name in enumerate(shown):
        left = _GAP + number % columns * (cell[0] + _GAP)
        top = head + number // columns * (cell[1] + _UNDER + _GAP)
        loaded = load(name)
        picture, caption = loaded if isinstance(loaded, tuple) else (loaded, name)
        scale = min(cell[0] / picture.width, cell[1] / picture.height)
        size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
        if picture.size != size:
            picture = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
        place = left + (cell[0] - size[0]) // 2, top + (cell[1] - size[1]) // 2
        sheet.paste(picture, place)
        said, face_of_it = lettering.line(caption, face, TEXT, cell[0] - 4)
        middle = left + cell[0] / 2, top + cell[1] + _UNDER / 2
        pen.text(middle, said, INK, face_of_it, "mm")
    return sheet
