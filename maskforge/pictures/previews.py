"""Pictures for people: the image with its classes laid over it, outlined, and a legend.

Nothing reads these files back. Colours are chosen for looking at, bright and far apart; VOC's own
are dark, and several are shades of one. What masks hold is decided by the writers alone.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from maskforge.classes import BACKGROUND, IGNORE, ClassTable
from maskforge.labels import name_of_class
from maskforge.palette import DISPLAYED, display_index, display_palette
from maskforge.pictures import lettering
from maskforge.pictures.lettering import FAINT, INK, PANEL, Color, Font
from maskforge.raster.raster import Raster

LONG_SIDE = 1024
"""Pixels of a preview's longer side at most; a larger image need not be decoded whole."""

SHORT_SIDE = 400
"""Pixels of a preview's longer side at least."""

_TINT, _SOLID, _LIGHT, _DARK = 118, 255, 235, 120  # opacity: area, line, two of the halo
_HATCH = 190  # opacity of the hatching where a tint would not show
_NEAR = 15.0  # colours nearer than this (CIE76) are taken for one
_NEARLY = 22.0  # and these, where others of the class are
_BLOCK = 16  # pixels of the sides of the squares in which the image's colour is looked at
_PERIOD = 9  # pixels from stripe to stripe
# Palette entries that are no class. White and black are above all: :func:`_put` relies on it.
_STRIPE, _IGNORED, _WHITE, _BLACK = 252, 253, 254, 255
NO_IMAGE = (46, 49, 56)
_LEGEND_ENTRIES = 24
_FLOWING = 8  # a longer legend stands in columns
_NARROWEST = 320


