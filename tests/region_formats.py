"""What tests of region formats share: a scene written as a format's files, and read again."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import numpy as np
from strategies import masks_of

from maskforge import plugins, rasterize, readers, writers
from maskforge.classes import ClassTable
from maskforge.io.label_lists import Listed
from maskforge.layouts import Names
from maskforge.raster.annotation import Annotation
from maskforge.raster.raster import Raster
from maskforge.raster.regions import of_raster
from maskforge.writers import Scene

FORMATS = ("coco", "labelme", "panoptic", "via", "yolo")
NAMES = Names("a", 0, ".png", name="a.png")


def scene_of(raster: Raster, annotation: Annotation | None = None) -> Scene:
    """Return the scene of an image a.png, which lies beside what is written."""
    return Scene(raster, NAMES, annotation, "a.png", "a.png", "a.json")


def written(scene: Scene, format_: str, folder: Path, **options: object) -> Path:
    """Write the scene into ``folder``, empty but for it, and return the file."""
    writer = writers.load(format_)
    given = plugins.options(writer, options)
    data = writer.encode(scene, given)
    folder.mkdir(exist_ok=True)
    if not writer.COLLECTION:
        path = folder / f"a{writer.SUFFIX}"
        path.write_bytes(data)
        text = scene.raster.classes.to_text()
        (folder / "labels.txt").write_text(text, encoding="utf-8")
        return path
    file = io.BytesIO()
    collection = writer.Collection(file, scene.raster.classes, given)
    collection.add(data, scene.names)
    collection.close()
    path = folder / f"all{writer.SUFFIX}"
    path.write_bytes(file.getvalue())
    if writer.picture is not None:
        (folder / "all").mkdir(exist_ok=True)
        (folder / "all/a.png").write_bytes(writer.picture(scene, given))
    return path


def read(path: Path, format_: str) -> Annotation:
    """Return what the format's reader says of the one image."""
    reader = readers.load(format_)
    items = list(reader.read(path, reader.Options()))
    (item,) = [item for item in items if not isinstance(item, Listed) and hasattr(item, "name")]
    found = item if isinstance(item, Annotation) else item.annotation()
    assert found.problems == ()
    return found


def shown(raster: Raster) -> Counter[tuple[int, bytes]]:
    """Return the regions that show in a raster: the class of each and its mask."""
    height, width = raster.shape
    found = of_raster(raster)
    masks = masks_of(found.runs, len(found), height=height, width=width)
    pairs = zip(found.value.tolist(), masks, strict=True)
    return Counter((value, mask.tobytes()) for value, mask in pairs)


def drawn(annotation: Annotation, classes: ClassTable, size: tuple[int, int]) -> Raster:
    """Return the raster of what was read, under the default rule."""
    height, width = size
    return rasterize(annotation, classes, height=height, width=width)


def covered(raster: Raster, keys: list[object]) -> Counter[tuple[int, bytes]]:
    """Return the objects of a raster, regions with one key being one: class and mask of each."""
    height, width = raster.shape
    masks = masks_of(raster.amodal, len(raster.region_class), height=height, width=width)
    objects: dict[object, tuple[int, np.ndarray]] = {}
    for key, value, mask in zip(keys, raster.region_class.tolist(), masks, strict=True):
        before = objects.get(key, (value, np.zeros((height, width), np.bool_)))
        objects[key] = value, before[1] | mask
    return Counter((value, mask.tobytes()) for value, mask in objects.values())
