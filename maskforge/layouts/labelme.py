"""One folder an image: ``img.png``, ``label.png``, ``label_viz.png``, ``label_names.txt``.

What ``labelme_json_to_dataset`` made, under the folder names of labelme 5.3.1 and later. Other than
there, a class has the same id in every folder, and ``label_names.txt`` lists the whole class table.
"""

from __future__ import annotations

from typing import Literal

from maskforge.classes import ClassTable
from maskforge.layouts import Kind, Names, Places, Records, as_it_is, labels, lines, splits
from maskforge.raster.raster import Raster

MASK_WRITER: str | None = "palette"
INSTANCES = False
IMAGE_FORM: Literal["as-is", "png"] = "png"
SIZE: tuple[int, int] | None = None
table = as_it_is


def places(names: Names, kind: Kind) -> Places:
    """Return where the files of one image go."""
    return Places(
        mask=f"{names.stem}/label{kind.suffix}",
        image=f"{names.stem}/img.png",
        preview=f"{names.stem}/label_viz.png",
    )


def per_image(raster: Raster, names: Names) -> dict[str, bytes]:
    """Return label_names.txt: the name of id 0 in the first line, and so on."""
    return {f"{names.stem}/label_names.txt": lines(raster.classes.names)}


def closing(classes: ClassTable, records: Records) -> dict[str, bytes]:
    """Return labels.txt and the list of each split."""
    return labels(classes) | splits(records)