class Entry(NamedTuple):
    """A line of a legend: a colour, an id, a name, and what there is to say of it."""

    color: Color
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
    size = _size(raster)
    entries = _entries(raster)
    below = legend(entries, size[0], max(13, min(19, round(max(size[0], _NARROWEST) / 52))))
    sheet = Image.new("RGB", (below.width, size[1] + below.height), PANEL)
    sheet.paste(below, (0, size[1]))
    _lay(sheet, (sheet.width - size[0]) // 2, image, raster, size)
    return sheet


def overlay(image: Image.Image | None, raster: Raster, size: tuple[int, int]) -> Image.Image:
    """Return what :func:`draw` shows above its legend, at ``size`` (width, height)."""
    sheet = Image.new("RGB", size)
    _lay(sheet, 0, image, raster, size)
    return sheet


def _lay(
    sheet: Image.Image, left: int, image: Image.Image | None, raster: Raster, size: tuple[int, int]
) -> None:
    """Draw the image with its classes at the top of ``sheet``, from the column ``left``."""
    index, edge = _sample(raster, *size)
    if image is None:
        sheet.paste(NO_IMAGE, (left, 0, left + size[0], size[1]))
    else:
        if image.size != size:
            image = image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
        sheet.paste(image, (left, 0))
    over, alpha = _overlay(index, edge, plain=image is None)
    if image is not None:
        _hatch(over, alpha, index, image)
    classes = Image.fromarray(over)
    classes.putpalette(_table().tobytes())
    sheet.paste(classes.convert("RGB"), (left, 0), Image.fromarray(alpha))


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
    shown = nearest(flat.reshape(raster.height, raster.width), (width, height))
    index = (things % 256).astype(np.uint8).take(shown, mode="clip")  # quicker than brackets
    return index, _differs(shown)


def nearest(values: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Return ``values`` (H, W) at ``size`` (width, height), of each pixel the nearest."""
    width, height = size
    if values.shape == (height, width):
        return values
    rows = (np.arange(height) * 2 + 1) * values.shape[0] // (2 * height)
    columns = (np.arange(width) * 2 + 1) * values.shape[1] // (2 * width)
    found: NDArray[Any] = values[rows][:, columns]
    return found


def _hatch(
    over: NDArray[np.uint8],
    alpha: NDArray[np.uint8],
    index: NDArray[np.uint8],
    image: Image.Image,
) -> None:
    """Hatch, in place, where the image has nearly the colour of its class: no tint shows there.

    index: the classes (H, W); image: of the same size.
    """
    height, width = index.shape
    across, down = -(-width // _BLOCK), -(-height // _BLOCK)
    # Four pixels of each block tell its colour well enough, and are found at once.
    few = image.resize((4 * across, 4 * down), Image.Resampling.NEAREST).reduce(4)
    here = nearest(index, (across, down))
    far = _lab(np.asarray(few)) - _labs()[here]
    apart = np.einsum("ijk,ijk->ij", far, far)
    wide = (apart < _NEARLY**2) & (here > 0) & (here != _IGNORED)
    near = wide & (apart < _NEAR**2)
    if not near.any():
        return
    # A class that is alike somewhere is hatched where it is a little less so: no patches.
    alike = np.zeros(256, np.bool_)
    alike[here[near]] = True
    near = wide & alike[here]
    # A square that stands alone is chance.
    around = np.pad(near.astype(np.uint8), 1)
    near &= around[:-2, 1:-1] + around[2:, 1:-1] + around[1:-1, :-2] + around[1:-1, 2:] >= 2
    ink = np.where(_labs()[here][:, :, 0] > 50, _BLACK, _WHITE) * near
    stripe = ink.astype(np.uint8).repeat(_BLOCK, axis=1)[:, :width]
    stripe = stripe.repeat(_BLOCK, axis=0)[:height]
    where = alpha == _TINT
    where &= _stripes(height, width)
    where &= stripe > 0
    _put(over, where, stripe)
    _put(alpha, where, _HATCH)


def _put(values: NDArray[np.uint8], where: NDArray[np.bool_], new: Any) -> None:
    """Set ``values`` to ``new``, which is higher than they are, in place: quick at that."""
    np.maximum(values, where * np.asarray(new, np.uint8), out=values)


@lru_cache(maxsize=4)
def _stripes(height: int, width: int) -> NDArray[np.bool_]:
    """Return stripes that fall to the right; those of ignored pixels rise."""
    rows, columns = np.ogrid[:height, :width]
    return (columns - rows) % _PERIOD < 2


@cache
def _labs() -> NDArray[np.float32]:
    """Return the entries of the overlay's palette in CIELAB, (256, 3)."""
    table: NDArray[np.float32] = _lab(_table()[None])[0]
    return table


def _lab(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return sRGB colours (H, W, 3) in CIELAB, white at D65: distances are as they are seen."""
    table, matrix = _to_xyz()
    xyz = table[rgb] @ matrix
    bent = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    x, y, z = bent[..., 0], bent[..., 1], bent[..., 2]
    lab: NDArray[np.float32] = np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)
    return lab


@cache
def _to_xyz() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return what a byte is in linear light, (256,), and linear RGB to XYZ, white being 1."""
    values = np.arange(256) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    matrix = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    matrix /= matrix.sum(axis=1, keepdims=True)
    return linear.astype(np.float32), matrix.T.astype(np.float32)


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
        _put(over, where, color)
        _put(alpha, where, opacity)
    _put(alpha, line, _SOLID)
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


def _entries(raster: Raster) -> list[Entry]:
    """Return the legend: classes by share, then ignore and background."""
    total = raster.height * raster.width
    classes, counts = raster.classes, raster.pixel_counts
    ignore, background = classes.ignore_index, classes.background
    ids = [i for i in counts if i not in (background, ignore)]
    ids.sort(key=lambda i: (-counts[i], i))
    entries = [
        Entry(
            color_of(i, classes), str(i), classes.name_of(i), lettering.percent(counts[i] / total)
        )
        for i in ids[:_LEGEND_ENTRIES]
    ]
    if len(ids) > _LEGEND_ENTRIES:
        rest = sum(counts[i] for i in ids[_LEGEND_ENTRIES:])
        more = str(len(ids) - _LEGEND_ENTRIES)
        entries.append(Entry(FAINT, more, "more", lettering.percent(rest / total)))
    if ignore in counts:
        share = lettering.percent(counts[ignore] / total)
        entries.append(Entry(_color(_IGNORED), str(ignore), name_of_class(IGNORE), share))
    if background in counts:
        share = lettering.percent(counts[background] / total)
        entries.append(Entry(PANEL, str(background), name_of_class(BACKGROUND), share))
    return entries


def color_of(class_id: int, classes: ClassTable) -> Color:
    """Return the colour that a class has in a legend."""
    index = display_index(class_id, classes.background)
    return _color(index) if index else PANEL


def _color(index: int) -> Color:
    red, green, blue = _table()[index].tolist()
    return red, green, blue


def legend(entries: Sequence[Entry], width: int, size: int) -> Image.Image:
    """Return ``entries`` in rows, ``width`` pixels wide or a little more, letters ``size`` high."""
    width = max(width, _NARROWEST)
    font = lettering.font(size)
    gap, row, swatch = round(size * 1.4), round(size * 1.75), round(size * 0.85)
    fixed = swatch + size * 3 // 2
    named: list[tuple[int, Entry]] = []
    faces: dict[Entry, Font] = {}
    for entry in entries:
        taken = fixed + font.getlength(entry.number + entry.share)
        name, face = lettering.line(entry.name, font, size, width - 2 * gap - taken)
        entry = entry._replace(name=name)
        named.append((round(taken + face.getlength(entry.name)), entry))
        faces[entry] = face
    column = max((wide for wide, _ in named), default=0) if len(named) > _FLOWING else 0
    x, y = gap, round(size * 0.8)
    placed: list[tuple[int, int, Entry]] = []
    for wide, entry in named:
        if x > gap and x + max(wide, column) > width - gap:
            x, y = gap, y + row
        placed.append((x, y, entry))
        x += max(wide, column) + round(size * 1.3)
    sheet = Image.new("RGB", (width, y + row + round(size * 0.5)), PANEL)
    pen = ImageDraw.Draw(sheet)
    for x, y, entry in placed:
        top = y + (row - swatch) // 2
        outline = FAINT if entry.color == PANEL else entry.color
        box = (x, top, x + swatch, top + swatch)
        pen.rounded_rectangle(box, radius=swatch // 4, fill=entry.color, outline=outline)
        left: float = x + swatch + size // 2
        parts = (entry.number, FAINT, font), (entry.name, INK, faces[entry])
        for text, ink, face in (*parts, (entry.share, FAINT, font)):
            if text:
                pen.text((left, y + row // 2), text, fill=ink, font=face, anchor="lm")
                left += face.getlength(text) + size // 2
    return sheet
