"""Masks that hold colours: which style they are painted in, and what each colour stands for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from maskforge import styles
from maskforge.classes import BACKGROUND, ClassTable
from maskforge.errors import ClassError, Problem, ReadError
from maskforge.io.label_lists import Listed
from maskforge.palette import voc_palette
from maskforge.raster.annotation import IGNORED, Decoding
from maskforge.readers.masks import majority, pixels, scanning
from maskforge.readers.masks.dataset import Meaning, Options, only
from maskforge.readers.masks.decoding import pack
from maskforge.readers.masks.scanning import Seen

VOC_IGNORE = 0xE0E0C0
"""The colour of 255 in VOC's palette."""


def find(masks: Sequence[Path], names: Listed | None, options: Options) -> Meaning:
    """Return what the colours of ``masks`` mean, in the style that the options give, or that shows.

    Raises ClassError, with the colours to choose from, when nothing says which is which.
    """
    if options.ignore is not None:
        raise ClassError("a value to ignore must not be given for masks that hold colours")
    scan = scanning.scan(masks, colors=True, known=_known(options.style, names))
    found = set(scan.values)
    style, odd = options.style, list(scan.odd)
    if style is None:
        style, strange = _known_style(scan.seen)
        odd += [_odd(mask, style) for mask in strange]
    if style is None:
        hexes = ",".join(f"#{value:06x}" for value in sorted(found))
        raise ClassError(
            f"the masks are painted in {len(found)} colours, of which nothing says what they mean"
            + _lonely(scan.seen),
            file=str(next(iter(scan.values.values()))),
            cure=f"give the colours by class id, the background first: --style {hexes}",
        )
    gone = majority.left_out(odd)
    found = {v for mask in scan.seen if str(mask.path) not in gone for v in mask.values}
    classes = names.classes if names is not None else _table_of(style, found)
    decoding, classes = style_decoding(style, classes)
    if scan.damaged:
        decoding = only(decoding, found)
    origin = names.origin if names is not None else f"the colours of style {style}"
    notes = (f"classes: {origin}", f"colours: {style}" + ("" if options.style else ", as found"))
    problems = (*odd, *scanning.loss_problem(scan, found, colors=True))
    return Meaning(classes, decoding, notes, problems)


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


def _known(style: str | None, names: Listed | None) -> set[int]:
    """Return the colours that masks stored with loss probably once had."""
    pairs = [color for pair in styles.TWO_COLORS.values() for color in pair]
    usual = set(pack(np.array([*pairs, styles.IGNORE_COLOR])).tolist())
    if style is not None and ("#" in style or "," in style):
        return {int(part.strip().lstrip("#"), 16) for part in style.split(",")}
    if style in styles.TWO_COLORS:
        return set(pack(np.array([*styles.TWO_COLORS[style], styles.IGNORE_COLOR])).tolist())
    return usual | set(pack(voc_palette()).tolist())


def _known_style(seen: Sequence[Seen]) -> tuple[str | None, list[Seen]]:
    """Return the style in which most masks are painted, None for none, and those that are not."""
    grey = int(pack(np.array(styles.IGNORE_COLOR)))
    known = {
        name: {int(pack(np.array(color))) for color in pair} | {grey}
        for name, pair in styles.TWO_COLORS.items()
    }
    known["palette"] = set(pack(voc_palette()).tolist()) | {grey}
    strange = {
        name: [mask for mask in seen if not mask.values <= colors] for name, colors in known.items()
    }
    best = min(strange, key=lambda name: len(strange[name]))
    if len(strange[best]) > majority.MINORITY * len(seen):
        return None, []
    return best, strange[best]


def _odd(mask: Seen, style: str | None) -> Problem:
    shown = ", ".join(f"#{value:06x}" for value in sorted(mask.values)[:8])
    error = ClassError(
        f"a mask must be painted as most of the set are, in style {style}, but holds {shown}",
        code="mask-colors",
        file=str(mask.path),
        cure="paint it again, or give the colours of all with --style",
    )
    return majority.odd(error)


def _lonely(seen: Sequence[Seen]) -> str:
    """Return in words the colours that one mask alone shows, where the others are in several."""
    times = Counter(value for mask in seen for value in mask.values)
    lonely = [value for value, count in times.items() if count == 1]
    if len(seen) < 4 or not lonely or len(lonely) == len(times):
        return ""
    shown = [(next(m.path.name for m in seen if v in m.values), v) for v in sorted(lonely)[:3]]
    return "; " + ", ".join(f"#{value:06x} is in {name!r} only" for name, value in shown)


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
            values, palette, _ = pixels.read_mask(path)
        except ReadError:
            continue
        if values.ndim == 3:
            shown = frozenset(scanning.distinct(pack(values)))
            return _known_style([Seen(path, shown, 0.0, 0.0)])[0] == "palette"
        used = [v for v in scanning.distinct(values) if 0 < v < 255]
        if used and palette is not None:
            return len(palette) > used[-1] and bool((palette[used] == voc[used]).all())
    return False
