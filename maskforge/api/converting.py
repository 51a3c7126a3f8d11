"""Annotations in, masks out: the conversion, and its steps by themselves."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from maskforge import plugins, readers, rules
from maskforge.api import words
from maskforge.api.documented import shows
from maskforge.api.rasters import Raster
from maskforge.classes import ClassTable
from maskforge.conversion import conversion, sources
from maskforge.conversion.result import Conversion
from maskforge.conversion.settings import Settings
from maskforge.conversion.sinks import Progress
from maskforge.errors import GeometryError, Problem, ReadError, UsageError
from maskforge.io import label_lists
from maskforge.io.label_lists import Labels, Listed
from maskforge.raster import raster
from maskforge.raster.annotation import Annotation
from maskforge.raster.geometry import MAX_PIXELS
from maskforge.raster.overlap import Overlap
from maskforge.raster.raster import Unknown
from maskforge.readers.masks import inspection
from maskforge.readers.masks.inspection import Inspection

PathLike: TypeAlias = str | os.PathLike[str]

_OWN = "reader_options"


@shows(Settings)
def convert(
    source: PathLike | Sequence[PathLike],
    *,
    format: str | None = None,  # the word users type
    reader_options: Mapping[str, object] | None = None,
    engine_options: Mapping[str, object] | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> Conversion:
    """Convert annotations to masks; does what the commands ``maskforge FORMAT SOURCE`` do.

    source: files and folders of annotations or masks. format: a reader ("labelme", "via",
    "ochuman", "coco", "masks"), None to find it by content. reader_options: the reader's own, such
    as ``{"attribute": "Name"}``. engine_options: the engine's own, such as
    ``{"address": "10.0.0.1:6379"}`` for "ray".
    progress: called with images done and images in all.

    All else are the settings, which are the options of the commands.

    Raises UsageError for arguments that do not fit together, ClassError for labels outside the
    class table, ReadError when no source can be read (with ``strict``: for the first problem of an
    image), WriteError when an output cannot be written. All else that is wrong in the data is in
    the result's ``problems``.
    """
    with words.python(own=_OWN):
        made = conversion.convert(
            source,
            format=format,
            reader_options=reader_options,
            engine_options=engine_options,
            progress=progress,
            **settings,
        )
    return replace(made, problems=words.problems(made.problems, own=_OWN))


def read(
    source: PathLike,
    *,
    format: str | None = None,  # the word users type
    **options: object,
) -> Iterator[Annotation | Problem]:
    """Yield the annotations of a file or folder, one for each image, in order.

    format: a reader ("labelme", "via", "ochuman", "coco"), None to find it by content. options: the
    reader's own, such as ``attribute="Name"``. A Problem stands for an image that cannot be used.

    Raises ReadError for a file that cannot be read as a whole.
    """
    path = Path(source)
    with words.python():
        reader = readers.load(format or sources.detect([path])[0])
        chosen = plugins.options(reader, options)
        for file in sources.find([path], reader):
            for item in reader.read(file, chosen):
                if isinstance(item, Annotation):
                    yield item
                elif isinstance(item, Problem):
                    yield words.problem(item)
                elif not isinstance(item, Listed):
                    try:
                        yield item.annotation()
                    except (ReadError, GeometryError) as error:
                        yield words.problem(error.problem(file=str(file), place=item.place))


@words.python()
def rasterize(
    annotation: Annotation,
    classes: Labels,
    *,
    height: int | None = None,
    width: int | None = None,
    rule: str = "pixel-center",
    overlap: Overlap = "last",
    priority: Sequence[str] = (),
    unknown: Unknown = "error",
    max_pixels: int = MAX_PIXELS,
) -> Raster:
    """Return which class each pixel of ``annotation`` belongs to.

    classes: the class table, its names such as ``["cat", "dog"]``, or the file that lists them.
    height, width: the image's size in pixels; the annotation's own where they are None.
    rule: which pixels a shape covers, one of ``maskforge/rules``. overlap: who wins, "last",
    "first" or "smallest", or "error". priority: class names from top to bottom; these lie on top of
    all others, whatever ``overlap`` says. unknown: what becomes of a label that the table lacks,
    "error", "skip", "ignore" or "background". max_pixels: larger images are refused.
    A region labelled ``_background_`` erases all that come before it.

    Raises ReadError when the size is unknown or too large, ClassError (code ``unknown-label``) for
    a label outside the table, GeometryError for a shape beyond the limits (``too-large``) and, with
    overlap "error", for pixels claimed by two classes (``contested``).
    """
    listed = label_lists.given(classes)
    if listed is None:
        raise UsageError("there must be classes, a table or its names, but got None")
    return Raster.of(
        raster.rasterize(
            annotation,
            listed.classes,
            rules.load(rule).cover,
            height=height,
            width=width,
            overlap=overlap,
            priority=priority,
            unknown=unknown,
            max_pixels=max_pixels,
        )
    )


@words.python()
def inspect(path: PathLike, *, classes: Labels = None) -> Inspection:
    """Return what the mask file ``path`` holds: an image, or a .npy file.

    classes: the class table its values should fit, its names, or the file that lists them; else the
    one it carries itself, if any. Raises ReadError for a file that is neither, or is damaged or too
    large.
    """
    listed = label_lists.given(classes)
    table: ClassTable | None = None if listed is None else listed.classes
    found = inspection.inspect(path, classes=table)
    told, notes = words.problems(found.problems), words.problems(found.notes)
    return replace(found, problems=told, notes=notes)
