"""What the values in a set of masks mean: told by names, by the masks themselves, or by both."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from maskforge.classes import BACKGROUND, ClassTable
from maskforge.errors import ClassError, MaskforgeError, Problem
from maskforge.io import label_lists
from maskforge.io.label_lists import Listed
from maskforge.raster.annotation import IGNORED, Decoding
from maskforge.readers.masks import colors as _colors
from maskforge.readers.masks import ids as _ids
from maskforge.readers.masks import lossy, majority, pixels, scanning
from maskforge.readers.masks.dataset import (
    Meaning,
    Options,
    id_decoding,
    only,
    without_background,
)
from maskforge.readers.masks.inspection import CLASSES_KEY
from maskforge.readers.masks.scanning import Scan, Seen


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
    """Return what the pixels of ``masks`` mean when their classes have ``names``, if any.

    Raises ReadError, ClassError, UsageError.
    """
    if options.style is None:
        scanning.refuse_mixture(masks)
    if options.style is not None or scanning.are_colored(masks):
        return _colors.find(masks, names, options)
    void = options.ignore if options.ignore is not None or names is None else names.classes.ignore
    return _numbers(masks, names, void)


def _numbers(masks: Sequence[Path], names: Listed | None, ignore: int | None) -> Meaning:
    notes: list[str] = []
    problems: list[Problem] = []
    if names is not None:
        _refuse_contradiction(names, ignore)
        notes.append(f"classes: {names.origin}")
    if not _is_told(masks, names, ignore):
        scan = scanning.scan(masks, colors=False, known=_known(names))
        problems += scan.odd
        whites = _ids.WHITES - {ignore, *(names.classes.ids if names else ())}
        found = _ids.sort(scan.seen, whites=whites, ignore=ignore)
        is_binary = False
        odd: list[Problem] = []
        if names is None or len(names.classes) == 2 or not names.classes.has_ignore:
            is_binary, odd = _ids.majority_of(found)
        if is_binary and (names is None or len(names.classes) == 2):
            return _black_and_white(scan, found.white, names, ignore, notes, [*problems, *odd])
        left = found if not odd else found._replace(white=())
        if names is None:
            names, strange, gaps = _ids.from_values(scan, [*left.numbered, *left.white], ignore)
            odd += strange
            notes.append(
                f"classes: from the values in the masks, {scanning.listed(_shown(scan, odd))}"
                + (", with their numbers as ids" if gaps else "")
                + "; name them with --labels"
            )
        else:
            if ignore is not None and not any(found):
                _refuse_ignored(names, scan, ignore)
            _ids.refuse_unnamed(names, found, whites)
        problems += odd
        values = _shown(scan, odd) - {ignore}
        highest = max(values - {255, names.classes.ignore_index}, default=0)
        if names.implied and names.classes.is_dense and highest == len(names.classes) - 2 > 0:
            problems.append(_shifted(names))
        problems += scanning.loss_problem(scan, values, colors=False)
    else:
        scan = None
    if ignore is not None:
        notes.append(f"value {ignore} is ignored")
    assert names is not None
    if names.classes.background is None:
        notes.append(without_background(names.classes))
    decoding = id_decoding(names.classes, ignore=ignore)
    if scan is not None and scan.damaged:
        decoding = only(decoding, scan.values)
    return Meaning(names.classes, decoding, tuple(notes), tuple(problems))


def _is_told(masks: Sequence[Path], names: Listed | None, ignore: int | None) -> bool:
    """Return whether the names say all, so that no mask, or only the first ones, are looked at.

    Where the first ones show white and none of the classes, it takes all to tell.
    """
    if names is None or names.implied or len(names.classes) == 2:
        return False
    if any(path.suffix.lower() in lossy.SUFFIXES for path in masks):
        return False
    whites = _ids.WHITES - {ignore, *names.classes.ids}
    try:
        first = scanning.scan(masks[: scanning.LOOKED_AT], colors=False).seen
    except MaskforgeError:
        return True  # the check names what cannot be read
    found = _ids.sort(first, whites=whites, ignore=ignore)
    objects = set(names.classes.ids) - {names.classes.background}
    return not any(found) or any(mask.values & objects for mask in found.numbered)


def _known(names: Listed | None) -> set[int]:
    return {0, 255} if names is None else {0, 255, *names.classes.ids}


def _shown(scan: Scan, odd: Sequence[Problem]) -> set[int]:
    """Return the values of the masks that are not odd."""
    gone = majority.left_out(odd)
    return {v for mask in scan.seen if str(mask.path) not in gone for v in mask.values}


def _refuse_ignored(names: Listed, scan: Scan, ignore: int) -> None:
    masks = [mask for mask in scan.seen if ignore in mask.values]
    if masks and ignore not in (0, names.classes.background):
        raise _ids.unnamed_ignored(names, ignore, masks)


def _black_and_white(
    scan: Scan,
    white: Sequence[Seen],
    names: Listed | None,
    ignore: int | None,
    notes: list[str],
    problems: list[Problem],
) -> Meaning:
    """Return what masks of 0 and white mean: white is the one class, in 8 bits or in 16."""
    tops = sorted(set().union(*(mask.values for mask in white)) & _ids.WHITES)
    if names is None:
        if not any(0 in mask.values for mask in scan.seen):
            raise _ids.one_value(scan)
        table = ClassTable((BACKGROUND, "class_1"), has_ignore=ignore is not None)
        names = Listed(table, "values")
        shown = scanning.listed({0, *tops})
        notes.append(f"classes: from the values in the masks, {shown}; name them with --labels")
    shown = " or ".join(map(str, tops))
    notes.append(f"masks of 0 and {shown}: {shown if len(tops) == 1 else 'white'} is class 1")
    pairs = {0: 0} | dict.fromkeys(tops, 1) | ({} if ignore is None else {ignore: IGNORED})
    if names.classes.background == names.classes.ids[0]:  # else the names say what 0 is
        problems += _ids.polarity(white)
    problems += scanning.loss_problem(scan, {0, *tops}, colors=False)
    return Meaning(
        names.classes, Decoding("ids", tuple(pairs.items())), tuple(notes), tuple(problems)
    )


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
