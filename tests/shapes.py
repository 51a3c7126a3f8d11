"""What the tests of the rules share: rings, random regions, and what a rule makes of them."""

from __future__ import annotations

from types import ModuleType

import numpy as np
from strategies import Mask, assert_well_formed, drawing, masks_of

from maskforge.raster.geometry import Geometry, Polygon

HEIGHT, WIDTH = 37, 53
"""The image that random regions are made for."""


def ring(*points: tuple[float, float]) -> np.ndarray:
    """Return a ring."""
    return np.array(points, dtype=np.float64)


def polygon(*points: tuple[float, float], holes: tuple[object, ...] = ()) -> Polygon:
    """Return a polygon."""
    return Polygon(ring(*points), tuple(np.array(hole, dtype=np.float64) for hole in holes))


def mask(rule: ModuleType, *geometry: Geometry, height: int, width: int) -> Mask:
    """Return the pixels that ``rule`` gives to a region."""
    runs = rule.cover([geometry], height=height, width=width)
    assert_well_formed(runs, 1, height=height, width=width)
    return masks_of(runs, 1, height=height, width=width)[0]


def drawn(rule: ModuleType, *geometry: Geometry) -> list[str]:
    """Return the same for an image of 6 rows and 9 columns, as lines of ASCII."""
    return drawing(mask(rule, *geometry, height=6, width=9)).split()


def random_ring(random: np.random.Generator, *, center: np.ndarray | None = None) -> np.ndarray:
    """Return 3 to 20 vertices in and around the image: tiny to far, whole to fractional."""
    count = int(random.choice([3, 4, 7, 20]))
    size = random.choice([0.3, 3, 10, 30, 300, 20_000], p=[0.1, 0.2, 0.3, 0.25, 0.13, 0.02])
    center = random.uniform(-5, [WIDTH + 5, HEIGHT + 5]) if center is None else center
    points = center + random.uniform(-size, size, (count, 2))
    if random.random() < 0.5:
        angle = np.sort(random.uniform(0, 2 * np.pi, count))
        points = center + size * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    grid = random.choice([0, 1, 2, 5, 10])
    return (points * grid).round() / grid if grid else points


def random_region(random: np.random.Generator) -> tuple[Polygon, ...]:
    """Return 1 to 3 parts, each with 0 to 3 interiors, most of them somewhere in it."""
    parts = []
    for _ in range(int(random.choice([1, 1, 2, 3]))):
        exterior = random_ring(random)
        holes = int(random.choice([0, 0, 1, 2, 3]))
        center = exterior.mean(axis=0)
        parts.append(
            Polygon(exterior, tuple(random_ring(random, center=center) for _ in range(holes)))
        )
    return tuple(parts)
