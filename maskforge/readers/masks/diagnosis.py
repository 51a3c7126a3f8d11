"""What is probably wrong with the pixels of a mask, told from the values that occur and where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskforge.classes import ClassTable
from maskforge.errors import Problem
from maskforge.palette import voc_palette
from maskforge.readers.masks import damage
from maskforge.readers.masks.values import Counts, note, wrong
from maskforge.styles import IGNORE_COLOR, TWO_COLORS


@dataclass(frozen=True, slots=True)
class Look:
    """What is known besides the pixels.

    threefold: three channels that were all equal. colors: the names of colours 0xrrggbb, where it
    is known what they stand for.
    """

    format: str
    mode: str
    lossy: bool
    threefold: bool
    palette: str
    orientation: int
    frames: int
    classes: ClassTable | None
    colors: Mapping[int, str] | None = None


def diagnose(
    data: NDArray[np.generic], alpha: NDArray[np.uint8] | None, counts: Counts, look: Look
) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
    """Return what is probably wrong, and what is worth knowing."""
    problems = []
    if look.orientation != 1:
        problems.append(
            wrong(
                "mask-form",
                f"EXIF orientation {look.orientation}: viewers turn this mask, trainers do not",
                "turn the pixels and remove the tag: PIL.ImageOps.exif_transpose",
            )
        )
    notes = list(_file_notes(look))
    if look.colors is not None and counts.colored and not look.lossy:
        notes.append(note("mask-colors", "a colour mask, whose colours stand for classes"))
        return (*problems, *_unknown(counts, look.colors)), tuple(notes)
    if alpha is not None and int(alpha.min()) == int(alpha.max()):
        notes.append(
            note("mask-form", f"an alpha channel that is {alpha.min()} everywhere and says nothing")
        )
    elif alpha is not None:
        return (*problems, _alpha(alpha)), tuple(notes)
    if look.threefold and set(counts.values.tolist()) == {0, 255}:
        notes.append(
            note("mask-colors", "a colour mask in black and white: it holds colours, not class ids")
        )
        return tuple(problems), tuple(notes)
    if look.threefold:
        problems.append(
            wrong(
                "mask-form",
                "three equal channels: each of them holds the same values",
                "keep one: numpy.asarray(Image.open(path))[..., 0], saved as mode L",
            )
        )
    graded = damage.find(data, counts, lossy=look.lossy)
    if graded is not None:
        problems.append(graded)
    elif look.lossy:
        problems.append(
            wrong(
                "mask-damaged",
                f"{look.format} is lossy: values change where two areas meet",
                "make the mask again as PNG; what is lost cannot be had back for certain",
            )
        )
    elif counts.colored:
        style = _style(counts)
        (problems if style is None else notes).append(style or _colors(counts))
    elif look.palette in ("", "grey"):
        for one in _levels(counts, look):
            (notes if one.severity == "note" else problems).append(one)
    if not counts.colored:
        problems += _strangers(counts, look.classes)
        if len(counts.values) == 1:
            only = counts.values.tolist()[0]
            text = "all background" if only == 0 else f"every pixel is {only}"
            notes.append(note("mask-uniform", f"{text}: nothing else is in this mask"))
    return tuple(problems), tuple(notes)


def _file_notes(look: Look) -> Iterator[Problem]:
    if look.palette == "VOC":
        yield note(
            "mask-form",
            "palette image in VOC colours: Pillow reads ids, OpenCV reads colours "
            "(class 1 becomes BGR (0, 0, 128), and 38 as grey)",
            "read it with Pillow, or write --as label for a mask that every program reads as ids",
        )
    elif look.palette == "own":
        yield note(
            "mask-form",
            "palette image in colours of its own: Pillow reads the numbers, OpenCV the colours",
            "read it with Pillow, and check that the numbers are class ids",
        )
    elif look.palette == "grey":
        yield note(
            "mask-form",
            "palette image whose colours are the ids as grey levels: all programs read ids",
        )
    if look.mode.startswith("I"):
        yield note(
            "mask-form",
            "16 or more bits a pixel: OpenCV needs cv2.IMREAD_UNCHANGED, or it divides by 256",
        )
    if look.mode == "1":
        yield note(
            "mask-form", "1 bit a pixel: Pillow reads True, OpenCV 255 where the mask is set"
        )
    if look.frames > 1:
        yield note(
            "mask-form", f"{look.frames} frames in the file: only the first one is looked at"
        )


def _alpha(alpha: NDArray[np.uint8]) -> Problem:
    low, high = int(alpha.min()), int(alpha.max())
    soft = np.count_nonzero((alpha > 0) & (alpha < 255)) / alpha.size
    return wrong(
        "mask-form",
        f"the mask is probably in the alpha channel: {low} to {high}, {soft:.1%} of it in between",
        f"take it out: numpy.asarray(Image.open(path).getchannel('A')) >= {high // 2 + 1}",
    )


def _unknown(counts: Counts, colors: Mapping[int, str]) -> Iterator[Problem]:
    found = zip(counts.values.tolist(), counts.pixels.tolist(), strict=True)
    strangers = [f"#{value:06x} ({pixels:,} px)" for value, pixels in found if value not in colors]
    if strangers:
        yield wrong(
            "mask-colors",
            f"colours that stand for no class: {', '.join(strangers[:8])}",
            "convert again, or correct the mask",
        )


def _style(counts: Counts) -> Problem | None:
    """Return what to know of a colour mask of one of our own styles, None for another image."""
    values = set(counts.values.tolist())
    for name, pair in TWO_COLORS.items():
        known = {red << 16 | green << 8 | blue for red, green, blue in (*pair, IGNORE_COLOR)}
        if len(values) > 1 and values <= known:
            return note(
                "mask-colors", f"a colour mask of style {name}: it holds colours, not class ids"
            )
    return None


def _colors(counts: Counts) -> Problem:
    """Say what the colours of a painted mask are."""
    values = set(counts.values.tolist())
    palette = voc_palette().tolist()
    voc = {red << 16 | green << 8 | blue: i for i, (red, green, blue) in enumerate(palette)}
    if len(values) > 1 and values <= set(voc):
        ids = ", ".join(str(voc[value]) for value in sorted(values, key=lambda v: voc[v])[:12])
        return wrong(
            "mask-colors",
            f"VOC colours as plain RGB: they stand for the ids {ids}",
            "map the colours to ids before training",
        )
    return wrong(
        "mask-colors",
        f"painted in {len(values):,} colour{'s' * (len(values) > 1)}: no class ids but colours",
        "map each colour to an id before training",
    )


def _levels(counts: Counts, look: Look) -> Iterator[Problem]:
    """Tell grey levels from class ids, where no class table says what the values are."""
    if look.classes is not None or counts.values.dtype.kind not in "bui":
        return
    values = set(counts.values.astype(np.int64).tolist())
    objects = sorted(values - {0})
    if look.mode == "1":
        return
    if values == {0, 255}:
        yield note(
            "mask-values",
            "a mask of 0 and 255: maskforge train and maskforge masks take 255 as the object, "
            "which --labels names; to other trainers 255 is ignored, and maskforge masks makes it "
            "the id 1",
        )
    elif (
        len(objects) > 1 and set(objects) <= _VOC_GREYS.keys() | {255} and set(objects) - {128, 255}
    ):
        ids = ", ".join(
            f"{value} for {_VOC_GREYS[value]}" for value in objects if value in _VOC_GREYS
        )
        yield wrong(
            "mask-values",
            f"probably a VOC palette mask that was read as grey: {ids}",
            "read the palette image with Pillow, which gives the ids",
        )
    elif 1 <= len(objects) <= 16 and max(objects) <= 255 and _spread(objects):
        shown = ", ".join(map(str, sorted(values)))
        yield wrong(
            "mask-values",
            f"probably grey levels to look at, not class ids: {shown}",
            "number them 0, 1, 2 …",
        )


def _spread(objects: list[int]) -> bool:
    """Return whether the values other than 0 lie as far apart as levels chosen for the eye do."""
    steps = [b - a for a, b in zip([0, *objects], objects, strict=False)]
    return min(steps) >= 10 and max(steps) <= 2 * min(steps) + 1 and max(objects) > 100


def _strangers(counts: Counts, classes: ClassTable | None) -> Iterator[Problem]:
    if classes is None:
        return
    values = counts.values.astype(np.int64)
    ignored = (values == classes.ignore_index) | (values == -1)
    known = np.isin(values, classes.ids) | ignored
    if not known.all():
        shown = ", ".join(
            f"{value} ({pixels:,} px)"
            for value, pixels in zip(
                values[~known][:8].tolist(), counts.pixels[~known].tolist(), strict=False
            )
        )
        yield wrong(
            "mask-values",
            f"values beyond the class table of {len(classes)} classes: {shown}",
            "use the class table that the mask was made with, or correct the mask",
        )


def _voc_greys() -> dict[int, int]:
    """Return the class id by what its VOC colour becomes when a program makes it grey."""
    grey = np.floor(voc_palette()[1:22] @ np.array([0.299, 0.587, 0.114]) + 0.5).astype(int)
    return {level: i for i, level in reversed(list(enumerate(grey.tolist(), start=1)))}


_VOC_GREYS = _voc_greys()
