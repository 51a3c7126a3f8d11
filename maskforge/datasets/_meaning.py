"""What the values in a set of masks mean: told by names, by the masks themselves, or by both."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from maskforge import styles
from maskforge.classes import BACKGROUND, ClassTable
from maskforge.datasets import _names, _pixels
from maskforge.datasets._base import IGNORED, Decoding, Meaning, Options, id_decoding
from maskforge.datasets._loading import likely_cause, pack
from maskforge.datasets._names import Names
from maskforge.errors import ClassError, Problem, ReadError
from maskforge.inspection import CLASSES_KEY
from maskforge.palette import voc_palette

MAX_COLORS = 256
"""A set of masks with more colours than this was not painted one colour a class."""

_LOOKED_AT = 20
_VOC_IGNORE = 0xE0E0C0


class Scan(NamedTuple):
    """The values of a set of masks, each with the file where it was met first."""

    values: dict[int, Path]
    problems: list[Problem]


def find(masks: Sequence[Path], options: Options, *, beside: Sequence[Path]) -> Meaning:
    """Return what the pixels of ``masks`` mean.

    Names come from the options, from a file in one of the folders ``beside``, from the masks
    themselves where maskforge wrote them; else the values must be 0, 1, 2 … Raises ReadError,
    ClassError, UsageError.
    """
    return under_names(masks, find_names(masks, options, beside=beside), options)


def find_names(masks: Sequence[Path], options: Options, *, beside: Sequence[Path]) -> Names | None:
    """Return the class names that are to be had, None for none. Raises ReadError, ClassError."""
    names = _names.given(options.labels)
    for folder in beside:
        names = names or _names.beside(folder)
    return names or _carried(masks[0])


def under_names(masks: Sequence[Path], names: Names | None, options: Options) -> Meaning:
    """Return what the pixels of ``masks`` mean when their classes have ``names``, if any."""
    if options.style is not None or are_colored(masks):
        return _colors(masks, names, options)
    void = options.ignore if options.ignore is not None or names is None else names.void
    return _ids(masks, names, void)


def are_colored(masks: Sequence[Path]) -> bool:
    """Return whether one of the first masks holds colours. Damaged files are passed over."""
    for path in masks[:_LOOKED_AT]:
        try:
            if _pixels.is_colored(path):
                return True
        except ReadError:
            continue  # the check names it
    return False


def _ids(masks: Sequence[Path], names: Names | None, ignore: int | None) -> Meaning:
    notes: list[str] = []
    problems: list[Problem] = []
    if names is not None:
        _refuse_contradiction(names, ignore)
        notes.append(f"classes: {names.origin}")
    if names is None or names.implied or len(names.classes) == 2:
        # Only here can the values tell something that the names do not.
        scan = _scan(masks, colors=False)
        if names is None:
            names = _from_values(scan, ignore)
            notes.append(
                f"classes: from the values in the masks, {_listed(scan.values)}; "
                "name them with --labels"
            )
        values = set(scan.values) - {ignore}
        if values == {0, 255} and len(names.classes) == 2:
            table = ((0, 0), (255, 1))
            table += () if ignore is None else ((ignore, IGNORED),)
            notes.append("masks of 0 and 255: 255 is class 1")
            return Meaning(names.classes, Decoding("ids", table), names.first, tuple(notes))
        if names.implied and max(values, default=0) == len(names.classes) - 2 > 0:
            problems.append(_shifted(names))
    if ignore is not None:
        notes.append(f"value {ignore} is ignored")
    if names.first != BACKGROUND:
        notes.append(f"id 0 is {names.first!r}, a class like the others")
    decoding = id_decoding(names.classes, ignore=ignore)
    return Meaning(names.classes, decoding, names.first, tuple(notes), tuple(problems))


def _shifted(names: Names) -> Problem:
    last = len(names.classes) - 1
    return Problem(
        "unknown-label",
        names.origin,
        f"no mask holds id {last}, {names.classes.names[last]!r}: are the names one off?",
        cure=f"if {names.classes.names[1]!r} is id 0, write 0:{names.classes.names[1]} in the "
        f"list; if it is id 1, put {BACKGROUND} before it",
        severity="warning",
    )


def _refuse_contradiction(names: Names, ignore: int | None) -> None:
    if ignore is None or not 0 < ignore < len(names.classes) or ignore == names.void:
        return
    name = names.classes.names[ignore]
    raise ClassError(
        f"value {ignore} cannot be ignored, since it is the id of {name!r}",
        cure=f"if {names.classes.names[1]!r} is id 0, write it 0:{names.classes.names[1]}"
        if names.implied
        else "leave it out of the list of labels, or do not ignore it",
    )


def _from_values(scan: Scan, ignore: int | None) -> Names:
    """Return classes named by number; raises ClassError unless the values are 0 or 1, 2 …"""
    shown = {v for v in scan.values if v != ignore}
    ids = sorted(shown - {255, -1, 65535} if max(shown, default=0) != 65535 else shown - {65535})
    if ids == [0] and 255 in shown:
        ids, shown = [0, 1], shown - {255}
    if len(ids) < 2 and ids != [1]:
        raise ClassError(
            f"the masks must show at least two classes, but hold only {_listed(scan.values)}",
            file=str(next(iter(scan.values.values()))),
            cure="give the folder of the masks; maskforge inspect shows what one holds",
        )
    if ids != list(range(ids[0], len(ids) + ids[0])) or ids[0] not in (0, 1):
        strange = next(v for i, v in enumerate(ids) if v != i + (ids[0] == 1))
        cause = likely_cause(scan.values[strange])
        raise ClassError(
            f"without a list of classes the values must be 0, 1, 2 …, but are "
            f"{_listed(scan.values)}",
            file=str(scan.values[strange]),
            cure=(f"{cause}; else " if cause else "") + "name the classes with --labels",
        )
    names = tuple(f"class_{i}" for i in range(1, ids[-1] + 1))
    has_ignore = ignore is not None or bool(shown & {255, -1, 65535})
    return Names(ClassTable((BACKGROUND, *names), has_ignore=has_ignore), "values")


def _colors(masks: Sequence[Path], names: Names | None, options: Options) -> Meaning:
    if options.ignore is not None:
        raise ClassError("a value to ignore must not be given for masks that hold colours")
    scan = _scan(masks, colors=True)
    found = set(scan.values)
    style = options.style or _known_style(found)
    if style is None:
        hexes = ",".join(f"#{value:06x}" for value in sorted(found))
        raise ClassError(
            f"the masks are painted in {len(found)} colours, of which nothing says what they mean",
            file=str(next(iter(scan.values.values()))),
            cure=f"give the colours by class id, the background first: --style {hexes}",
        )
    classes = names.classes if names is not None else _table_of(style, found)
    decoding, classes = style_decoding(style, classes)
    origin = names.origin if names is not None else f"the colours of style {style}"
    notes = (f"classes: {origin}", f"colours: {style}" + ("" if options.style else ", as found"))
    return Meaning(classes, decoding, names.first if names else BACKGROUND, notes)


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
    extra = {ignore: IGNORED, **({_VOC_IGNORE: IGNORED} if style == "palette" else {})}
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


def _scan(masks: Sequence[Path], *, colors: bool) -> Scan:
    """Look at every mask; those that cannot be read are left to the check, unless all are."""
    scan = Scan({}, [])
    failed: list[ReadError] = []
    for path in masks:
        try:
            pixels = _pixels.read_mask(path, colors=colors).values
        except ReadError as error:
            failed.append(error)
            continue
        if colors:
            pixels = pack(pixels)
        elif pixels.ndim == 3:
            continue  # a lone colour mask among numbers: decoding refuses it
        for value in _distinct(pixels):
            scan.values.setdefault(value, path)
        if len(scan.values) > MAX_COLORS and colors:
            cause = likely_cause(path)
            raise ClassError(
                f"masks must be painted in one colour a class, but there are over {MAX_COLORS}",
                file=str(path),
                cure=cause,
            )
    if not scan.values and failed:
        raise failed[0]
    return scan


def _distinct(values: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> list[int]:
    flat = values.reshape(-1)
    if flat.dtype == np.uint8:
        found: list[int] = np.flatnonzero(np.bincount(flat, minlength=256)).tolist()
        return found
    change = np.append(0, np.flatnonzero(flat[1:] != flat[:-1]) + 1)
    distinct: list[int] = np.unique(flat[change])[: 1 << 16].tolist()
    return distinct


def _carried(path: Path) -> Names | None:
    """Return the class table in the text of a PNG that maskforge wrote."""
    if path.suffix.lower() != ".png":
        return None
    try:
        with Image.open(path) as image:
            text = image.info.get(CLASSES_KEY)
        table = ClassTable.from_text(text) if isinstance(text, str) else None
    except Exception:  # a damaged file, which the check names, or a text that is no class table
        return None
    return None if table is None else Names(table, "the masks, in which maskforge wrote them")


def _listed(values: dict[int, Path]) -> str:
    shown = sorted(values)
    return ", ".join(map(str, shown[:12])) + (" …" if len(shown) > 12 else "")


def in_voc_colors(masks: Sequence[Path]) -> bool:
    """Return whether the first mask that shows an object shows it in VOC's colours."""
    voc = voc_palette()
    for path in masks[:_LOOKED_AT]:
        try:
            values, palette = _pixels.read_mask(path)
        except ReadError:
            continue
        if values.ndim == 3:
            return _known_style(set(_distinct(pack(values)))) == "palette"
        used = [v for v in _distinct(values) if 0 < v < 255]
        if used and palette is not None:
            return len(palette) > used[-1] and bool((palette[used] == voc[used]).all())
    return False
