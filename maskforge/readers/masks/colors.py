"""Masks that hold colours: which style they are painted in, and what each colour stands for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from maskforge import styles
from maskforge.classes import BACKGROUND, ClassTable
from maskforge.errors import ClassError, ReadError
from maskforge.io.label_lists import Listed
from maskforge.palette import voc_palette
from maskforge.raster.annotation import IGNORED, Decoding
from maskforge.readers.masks import pixels, scanning
from maskforge.readers.masks.dataset import Meaning, Options
from maskforge.readers.masks.decoding import pack

VOC_IGNORE = 0xE0E0C0
"""The colour of 255 in VOC's palette."""


def find(masks: Sequence[Path], names: Listed | None, options: Options) -> Meaning:
    """Return what the colours of ``masks`` mean, in the style that the options give, or that shows.

    Raises ClassError, with the colours to choose from, when nothing says which is which.
    """
    if options.ignore is not None:
        raise ClassError("a value to ignore must not be given for masks that hold colours")
    scan = scanning.scan(masks, colors=True)
    found = set(scan)
    style = options.style or _known_style(found)
    if style is None:
        hexes = ",".join(f"#{value:06x}" for value in sorted(found))
        raise ClassError(
            f"the masks are painted in {len(found)} colours, of which nothing says what they mean",
            file=str(next(iter(scan.values()))),
            cure=f"give the colours by class id, the background first: --style {hexes}",
        )
    classes = names.classes if names is not None else _table_of(style, found)
    decoding, classes = style_decoding(style, classes)
    origin = names.origin if names is not None else f"the colours of style {style}"
    notes = (f"classes: {origin}", f"colours: {style}" + ("" if options.style else ", as found"))
    return Meaning(classes, decoding, notes)


def style_decoding(style: str, classes: ClassTable) -> tuple[Decoding, ClassTable]:
    """Return how colours of ``style`` are read, and the classes that they can tell apart.

    A style that paints every class but the background alike leaves one class, ``object``. Raises
    UsageError for a style that does not fit, ClassError for colours that stand for two classes.
    """
    colors = styles.parse(style, classes)
    values, ignore = pack(colors[:-1]).tolist(), int(pack(colors[-1]))
    if len(set(values)) == 2 < len(values):
        classes, values = ClassTable((BACKGROUND, "object"), classes.has_ignore), values[:2]
    table = {value: i for i, value in enumerate(values)}
    if len(table) < len(values):
        raise ClassError(
            f"style {style!r} gives one colour to two classes, so that ids cannot be read back"
        )
    extra = {ignore: IGNORED, **({VOC_IGNORE: IGNORED} if style == "palette" else {})}
    return Decoding("colors", tuple((extra | table).items())), classes


def _known_style(found: set[int]) -> str | None:
    grey = int(pack(np.array(styles.IGNORE_COLOR)))
    for name, pair in styles.TWO_COLORS.items():
        if found - {grey} <= {int(pack(np.array(color))) for color in pair}:
            return name
    voc = set(pack(voc_palette()).tolist()) | {grey}
    return "palette" if found <= voc else None


def _table_of(style: str, found: set[int]) -> ClassTable:
    if style == "palette":
        ids = {int(v): i for i, v in enumerate(pack(voc_palette()[:255]).tolist())}
        count = 1 + max((ids[value] for value in found if value in ids), default=0)
        return ClassTable((BACKGROUND, *(f"class_{i}" for i in range(1, max(2, count)))))
    count = len(style.split(",")) if "," in style else 2
    if count == 2:
        return ClassTable((BACKGROUND, "object"))
    return ClassTable((BACKGROUND, *(f"class_{i}" for i in range(1, count))))


def in_voc_colors(masks: Sequence[Path]) -> bool:
    """Return whether the first mask that shows an object shows it in VOC's colours."""
    voc = voc_palette()
    for path in masks[: scanning.LOOKED_AT]:
        try:
            values, palette = pixels.read_mask(path)
        except ReadError:
            continue
        if values.ndim == 3:
            return _known_style(set(scanning.distinct(pack(values)))) == "palette"
        used = [v for v in scanning.distinct(values) if 0 < v < 255]
        if used and palette is not None:
            return len(palette) > used[-1] and bool((palette[used] == voc[used]).all())
    return False
