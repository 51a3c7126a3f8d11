"""What the values in a set of masks mean: told by names, by the masks themselves, or by both."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from maskforge.classes import BACKGROUND, ClassTable
from maskforge.errors import ClassError, Problem
from maskforge.io import label_lists
from maskforge.io.label_lists import Listed
from maskforge.raster.annotation import IGNORED, Decoding
from maskforge.readers.masks import colors as _colors
from maskforge.readers.masks import pixels, scanning
from maskforge.readers.masks.dataset import Meaning, Options, id_decoding, without_background
from maskforge.readers.masks.decoding import likely_cause
from maskforge.readers.masks.inspection import CLASSES_KEY
from maskforge.readers.masks.scanning import Scan


def find(masks: Sequence[Path], options: Options, *, beside: Sequence[Path]) -> Meaning:
    """Return what the pixels of ``masks`` mean.

    Names come from the options, from a file in one of the folders ``beside``, from the masks
    themselves where maskforge wrote them; else the values must be 0, 1, 2 … Raises ReadError,
    ClassError, UsageError.
    """
    return under_names(masks, find_names(masks, options, beside=beside), options)


def find_names(masks: Sequence[Path], options: Options, *, beside: Sequence[Path]) -> Listed | None:
    """Return the class names that are to be had, None for none. Raises ReadError, ClassError."""
    names = label_lists.given(options.labels)
    for folder in beside:
        names = names or label_lists.beside(folder)
    return names or _carried(masks[0])


def under_names(masks: Sequence[Path], names: Listed | None, options: Options) -> Meaning:
    """Return what the pixels of ``masks`` mean when their classes have ``names``, if any."""
    if options.style is not None or scanning.are_colored(masks):
        return _colors.find(masks, names, options)
    void = options.ignore if options.ignore is not None or names is None else names.classes.ignore
    return _ids(masks, names, void)


def _ids(masks: Sequence[Path], names: Listed | None, ignore: int | None) -> Meaning:
    notes: list[str] = []
    problems: list[Problem] = []
    if names is not None:
        _refuse_contradiction(names, ignore)
        notes.append(f"classes: {names.origin}")
    if names is None or names.implied or len(names.classes) == 2:
        # Only here can the values tell something that the names do not.
        scan = scanning.scan(masks, colors=False)
        if names is None:
            names = _from_values(scan, ignore)
            notes.append(
                f"classes: from the values in the masks, {scanning.listed(scan)}; "
                "name them with --labels"
            )
        values = set(scan) - {ignore}
        if values == {0, 255} and len(names.classes) == 2:
            table = {0: 0, 255: 1} | ({} if ignore is None else {ignore: IGNORED})
            notes.append("masks of 0 and 255: 255 is class 1")
            decoding = Decoding("ids", tuple(table.items()))
            return Meaning(names.classes, decoding, tuple(notes))
        highest = max(values - {255, names.classes.ignore_index}, default=0)
        if names.implied and names.classes.is_dense and highest == len(names.classes) - 2 > 0:
            problems.append(_shifted(names))
    if ignore is not None:
        notes.append(f"value {ignore} is ignored")
    if names.classes.background is None:
        notes.append(without_background(names.classes))
    decoding = id_decoding(names.classes, ignore=ignore)
    return Meaning(names.classes, decoding, tuple(notes), tuple(problems))


def _shifted(names: Listed) -> Problem:
    last = len(names.classes) - 1
    return Problem(
        "unknown-label",
        names.origin,
        f"no mask holds id {last}, {names.classes.names[last]!r}: are the names one off?",
        cure=f"if {names.classes.names[1]!r} is id 0, write 0:{names.classes.names[1]} in the "
        f"list; if it is id 1, put {BACKGROUND} before it",
        severity="warning",
    )


def _refuse_contradiction(names: Listed, ignore: int | None) -> None:
    if ignore not in names.classes.ids or ignore in (0, names.classes.background):
        return
    assert ignore is not None
    name = names.classes.name_of(ignore)
    raise ClassError(
        f"value {ignore} cannot be ignored, since it is the id of {name!r}",
        cure=f"if {names.classes.names[1]!r} is id 0, write it 0:{names.classes.names[1]}"
        if names.implied
        else "leave it out of the list of labels, or do not ignore it",
    )


def _from_values(scan: Scan, ignore: int | None) -> Listed:
    """Return classes named by number; raises ClassError unless the values are 0 or 1, 2 …"""
    shown = {v for v in scan if v != ignore}
    wide = any(255 < value < 65535 for value in shown)
    void = {-1, 65535 if wide else 255}
    ids = sorted(shown - void)
    if ids == [0] and 255 in shown:
        ids, shown = [0, 1], shown - {255}
    if len(ids) < 2 and ids != [1]:
        raise ClassError(
            f"the masks must show at least two classes, but hold only {scanning.listed(scan)}",
            file=str(next(iter(scan.values()))),
            cure="give the folder of the masks; maskforge inspect shows what one holds",
        )
    if ids != list(range(ids[0], len(ids) + ids[0])) or ids[0] not in (0, 1):
        strange = next(v for i, v in enumerate(ids) if v != i + (ids[0] == 1))
        cause = likely_cause(scan[strange])
        raise ClassError(
            f"without a list of classes the values must be 0, 1, 2 …, but are "
            f"{scanning.listed(scan)}",
            file=str(scan[strange]),
            cure=(f"{cause}; else " if cause else "") + "name the classes with --labels",
        )
    names = tuple(f"class_{i}" for i in range(1, ids[-1] + 1))
    has_ignore = ignore is not None or bool(shown & void)
    return Listed(ClassTable((BACKGROUND, *names), has_ignore=has_ignore), "values")


def _carried(path: Path) -> Listed | None:
    """Return the class table in the text of a PNG that maskforge wrote."""
    if path.suffix.lower() != ".png":
        return None
    try:
        with pixels.open_image(path) as image:
            text = image.info.get(CLASSES_KEY)
        table = ClassTable.from_text(text) if isinstance(text, str) else None
    except Exception:  # a damaged file, which the check names, or a text that is no class table
        return None
    return None if table is None else Listed(table, "the masks, in which maskforge wrote them")
