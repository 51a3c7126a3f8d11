"""What is probably wrong with the pixels of a mask, told from the values that occur and where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskforge.classes import ClassTable
from maskforge.palette import voc_palette
from maskforge.runs import Ints
from maskforge.styles import IGNORE_COLOR, TWO_COLORS

SHOWN = 40
"""Values listed at most."""

_SHOWN_OF_MANY = 10
_CHUNK = 1 << 22
_PEAK = 0.01  # a value with this share of the pixels is a level, not a stray


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing, in words, and what to do about it ("" for nothing)."""

    text: str
    cure: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    """One value that occurs: an id, or a colour ``#rrggbb``; its pixels; its class's name."""

    value: str
    pixels: int
    share: float
    name: str = ""


class Counts(NamedTuple):
    """The values that occur, ascending, and their pixels, (N,) each; colours as 0xrrggbb."""

    values: NDArray[np.generic]
    pixels: Ints
    colored: bool


@dataclass(frozen=True, slots=True)
class Look:
    """What the file says besides its pixels."""

    format: str
    mode: str
    lossy: bool
    palette: str
    orientation: int
    frames: int
    classes: ClassTable | None


def count(data: NDArray[np.generic]) -> Counts:
    """Return the values of pixels (H, W), or (H, W, 3), and how often each occurs."""
    colored = data.ndim == 3
    flat = data.reshape(-1, 3) if colored else data.reshape(-1)
    values: list[NDArray[np.generic]] = []
    pixels: list[Ints] = []
    for start in range(0, len(flat), _CHUNK):
        part = flat[start : start + _CHUNK]
        if colored:
            part = part.astype(np.int64) @ np.array([65536, 256, 1])
        one, many = np.unique(part, return_counts=True)
        values.append(one)
        pixels.append(many)
    found, place = np.unique(np.concatenate(values), return_inverse=True)
    totals = np.bincount(place, weights=np.concatenate(pixels), minlength=len(found))
    return Counts(found, totals.astype(np.int64), colored)


def listed(counts: Counts, classes: ClassTable | None) -> tuple[Value, ...]:
    """Return the values, ascending, with the names that ``classes`` gives.

    Of more than :data:`SHOWN` values only the few most frequent ones are listed.
    """
    most = SHOWN if len(counts.values) <= SHOWN else _SHOWN_OF_MANY
    total = int(counts.pixels.sum())
    chosen = np.sort(np.argsort(-counts.pixels, kind="stable")[:most])
    return tuple(
        Value(
            f"#{value:06x}" if counts.colored else str(value),
            int(pixels),
            int(pixels) / total,
            "" if counts.colored else _name(value, classes),
        )
        for value, pixels in zip(counts.values[chosen].tolist(), counts.pixels[chosen], strict=True)
    )


def _name(value: int, classes: ClassTable | None) -> str:
    if classes is None:
        return ""
    if value in (classes.ignore_index, -1):
        return "ignore"
    return classes.names[value] if 0 <= value < len(classes) else "(not in the class table)"


