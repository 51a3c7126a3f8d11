"""Random regions traced, tied into one ring, and simplified: drawn again, not a pixel differs.

    python tests/fuzz/outlines.py [--count 10000] [--seed 0]

The regions have holes, islands in holes, bridges of one pixel and diagonal contacts. They are
compared one by one, since in a label image what is drawn on top hides a hole in the wrong outline.
Simplified ones are drawn four times as large: a subpixel that no region covers, or two, is a
sliver. Exit code 1 when a pixel differs, an IoU is not kept, a region vanishes, or more than 1 in
10,000 subpixels are slivers.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.append(str(Path(__file__).parents[1]))

from label_images import figure, patches

from maskforge.raster import keyholes, regions, simplify, trace
from maskforge.raster import runs as runs_
from maskforge.raster.geometry import Polygon
from maskforge.raster.regions import Regions
from maskforge.raster.runs import Runs
from maskforge.rules import pixel_center

FINE = 4
MOST_SLIVERS = 1e-4
Geometries = Sequence[tuple[Polygon, ...]]


def image(seed: int) -> NDArray[np.integer]:
    """Return a label image of up to 4 classes."""
    ids = figure(seed)
    if seed % 2:
        smooth = patches(seed, height=ids.shape[0], width=ids.shape[1], size=9)
        ids = np.where(figure(seed + 1 << 20).sum() % 3 == 0, smooth, (smooth + ids) % 4)
    return ids


def differing(one: Runs, other: Runs, count: int) -> int:
    """Return how many pixels of the regions are in one and not in the other."""
    return int(
        runs_.subtract(one, other).areas(count).sum()
        + runs_.subtract(other, one).areas(count).sum()
    )


def slivers(geometries: Geometries, *, height: int, width: int) -> int:
    """Return how many subpixels no region covers, or more than one."""
    large = [
        tuple(Polygon(p.exterior * FINE, tuple(r * FINE for r in p.interiors)) for p in parts)
        for parts in geometries
    ]
    covered = pixel_center.cover(large, height=height * FINE, width=width * FINE)
    change = np.zeros(height * width * FINE**2 + 1, dtype=np.int64)
    np.add.at(change, covered.start, 1)
    np.add.at(change, covered.stop, -1)
    return int((change.cumsum()[:-1] != 1).sum())


def check(seed: int, seen: Counter[str]) -> None:
    """Count what is seen in one image."""
    ids = image(seed)
    height, width = ids.shape
    size = {"height": height, "width": width}
    objects = np.ones_like(ids) if seed % 3 == 0 else None
    found = regions.of_label_image(ids, objects)
    geometries = list(trace.polygons(found.runs, len(found), width=width))
    seen["regions"] += len(found)
    seen["holes"] += sum(len(part.interiors) for parts in geometries for part in parts)
    again = pixel_center.cover(geometries, **size)
    seen["pixels that differ, traced"] += differing(found.runs, again, len(found))
    rings = [(Polygon(keyholes.ring(parts)),) for parts in geometries]
    again = pixel_center.cover(rings, **size)
    seen["pixels that differ, as one ring"] += differing(found.runs, again, len(found))
    _check_simplified(found, seed, seen)


def _check_simplified(found: Regions, seed: int, seen: Counter[str]) -> None:
    size = {"height": found.height, "width": found.width}
    keep_iou = (0.9, 0.99)[seed % 2]
    kept = simplify.simplify(found, pixel_center.cover, keep_iou=keep_iou)
    held = kept.region_iou[found.areas > simplify.HELD]
    seen["IoU not kept"] += int((held < keep_iou).sum())
    seen["IoU not kept"] += sum(iou < keep_iou for iou in kept.class_iou.values())
    far = simplify.simplify(found, pixel_center.cover, tolerance=(0.5, 1, 2, 5)[seed % 4])
    for simplified in (kept, far):
        seen["regions that vanished"] += int((simplified.region_iou == 0).sum())
        seen["slivers"] += slivers(simplified.geometries, **size)
        seen["subpixels"] += found.height * found.width * FINE**2
        seen["points before"] += simplified.points_before
        seen["points after"] += simplified.points_after


def run(count: int, seed: int) -> Counter[str]:
    """Check images until there were so many regions; return what was seen."""
    seen: Counter[str] = Counter()
    while seen["regions"] < count:
        check(seed, seen)
        seed += 1
    return seen


def is_wrong(seen: Counter[str]) -> bool:
    """Tell whether anything must not be."""
    never = ("traced", "as one ring", "IoU not kept", "vanished")
    return seen["slivers"] > MOST_SLIVERS * seen["subpixels"] or any(
        number for what, number in seen.items() if what.endswith(never)
    )


def main() -> None:
    """Check, and print what was seen."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=10_000, help="regions (default: 10000)")
    parser.add_argument("--seed", type=int, default=0, help="the first image (default: 0)")
    arguments = parser.parse_args()
    seen = run(arguments.count, arguments.seed)
    for what, number in seen.items():
        print(f"{number:>12,} {what}")
    sys.exit(is_wrong(seen))


if __name__ == "__main__":
    main()
