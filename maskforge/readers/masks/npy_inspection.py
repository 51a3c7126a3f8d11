"""What a .npy file holds: a label image, planes, or a one-hot dictionary. No pickle is run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskforge.classes import ClassTable
from maskforge.errors import Problem, ReadError, many
from maskforge.io import onehot
from maskforge.readers.masks import diagnosis
from maskforge.readers.masks import values as _values
from maskforge.readers.masks.values import SHOWN, Value, note, wrong


def look(file: Path, classes: ClassTable | None) -> dict[str, Any]:
    """Return the fields of an Inspection of ``file``. Raises ReadError."""
    if onehot.is_onehot(file):
        return _dictionary(file, classes)
    try:
        array = np.load(file, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # the header is parsed as Python, which fails in many ways
        raise ReadError(
            f"the file must be a whole .npy file, but: {error}", code="bad-image", file=str(file)
        ) from error
    known = array.ndim == 2 or _are_planes(array.shape)
    if not known or array.dtype.kind not in "biuf" or not array.size:
        raise ReadError(
            f"the array must be (H, W) or (H, W, C) numbers, but is {array.dtype} {array.shape}",
            code="wrong-format",
            file=str(file),
        )
    fields = _form(array.dtype, array.shape, classes) | {"format": "NumPy array"}
    if array.ndim == 3:
        return fields | _planes_fields([array], classes)
    counts = _values.count(array)
    look = diagnosis.Look("NumPy", str(array.dtype), False, False, "", 1, 1, classes)
    problems, notes = diagnosis.diagnose(array, None, counts, look)
    if array.dtype.kind == "f":
        problems += (wrong("mask-values", "class ids must be integers, but these are floats"),)
    return fields | {
        "distinct": len(counts.values),
        "values": _values.listed(counts, classes),
        "problems": problems,
        "notes": notes,
    }


def _dictionary(file: Path, classes: ClassTable | None) -> dict[str, Any]:
    found = onehot.OneHotFile(file)
    shapes = [(name, found.shape(name)) for name in found]
    first = found.raw(shapes[0][0]) if shapes else np.zeros((0, 0, 0), dtype=np.uint8)
    fields = _form(first.dtype, first.shape, classes) | {
        "format": "one-hot dictionary",
        "arrays": tuple(shapes),
    }
    odd = [name for name, shape in shapes if not _are_planes(shape)]
    if odd or not shapes:
        text = f"{len(odd)} arrays that are not (H, W, C), such as {odd[0]!r}" if odd else "empty"
        return fields | {"problems": (wrong("mask-form", text, "write it again with --as onehot"),)}
    return fields | _planes_fields((found.raw(name) for name in found), classes)


def _are_planes(shape: tuple[int, ...]) -> bool:
    """Return whether an array can hold planes (H, W, C): no class table has more channels."""
    return len(shape) == 3 and shape[2] <= 65535


def _form(
    dtype: np.dtype[Any], shape: tuple[int, ...], classes: ClassTable | None
) -> dict[str, Any]:
    height, width, channels = (*shape, 1, 1, 1)[:3]
    return {
        "mode": str(dtype),
        "bits": dtype.itemsize * 8,
        "height": height,
        "width": width,
        "channels": channels,
        "classes": classes.names if classes else (),
    }


@dataclass
class _Tally:
    """Sums over the images of one-hot planes, in pixels or, where they say so, images."""

    channels: dict[int, int] = field(default_factory=dict)
    widths: set[int] = field(default_factory=set)
    pixels: int = 0
    several: int = 0
    none: int = 0
    strange: int = 0
    images: int = 0
    blank_images: int = 0


def _tally(arrays: Iterable[NDArray[Any]]) -> _Tally:
    tally = _Tally()
    for array in arrays:
        planes = array != 0
        height, width, channels = planes.shape
        each = planes.reshape(-1, channels).sum(axis=0).tolist()
        for channel, pixels in enumerate(each):
            tally.channels[channel] = tally.channels.get(channel, 0) + pixels
        claims = planes.sum(axis=2)
        tally.widths.add(channels)
        tally.pixels += height * width
        tally.several += int(np.count_nonzero(claims > 1))
        tally.none += int(np.count_nonzero(claims == 0))
        tally.strange += int(np.count_nonzero(planes & (array != 1)))
        tally.images += 1
        tally.blank_images += not any(each[1:])
    return tally


def _planes_fields(arrays: Iterable[NDArray[Any]], classes: ClassTable | None) -> dict[str, Any]:
    tally = _tally(arrays)
    names = classes.names if classes else ("background",)
    names += ("",) * len(tally.channels)
    values = tuple(
        Value(f"channel {channel}", pixels, pixels / max(1, tally.pixels), name)
        for (channel, pixels), name in zip(
            list(tally.channels.items())[:SHOWN],
            (*names, *[""] * len(tally.channels)),
            strict=False,
        )
    )
    return {
        "distinct": len(tally.channels),
        "values": values,
        "problems": tuple(_problems(tally, classes)),
        "notes": tuple(_notes(tally)),
    }


def _problems(tally: _Tally, classes: ClassTable | None) -> Iterator[Problem]:
    if tally.strange:
        yield wrong(
            "mask-values",
            f"{many(tally.strange, 'value')} other than 0 and 1",
            "make them 0 and 1: planes != 0",
        )
    if len(tally.widths) > 1:
        yield wrong(
            "mask-form",
            f"the images have different numbers of channels: {sorted(tally.widths)}",
            "convert all of them with one labels.txt",
        )
    elif classes is not None and tally.widths != {len(classes)}:
        yield wrong(
            "mask-form",
            f"{many(max(tally.widths), 'channel')}, but the class table has {len(classes)} classes",
            "use the class table that the file was made with",
        )


def _notes(tally: _Tally) -> Iterator[Problem]:
    if tally.several:
        yield note(
            "contested",
            f"{many(tally.several, 'pixel belongs', 'pixels belong')} to several classes: "
            "overlaps were kept",
        )
    if tally.none:
        yield note(
            "mask-values",
            f"{many(tally.none, 'pixel belongs', 'pixels belong')} to no class: ignored",
        )
    if tally.blank_images:
        yield note(
            "mask-uniform",
            f"{tally.blank_images:,} of {tally.images:,} images show background only",
        )
    unused = [str(channel) for channel, pixels in tally.channels.items() if channel and not pixels]
    if unused:
        yield note("mask-uniform", f"channels without a single pixel: {', '.join(unused[:20])}")
