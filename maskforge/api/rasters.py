"""A raster that saves and shows itself."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path

from maskforge import plugins, writers
from maskforge.api import words
from maskforge.errors import UsageError
from maskforge.io import files
from maskforge.layouts import Names
from maskforge.raster import raster as core


class Raster(core.Raster):
    """Which class and which instance each pixel of one image belongs to; arrays are made on demand.

    ``numpy.asarray(raster)`` is the label image. A notebook shows it as a picture.

    height, width: the image's size in pixels. classes: the class table. segments: runs of pixels of
    one owner. region_class: (R,) int64, the class id of each region, -1 for one that was skipped.
    region_instance: (R,) int64 from 1, 0 for none. region_area: (R,) int64, the pixels that each
    region covers, whatever lies on top. runs: which ones; bottom_up:
    (R,) int64, the regions from the bottom to the top; None for a label image.
    """

    @classmethod
    def of(cls, raster: core.Raster) -> Raster:
        """Return the same raster as one of these."""
        return cls(**{one.name: getattr(raster, one.name) for one in fields(raster)})

    @words.python()
    def save(self, path: str | os.PathLike[str], *, as_: str = "", **options: object) -> None:
        """Write the file that a conversion writes of one image; what stands there is replaced.

        as_: "label", "palette", "color", "instance" or "npy"; "" is a label image: PNG, or .npy by
        the suffix of ``path``. options: the writer's own, such as ``style="black-white"``.

        Raises UsageError for a suffix that is not the writer's, WriteError when the system refuses.
        """
        file = Path(path)
        name = as_ or ("npy" if file.suffix.lower() == ".npy" else "label")
        writer = writers.load(plugins.choose("as", name, plugins.names("writers")))
        if writer.COLLECTION:
            raise UsageError(f"{name} makes one file of all images, and this is one image")
        if file.suffix.lower() != writer.SUFFIX:
            raise UsageError(
                f"a file of {name} must end with {writer.SUFFIX}, but got {str(file)!r}"
            )
        name = f"{file.stem}.png"
        scene = writers.Scene(self, Names(file.stem, 0, ".png", name=name), file_name=name)
        files.write(file, writer.encode(scene, plugins.options(writer, options)))

    def _repr_png_(self) -> bytes:
        from maskforge.pictures import previews  # Pillow and fonts, which a mask file needs not

        return previews.encode(previews.draw(None, self), suffix=".png")
