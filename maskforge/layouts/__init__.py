"""Where outputs lie: one file a layout, and the file name is what users type after ``--layout``.

A layout has

    MASK_WRITER: str | None        the writer it wants when the user names none; None: the command's
    INSTANCES: bool                whether it has a place for instance images
    IMAGE_FORM: "as-is" | "png"    whether images keep their file format
    SIZE: (width, height) | None   the size it wants for images and masks
    places(names, *, mask_suffix) -> Places
    per_image(raster, names) -> {relative path: bytes}      small files beside each mask
    closing(classes, stems) -> {relative path: bytes}       files about the whole output; ``stems``
                                                            by split, under "all" all of them

All paths are relative to the output folder, with forward slashes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Names:
    """What one image is called.

    stem: unique in the output, with forward slashes; it may contain folders. index: from 0, in the
    order of the input. image_suffix: file name suffix of the image as written, such as ".jpg".
    """

    stem: str
    index: int
    image_suffix: str


@dataclass(frozen=True, slots=True)
class Places:
    """Where the files of one image go; None: the layout has no such file."""

    mask: str
    image: str | None = None
    preview: str | None = None
    instance: str | None = None