def diagnose(
    data: NDArray[np.generic], alpha: NDArray[np.uint8] | None, counts: Counts, look: Look
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Return what is probably wrong, and what is worth knowing."""
    findings = []
    if look.orientation != 1:
        findings.append(
            Finding(
                f"EXIF orientation {look.orientation}: viewers turn this mask, training code does not",
                "turn the pixels and remove the tag: PIL.ImageOps.exif_transpose",
            )
        )
    notes = list(_file_notes(look))
    if alpha is not None:
        (notes if int(alpha.min()) == int(alpha.max()) else findings).append(_alpha(alpha))
    if counts.colored and not np.any(data != data[..., :1]):
        findings.append(
            Finding(
                "three equal channels: each of them holds the same values",
                "keep one: numpy.asarray(Image.open(path))[..., 0], saved as mode L",
            )
        )
        data = data[..., 0]
        counts = count(data)
    graded = _graded(data, counts, look)
    if graded is not None:
        findings.append(graded)
    elif look.lossy:
        findings.append(
            Finding(
                f"{look.format} is lossy: values change where two areas meet",
                "make the mask again as PNG; what is lost cannot be had back for certain",
            )
        )
    elif counts.colored:
        style = _style(counts)
        (findings if style is None else notes).append(style or _colors(counts))
    elif look.palette in ("", "grey"):
        findings += _levels(counts, look)
    if not counts.colored:
        findings += _strangers(counts, look.classes)
        if len(counts.values) == 1:
            only = counts.values.tolist()[0]
            text = "all background" if only == 0 else f"every pixel is {only}"
            notes.append(Finding(f"{text}: nothing else is in this mask"))
    return tuple(findings), tuple(notes)


def _file_notes(look: Look) -> Iterator[Finding]:
    if look.palette == "VOC":
        yield Finding(
            "palette image in VOC colours: Pillow reads ids, OpenCV reads colours "
            "(class 1 becomes BGR (0, 0, 128), and 38 as grey)",
            "read it with Pillow, or write --as label for a mask that every program reads as ids",
        )
    elif look.palette == "own":
        yield Finding(
            "palette image in colours of its own: Pillow reads the numbers below, OpenCV the colours",
            "read it with Pillow, and check that the numbers are class ids",
        )
    elif look.palette == "grey":
        yield Finding(
            "palette image whose colours are the ids as grey levels: all programs read ids"
        )
    if look.mode.startswith("I"):
        yield Finding(
            "16 or more bits a pixel: OpenCV needs cv2.IMREAD_UNCHANGED, or it divides by 256"
        )
    if look.mode == "1":
        yield Finding("1 bit a pixel: Pillow reads True, OpenCV 255 where the mask is set")
    if look.frames > 1:
        yield Finding(f"{look.frames} frames in the file: only the first one is looked at")


def _alpha(alpha: NDArray[np.uint8]) -> Finding:
    low, high = int(alpha.min()), int(alpha.max())
    if low == high:
        return Finding(f"an alpha channel that is {low} everywhere and says nothing")
    soft = np.count_nonzero((alpha > 0) & (alpha < 255)) / alpha.size
    return Finding(
        f"the mask is probably in the alpha channel: {low} to {high}, {soft:.1%} of it in between",
        f"take it out: numpy.asarray(Image.open(path).getchannel('A')) >= {high // 2 + 1}",
    )


def _graded(data: NDArray[np.generic], counts: Counts, look: Look) -> Finding | None:
    """Tell whether stray values lie around or between a few levels, and how they came there."""
    if len(counts.values) < 5:
        return None
    level = counts.pixels >= _PEAK * counts.pixels.sum()
    level[int(counts.pixels.argmax())] = True
    if not _is_scattered(data, counts, level):
        return None
    values = len(counts.values)
    share = float(counts.pixels[~level].sum() / counts.pixels.sum())
    if share > 0.6:
        return Finding(
            f"{values:,} values, few of them in areas: this looks like a photograph, not like a mask",
            "give the mask file",
        )
    levels = counts.values[level].tolist()
    shown = ", ".join(f"#{v:06x}" if counts.colored else str(v) for v in levels[:8])
    if look.lossy or _surrounds(counts, level):
        return Finding(
            f"probably damaged by JPEG: {values:,} values, {share:.1%} of the pixels around the "
            f"levels {shown}" + ("" if look.lossy else ", although this file itself is lossless"),
            "make the mask again from its annotation, without JPEG; or round to the nearest level",
        )
    return Finding(
        f"blended edges (anti-aliasing, or resizing that was not nearest): {values:,} values, "
        f"{share:.1%} of the pixels between the levels {shown}",
        "draw without anti-aliasing and resize with nearest; or round to the nearest level",
    )


def _is_scattered(data: NDArray[np.generic], counts: Counts, level: NDArray[np.bool_]) -> bool:
    """Return whether the pixels of rare values lie alone: areas are flat, damage is not."""
    part = data[:: -(-data.size // _CHUNK)]
    packed = part.astype(np.int64) @ np.array([65536, 256, 1]) if counts.colored else part
    place = np.searchsorted(counts.values, packed)
    stray = ~level[place][:, 1:-1]
    alone = (place[:, 1:-1] != place[:, :-2]) & (place[:, 1:-1] != place[:, 2:])
    strays = np.count_nonzero(stray)
    return strays >= 8 and np.count_nonzero(stray & alone) > 0.5 * strays


def _surrounds(counts: Counts, level: NDArray[np.bool_]) -> bool:
    """Return whether stray values keep close to the levels, or go beyond them, as JPEG's do.

    Blending makes values evenly between two levels, and none beyond.
    """
    points = counts.values.astype(np.int64)[:, None]
    if counts.colored:
        points = points >> np.array([16, 8, 0]) & 255
    levels, strays, weight = points[level][:16], points[~level], counts.pixels[~level]
    if len(levels) < 2:
        return True
    apart = np.abs(levels[:, None] - levels).max(axis=2)
    gap = int(apart[apart > 0].min())
    order = np.argsort(near := np.abs(strays[:, None] - levels).max(axis=2).min(axis=1))
    middle = np.searchsorted(np.cumsum(weight[order]), weight.sum() / 2)
    beyond = ((strays < levels.min(axis=0)) | (strays > levels.max(axis=0))).any(axis=1)
    return bool(near[order][middle] < gap / 8 or weight[beyond].sum() > 0.15 * weight.sum())


def _style(counts: Counts) -> Finding | None:
    """Return what to know of a colour mask of one of our own styles, None for another image."""
    values = set(counts.values.tolist())
    for name, pair in TWO_COLORS.items():
        known = {red << 16 | green << 8 | blue for red, green, blue in (*pair, IGNORE_COLOR)}
        if len(values) > 1 and values <= known:
            return Finding(f"a colour mask of style {name}: it holds colours, not class ids")
    return None


def _colors(counts: Counts) -> Finding:
    """Say what the colours of a painted mask are."""
    values = set(counts.values.tolist())
    voc = {red << 16 | green << 8 | blue: i for i, (red, green, blue) in enumerate(voc_palette())}
    if len(values) > 1 and values <= set(voc):
        ids = ", ".join(str(voc[value]) for value in sorted(values, key=lambda v: voc[v])[:12])
        return Finding(
            f"VOC colours as plain RGB: they stand for the ids {ids}",
            "map the colours to ids before training",
        )
    return Finding(
        f"painted in {len(values):,} colour{'s' * (len(values) > 1)}: no class ids but colours",
        "map each colour to an id before training",
    )


def _levels(counts: Counts, look: Look) -> Iterator[Finding]:
    """Tell grey levels from class ids, where no class table says what the values are."""
    if look.classes is not None or counts.values.dtype.kind not in "bui":
        return
    values = set(counts.values.astype(np.int64).tolist())
    objects = sorted(values - {0})
    if look.mode == "1":
        return
    if values == {0, 255}:
        yield Finding(
            "probably a 0/255 mask: the object is 255, which is the ignore index to trainers",
            "make it 0 and 1: (mask > 127).astype('uint8')",
        )
    elif len(objects) > 1 and set(objects) <= _VOC_GREYS.keys() | {255} and set(objects) - {128, 255}:
        ids = ", ".join(
            f"{value} for {_VOC_GREYS[value]}" for value in objects if value in _VOC_GREYS
        )
        yield Finding(
            f"probably a VOC palette mask that was read as grey: {ids}",
            "read the palette image with Pillow, which gives the ids",
        )
    elif 1 <= len(objects) <= 16 and max(objects) <= 255 and _spread(objects):
        shown = ", ".join(map(str, sorted(values)))
        yield Finding(
            f"probably grey levels to look at, not class ids: {shown}",
            "number them 0, 1, 2 …",
        )


def _spread(objects: list[int]) -> bool:
    """Return whether the values other than 0 lie as far apart as levels chosen for the eye do."""
    steps = [b - a for a, b in zip([0, *objects], objects, strict=False)]
    return min(steps) >= 10 and max(steps) <= 2 * min(steps) + 1 and max(objects) > 100


def _strangers(counts: Counts, classes: ClassTable | None) -> Iterator[Finding]:
    if classes is None:
        return
    values = counts.values.astype(np.int64)
    known = (values >= 0) & (values < len(classes)) | (values == classes.ignore_index)
    if not known.all():
        shown = ", ".join(
            f"{value} ({pixels:,} px)"
            for value, pixels in zip(
                values[~known][:8].tolist(), counts.pixels[~known].tolist(), strict=False
            )
        )
        yield Finding(
            f"values beyond the class table of {len(classes)} classes: {shown}",
            "use the class table that the mask was made with, or correct the mask",
        )


def _voc_greys() -> dict[int, int]:
    """Return the class id by what its VOC colour becomes when a program makes it grey."""
    grey = np.floor(voc_palette()[1:22] @ np.array([0.299, 0.587, 0.114]) + 0.5).astype(int)
    return {level: i for i, level in reversed(list(enumerate(grey.tolist(), start=1)))}


_VOC_GREYS = _voc_greys()
