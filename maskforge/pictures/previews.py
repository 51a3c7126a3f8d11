"""Pictures for people: the image with its classes laid over it, outlined, and a legend.

Nothing reads these files back. Colours are chosen for looking at, bright and far apart; VOC's own
are dark, and several are shades of one. What masks hold is decided by the writers alone.
"""

from __future__ import annotations

import io
import os
import unicodedata
from contextlib import suppress
from functools import cache, lru_cache
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from maskforge.classes import BACKGROUND, IGNORE
from maskforge.palette import DISPLAYED, display_index, display_palette
from maskforge.raster.raster import Raster

LONG_SIDE = 1024
"""Pixels of a preview's longer side at most; a larger image need not be decoded whole."""

SHORT_SIDE = 400
"""Pixels of a preview's longer side at least."""

_TINT, _SOLID, _LIGHT, _DARK = 118, 255, 235, 120  # opacity: area, line, two of the halo
_STRIPE, _IGNORED, _WHITE, _BLACK = 252, 253, 254, 255  # palette entries that are no class
_PANEL, _INK, _FAINT = (27, 29, 34), (236, 238, 242), (150, 155, 166)
_NO_IMAGE = (46, 49, 56)
_LEGEND_ENTRIES = 24
_FLOWING = 8  # a longer legend stands in columns
_NARROWEST = 320


class _Entry(NamedTuple):
    color: tuple[int, int, int]
    number: str
    name: str
    share: str


@cache
def _table() -> NDArray[np.uint8]:
    """Return what the entries of the overlay's palette look like, uint8 (256, 3)."""
    table = np.zeros((256, 3), dtype=np.uint8)
    table[:251] = display_palette()
    table[_STRIPE], table[_IGNORED], table[_WHITE] = (110, 113, 120), (176, 179, 186), (255,) * 3
    return table


def draw(image: Image.Image | None, raster: Raster) -> Image.Image:
    """Return the preview, RGB: ``image`` tinted and outlined by class, with a legend below.

    image: RGB, upright, of any size; it is scaled as the raster is. None: the classes alone. The
    background is never tinted. The longer side is brought to :data:`SHORT_SIDE` …
    :data:`LONG_SIDE` pixels.
    """
    width, height = _size(raster)
    index, edge = _sample(raster, width, height)
    over, alpha = _overlay(index, edge, plain=image is None)
    sheet = _sheet(width, height, _entries(raster))
    left = (sheet.width - width) // 2
    if image is None:
        sheet.paste(_NO_IMAGE, (left, 0, left + width, height))
    elif image.size == (width, height):
        sheet.paste(image, (left, 0))
    else:
        scaled = image.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=2.0)
        sheet.paste(scaled, (left, 0))
    classes = Image.fromarray(over)
    classes.putpalette(_table().tobytes())
    sheet.paste(classes.convert("RGB"), (left, 0), Image.fromarray(alpha))
    return sheet


def encode(image: Image.Image, *, suffix: str = ".jpg") -> bytes:
    """Return the file: JPEG at quality 85, or PNG for the suffix ``.png``."""
    file = io.BytesIO()
    if suffix.lower() == ".png":
        image.save(file, "PNG", compress_level=4)
    else:
        # Colour at full resolution: thin coloured outlines would smear.
        image.save(file, "JPEG", quality=85, subsampling=0)
    return file.getvalue()


