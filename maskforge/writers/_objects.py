"""The objects of a scene, for the writers of regions: which there are, their pixels and geometry.

Of an annotation these are the regions as they were drawn, each with all of its pixels, whatever
lies on top; less what a later background erases, as holes are drawn where polygons have none. Of a
label image they are what :mod:`maskforge.raster.regions` finds in it.

The background, what is ignored, and regions without a pixel are no objects.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from maskforge import rules
from maskforge.classes import BACKGROUND, ClassTable
from maskforge.raster import keyholes, regions, simplify, specks, trace
from maskforge.raster.geometry import Box, Geometry, Polygon, Ring
from maskforge.raster.runs import Ints, Runs, relabel
from maskforge.writers import Scene

Group: TypeAlias = int | str | None

IGNORED = "ignored pixels"
"""What ``Scene.lost`` calls them."""


@dataclass(frozen=True, slots=True)
class Tracing:
    """How label images become objects: exactly, unless something is asked for.

    tolerance: how far, in pixels, outlines may depart from the middles of pixel edges. keep_iou:
    instead of it, how much of each class, and of each large object, must stay. min_area: parts of
    fewer pixels become what is around them, also those of the background.
    """

    tolerance: float | None = None
    keep_iou: float | None = None
    min_area: int | None = None


@dataclass(frozen=True, eq=False)
class Objects:
    """O objects of one image (height, width), from the bottom to the top.

    That is the order of the source, unless the user said otherwise.

    runs: their pixels. class_ids: (O,). groups: (O,) what ties objects into one instance. drawn:
    (O,) the geometry as it was drawn; None where only the pixels say what it covers.
    """

    height: int
    width: int
    runs: Runs
    class_ids: tuple[int, ...]
    groups: tuple[Group, ...]
    drawn: tuple[tuple[Geometry, ...] | None, ...]

    def __len__(self) -> int:
        return len(self.class_ids)

    @property
    def areas(self) -> list[int]:
        """The pixels of each object."""
        areas: list[int] = self.runs.areas(len(self)).tolist()
        return areas

    @property
    def boxes(self) -> list[list[int]]:
        """x, y, width and height of the pixels of each object."""
        boxes: list[list[int]] = regions.boxes(self.runs, len(self), width=self.width).tolist()
        return boxes

    @cached_property
    def polygons(self) -> Sequence[tuple[Polygon, ...]]:
        """The outlines of each object's pixels: a polygon for each 4-connected part."""
        return list(trace.polygons(self.runs, len(self), width=self.width))

    @cached_property
    def rings(self) -> Sequence[list[Ring]]:
        """The outlines of each object's pixels, a ring for each part: holes are tied to it."""
        flat = iter(keyholes.rings([part for parts in self.polygons for part in parts]))
        return [list(islice(flat, len(parts))) for parts in self.polygons]


def of(scene: Scene, tracing: Tracing, *, whole: bool) -> Objects:
    """Return the objects of ``scene``, and count what it loses by that.

    whole: regions of one instance are one object.
    """
    count_ignored(scene)
    raster, classes = scene.raster, scene.raster.classes
    if scene.annotation is None:
        return _traced(scene, tracing)
    amodal, count = raster.amodal, len(raster.region_class)
    areas = amodal.areas(count)
    left = [classes.ignore_index, classes.uncovered, -1]
    is_object = (areas > 0) & ~np.isin(raster.region_class, left)
    order = np.arange(count) if raster.bottom_up is None else raster.bottom_up
    chosen = order[is_object[order]]
    keys = raster.region_instance if whole else np.arange(count)
    number = _numbers(keys, chosen)
    members: list[list[int]] = [[] for _ in range(int(number.max(initial=-1)) + 1)]
    for region in chosen.tolist():
        members[number[region]].append(region)
    shown = number[amodal.region] >= 0
    runs = Runs(amodal.region[shown], amodal.start[shown], amodal.stop[shown])
    is_whole = (areas == raster.region_area).tolist()
    drawn = scene.annotation.regions
    return Objects(
        *raster.shape,
        relabel(runs, number),
        tuple(int(raster.region_class[first]) for first, *_ in members),
        tuple(drawn[first].group for first, *_ in members),
        tuple(
            tuple(part for region in some for part in drawn[region].geometry)
            if all(is_whole[region] for region in some)
            else None
            for some in members
        ),
    )


