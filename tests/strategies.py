"""Hypothesis strategies, ASCII rasters and small oracles for tests of the raster core."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from maskforge.raster.annotation import Annotation, Region
from maskforge.raster.geometry import Bitmap, Box, Ellipse, Geometry, Polygon, Polyline
from maskforge.raster.runs import Runs

Mask = NDArray[np.bool_]


def picture(text: str, *, on: str = "#") -> Mask:
    """Return the mask that an ASCII drawing shows, one line a row."""
    lines = text.split()
    return np.array([[character == on for character in line] for line in lines])


def drawing(mask: Mask) -> str:
    """Return a mask as an ASCII drawing."""
    return "\n".join("".join("#" if pixel else "." for pixel in row) for row in mask)


def numbers(text: str) -> NDArray[np.int64]:
    """Return the label image that rows of single digits show."""
    return np.array([[int(character) for character in line] for line in text.split()])


def masks_of(runs: Runs, count: int, *, height: int, width: int) -> list[Mask]:
    """Return the mask of each of ``count`` regions, painted pixel by pixel."""
    masks = [np.zeros(height * width, dtype=bool) for _ in range(count)]
    for region, start, stop in zip(
        runs.region.tolist(), runs.start.tolist(), runs.stop.tolist(), strict=True
    ):
        for pixel in range(start, stop):
            assert not masks[region][pixel], "runs of one region must be disjoint"
            masks[region][pixel] = True
    return [mask.reshape(height, width) for mask in masks]


def assert_well_formed(runs: Runs, count: int, *, height: int, width: int) -> None:
    """Check all that the docstring of Runs promises."""
    for array in (runs.region, runs.start, runs.stop):
        assert array.dtype == np.int64
        assert array.shape == runs.start.shape == (len(runs),)
    assert (runs.start < runs.stop).all()
    assert (runs.start >= 0).all()
    assert (runs.stop <= height * width).all()
    assert ((runs.region >= 0) & (runs.region < count)).all()
    assert (np.diff(runs.region) >= 0).all()
    same = runs.region[1:] == runs.region[:-1]
    assert (runs.start[1:][same] >= runs.stop[:-1][same]).all()


def annotation(*regions: Region, height: int | None = None, width: int | None = None) -> Annotation:
    """Return an annotation of one image, from nowhere."""
    return Annotation("a.png", Path("a.json"), "", regions, height=height, width=width)


def region(label: str, *geometry: Geometry, **more: object) -> Region:
    """Return a region."""
    return Region(label, geometry, **more)  # type: ignore[arg-type]


def patch(text: str, *, x: float = 0, y: float = 0) -> Bitmap:
    """Return a bitmap drawn in ASCII."""
    return Bitmap.of(picture(text), x=x, y=y)


sizes = st.integers(1, 9)


def coordinates(low: float = -4, high: float = 13) -> st.SearchStrategy[float]:
    """Return coordinates on and off the grids where ties happen."""
    first, last = int(low), int(high)
    return st.one_of(
        st.integers(first, last).map(float),
        st.integers(2 * first, 2 * last).map(lambda n: n / 2),
        st.integers(10 * first, 10 * last).map(lambda n: n / 10),
        st.floats(low, high, allow_nan=False, width=64),
    )


def rings(low: float = -4, high: float = 13) -> st.SearchStrategy[NDArray[np.float64]]:
    """Return rings of 3 to 7 vertices: self-intersecting, degenerate and off the image too."""
    point = st.tuples(coordinates(low, high), coordinates(low, high))
    return st.lists(point, min_size=3, max_size=7).map(lambda p: np.array(p, dtype=np.float64))


polygons = st.builds(Polygon, rings(), st.lists(rings(), max_size=2).map(tuple))
boxes = st.tuples(coordinates(), coordinates(), coordinates(), coordinates()).map(
    lambda v: Box(min(v[0], v[2]), min(v[1], v[3]), max(v[0], v[2]), max(v[1], v[3]))
)
ellipses = st.builds(
    Ellipse,
    coordinates(),
    coordinates(),
    st.floats(0.3, 9),
    st.floats(0.3, 9),
    st.sampled_from([0.0, 0.5, -1.1, 2.0, np.pi / 2]),
)
lines = st.builds(
    Polyline,
    st.lists(st.tuples(coordinates(), coordinates()), min_size=2, max_size=4).map(np.array),
    st.sampled_from([1.0, 1.5, 3.0]),
)


@st.composite
def masks(draw: st.DrawFn, *, height: int | None = None, width: int | None = None) -> Mask:
    """Return small masks."""
    h = height or draw(st.integers(1, 5))
    w = width or draw(st.integers(1, 5))
    bits = draw(st.lists(st.booleans(), min_size=h * w, max_size=h * w))
    return np.array(bits).reshape(h, w)


bitmaps = st.builds(Bitmap.of, masks(), x=coordinates(), y=coordinates())
geometries: st.SearchStrategy[Geometry] = st.one_of(polygons, boxes, ellipses, lines, bitmaps)


def inside(ring: NDArray[np.float64], row: int, column: int) -> bool:
    """Tell by exact fractions whether a pixel center is inside ``ring``.

    Even-odd; an edge counts when it is at or left of the center, and its upper end only.
    """
    cx, cy = column + Fraction(1, 2), row + Fraction(1, 2)
    odd = False
    for (xa, ya), (xb, yb) in _edges(ring):
        if ya == yb or not min(ya, yb) <= cy < max(ya, yb):
            continue
        odd ^= xa + (cy - ya) * (xb - xa) / (yb - ya) <= cx
    return odd


def inside_by_column(ring: NDArray[np.float64], row: int, column: int) -> bool | None:
    """Tell the same by looking up instead of left; None when the center is on an edge."""
    cx, cy = column + Fraction(1, 2), row + Fraction(1, 2)
    odd = False
    for (xa, ya), (xb, yb) in _edges(ring):
        cross = (xb - xa) * (cy - ya) - (yb - ya) * (cx - xa)
        if cross == 0 and min(xa, xb) <= cx <= max(xa, xb) and min(ya, yb) <= cy <= max(ya, yb):
            return None
        if min(xa, xb) <= cx < max(xa, xb):
            odd ^= ya + (cx - xa) * (yb - ya) / (xb - xa) < cy
    return odd


def _edges(
    ring: NDArray[np.float64],
) -> list[tuple[tuple[Fraction, Fraction], tuple[Fraction, Fraction]]]:
    points = [(Fraction(x), Fraction(y)) for x, y in ring.tolist()]
    return list(zip(points, points[1:] + points[:1], strict=True))
