"""COCO: one JSON file for all images, an annotation for each object; polygons or run lengths.

https://cocodataset.org/#format-data. ``--segmentation auto`` writes polygons where an object has no
hole, as they were drawn where they were, and run lengths where it has one; ``polygon`` ties holes
to the outline by slits without width, ``rle`` writes run lengths only.

Areas and boxes are of the mask that pycocotools makes of the segmentation, to the pixel. Ids of
categories are those of the class table. Images without objects are listed. ``iscrowd`` is 0:
background and ignored pixels are no objects. Each split has a file of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, Literal

from maskforge import rules
from maskforge.classes import ClassTable
from maskforge.raster import regions, rle
from maskforge.raster.geometry import Geometry, Polygon, Ring
from maskforge.writers import Scene, _coco, _objects
from maskforge.writers._objects import Objects

TITLE = "COCO"
SUFFIX = ".json"
FOLDER = "instances"
LOSSLESS = False
COLLECTION: Final = True
BY_SPLIT = True
picture = None


@dataclass(frozen=True, slots=True)
class Options(_objects.Tracing):
    """segmentation: polygons, run lengths, or polygons where there is no hole."""

    segmentation: Literal["auto", "polygon", "rle"] = "auto"


def encode(scene: Scene, options: Options) -> bytes:
    """Return the image's entry, and its annotations, a line each."""
    objects = _objects.of(scene, options, whole=True)
    return _coco.piece(
        scene,
        (
            {
                "image_id": _coco.image_id(scene.names),
                "category_id": class_id,
                "segmentation": segmentation,
                "area": area,
                "bbox": box,
                "iscrowd": 0,
            }
            for class_id, (segmentation, area, box) in zip(
                objects.class_ids, _segmented(objects, options), strict=True
            )
        ),
    )


def Collection(file: BinaryIO, classes: ClassTable, options: Options) -> _coco.Collection:
    """Return what takes the images one by one."""
    return _coco.Collection(file, classes)


def _segmented(objects: Objects, options: Options) -> Iterator[tuple[Any, int, list[int]]]:
    """Yield segmentation, area and box of each object."""
    height, width = objects.height, objects.width
    size = {"height": height, "width": width}
    drawn = [_drawn(parts, options, **size) for parts in objects.drawn]
    # pycocotools draws what a person drew by a rule of its own, and pixel edges exactly.
    cover = rules.load("coco").cover
    covered = cover([tuple(map(Polygon, rings)) for rings in drawn], height=height, width=width)
    areas, boxes = covered.areas(len(objects)), regions.boxes(covered, len(objects), width=width)
    counts = None
    for number, (area, box) in enumerate(zip(objects.areas, objects.boxes, strict=True)):
        if areas[number]:
            yield _flat(drawn[number]), int(areas[number]), boxes[number].tolist()
            continue
        if options.segmentation == "polygon":
            yield _flat(objects.rings[number]), area, box
            continue
        if options.segmentation == "auto" and not _has_holes(objects.polygons[number], options):
            yield _flat([polygon.exterior for polygon in objects.polygons[number]]), area, box
            continue
        if counts is None:
            counts = rle.encode(objects.runs, len(objects), height=height, width=width)
        yield {"size": [height, width], "counts": counts[number]}, area, box


def _drawn(
    parts: Sequence[Geometry] | None, options: Options, *, height: int, width: int
) -> list[Ring]:
    """Return the rings that were drawn, none where they cannot be written as they are."""
    polygons = None if options.segmentation == "rle" else _objects.as_polygons(parts)
    if polygons is None or _has_holes(polygons, options):
        return []
    rings = [_objects.one_ring([polygon], height=height, width=width) for polygon in polygons]
    whole = [ring for ring in rings if ring is not None]
    return whole if len(whole) == len(rings) else []


def _has_holes(polygons: Sequence[Polygon], options: Options) -> bool:
    """Tell whether there are holes, and they must not be tied to the outline."""
    return options.segmentation == "auto" and any(polygon.interiors for polygon in polygons)


def _flat(rings: Sequence[Ring]) -> list[list[float]]:
    return [_objects.numbers(ring.reshape(-1)) for ring in rings]
