"""The shapes a region can have, in one pixel convention.

Pixel (r, c) covers [c, c+1) x [r, r+1); its center is (c+0.5, r+0.5). Coordinates are float64 in
pixels, x to the right and y down, columns in the order x, y. Every reader converts to this.
The union is closed: a new source shape is lowered to one of these five by its reader.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from maskforge.errors import GeometryError
from maskforge.raster import runs

Ring: TypeAlias = NDArray[np.float64]
"""(N, 2) columns x, y; N >= 3; not closed (the first vertex is not repeated)."""

MAX_COORDINATE = 1e6
"""Coordinates beyond this are refused: no image is that large, and rasterizers overflow."""


MAX_PIXELS = 2**28
"""Images larger than this are refused unless the caller raises the limit, bitmaps always: a few
bytes of hostile JSON must not cost gigabytes."""


def points(values: ArrayLike) -> NDArray[np.float64]:
    """Return ``values`` as an (N, 2) float64 array of finite x, y within :data:`MAX_COORDINATE`.

    Raises GeometryError otherwise.
    """
    try:
        given = np.asarray(values)
    except (TypeError, ValueError, OverflowError) as error:
        raise GeometryError(f"points must be pairs of numbers, but got {_short(values)}") from error
    if given.size == 0:
        return np.zeros((0, 2))
    if given.ndim != 2 or given.shape[1] != 2 or given.dtype.kind not in "iuf":
        raise GeometryError(f"points must be pairs of numbers, but got {_short(values)}")
    array = given.astype(np.float64, copy=False)
    if not within_limits(array):
        index = int(np.flatnonzero(~(np.abs(array) <= MAX_COORDINATE).all(axis=1))[0])
        raise GeometryError(
            f"coordinates must be finite and within ±{MAX_COORDINATE:.0f}, "
            f"but point {index} is {tuple(array[index].tolist())}"
        )
    return array


def within_limits(values: NDArray[np.float64]) -> bool:
    """Tell whether all ``values`` are finite and within :data:`MAX_COORDINATE`."""
    # A NaN makes the largest one NaN, which fails the comparison as well.
    return not values.size or bool(np.abs(values).max() <= MAX_COORDINATE)


def ring(values: ArrayLike) -> Ring:
    """Return ``values`` as a ring: a closing vertex equal to the first one is dropped.

    Raises GeometryError for fewer than 3 vertices (code ``empty-shape``) or bad coordinates.
    """
    array = points(values)
    if len(array) > 1 and array[0].tolist() == array[-1].tolist():
        array = array[:-1]
    if len(array) < 3:
        raise GeometryError(
            f"a polygon must have at least 3 points, but got {len(array)}", code="empty-shape"
        )
    return array


@dataclass(frozen=True, slots=True, eq=False)
class Polygon:
    """The inside of ``exterior`` by the even-odd rule, less the inside of each interior ring."""

    exterior: Ring
    interiors: tuple[Ring, ...] = ()


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle [x_min, x_max) x [y_min, y_max), x_min <= x_max, y_min <= y_max."""

    x_min: float
    y_min: float
    x_max: float
    y_max: float


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An ellipse: center, half axes, and ``theta``, the angle in radians from +x towards +y (down
    on the screen) to the axis with half length ``rx``. A circle, and a point drawn as a disc, too.
    """

    cx: float
    cy: float
    rx: float
    ry: float
    theta: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Polyline:
    """A line through ``points`` (N, 2), N >= 2, ``width`` pixels wide."""

    points: NDArray[np.float64]
    width: float


@dataclass(frozen=True, slots=True, eq=False)
class Bitmap:
    """A patch of ``height`` by ``width`` pixels, its top left corner at (x, y) in the image.

    start, stop: (N,) int32, its runs: half-open intervals of flat indices (row * width + column),
    sorted, each within one row. :meth:`of` makes them of a mask.

    Raises GeometryError (code ``too-large``) for more than :data:`MAX_PIXELS` pixels.
    """

    start: NDArray[np.int32]
    stop: NDArray[np.int32]
    height: int
    width: int
    x: float
    y: float

    def __post_init__(self) -> None:
        if self.height * self.width > MAX_PIXELS:
            raise GeometryError(
                f"a bitmap must have at most {MAX_PIXELS} pixels, "
                f"but has {self.width}x{self.height}",
                code="too-large",
            )

    @classmethod
    def of(cls, mask: NDArray[np.bool_], *, x: float = 0, y: float = 0) -> Bitmap:
        """Return the bitmap of ``mask``, bool (height, width).

        Raises GeometryError (code ``too-large``), for more than ``runs.MAX_RUNS`` runs as well.
        """
        if mask.size > runs.MAX_RUNS:
            later = np.count_nonzero(mask[:, 1:] > mask[:, :-1])
            runs.check(int(np.count_nonzero(mask[:, 0]) + later))
        height, width = mask.shape
        start, stop = (ends.astype(np.int32) for ends in runs.of_mask(mask))
        return cls(start, stop, height, width, x, y)

    @property
    def mask(self) -> NDArray[np.bool_]:
        """The pixels, bool (height, width)."""
        edges = np.stack([self.start, self.stop], axis=1).ravel()
        lengths = np.diff(edges, prepend=0, append=self.height * self.width)
        values = np.arange(len(lengths)) % 2 == 1
        return np.repeat(values, lengths).reshape(self.height, self.width)


Geometry: TypeAlias = Polygon | Box | Ellipse | Polyline | Bitmap


def nbytes(geometry: Geometry) -> int:
    """Return the bytes of the arrays that ``geometry`` consists of."""
    match geometry:
        case Polygon(exterior, interiors):
            return exterior.nbytes + sum(ring.nbytes for ring in interiors)
        case Polyline(line):
            return line.nbytes
        case Bitmap(start, stop):
            return start.nbytes + stop.nbytes
        case _:
            return 0


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
