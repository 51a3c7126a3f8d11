"""Everything that can go wrong, as data and as exceptions.

    MaskforgeError
    ├── ReadError(ValueError)        an annotation or image file cannot be read
    ├── GeometryError(ValueError)    a region's coordinates make no shape
    ├── ClassError(ValueError)       labels and the class table do not fit
    ├── WriteError(OSError)          an output cannot be written
    └── UsageError(ValueError)       arguments contradict each other or name nothing

A :class:`Problem` is the same information as data: conversion collects problems and goes on.
Its ``code`` is stable and listed in :data:`CODES`; ``docs/problems.md`` is made from that table.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

CODES: dict[str, str] = {
    "unreadable": "the file cannot be opened or is not text in any known encoding",
    "not-json": "the file is not complete JSON (truncated, trailing comma, two documents)",
    "not-csv": "the file is not the CSV that VIA writes",
    "wrong-format": "the file is valid but is not this annotation format",
    "bad-field": "a field is missing or has the wrong type or an impossible value",
    "bad-shape": "a region's coordinates make no shape that can be rasterized",
    "empty-shape": "a region covers nothing (too few points, zero extent) and was left out",
    "outside-image": "a region lies wholly outside its image and covers nothing",
    "too-large": "a size or a number of points is beyond the limit",
    "no-label": "a region has no label",
    "unknown-label": "a label is not in the class table",
    "label-doubt": "labels or classes look as if they were meant otherwise: they differ in case "
    "only, or are many of one name; or a rule about labels fits none",
    "no-image": "the image that the annotation names cannot be found",
    "image-meant": "an image was found under a name that is not quite the one that was given",
    "first-page": "a file has several pages or frames, of which the first is taken",
    "bad-image": "the image file cannot be read as an image",
    "bad-video": "the video file cannot be read as a video, ends before it should, or has frames "
    "of which no video can be made",
    "size-mismatch": "the size in the annotation is not the size of the image",
    "no-mask": "the source has no segmentation for this image or object",
    "mask-values": "pixels of a mask hold numbers that are no class ids: grey levels, 0 and 255, "
    "ids beyond the class table",
    "mask-colors": "a mask holds colours and no class ids",
    "mask-damaged": "JPEG, blending or resizing has changed pixels of a mask",
    "mask-form": "programs read the mask differently: channels, alpha, palette, bits, orientation",
    "mask-uniform": "one class alone is in a mask, or a class in none",
    "contested": "overlapping regions of different classes, and the overlap policy is 'error'",
    "lost": "the format that is written cannot say all that the source says, such as which pixels "
    "are ignored",
    "name-collision": "two sources want the same output name",
    "in-the-way": "a file stands where an output has to go, and maskforge did not make it, or "
    "somebody changed it since",
    "not-written": "an output file could not be written",
    "worker-died": "a worker process ended while converting this file",
    "internal": "maskforge itself failed on this file; please report it",
}

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in the data: what, where, and the cure.

    ``severity`` is "error" when the image was not converted because of it, "warning" when it was;
    a "note" is worth knowing, and nothing is wrong.
    ``file`` is a path as the user gave it, ``place`` a location in it such as ``shapes[3].points``.
    """

    code: str
    file: str
    message: str
    place: str = ""
    cure: str = ""
    severity: Severity = "error"

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f"code must be one of {sorted(CODES)}, but got {self.code!r}")
        # What a file says may be a megabyte of text, and messages quote it.
        for name, most in (("message", 1000), ("place", 300), ("cure", 600), ("file", 1000)):
            object.__setattr__(self, name, shorten(getattr(self, name), most))

    def __str__(self) -> str:
        where = f"{self.file}: {self.place}" if self.place else self.file
        cure = f" ({self.cure})" if self.cure else ""
        return f"{where}: {self.message}{cure} [{self.code}]"

    def as_dict(self) -> dict[str, str]:
        """Return the fields as a dictionary, in a fixed order, for JSON."""
        return asdict(self)


def shorten(text: str, most: int) -> str:
    """Return ``text``, its middle left out where it is longer than ``most`` characters."""
    if len(text) <= most:
        return text
    return f"{text[: most * 2 // 3]} … {text[-most // 4 :]}"


class MaskforgeError(Exception):
    """Raised when maskforge cannot do what was asked; the root of all its errors."""

    code = "internal"

    def __init__(
        self, message: str, *, code: str = "", file: str = "", place: str = "", cure: str = ""
    ) -> None:
        message = shorten(message, 1000)
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.file = file
        self.place = place
        self.cure = cure

    def __str__(self) -> str:
        if not self.file:
            where = f"{self.place}: " if self.place else ""
            return f"{where}{self.message}" + (f" ({self.cure})" if self.cure else "")
        return str(self.problem())

    def problem(self, *, file: str = "", place: str = "") -> Problem:
        """Return this error as a :class:`Problem`, with file and place filled in if missing."""
        return Problem(
            self.code, self.file or file, self.message, self.place or place, self.cure, "error"
        )


class ReadError(MaskforgeError, ValueError):
    """Raised when an annotation or image file cannot be read."""

    code = "bad-field"


class GeometryError(MaskforgeError, ValueError):
    """Raised when a region's coordinates make no shape."""

    code = "bad-shape"


class ClassError(MaskforgeError, ValueError):
    """Raised when labels and the class table do not fit together."""

    code = "unknown-label"


class WriteError(MaskforgeError, OSError):
    """Raised when an output cannot be written."""

    code = "not-written"


class UsageError(MaskforgeError, ValueError):
    """Raised when arguments contradict each other or name nothing."""

    code = "bad-field"


def many(count: float, one: str, several: str = "") -> str:
    """Return a number of things in words: ``1 image``, ``1,200 images``, ``2.5 minutes``.

    several: what more or less than one of them are, if it is not ``one`` with an s.
    """
    shown = f"{count:,}" if isinstance(count, int) else f"{count:g}"
    return f"{shown} {one if shown == '1' else several or one + 's'}"
