"""The values that occur in a set of masks, mask by mask.

A set whose names and numbers say all is not looked at. Where nothing else tells what the values
mean, every mask is decoded once; of a few only it is seen whether they hold colours.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskforge.errors import ClassError, Problem, ReadError
from maskforge.readers.masks import lossy, majority
from maskforge.readers.masks import pixels as _pixels
from maskforge.readers.masks.decoding import likely_cause, pack
from maskforge.readers.masks.lossy import Loss

MAX_COLORS = 256
"""A set of masks with more colours than this was not painted one colour a class."""

LOOKED_AT = 20
"""Masks that are looked at to tell colours from ids."""

BATCH = 1 << 20
"""Pixels of 8 bits counted at once; NumPy makes numbers of 64 bits of them for that."""

_SOON = 3
"""So many masks, most of them photographs, are enough to refuse a set."""


class Seen(NamedTuple):
    """One mask: the values, or colours as 0xrrggbb, that it shows.

    area, border: the part of all its pixels, and of the outermost, that is above half of the
    highest value; it matters where that is white. Of colours 0.
    """

    path: Path
    values: frozenset[int]
    area: float
    border: float


@dataclass(frozen=True, slots=True)
class Scan:
    """What the masks of a set show; those that cannot be read are left to the check.

    odd: why masks are left out that hold colours among numbers, or no mask at all. loss: what JPEG
    did to the pixels of ``damaged``, the masks that were stored with loss.
    """

    seen: tuple[Seen, ...]
    odd: tuple[Problem, ...] = ()
    damaged: tuple[Path, ...] = ()
    loss: Loss = Loss()  # noqa: RUF009 - a tuple

    @property
    def values(self) -> Mapping[int, Path]:
        """The values, each with the file where it was met first."""
        found: dict[int, Path] = {}
        for mask in self.seen:
            for value in sorted(mask.values):
                found.setdefault(value, mask.path)
        return found


def are_colored(masks: Sequence[Path]) -> bool:
    """Return whether most of the first masks hold colours. Damaged files are passed over."""
    kinds = _kinds(masks)
    colored, palettes, grey = (len(kinds[kind]) for kind in ("colors", "palette", "grey"))
    total = colored + palettes + grey
    # A palette image can be read either way: it fits numbers as well as colours.
    return colored > majority.MINORITY * total and (not grey or 2 * colored >= total)


def refuse_mixture(masks: Sequence[Path]) -> None:
    """Raise ReadError where neither masks in colours nor masks of numbers are in the majority."""
    kinds = _kinds(masks)
    if kinds["grey"]:
        majority.of({"colours": kinds["colors"], "numbers": kinds["grey"] + kinds["palette"]})


def scan(masks: Sequence[Path], *, colors: bool, known: Collection[int] = ()) -> Scan:
    """Look at every mask; those that cannot be read are left to the check, unless all are.

    known: values that masks stored with loss probably once had.

    Raises ReadError when no mask can be read, ClassError where most of them are photographs.
    """
    seen: list[Seen] = []
    failed: list[ReadError] = []
    strange: list[Path] = []
    crowded: list[Path] = []
    damaged: list[Path] = []
    found: set[int] = set()
    loss = Loss()
    levels = _Levels(known, 3 if colors else 1)
    for path in masks:
        try:
            pixels = _pixels.read_mask(path, colors=colors)
        except ReadError as error:
            failed.append(error)
            continue
        if pixels.values.ndim == 3 and not colors:
            strange.append(path)
            continue
        if pixels.lossy:
            own = levels.of(pixels.values)
            values = own
            if own is not None:
                damaged.append(path)
                loss = loss.plus(lossy.loss(pixels.values, own))
        else:
            values = distinct(pack(pixels.values) if colors else pixels.values)
            if colors and len(values) > MAX_COLORS:
                values = None
        if values is None:
            crowded.append(path)
            if len(crowded) >= _SOON and len(crowded) > 2 * len(seen):
                break
            continue
        seen.append(_seen(path, values, pixels.values))
        found.update(values)
        if colors and len(found) > MAX_COLORS:
            raise _too_many(path)
    if crowded and len(crowded) > majority.MINORITY * (len(seen) + len(crowded)):
        raise _too_many(crowded[0])
    if not seen and strange:
        raise _in_color(strange[0])
    if not seen and failed:
        raise failed[0]
    odd = [majority.odd(_too_many(path)) for path in crowded]
    odd += [majority.odd(_in_color(path)) for path in strange]
    return Scan(tuple(seen), tuple(odd), tuple(damaged), loss)


def distinct(values: NDArray[np.generic]) -> list[int]:
    """Return the values that occur, ascending."""
    flat = values.reshape(-1)
    if flat.dtype == np.uint8:
        occurs = np.zeros(256, dtype=np.bool_)
        for begin in range(0, len(flat), BATCH):
            occurs |= np.bincount(flat[begin : begin + BATCH], minlength=256) > 0
        found: list[int] = occurs.nonzero()[0].tolist()
        return found
    change = np.append(0, np.flatnonzero(flat[1:] != flat[:-1]) + 1)
    several: list[int] = np.unique(flat[change])[: 1 << 16].tolist()
    return several


def listed(values: Iterable[int]) -> str:
    """Return the values as text, the first of them where there are many."""
    shown = sorted(values)
    return ", ".join(map(str, shown[:12])) + (" …" if len(shown) > 12 else "")


def loss_problem(scan: Scan, values: Collection[int], *, colors: bool) -> list[Problem]:
    """Return what is to be known of masks stored with loss: one warning for the whole set."""
    if not scan.damaged:
        return []
    shown = ", ".join(f"#{v:06x}" if colors else str(v) for v in sorted(values)[:8])
    shown += " …" * (len(values) > 8)
    pixels, moved, total, most = scan.loss
    far = f", by {total / moved:.0f} on average and {most} at most" if moved else ""
    return [
        Problem(
            "mask-damaged",
            str(scan.damaged[0]),
            f"{len(scan.damaged):,} of {len(scan.seen):,} masks are stored with loss: each pixel "
            f"is read as the nearest of {shown}; {moved:,} of {pixels:,} pixels "
            f"({moved / pixels:.1%}) moved by more than {lossy.LITTLE} levels{far}",
            cure="make the masks again as PNG if you can: edges were changed for good",
            severity="warning",
        )
    ]


class _Levels:
    """The colours that masks stored with loss have in common."""

    def __init__(self, known: Collection[int], channels: int) -> None:
        self._channels = channels
        self._known = sorted(known)
        self._found: list[int] = []

    def of(self, values: NDArray[np.uint8]) -> list[int] | None:
        """Return the colours of a mask as the set has them, None where they are not told apart."""
        own = lossy.colors(values)
        if own is None:
            return None
        as_set = sorted({self._meant(color) for color in own})
        if lossy.gap({*self._found, *as_set}, self._channels) < lossy.APART:
            return None
        self._found += [color for color in as_set if color not in self._found]
        return as_set

    def _meant(self, color: int) -> int:
        """Return the colour that is known, or was met in an earlier mask, next to this one."""
        for colors, most in ((self._known, lossy.APART / 4), (self._found, lossy.APART / 2)):
            if colors:
                way = lossy.ways(color, colors, self._channels)
                if way.min() <= most:
                    return colors[int(way.argmin())]
        return color


def _seen(path: Path, values: Collection[int], pixels: NDArray[Any]) -> Seen:
    if pixels.ndim == 3:
        return Seen(path, _shared(frozenset(values)), 0.0, 0.0)
    outer = (pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1])
    count = sum(side.size for side in outer)
    low = max(values) // 2  # half way to white: what JPEG left of black is black
    area = np.count_nonzero(pixels > low) / pixels.size
    return Seen(
        path,
        _shared(frozenset(values)),
        area,
        sum(int(np.count_nonzero(side > low)) for side in outer) / count,
    )


@lru_cache(maxsize=1024)
def _shared(values: frozenset[int]) -> frozenset[int]:
    """Return an equal set: thousands of masks show the same few values."""
    return values


def _kinds(masks: Sequence[Path]) -> dict[str, list[Path]]:
    """Return the first masks by what they hold."""
    kinds: dict[str, list[Path]] = {"colors": [], "palette": [], "grey": [], "blank": []}
    for path in masks[:LOOKED_AT]:
        try:
            state = path.stat()
            kinds[_look(path, state.st_mtime_ns, state.st_size)].append(path)
        except (OSError, ReadError):
            continue  # the check names it
    return kinds


@lru_cache(maxsize=8 * LOOKED_AT)
def _look(path: Path, changed: int, size: int) -> _pixels.Look:
    """Return what a mask holds; a set is asked several times, and its masks are decoded once."""
    return _pixels.look(path)


def _too_many(path: Path) -> ClassError:
    return ClassError(
        f"masks must be painted in one colour a class, but there are over {MAX_COLORS}"
        if path.suffix.lower() not in lossy.SUFFIXES
        else f"a mask stored with loss must have few colours, at most {lossy.MOST}, that lie "
        f"{lossy.APART} apart or more, in areas; this one is a photograph, or damaged too much",
        code="mask-colors",
        file=str(path),
        cure=likely_cause(path),
    )


def _in_color(path: Path) -> ReadError:
    return ReadError(
        "the mask must hold one number a pixel, as the others of the set do, but is in colour",
        code="mask-colors",
        file=str(path),
        cure="make it a mask of numbers, or take it out of the folder",
    )
