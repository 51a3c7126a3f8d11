"""What all pictures share: the colours of their sheets, and text that can be read in any script."""

from __future__ import annotations

import os
import unicodedata
from contextlib import suppress
from functools import cache, lru_cache
from typing import TypeAlias

from PIL import ImageFont

Color: TypeAlias = tuple[int, int, int]
Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont

PANEL: Color = (27, 29, 34)
INK: Color = (236, 238, 242)
FAINT: Color = (150, 155, 166)
GRID: Color = (58, 62, 70)


@cache
def font(size: int) -> Font:
    """Return Pillow's own font, ``size`` pixels high."""
    return ImageFont.load_default(size)


def percent(share: float) -> str:
    """Return a share as people read it: ``43.2 %``."""
    if 0 < share < 0.0005:
        return "<0.1 %"
    if 0.9995 <= share < 1:  # not quite all is not all
        return ">99.9 %"
    return f"{100 * share:.1f} %"


def line(text: str, face: Font, size: int, room: float) -> tuple[str, Font]:
    """Return ``text`` on one line at most ``room`` pixels wide, and a font that has its letters.

    face: the usual font, of ``size``. What is too long is cut in the middle: beginnings of names
    are often alike, as are ends.
    """
    # A name of a megabyte is not measured whole.
    text = " ".join((text if len(text) <= 400 else text[:200] + text[-200:]).split())
    text, face = legible(text, face, size)
    return shortened(text, face, room), face


def shortened(text: str, face: Font, room: float) -> str:
    """Return ``text``, with an ellipsis in the middle where it is wider than ``room`` pixels."""
    if face.getlength(text) <= room:
        return text
    low, high = 0, len(text) - 1  # letters that may stay
    while low < high:
        middle = (low + high + 1) // 2
        if face.getlength(_cut(text, middle)) <= room:
            low = middle
        else:
            high = middle - 1
    return _cut(text, low)


def _cut(text: str, kept: int) -> str:
    tail = kept // 2
    return f"{text[: kept - tail]}…{text[len(text) - tail :]}"


@lru_cache(maxsize=4096)
def legible(text: str, face: Font, size: int) -> tuple[str, Font]:
    """Return ``text`` and a font that has its letters: the usual one, or one of the system.

    Where none has, letters lose their accents, and others are shown by their numbers, so that two
    names stay different.
    """
    # Control characters and halves of surrogate pairs have no picture in any font.
    text = "".join(_spelled(c) if unicodedata.category(c) in ("Cc", "Cs") else c for c in text)
    if _lacking(text, face):
        for path in _system_fonts():
            with suppress(OSError):
                other = ImageFont.truetype(path, size)
                if not _lacking(text, other):
                    return text, other
    return spelled(text, face), face


def spelled(text: str, face: Font) -> str:
    """Return ``text`` with letters that ``face`` has, in place of those that it lacks."""
    lacking = _lacking(text, face)
    return "".join(_spelled(c) if c in lacking else c for c in text)


def _spelled(letter: str) -> str:
    bare = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode().strip()
    return bare if bare.isprintable() and bare else f"[{ord(letter):X}]"


@lru_cache(maxsize=4096)
def _lacking(text: str, face: Font) -> frozenset[str]:
    """Return the letters that a font shows as it shows what no font has."""
    if text.isascii():
        return frozenset()
    none = bytes(face.getmask("\U0010fffe"))
    return frozenset(c for c in text if not c.isspace() and bytes(face.getmask(c)) == none)


@cache
def _system_fonts() -> tuple[str, ...]:
    """Return files of fonts for many scripts, those first that are known to have many letters."""
    home = os.path.expanduser("~")
    places = [
        *("/usr/share/fonts", "/usr/local/share/fonts", f"{home}/.fonts"),
        *(f"{home}/.local/share/fonts", "/System/Library/Fonts", "/Library/Fonts"),
        os.path.join(os.environ.get("WINDIR", "C:\\Windows"), "Fonts"),
    ]
    found = [
        os.path.join(root, name)
        for place in places
        for root, _, names in os.walk(place)
        for name in names
        if name.lower().endswith((".ttf", ".otf", ".ttc"))
    ]

    def rank(path: str) -> tuple[int, str]:
        name = os.path.basename(path).lower()
        known = (i for i, part in enumerate(_MANY_LETTERS) if part in name)
        return next(known, len(_MANY_LETTERS)), path

    return tuple(sorted(found, key=rank)[:_MOST_FONTS])


_MANY_LETTERS = (
    *("notosanscjk", "notosanssc", "wqy", "droidsansfallback", "sourcehansans", "pingfang"),
    *("msyh", "hiragino", "arialuni", "unifont", "dejavusans.", "notosans-regular", "arial."),
)
_MOST_FONTS = 40
