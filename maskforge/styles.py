"""Colours of colour masks: from what users type after ``--style`` to a colour by class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maskforge.classes import BACKGROUND, ClassTable
from maskforge.errors import UsageError
from maskforge.palette import parse_color

IGNORE_COLOR = (127, 127, 127)
"""Grey, RGB: where pixels are to be ignored, in every style."""

TWO_COLORS: dict[str, tuple[tuple[int, int, int], tuple[int, int, int]]] = {
    "black-white": ((0, 0, 0), (255, 255, 255)),
    "white-black": ((255, 255, 255), (0, 0, 0)),
    "purple-yellow": ((120, 0, 120), (235, 235, 50)),
}
"""Background and object, RGB. purple-yellow is BGR (120, 0, 120) and (50, 235, 235)."""

NAMES = (*TWO_COLORS, "palette")


def parse(style: str, classes: ClassTable) -> NDArray[np.uint8]:
    """Return the colours, uint8 (C + 1, 3) in RGB, by channel; the last row is for ignore.

    style: one of :data:`NAMES`, a pair ``#rrggbb,#rrggbb`` (background, object), or a list with
    one colour a class. Two colours paint every class but the background in the object's.
    Raises UsageError.
    """
    count = len(classes)
    if style == "palette":
        if count > 255:
            raise UsageError(
                f"style palette has 255 distinct colours, but the class table has {count} classes",
                cure="give a list with one colour a class",
            )
        colors = classes.palette
    elif style in TWO_COLORS:
        colors = _pair(*TWO_COLORS[style], classes)
    elif "#" in style or "," in style:
        colors = _list(style, classes)
    else:
        raise UsageError(
            f"style must be one of {list(NAMES)}, or colours #rrggbb,#rrggbb, but got {style!r}"
        )
    return np.concatenate([colors, np.array([IGNORE_COLOR], dtype=np.uint8)])


def check(style: str) -> None:
    """Raise UsageError for a style that fits no class table at all."""
    if style not in NAMES and ("#" in style or "," in style):
        for part in style.split(","):
            parse_color(part)
    else:
        parse(style, ClassTable((BACKGROUND,)))


def _pair(
    background: tuple[int, int, int], other: tuple[int, int, int], classes: ClassTable
) -> NDArray[np.uint8]:
    colors = [background if name == BACKGROUND else other for name in classes.names]
    return np.array(colors, dtype=np.uint8)


def _list(style: str, classes: ClassTable) -> NDArray[np.uint8]:
    given = [parse_color(part) for part in style.split(",")]
    count = len(classes)
    if len(given) == count:
        return np.array(given, dtype=np.uint8)
    if len(given) == 2:
        return _pair(given[0], given[1], classes)
    raise UsageError(
        f"style must give 2 colours (background, object) or {count}, one for each of "
        f"{', '.join(classes.names[:8])}{', …' if count > 8 else ''}, but got {len(given)}"
    )
