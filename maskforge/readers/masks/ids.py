"""Masks of numbers: whether they are class ids, or 0 and white, and which of them are odd."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from maskforge.classes import BACKGROUND, HIGHEST_ID, ClassTable
from maskforge.errors import ClassError, Problem, many
from maskforge.io.label_lists import Listed
from maskforge.readers.masks import majority, scanning
from maskforge.readers.masks.decoding import likely_cause
from maskforge.readers.masks.scanning import Scan, Seen

WHITES = frozenset({255, 65535})
"""White in 8 and in 16 bits: an object where nothing but 0 is beside it, else what is ignored."""

MOST = 256
"""Without names, ids that are not 0, 1, 2 … are classes where a set has no more than so many."""

_MANY = 32
"""Without names, more classes deserve a second look: they may be levels of blended edges."""

_NUMBERED = "name the classes with their ids, --labels '{}'"


class Sorted(NamedTuple):
    """Masks by what they show: 0 and white; other numbers. Blank ones are neither."""

    white: tuple[Seen, ...]
    numbered: tuple[Seen, ...]


def sort(seen: Iterable[Seen], *, whites: frozenset[int], ignore: int | None) -> Sorted:
    """Return masks by what they show. whites: values of which nothing says what they are."""
    white, numbered = [], []
    for mask in seen:
        shown = mask.values - {0, -1, ignore}
        if shown and shown <= whites:
            white.append(mask)
        elif shown:
            numbered.append(mask)
    return Sorted(tuple(white), tuple(numbered))


def majority_of(masks: Sorted) -> tuple[bool, list[Problem]]:
    """Return whether 0 and white is what a set holds, and the masks that are odd in it.

    White beside other numbers is ignored, there and in masks that show nothing else.
    Raises ReadError when there is no majority.
    """
    white, numbered = masks
    if not white or not numbered:
        return bool(white), []
    names = {"0 and white": white, _ids_of(numbered): numbered}
    chosen = majority.of({name: [mask.path for mask in some] for name, some in names.items()})
    if chosen == "0 and white":
        return True, [_odd(mask, white, "0 and 255") for mask in numbered]
    if any(mask.values & WHITES for mask in numbered):
        return False, []
    return False, [_odd(mask, numbered, _ids_of(numbered)) for mask in white]


def from_values(
    scan: Scan, numbered: Sequence[Seen], ignore: int | None
) -> tuple[Listed, list[Problem], bool]:
    """Return classes named by number, the masks that are odd, and whether ids have gaps.

    The ids are 0 or 1, 2 …; where they are more than 8 bits hold, they may be any few.
    Raises ClassError.
    """
    shown = {value for mask in numbered for value in mask.values} - {ignore}
    wide = any(255 < value < 65535 for value in shown)
    void = {-1, 65535 if wide else 255}
    ids = sorted(shown - void)
    if not any(ids):
        raise one_value(scan)
    row = _row(ids)
    strange = [mask for mask in numbered if mask.values - row - void - {ignore}]
    odd: list[Problem] = []
    gaps = False
    if strange and len(row) > (0 in row) and len(strange) <= len(numbered) * majority.MINORITY:
        good = [mask for mask in numbered if mask not in strange]
        odd = [_odd(mask, good, _ids_of(good)) for mask in strange]
        numbered, ids = good, sorted(row)
    elif strange:
        if not wide:
            raise _no_ids(scan, strange[0], row)
        _check_few(scan, ids, strange[0])
        gaps = True
    if len(ids) > _MANY and not wide:
        fullest = max(numbered, key=lambda mask: len(mask.values))
        if cause := likely_cause(fullest.path):
            raise ClassError(
                f"without a list of classes the masks must hold a number for each class, but "
                f"{len(ids)} values are in them",
                file=str(fullest.path),
                cure=f"{cause}; else name the classes with --labels",
            )
    has_ignore = ignore is not None or any(mask.values & void for mask in numbered)
    every = {0, *ids} if gaps else set(range(ids[-1] + 1))
    names = {number: f"class_{number}" if number else BACKGROUND for number in every}
    return Listed(ClassTable.of(names, has_ignore=has_ignore), "values"), odd, gaps


def one_value(scan: Scan) -> ClassError:
    """Return the error that nothing is to be learnt from masks of one value."""
    return ClassError(
        f"the masks must show at least two classes, but hold only {scanning.listed(scan.values)}",
        file=str(next(iter(scan.values.values()))),
        cure="give the folder of the masks; maskforge inspect shows what one holds",
    )


def refuse_unnamed(names: Listed, masks: Sorted, whites: frozenset[int]) -> None:
    """Raise ClassError where the names of a table fit nothing that masks show.

    Objects would be ignored then, or no mask could be read.
    """
    classes = names.classes
    objects = {i for i in classes.ids if i != classes.background}
    met = Counter(value for some in masks for mask in some for value in mask.values)
    if not met or objects & met.keys():
        return
    known = {*classes.ids, *whites, classes.ignore_index, -1}
    strange = sorted(value for value in met if value not in known)
    first = min((mask.path for some in masks for mask in some), key=str)
    listed = ", ".join(
        f"{name!r} (id {number})"
        for name, number in zip(classes.names[:8], classes.ids, strict=False)
        if number in objects
    )
    if strange:
        raise ClassError(
            f"the masks must hold ids of the classes, {listed}, but hold {scanning.listed(met)}",
            file=str(first),
            cure=_NUMBERED.format(_paired(names, strange, 0 in met)),
        )
    white = max(value for value in met if value not in classes.ids)
    raise ClassError(
        f"no mask shows {listed}, while {white}, which would be ignored, is in "
        f"{many(met[white], 'mask')}: their objects would be lost",
        file=str(first),
        cure=f"give one class if {white} is the object, or "
        + _NUMBERED.format(_paired(names, [white], True)),
    )


def unnamed_ignored(names: Listed, ignore: int, masks: Sequence[Seen]) -> ClassError:
    """Return the error that the only objects of masks are ignored by the user's own word."""
    shown = [name for name in names.classes.names if name != BACKGROUND]
    return ClassError(
        f"no mask shows {', '.join(map(repr, shown[:8]))}, while {ignore}, which is to be ignored, "
        f"is in {many(len(masks), 'mask')}",
        file=str(masks[0].path),
        cure=f"leave --ignore out if {ignore} is the object",
    )


