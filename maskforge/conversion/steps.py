"""The steps of a conversion by themselves, from Python: annotations read, one made a raster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path

from maskforge import plugins, readers, rules
from maskforge.conversion import sources
from maskforge.errors import GeometryError, Problem, ReadError, UsageError
from maskforge.io.label_lists import Labels, Listed, given
from maskforge.raster import raster
from maskforge.raster.annotation import Annotation
from maskforge.raster.geometry import MAX_PIXELS
from maskforge.raster.overlap import Overlap
from maskforge.raster.raster import Raster, Unknown


def read(
    source: str | PathLike[str],
    *,
    format: str | None = None,  # the word users type
    **options: object,
) -> Iterator[Annotation | Problem]:
    """Yield the annotations of a file or folder, one for each image, in order.

    format: a reader ("labelme", "via", "ochuman"), None to find it by content. options: the
    reader's own, such as ``attribute="Name"``. A Problem stands for an image that cannot be used.

    Raises ReadError for a file that cannot be read as a whole.
    """
    path = Path(source)
    name = format or sources.detect([path])[0]
    reader = readers.load(name)
    chosen = plugins.options(reader, options)
    for found in sources.find([path], reader):
        for item in reader.read(found, chosen):
            if isinstance(item, Annotation | Problem):
                yield item
            elif not isinstance(item, Listed):
                try:
                    yield item.annotation()
                except (ReadError, GeometryError) as error:
                    yield error.problem(file=str(found), place=item.place)


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

    classes: the class table, its names, or the file that lists them.
    height, width: the image's size in pixels; the annotation's own where they are None.
    rule: which pixels a shape covers, one of ``maskforge/rules``. overlap: who wins. priority:
    class names from top to bottom; these lie on top of all others, whatever ``overlap`` says.
    A region labelled ``_background_`` erases all that come before it.

    Raises ReadError when the size is unknown or too large, ClassError (code ``unknown-label``) for
    a label outside the table, GeometryError for a shape beyond the limits (``too-large``) and, with
    overlap "error", for pixels claimed by two classes (``contested``).
    """
    listed = given(classes)
    if listed is None:
        raise UsageError("there must be classes, a table or its names, but got None")
    return raster.rasterize(
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
