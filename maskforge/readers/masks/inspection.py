"""What a mask file really holds, and what is probably wrong with it, in plain words."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from maskforge.classes import ClassTable
from maskforge.errors import ClassError, Problem, ReadError, many
from maskforge.io import images
from maskforge.palette import voc_palette
from maskforge.raster.geometry import MAX_PIXELS
from maskforge.readers.masks import diagnosis, npy_inspection
from maskforge.readers.masks import values as _values
from maskforge.readers.masks.values import Value

CLASSES_KEY = "maskforge:classes"
"""Keyword of the PNG text in which maskforge's own masks carry their class table."""

_BITS = {"1": 1, "L": 8, "P": 8, "LA": 8, "PA": 8, "RGB": 8, "RGBA": 8, "CMYK": 8, "YCbCr": 8}


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a mask file holds.

    format: file format, such as "PNG". mode: Pillow's name of the pixel form, a dtype for .npy.
    bits: bits a sample. channels: samples a pixel, alpha included. palette: "VOC", "grey", "own",
    or "" without one. orientation: EXIF, 1 is upright. classes: names of the class table, the
    file's own or the one given. distinct: how many values occur; values: these, or the most
    frequent of them, ascending. arrays: name and shape of each image in a one-hot dictionary.
    problems: what is probably wrong.
    notes: what is worth knowing.
    """

    path: str
    format: str
    mode: str
    bits: int
    width: int
    height: int
    channels: int
    palette: str = ""
    orientation: int = 1
    classes: tuple[str, ...] = ()
    distinct: int = 0
    values: tuple[Value, ...] = ()
    arrays: tuple[tuple[str, tuple[int, ...]], ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as plain values, for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield self.path
        facts = [self.format, f"mode {self.mode}", f"{self.bits} bit"]
        if self.arrays:
            facts.append(many(len(self.arrays), "image"))
        else:
            facts.append(f"{self.width}x{self.height}")
        if self.palette:
            facts.append(f"{self.palette} palette")
        if self.classes:
            facts.append(f"class table of {len(self.classes)}")
        yield "  " + ", ".join(facts)
        for name, shape in self.arrays[:5]:
            yield f"  {name}  {'x'.join(map(str, shape))}"
        if len(self.arrays) > 5:
            yield f"  … and {len(self.arrays) - 5:,} more"
        for value in self.values:
            share = f"{100 * value.share:8.3f} %"
            yield f"  {value.value:>9} {value.pixels:>13,} px {share}  {value.name}".rstrip()
        if self.distinct > len(self.values):
            yield f"  … and {many(self.distinct - len(self.values), 'value')} more"
        for mark, found in (("!", self.problems), ("·", self.notes)):
            for one in found:
                yield f"  {mark} {one.message}" + (f"\n    → {one.cure}" * bool(one.cure))


def inspect(
    path: str | os.PathLike[str],
    *,
    classes: ClassTable | None = None,
    colors: Mapping[int, str] | None = None,
) -> Inspection:
    """Return what the mask file ``path`` holds: an image, or a .npy file.

    classes: the class table its values should fit; else the one it carries itself, if any. colors:
    of a colour mask, names by colour 0xrrggbb. Raises ReadError for a file that is neither, or is
    damaged or too large.
    """
    file = Path(path)
    try:
        with file.open("rb") as stream:
            head = stream.read(32)
    except OSError as error:
        raise ReadError(
            f"the file cannot be read: {error.strerror or error}", code="unreadable", file=str(path)
        ) from error
    if head.startswith(b"\x93NUMPY"):
        found = Inspection(str(path), **npy_inspection.look(file, classes))
    else:
        found = _image(file, head, classes, colors)
    problems, notes = (
        tuple(replace(one, file=str(path)) for one in several)
        for several in (found.problems, found.notes)
    )
    return replace(found, problems=problems, notes=notes)


def _image(
    file: Path, head: bytes, classes: ClassTable | None, colors: Mapping[int, str] | None
) -> Inspection:
    image, orientation, frames = _decode(file)
    names = classes or _own_table(image)
    data, alpha = _channels(image)
    threefold = colors is None and data.ndim == 3 and not np.any(data != data[..., :1])
    if threefold:
        data = data[..., 0]
    counts = _values.count(data)
    palette = _palette(image, counts.values)
    look = diagnosis.Look(
        format=image.format or "",
        mode=image.mode,
        lossy=_is_lossy(image, head),
        threefold=threefold,
        palette=palette,
        orientation=orientation,
        frames=frames,
        classes=names,
        colors=colors,
    )
    problems, notes = diagnosis.diagnose(data, alpha, counts, look)
    return Inspection(
        path=str(file),
        format=image.format or "",
        mode=image.mode,
        bits=_bits(image, head),
        width=image.width,
        height=image.height,
        channels=len(image.getbands()),
        palette=palette,
        orientation=orientation,
        classes=names.names if names else (),
        distinct=len(counts.values),
        values=_values.listed(counts, names, colors),
        problems=problems,
        notes=notes,
    )


def _decode(file: Path) -> tuple[Image.Image, int, int]:
    """Return the decoded image, its EXIF orientation, and the number of frames in the file.

    The size that the header declares is looked at before anything is decoded.
    """
    try:
        with warnings.catch_warnings(), images.opened(file) as image:
            warnings.simplefilter("ignore")  # of odd but readable files
            if image.width * image.height > MAX_PIXELS:
                raise ReadError(
                    f"an image must have at most {MAX_PIXELS} pixels, but has "
                    f"{image.width}x{image.height}",
                    code="too-large",
                    file=str(file),
                )
            image.load()
            frames = getattr(image, "n_frames", 1)
            return image, _orientation(image), frames
    except ReadError:
        raise
    except Exception as error:  # Pillow's decoders raise whatever the damage leads them to
        raise ReadError(
            f"the file must be an image or a .npy file, but: {error}",
            code="bad-image",
            file=str(file),
        ) from error


def _channels(image: Image.Image) -> tuple[NDArray[np.generic], NDArray[np.uint8] | None]:
    """Return the pixels, (H, W) or (H, W, 3), and the alpha channel (H, W) if there is one."""
    bands = image.getbands()
    alpha = np.asarray(image.getchannel("A")) if "A" in bands and image.mode != "PA" else None
    if image.mode in ("RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "HSV", "RGBa"):
        return np.asarray(image.convert("RGB")), alpha
    if image.mode in ("LA", "La"):
        return np.asarray(image.getchannel(0)), alpha
    data = np.asarray(image)
    return data.astype(np.uint8) if data.dtype == np.bool_ else data, alpha


def _own_table(image: Image.Image) -> ClassTable | None:
    text = image.info.get(CLASSES_KEY)
    if not isinstance(text, str):
        return None
    try:
        return ClassTable.from_text(text)
    except ClassError:
        return None  # a comment that is no class table says nothing about the pixels


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(0x0112, 1)
    except Exception:  # EXIF is parsed by code that raises whatever the damage leads it to
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _palette(image: Image.Image, used: NDArray[np.generic]) -> str:
    """Return what the palette entries that occur are: "VOC", "grey", "own"; "" for no palette."""
    colors = image.getpalette("RGB") if image.mode in ("P", "PA") else None
    if colors is None:
        return ""
    table = np.array(colors, dtype=np.int64).reshape(-1, 3)
    index = used.astype(np.int64)
    if int(index.max()) >= len(table):
        return "own"  # an index without a colour
    shown = table[index]
    if (shown == voc_palette()[index]).all():
        return "VOC"
    return "grey" if (shown == index[:, None]).all() else "own"


def _is_lossy(image: Image.Image, head: bytes) -> bool:
    return image.format in ("JPEG", "MPO") or head[8:16] == b"WEBPVP8 "


def _bits(image: Image.Image, head: bytes) -> int:
    if image.format == "PNG":
        return head[24]
    return _BITS.get(image.mode, 16 if image.mode.startswith("I;16") else 32)
