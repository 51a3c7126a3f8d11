"""Reading annotations from Python, without converting them."""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from pathlib import Path

from maskforge.conversion import settings as settings_
from maskforge.conversion import sources
from maskforge.errors import Problem
from maskforge.raster.annotation import Annotation


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
    reader = settings_.reader(name)
    chosen = settings_.options(reader, options)
    for found in sources.find([path], reader):
        yield from reader.read(found, chosen)
