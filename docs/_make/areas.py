"""How far each rule is from the true area, measured on random polygons and on two squares."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from _make import markdown
from maskforge import Annotation, ClassTable, Polygon, Region, plugins, rasterize
from maskforge.raster.geometry import Geometry

RADII = (6, 15, 50)
POLYGONS = 300
_LIKE = {
    "pixel-center": "nothing: exact",
    "labelme": "labelme (Pillow, outline and fill)",
    "opencv": "`cv2.fillPoly` on truncated vertices",
    "coco": "pycocotools, OCHuman's API",
}


def table() -> str:
    """Return the table: a row for each rule."""
    head = ["`--rule`", "same pixels as", *(f"{2 * r} px wide" for r in RADII), "contested pixels"]
    rows = []
    for rule in sorted(_LIKE, key=list(_LIKE).index):
        errors = [
            f"{_bias(rule, radius):+.1f} %".replace("-0.0", "0.0").replace("+0.0", "0.0")
            for radius in RADII
        ]
        rows.append([f"`{rule}`", _LIKE[rule], *errors, str(contested(rule))])
    return markdown.table(head, rows, right=range(2, len(head)))


def polygon_area(ring: NDArray[np.float64]) -> float:
    """Return the area of a ring (N, 2) by the shoelace formula."""
    x, y = ring.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def cover(rule: str, geometry: Geometry, *, height: int, width: int) -> NDArray[np.bool_]:
    """Return the mask of one geometry under ``rule``."""
    runs = plugins.load("rules", rule).cover([(geometry,)], height=height, width=width)
    mask: NDArray[np.bool_] = runs.mask(0, height=height, width=width)
    return mask


def contested(rule: str) -> int:
    """Return how many pixels two abutting squares of 8 x 8 both claim."""
    left, right = ([(x, 2), (x + 8, 2), (x + 8, 10), (x, 10)] for x in (2, 10))
    regions = tuple(
        Region(label, (Polygon(np.array(ring, dtype=np.float64)),))
        for label, ring in (("left", left), ("right", right))
    )
    annotation = Annotation("squares", Path("squares.json"), "", regions, height=12, width=20)
    raster = rasterize(annotation, ClassTable.from_names(["left", "right"]), rule=rule)
    return sum(raster.contested.values())


def _bias(rule: str, radius: int) -> float:
    """Return the mean error of the area in percent, over random polygons of about this radius."""
    random = np.random.default_rng(radius)
    size = 2 * radius + 8
    errors = []
    for _ in range(POLYGONS):
        count = int(random.integers(5, 13))
        angle = np.sort(random.uniform(0, 2 * np.pi, count))
        far = random.uniform(0.7, 1.0, count) * radius
        center = size / 2 + random.uniform(-0.5, 0.5, 2)
        ring = center + far[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        area = polygon_area(ring)
        if area < radius**2:  # a sliver says little about what people draw
            continue
        errors.append(cover(rule, Polygon(ring), height=size, width=size).sum() / area - 1)
    return 100 * float(np.mean(errors))
