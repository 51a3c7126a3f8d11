"""From an annotation and a class table to a raster: which class each pixel belongs to."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from maskforge.classes import BACKGROUND, ClassTable
from maskforge.errors import ClassError, GeometryError, ReadError, UsageError
from maskforge.raster.annotation import Annotation, Region
from maskforge.raster.geometry import MAX_PIXELS, Bitmap, Box, Geometry, Polygon, Polyline
from maskforge.raster.overlap import Overlap, Segments, erased, order, resolve
from maskforge.raster.runs import Ints, Runs, once, ranked
from maskforge.raster.transform import absolute

Unknown: TypeAlias = Literal["error", "skip", "ignore", "background"]
"""What becomes of a label that the class table lacks. skip: the region is left out. ignore: its
pixels become the ignore index. background: it erases, as a region labelled _background_ does."""

MAX_CROSSINGS = 40_000_000
"""Rows and columns crossed by the edges of all regions of one image; no drawing comes near it."""

MAX_PLANES = 2**31
"""Bytes of the one-hot planes of one image."""

_OVERLAPS, _UNKNOWNS = get_args(Overlap), get_args(Unknown)

_NONE = np.zeros(1, dtype=np.int64)
"""The instance of owner -1, which is no region."""

_SKIPPED = -1
"""The class of a region that was left out."""

_SHOWN = 8
"""Classes that a raster tells in a line."""

BATCH = 4_000_000
"""As many crossings are worked out at once; bounds memory."""


class Cover(Protocol):
    """Which pixels regions cover: what a module of :mod:`maskforge.rules` has as ``cover``."""

    def __call__(
        self, regions: Sequence[tuple[Geometry, ...]], /, *, height: int, width: int
    ) -> Runs:
        """Return the pixels of each region, the union of its geometries, clipped to the image."""


@dataclass(frozen=True, eq=False)
class Raster:
    """Which class and which instance each pixel of one image belongs to; arrays are made on demand.

    ``numpy.asarray(raster)`` is the label image. region_class: (R,) int64, the class id of each
    region, -1 for one that was skipped. region_instance: (R,) int64 from 1, 0 for none.
    region_area: (R,) int64, the pixels that each region covers, whatever lies on top. runs: which
    ones; bottom_up: (R,) int64, the regions from the bottom to the top. Both are None where there
    were no regions, but a label image.
    """

    height: int
    width: int
    classes: ClassTable
    segments: Segments
    region_class: Ints
    region_instance: Ints
    region_area: Ints
    runs: Runs | None = None
    bottom_up: Ints | None = None

    @cached_property
    def amodal(self) -> Runs:
        """The pixels of each region, whatever lies on top, less what a later background erases."""
        if self.runs is not None:
            return erased(self.runs, _erasers(self.region_class, self.classes))
        parts = self.segments
        shown = np.flatnonzero(parts.owner >= 0)
        shown = shown[np.argsort(parts.owner[shown], kind="stable")]
        start = parts.start[shown]
        return Runs(parts.owner[shown], start, start + parts.length[shown])

    @cached_property
    def segment_class(self) -> Ints:
        """Class id by segment, (S,) int64."""
        return np.append(self.region_class, self.classes.uncovered)[self.segments.owner]

    @cached_property
    def segment_instance(self) -> Ints:
        """Instance id by segment, (S,) int64; 0 for the background and for ignored pixels."""
        instance = np.concatenate([self.region_instance, _NONE])[self.segments.owner]
        instance[self.segment_class == self.classes.ignore_index] = 0
        return instance

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{self.classes.name_of(class_id)} {pixels:,} px"
            for class_id, pixels in itertools.islice(self.pixel_counts.items(), _SHOWN)
        )
        more = len(self.pixel_counts) - _SHOWN
        shown += f" and {more} more" if more > 0 else ""
        return f"Raster({self.width}x{self.height}: {shown})"

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width), as its label image has it."""
        return self.height, self.width

    def label_image(self) -> NDArray[np.uint8] | NDArray[np.uint16]:
        """Return the label image (height, width), uint8 or uint16 by the class table."""
        values = self.segment_class.astype(self.classes.dtype)
        return np.repeat(values, self.segments.length).reshape(self.height, self.width)

    def mask(self, name: str) -> NDArray[np.bool_]:
        """Return where the class ``name`` shows, bool (height, width), ``__ignore__`` too.

        Raises ClassError, with the nearest name, for a class that the table lacks.
        """
        shows = self.segment_class == self.classes[name]
        return np.repeat(shows, self.segments.length).reshape(self.shape)

    def __array__(
        self, dtype: np.dtype | None = None, copy: bool | None = None
    ) -> NDArray[np.generic]:
        if copy is False:
            raise ValueError("the label image is made on demand and cannot be had without a copy")
        return self.label_image() if dtype is None else self.label_image().astype(dtype)

    def instance_image(self) -> NDArray[np.uint8] | NDArray[np.uint16]:
        """Return instance ids (height, width), 0 where there is none: one id for each pair of label
        and group, counted from 1 in the source's order; uint16 when there are more than 255.
        """
        top = int(self.region_instance.max(initial=0))
        if top > 65535:
            raise GeometryError(
                f"an image must have at most 65535 instances, but got {top}", code="too-large"
            )
        values = self.segment_instance.astype(np.uint8 if top <= 255 else np.uint16)
        return np.repeat(values, self.segments.length).reshape(self.height, self.width)

    def one_hot(self, *, keep_overlaps: bool = False) -> NDArray[np.uint8]:
        """Return 0/1 planes, uint8 (height, width, C), a channel a class of the table.

        A pixel of the ignore index is 0 in every channel. With ``keep_overlaps`` a pixel is 1 in
        the channel of every class that covers it, not only of the one on top. Raises GeometryError
        (code ``too-large``) beyond :data:`MAX_PLANES`.
        """
        flat = np.repeat(
            self.segment_planes(keep_overlaps=keep_overlaps), self.segments.length, axis=0
        )
        return flat.reshape(self.height, self.width, len(self.classes))

    def segment_planes(self, *, keep_overlaps: bool = False) -> NDArray[np.uint8]:
        """Return what :meth:`one_hot` has at each pixel of a segment, uint8 (S, C)."""
        count = len(self.classes)
        if self.height * self.width * count > MAX_PLANES:
            raise GeometryError(
                f"one-hot planes must have at most {MAX_PLANES} bytes, but {self.width}x"
                f"{self.height} pixels of {count} classes have more",
                code="too-large",
                cure="choose --size, fewer classes or --as label",
            )
        planes = np.zeros((len(self.segments.start), count), dtype=np.uint8)
        if keep_overlaps:
            channel = self.classes.channels_of(self.segments.pair_class)
            scored = channel < count
            planes[self.segments.pair_segment[scored], channel[scored]] = 1
            if self.classes.background is not None:
                none = self.segments.owner < 0
                planes[none, self.classes.names.index(BACKGROUND)] = 1
        else:
            channel = self.classes.channels_of(self.segment_class)
            scored = channel < count
            planes[np.flatnonzero(scored), channel[scored]] = 1
        return planes

    @cached_property
    def pixel_counts(self) -> dict[int, int]:
        """Pixels by class id in the label image, ids that occur only, ascending."""
        totals = np.bincount(self.segment_class, weights=self.segments.length)
        found = totals.nonzero()[0]
        return dict(zip(found.tolist(), map(int, totals[found].tolist()), strict=True))

    @cached_property
    def image_classes(self) -> tuple[int, ...]:
        """Class ids that occur in the label image, ascending."""
        return tuple(self.pixel_counts)

    @cached_property
    def contested(self) -> dict[tuple[int, int], int]:
        """Pixels that regions of two classes claim: {(class on top, class below): pixels}."""
        kinds = sorted(set(self.region_class.tolist()) - {_SKIPPED})
        count, parts = len(kinds), self.segments
        top = self.segment_class.take(parts.pair_segment)
        lost = (parts.pair_class != top).nonzero()[0]
        if not len(lost):
            return {}
        rank = np.zeros(kinds[-1] + 1, dtype=np.int64)
        rank[kinds] = np.arange(count)
        segment, below = parts.pair_segment.take(lost), rank.take(parts.pair_class.take(lost))
        size = len(parts.start)
        # Two regions of one class below count once.
        pixels = parts.length.take(segment) * once(below * size + segment, below=count * size)
        pairs, index = ranked(rank.take(top.take(lost)) * count + below)
        totals = np.bincount(index, weights=pixels).astype(np.int64)
        return {
            (kinds[pair // count], kinds[pair % count]): total
            for pair, total in zip(pairs.tolist(), totals.tolist(), strict=True)
        }


def rasterize(
    annotation: Annotation,
    classes: ClassTable,
    cover: Cover,
    *,
    height: int | None = None,
    width: int | None = None,
    overlap: Overlap = "last",
    priority: Sequence[str] = (),
    unknown: Unknown = "error",
    max_pixels: int = MAX_PIXELS,
) -> Raster:
    """Return which class each pixel of ``annotation`` belongs to.

    cover: which pixels a shape covers. height, width: the image's size in pixels; the annotation's
    own where they are None. overlap: who wins. priority:
    class names from top to bottom; these lie on top of all others, whatever ``overlap`` says.
    A region labelled ``_background_`` erases all that come before it.

    Raises ReadError when the size is unknown or too large, ClassError (code ``unknown-label``) for
    a label outside the table, GeometryError for a shape beyond the limits (``too-large``) and, with
    overlap "error", for pixels claimed by two classes (``contested``).
    """
    for name, value, choices in (("overlap", overlap, _OVERLAPS), ("unknown", unknown, _UNKNOWNS)):
        if value not in choices:
            raise UsageError(f"{name} must be one of {list(choices)}, but got {value!r}")
    height = annotation.height if height is None else height
    width = annotation.width if width is None else width
    if height is None or width is None:
        raise ReadError("the image's size is not known", code="no-image", cure="give height, width")
    if height < 1 or width < 1 or height * width > max_pixels:
        raise ReadError(
            f"an image must have 1 to {max_pixels} pixels, but got {width}x{height}",
            code="bad-field" if height < 1 or width < 1 else "too-large",
            cure="" if height < 1 or width < 1 else "raise --max-pixels if the size is right",
        )
    if annotation.relative:
        annotation = absolute(annotation, height=height, width=width)
    regions = annotation.regions
    ids = _class_ids(regions, classes, unknown)
    geometries = [r.geometry if i >= 0 else () for r, i in zip(regions, ids.tolist(), strict=True)]
    runs = _cover(cover, geometries, regions, height=height, width=width)
    level = _levels(ids, classes, priority)
    areas = runs.areas(len(regions))
    bottom_up = order(areas, level, overlap)
    segments = resolve(
        runs,
        bottom_up=bottom_up,
        region_class=ids,
        eraser=_erasers(ids, classes),
        size=height * width,
    )
    instances = _instances(regions, ids, classes)
    raster = Raster(height, width, classes, segments, ids, instances, areas, runs, bottom_up)
    if overlap == "error" and raster.contested:
        raise _contest(raster)
    return raster


def _class_ids(regions: Sequence[Region], classes: ClassTable, unknown: Unknown) -> Ints:
    ids: list[int] = []
    other = {"ignore": classes.ignore_index, "background": classes.uncovered}.get(unknown, -1)
    missing: dict[str, str] = {}
    for region in regions:
        if region.label in classes:
            class_id = classes.id_of(region.label)
            crowd = region.crowd and class_id != classes.background
            ids.append(classes.ignore_index if crowd else class_id)
        else:
            ids.append(other)
            if unknown == "error":
                missing.setdefault(region.label, region.place)
    if missing:
        names = ", ".join(map(repr, missing))
        raise ClassError(
            f"every label must be in the class table, but got {names}",
            place=next(iter(missing.values())),
            cure=classes.hint(missing),
        )
    return np.array(ids, dtype=np.int64)


def _levels(ids: Ints, classes: ClassTable, priority: Sequence[str]) -> Ints:
    level = np.zeros(len(ids), dtype=np.int64)
    for height, name in enumerate(reversed(priority), start=1):
        level[ids == classes.id_of(name)] = height
    return level


def _erasers(ids: Ints, classes: ClassTable) -> NDArray[np.bool_]:
    """Return which regions erase what lies below them: those of the background."""
    return np.zeros(len(ids), np.bool_) if classes.background is None else ids == classes.background


def _instances(regions: Sequence[Region], ids: Ints, classes: ClassTable) -> Ints:
    seen: dict[object, int] = {}
    numbers: list[int] = []
    for index, (region, class_id) in enumerate(zip(regions, ids.tolist(), strict=True)):
        is_thing = class_id >= 0 and class_id != classes.background
        key = index if region.group is None else (region.label, region.group)
        numbers.append(seen.setdefault(key, len(seen) + 1) if is_thing else 0)
    return np.array(numbers, dtype=np.int64)


def _cover(
    cover: Cover,
    geometries: Sequence[tuple[Geometry, ...]],
    regions: Sequence[Region],
    *,
    height: int,
    width: int,
) -> Runs:
    """Return the runs of all regions, worked out in batches of bounded effort."""
    flat = [geometry for region in geometries for geometry in region]
    if _lines_crossed(flat, height, width, enough=BATCH) <= BATCH:  # the usual case
        return cover(geometries, height=height, width=width)
    efforts = [_lines_crossed(region, height, width) + 1 for region in geometries]
    total = 0
    for region, effort in zip(regions, efforts, strict=True):
        total += effort
        if total > MAX_CROSSINGS:
            raise GeometryError(
                f"the edges of all regions must cross at most {MAX_CROSSINGS} rows and columns, "
                f"but up to this region they cross {total}",
                code="too-large",
                place=region.place,
                cure="simplify the polygons",
            )
    batch = np.cumsum(efforts) // BATCH
    parts = []
    for first, last in _equal_stretches(batch):
        part = cover(geometries[first:last], height=height, width=width)
        parts.append((part.region + first, part.start, part.stop))
    return Runs(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _equal_stretches(values: Ints) -> list[tuple[int, int]]:
    cuts = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), len(values)]
    return list(itertools.pairwise(cuts))


def _lines_crossed(
    geometries: Sequence[Geometry], height: int, width: int, *, enough: int = 0
) -> int:
    """Return about how many rows and columns the edges of all ``geometries`` cross in the image.

    Up to ``enough`` it may be a much higher number that they cannot exceed, which costs nothing.
    """
    lines: list[NDArray[np.float64]] = []
    crossed = 0
    for geometry in geometries:
        match geometry:
            case Polygon(exterior, interiors):
                lines += (exterior, *interiors)
            case Polyline(points, thickness):
                lines.append(points)
                crossed += len(points) * (1 + int(min(thickness, height)))
            case Box(left, top, right, bottom):
                rows = min(max(bottom, 0), height) - min(max(top, 0), height)
                columns = min(max(right, 0), width) - min(max(left, 0), width)
                crossed += int(2 * (rows + columns))
            case Bitmap(start):
                crossed += 2 * len(start)
            case _:
                crossed += 2 * (height + width)
    most = crossed + sum(map(len, lines)) * (height + width + 1)
    if not lines or most <= enough:
        return most
    # The steps from one line's end to the next one's beginning count as the closing edges do.
    inside = np.clip(np.concatenate(lines), 0, (width, height))
    return crossed + len(inside) + int(np.abs(np.diff(inside, axis=0)).sum())


def _contest(raster: Raster) -> GeometryError:
    name = raster.classes.name_of
    pairs = ", ".join(
        f"{name(top)} over {name(below)} ({pixels} px)"
        for (top, below), pixels in sorted(raster.contested.items())
    )
    return GeometryError(
        f"regions of different classes must not overlap with --overlap error, but: {pairs}",
        code="contested",
        cure="correct the annotation, or choose --overlap last, first or smallest",
    )