def polarity(white: Sequence[Seen]) -> list[Problem]:
    """Return a warning where white seems to be the background of masks of 0 and white.

    The background covers most of the outermost pixels, and mostly more than half of the image.
    """
    judged = [mask for mask in white if 0 < mask.area < 1]
    turned = [m for m in judged if m.border > 0.5 and (m.area > 0.5 or m.border > 0.75)]
    if not turned:
        return []
    if len(judged) - len(turned) <= majority.MINORITY * len(judged):
        others = [m for m in judged if m.border < 0.25 and m.area < 0.5]
        message = (
            f"the masks look inverted: white covers most of the border of {len(turned):,} of "
            f"{len(judged):,}, so it seems to be the background, but is read as the object"
        )
        cure = "if black is the object, say so: --style white-black (of a source of masks: "
        cure += "--mask-style white-black)"
        if others:
            message += f"; {_names(others)} would be the other way round"
            cure += ", and invert those that are named"
        return [_doubt(turned[0], message, cure)]
    odd = [m for m in turned if m.border > 0.75 and m.area > 0.5]
    if not odd:
        return []
    message = (
        f"white covers the border of {len(odd):,} of {len(judged):,} masks, {_names(odd)}, and of "
        "the others black: are these inverted?"
    )
    return [_doubt(odd[0], message, "invert them if black is their object")]


def _doubt(mask: Seen, message: str, cure: str) -> Problem:
    return Problem("mask-values", str(mask.path), message, cure=cure, severity="warning")


def _names(masks: Sequence[Seen]) -> str:
    more = f" and {len(masks) - 5:,} more" if len(masks) > 5 else ""
    return ", ".join(mask.path.name for mask in masks[:5]) + more


def _row(ids: Sequence[int]) -> set[int]:
    """Return those of ``ids``, ascending, that follow each other from 0, or from 1."""
    first = ids[0] if ids[0] in (0, 1) else 0
    return {number for place, number in enumerate(ids) if number == first + place}


def _ids_of(masks: Iterable[Seen]) -> str:
    """Return in words the numbers that masks show."""
    return scanning.listed({value for mask in masks for value in mask.values})


def _odd(mask: Seen, others: Sequence[Seen], what: str) -> Problem:
    error = ClassError(
        f"a mask must hold what most of the set do, {what}, such as {others[0].path.name!r}, "
        f"but holds {scanning.listed(mask.values)}",
        code="mask-values",
        file=str(mask.path),
        cure="correct it, or say what the values are with --labels or --ignore",
    )
    return majority.odd(error)


def _no_ids(scan: Scan, strange: Seen, row: set[int]) -> ClassError:
    cause = likely_cause(strange.path)
    usual = [m for m in scan.seen if m.values <= row and any(m.values)]
    other = f", and {_ids_of(usual)} in {usual[0].path.name!r}" if usual else ""
    few = len(scan.values) <= MOST
    cure = "name the classes with --labels"
    if few:
        cure += f", with their ids: '{_example(sorted(set(scan.values) - {-1}))}'"
    return ClassError(
        f"without a list of classes the values must be 0, 1, 2 …, but are "
        f"{scanning.listed(scan.values)}{other}",
        file=str(strange.path),
        cure=(f"{cause}; else " if cause else "") + cure,
    )


def _check_few(scan: Scan, ids: Sequence[int], strange: Seen) -> None:
    """Raise ClassError where numbers are too many for classes, or beyond what ids may be."""
    low, high = ids[0], ids[-1]
    if len(ids) > MOST or low < 0 or high > HIGHEST_ID:
        what = (
            f"{len(ids):,} different ones: these are probably instances"
            if len(ids) > MOST
            else f"{low if low < 0 else high}"
        )
        raise ClassError(
            f"without a list of classes the masks must hold at most {MOST} values of 0 … "
            f"{HIGHEST_ID}, but hold {what}",
            file=str(scan.values[high] if high > HIGHEST_ID else strange.path),
            cure="give masks of classes; " + _NUMBERED.format(f"{_example(ids[:3])},…"),
        )


def _example(ids: Sequence[int]) -> str:
    """Return a list of labels that would name ``ids``."""
    some = [number for number in ids if number][:8]
    more = ",…" if len(ids) - (0 in ids) > len(some) else ""
    return f"0:{BACKGROUND}," + ",".join(f"{i}:NAME" for i in some) + more


def _paired(names: Listed, values: Sequence[int], has_zero: bool) -> str:
    """Return the list of labels that gives ``values`` to the names in their order."""
    classes = names.classes
    objects = [name for name in classes.names if name != BACKGROUND]
    numbers = [value for value in values if value]
    shown: Mapping[int, str] = dict(zip(numbers[: len(objects)], objects, strict=False))
    pairs = [f"{number}:{name}" for number, name in list(shown.items())[:8]]
    return ",".join(([f"0:{BACKGROUND}"] if has_zero else []) + pairs)