def _traced(scene: Scene, tracing: Tracing) -> Objects:
    """Return the objects of a label image, and tell what they lost on request."""
    raster, classes = scene.raster, scene.raster.classes
    left = {classes.ignore_index, classes.uncovered}
    if tracing.min_area is None:
        found = regions.of_raster(raster)
    else:
        ids = raster.label_image()
        clean = specks.removed(ids, area=tracing.min_area, keep=(classes.ignore_index,))
        scene.traced["specks"] = clean.parts
        scene.traced["pixels of specks"] = clean.pixels
        found = regions.of_label_image(clean.label_image, skip=left)
    geometries: tuple[tuple[Polygon, ...] | None, ...] = (None,) * len(found)
    if (tracing.tolerance, tracing.keep_iou) != (None, None):
        cover = rules.load("pixel-center").cover
        how = {"tolerance": tracing.tolerance, "keep_iou": tracing.keep_iou}
        simple = simplify.simplify(found, cover, **how)
        geometries = simple.geometries
        large = simple.region_iou[found.areas > simplify.HELD].tolist()
        scene.traced["points before"] = simple.points_before
        scene.traced["points after"] = simple.points_after
        scene.traced["lowest IoU"] = min([1.0, *simple.class_iou.values(), *large])
    groups = tuple(number or None for number in found.instance.tolist())
    return Objects(*raster.shape, found.runs, tuple(found.value.tolist()), groups, geometries)


def count_ignored(scene: Scene) -> None:
    """Count the pixels that are ignored, which no format of objects can say."""
    classes = scene.raster.classes
    if classes.background is not None:  # else what no region covers is ignored when it is read
        scene.lost[IGNORED] += scene.raster.pixel_counts.get(classes.ignore_index, 0)


def _numbers(keys: Ints, chosen: Ints) -> Ints:
    """Return the object of each region, counted as the first of each key comes; -1 for none."""
    number = np.full(len(keys), -1)
    first: dict[int, int] = {}
    for region, key in zip(chosen.tolist(), keys[chosen].tolist(), strict=True):
        number[region] = first.setdefault(key, len(first))
    return number


def ring_of(part: Geometry) -> Ring | None:
    """Return the one ring that a geometry is, None where it is none."""
    if isinstance(part, Polygon) and not part.interiors:
        return part.exterior
    if isinstance(part, Box):
        left, top, right, bottom = part.x_min, part.y_min, part.x_max, part.y_max
        return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    return None


def as_polygons(parts: Sequence[Geometry] | None) -> tuple[Polygon, ...] | None:
    """Return geometries as polygons, None where one of them is none."""
    if parts is None:
        return None
    found = []
    for part in parts:
        if (ring := ring_of(part)) is not None:
            part = Polygon(ring)
        if not isinstance(part, Polygon):
            return None
        found.append(part)
    return tuple(found)


def one_ring(polygons: Sequence[Polygon], *, height: int, width: int) -> Ring | None:
    """Return one ring that covers what ``polygons`` cover, with slits to holes and between parts.

    None where there is none: of polygons that lie on each other, or holes that lie outside.
    """
    ring = keyholes.ring(polygons)
    if len(polygons) == 1 and not polygons[0].interiors:
        return ring
    both = [tuple(polygons), (Polygon(ring),)]
    found = rules.load("pixel-center").cover(both, height=height, width=width)
    is_first = found.region == 0
    ends = np.stack([found.start, found.stop])
    return ring if np.array_equal(ends[:, is_first], ends[:, ~is_first]) else None


def numbers(points: NDArray[np.float64]) -> list[Any]:
    """Return points, or coordinates in a row, as lists for JSON, whole numbers as such."""
    whole = points.astype(np.int64)
    found: list[Any] = (whole if (whole == points).all() else points).tolist()
    return found


def things(classes: ClassTable) -> Iterator[tuple[int, str]]:
    """Yield id and name of each class but the background."""
    for class_id, name in zip(classes.ids, classes.names, strict=True):
        if name != BACKGROUND:
            yield class_id, name


def folder_and_name(scene: Scene) -> tuple[str, str]:
    """Return the way from the written file to the folder of images, and the name below that."""
    if scene.image is None:
        return "", scene.file_name
    found = way(scene.image, posixpath.dirname(scene.place))
    if not found.endswith(scene.file_name):
        return "", found
    return found.removesuffix(scene.file_name), scene.file_name


def way(path: str, folder: str) -> str:
    """Return how ``path`` is called from ``folder``, both from the same place, wherever that is."""
    up, down = (posixpath.normpath(one).split("/").count("..") for one in (folder, path))
    if posixpath.isabs(path) != posixpath.isabs(folder) or up > down:
        return path
    here = "/" + "x/" * 99  # ``..`` must not come to an end
    return posixpath.relpath(posixpath.join(here, path), posixpath.join(here, folder))