def _size(raster: Raster) -> tuple[int, int]:
    longer = max(raster.width, raster.height)
    if longer < SHORT_SIDE:
        factor = -(-SHORT_SIDE // longer)  # whole, so that small pixels stay squares
        return raster.width * factor, raster.height * factor
    scale = min(1.0, LONG_SIDE / longer)
    return max(1, round(raster.width * scale)), max(1, round(raster.height * scale))


def _sample(raster: Raster, width: int, height: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return palette index, and where class or instance change, (height, width) each.

    Scaled by taking the nearest pixel.
    """
    # The last entry is that of no region.
    class_id = np.append(raster.region_class, raster.classes.uncovered)
    index = ((class_id - 1) % DISPLAYED + 1).astype(np.uint8)
    index[(class_id < 0) | (class_id == raster.classes.background)] = 0
    index[class_id == raster.classes.ignore_index] = _IGNORED
    thing = np.append(raster.region_instance, 0) * 256 + index
    things, number = np.unique(thing, return_inverse=True)
    kind = np.uint16 if len(things) <= 65536 else np.int32
    flat = np.repeat(number.astype(kind)[raster.segments.owner], raster.segments.length)
    rows = (np.arange(height) * 2 + 1) * raster.height // (2 * height)
    columns = (np.arange(width) * 2 + 1) * raster.width // (2 * width)
    shown = flat.reshape(raster.height, raster.width)
    if shown.shape != (height, width):
        shown = shown[rows][:, columns]
    return (things % 256).astype(np.uint8)[shown], _differs(shown)


def _overlay(
    index: NDArray[np.uint8], edge: NDArray[np.bool_], *, plain: bool
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return palette index and opacity of what is laid over the image, (height, width) each."""
    inside = index > 0
    line = (_grown(edge) if max(index.shape) >= 600 else edge) & inside
    near = _grown(line) & ~inside
    far = _grown(near) & ~inside & ~near
    over = index.copy()
    alpha = inside * np.uint8(_SOLID if plain else _TINT)
    ignored = index == _IGNORED
    if ignored.any():
        rows, columns = np.ogrid[: index.shape[0], : index.shape[1]]
        over[ignored & ((rows + columns) // 5 % 2 == 0)] = _STRIPE
    for where, color, opacity in ((near, _WHITE, _LIGHT), (far, _BLACK, _DARK)):
        over[where], alpha[where] = color, opacity
    alpha[line] = _SOLID
    return over, alpha


def _differs(values: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Return which pixels differ from the one above, below, left or right of them."""
    found = np.zeros(values.shape, dtype=np.bool_)
    down, across = values[1:] != values[:-1], values[:, 1:] != values[:, :-1]
    found[1:] |= down
    found[:-1] |= down
    found[:, 1:] |= across
    found[:, :-1] |= across
    return found


def _grown(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return ``mask`` and the pixels above, below, left and right of it."""
    grown = mask.copy()
    grown[1:] |= mask[:-1]
    grown[:-1] |= mask[1:]
    grown[:, 1:] |= mask[:, :-1]
    grown[:, :-1] |= mask[:, 1:]
    return grown


def _entries(raster: Raster) -> list[_Entry]:
    """Return the legend: classes by share, then ignore and background."""
    total = raster.height * raster.width
    classes, counts = raster.classes, raster.pixel_counts
    ignore, background = classes.ignore_index, classes.background
    ids = [i for i in counts if i not in (background, ignore)]
    ids.sort(key=lambda i: (-counts[i], i))
    entries = [
        _Entry(
            _color(display_index(i, background)),
            str(i),
            classes.name_of(i),
            _share(counts[i], total),
        )
        for i in ids[:_LEGEND_ENTRIES]
    ]
    if len(ids) > _LEGEND_ENTRIES:
        rest = sum(counts[i] for i in ids[_LEGEND_ENTRIES:])
        more = str(len(ids) - _LEGEND_ENTRIES)
        entries.append(_Entry(_FAINT, more, "more", _share(rest, total)))
    if ignore in counts:
        share = _share(counts[ignore], total)
        entries.append(_Entry(_color(_IGNORED), str(ignore), IGNORE.strip("_"), share))
    if background in counts:
        share = _share(counts[background], total)
        entries.append(_Entry(_PANEL, str(background), BACKGROUND.strip("_"), share))
    return entries


def _color(index: int) -> tuple[int, int, int]:
    red, green, blue = _table()[index].tolist()
    return red, green, blue


def _share(pixels: int, total: int) -> str:
    percent = 100 * pixels / total
    return f"{percent:.1f} %" if percent >= 0.05 else "<0.1 %"


Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont


@cache
def _font(size: int) -> Font:
    return ImageFont.load_default(size)


def _legible(text: str, font: Font, size: int) -> tuple[str, Font]:
    """Return ``text`` and a font that has its letters: the usual one, or one of the system.

    Where none has, letters lose their accents, and others are shown by their numbers, so that two
    names stay different.
    """
    lacking = _lacking(text, font)
    if lacking:
        for path in _system_fonts():
            with suppress(OSError):
                other = ImageFont.truetype(path, size)
                if not _lacking(text, other):
                    return text, other
    return "".join(_spelled(c) if c in lacking else c for c in text), font


def _spelled(letter: str) -> str:
    bare = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode().strip()
    return bare or f"[{ord(letter):X}]"


@lru_cache(maxsize=4096)
def _lacking(text: str, font: Font) -> frozenset[str]:
    """Return the letters that a font shows as it shows what no font has."""
    if text.isascii():
        return frozenset()
    none = bytes(font.getmask("\U0010fffe"))
    return frozenset(c for c in text if not c.isspace() and bytes(font.getmask(c)) == none)


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


def _sheet(width: int, height: int, entries: list[_Entry]) -> Image.Image:
    """Return a sheet with room for a picture at the top and ``entries`` in rows below it."""
    width = max(width, _NARROWEST)
    size = max(13, min(19, round(width / 52)))
    font, gap, row, swatch = _font(size), round(size * 1.4), round(size * 1.75), round(size * 0.85)
    fixed = swatch + size * 3 // 2
    named: list[tuple[int, _Entry]] = []
    faces: dict[_Entry, Font] = {}
    for entry in entries:
        taken = fixed + font.getlength(entry.number + entry.share)
        name, face = _legible(entry.name, font, size)
        entry = entry._replace(name=_fitted(name, face, width - 2 * gap - taken))
        named.append((round(taken + face.getlength(entry.name)), entry))
        faces[entry] = face
    column = max((wide for wide, _ in named), default=0) if len(named) > _FLOWING else 0
    x, y = gap, height + round(size * 0.8)
    placed: list[tuple[int, int, _Entry]] = []
    for wide, entry in named:
        if x > gap and x + max(wide, column) > width - gap:
            x, y = gap, y + row
        placed.append((x, y, entry))
        x += max(wide, column) + round(size * 1.3)
    sheet = Image.new("RGB", (width, y + row + round(size * 0.5)), _PANEL)
    pen = ImageDraw.Draw(sheet)
    for x, y, entry in placed:
        top = y + (row - swatch) // 2
        outline = _FAINT if entry.color == _PANEL else entry.color
        box = (x, top, x + swatch, top + swatch)
        pen.rounded_rectangle(box, radius=swatch // 4, fill=entry.color, outline=outline)
        left: float = x + swatch + size // 2
        parts = (entry.number, _FAINT, font), (entry.name, _INK, faces[entry])
        for text, ink, face in (*parts, (entry.share, _FAINT, font)):
            pen.text((left, y + row // 2), text, fill=ink, font=face, anchor="lm")
            left += face.getlength(text) + size // 2
    return sheet


def _fitted(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, room: float) -> str:
    """Return ``text`` on one line, cut with an ellipsis where it is wider than ``room`` pixels."""
    text = " ".join(text.split())[:200]
    if font.getlength(text) <= room:
        return text
    while text and font.getlength(text + "…") > room:
        text = text[:-1]
    return text + "…"
