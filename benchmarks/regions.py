"""Masks to COCO annotations beside the peers, and points beside Douglas and Peucker.

    python benchmarks/regions.py [--quick] [--repeats N]

What is made is what a COCO file says of each object: segmentation, area and box. It is made of
ready masks, one an object, as the peers' functions want them; and of what a network or a label
image gives, an image of instance ids and one of class ids. There the peers' time includes making
each object's mask, since nobody gives it to them. ``make bench-coco`` has all peers; else those run
that are installed. What they do is in benchmarks/coco_peers.py.

Before it is timed, every segmentation is drawn by pycocotools: run lengths must be the mask itself,
with its area and box. Of polygons it is told how many pixels in a hundred of the masks they miss or
add: the peers' go through the middles of the outermost pixels and lose holes; ours must be exact.

Points are those of all rings at one IoU, which every class and every region of more than 100 pixels
keeps; the plain way is shapely's ``simplify`` of each region by itself, with the largest tolerance
that keeps it, found by halving.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import coco_peers
import cv2
import measure
import numpy as np
import shapely
from coco_peers import Annotations
from numpy.typing import NDArray

from maskforge.raster import keyholes, regions, rle, runs, simplify, trace
from maskforge.raster.geometry import Polygon
from maskforge.rules import pixel_center

Ids = NDArray[Any]
Mask = NDArray[np.bool_]
Scene = tuple[Ids, Ids, list[Mask]]
"""Class ids, instance ids, and a mask of each instance."""

SCENES = {"people, 640x480": (20, 480, 640, 5), "street, 2048x1024": (2, 1024, 2048, 60)}
"""Images, height, width, and objects drawn; some are hidden by others."""
LARGE = 4096
KEPT = (0.95, 0.98, 0.99)


def scene(height: int, width: int, count: int, *, seed: int = 0) -> tuple[Ids, Ids]:
    """Return class ids and instance ids of blobs with rough edges on a background."""
    random = np.random.default_rng([count, seed])
    instances = np.zeros((height, width), dtype=np.uint16)
    for number in range(1, count + 1):
        center = random.random(2) * [width, height]
        size = height * random.uniform(0.05, 0.3)
        angle = np.arange(200) * (2 * np.pi / 200)
        waves = random.normal(size=8) / np.arange(2, 10)
        radius = size * (
            1 + 0.5 * sum(w * np.cos((k + 1) * angle + k) for k, w in enumerate(waves))
        )
        points = center + (np.abs(radius) * [np.cos(angle), np.sin(angle)]).T
        points += random.normal(size=points.shape)
        cv2.fillPoly(instances, [points.astype(np.int32)], number)
    hidden = np.unique(instances, return_inverse=True)[1].reshape(instances.shape)
    instances = hidden.astype(np.uint16)
    return np.where(instances > 0, instances % 8 + 1, 0).astype(np.uint8), instances


def patches(height: int, width: int, *, size: int, classes: int, seed: int = 0) -> Ids:
    """Return a label image of smooth patches, about ``size`` pixels wide."""
    random = np.random.default_rng(seed)
    coarse = random.normal(size=(height // size + 2, width // size + 2)).astype(np.float32)
    field = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(field * 1.2 + classes / 2, 0, classes - 1).astype(np.uint8)


def objects(instances: Ids) -> Iterator[Mask]:
    """Yield the mask of each object."""
    for number in range(1, int(instances.max()) + 1):
        yield instances == number


def runs_of_images(classes: Ids, instances: Ids) -> runs.Runs:
    """Return the runs of all objects."""
    return regions.of_label_image(classes, instances, skip=(0,)).runs


def runs_of_masks(masks: list[Mask]) -> runs.Runs:
    """Return the same."""
    return runs.gather([(number, *runs.of_mask(mask)) for number, mask in enumerate(masks)])


def our_rle(found: runs.Runs, count: int, *, height: int, width: int) -> Annotations:
    """Return run lengths, area and box of each object."""
    texts = rle.encode(found, count, height=height, width=width)
    segmentations = [{"size": [height, width], "counts": text} for text in texts]
    return _annotations(segmentations, found, width=width)


def our_polygons(found: runs.Runs, count: int, *, height: int, width: int) -> Annotations:
    """Return polygons, holes tied to them by slits, area and box of each object."""
    polygons = list(trace.polygons(found, count, width=width))
    rings = iter(keyholes.rings([part for parts in polygons for part in parts]))
    segmentations = [
        [ring.reshape(-1).tolist() for ring in islice(rings, len(parts))] for parts in polygons
    ]
    return _annotations(segmentations, found, width=width)


def _annotations(segmentations: list[Any], found: runs.Runs, *, width: int) -> Annotations:
    count = len(segmentations)
    areas, boxes = found.areas(count).tolist(), regions.boxes(found, count, width=width).tolist()
    return [
        {"segmentation": segmentation, "area": area, "bbox": box}
        for segmentation, area, box in zip(segmentations, areas, boxes, strict=True)
    ]


def missed(annotations: Annotations, masks: list[Mask]) -> int:
    """Return how many pixels differ when segmentations are drawn."""
    height, width = masks[0].shape
    return sum(
        int((coco_peers.drawn(each["segmentation"], height=height, width=width) ^ mask).sum())
        for each, mask in zip(annotations, masks, strict=True)
    )


def race(ways: dict[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Return the median of the milliseconds of each way, in turns, first turn left out."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(repeats + 1):
        for name, work in ways.items():
            gc.collect()
            begin = time.perf_counter()
            work()
            if turn:
                found[name].append((time.perf_counter() - begin) * 1e3)
    return {name: statistics.median(times) for name, times in found.items()}


def plain_points(found: regions.Regions, keep_iou: float) -> int:
    """Return how many points a plain Douglas-Peucker leaves, each region by itself."""
    total = 0
    geometries = trace.polygons(found.runs, len(found), width=found.width)
    for number, parts in enumerate(geometries):
        mask = found.runs.mask(number, height=found.height, width=found.width)
        whole = shapely.MultiPolygon([(part.exterior, part.interiors) for part in parts])
        best, low, high = whole, 0.0, float(max(found.height, found.width))
        for _ in range(12):
            tolerance = (low + high) / 2
            tried = whole.simplify(tolerance)
            polygons = tuple(
                Polygon(*(rings[0], tuple(rings[1:])))
                for part in shapely.get_parts(tried)
                if not part.is_empty
                for rings in [[np.array(r.coords)[:-1] for r in (part.exterior, *part.interiors)]]
            )
            covered = pixel_center.cover([polygons], height=found.height, width=found.width)
            after = covered.mask(0, height=found.height, width=found.width)
            if (mask & after).sum() >= keep_iou * (mask | after).sum():
                best, low = tried, tolerance
            else:
                high = tolerance
        rings = sum(1 + len(part.interiors) for part in shapely.get_parts(best))
        total += len(shapely.get_coordinates(best)) - rings  # the first one is there twice
    return total


def run(cache: Path, scratch: Path, quick: bool, repeats: int) -> dict[str, Any]:
    """Print the tables, and return their figures."""
    figures: dict[str, Any] = {}
    for title, (many, *size) in SCENES.items():
        scenes: list[Scene] = []
        for seed in range(2 if quick else many):
            classes, instances = scene(*size, seed=seed)
            scenes.append((classes, instances, list(objects(instances))))
        for kind, ours, theirs in (
            ("RLE", our_rle, coco_peers.RLE),
            ("polygons", our_polygons, coco_peers.POLYGONS),
        ):
            for source in ("ready masks", "images of ids"):
                job = f"{kind} from {source}: {title}"
                figures[job] = _job(job, ours, theirs, scenes, 1 if quick else repeats)
    figures["large"] = _large(LARGE // 8 if quick else LARGE)
    figures["points"] = _points(quick)
    return figures


def _job(
    job: str,
    ours: Callable[..., Annotations],
    theirs: dict[str, Callable[[Iterable[Mask]], Annotations]],
    scenes: list[Scene],
    repeats: int,
) -> dict[str, Any]:
    """Check and race all ways to do a job; print and return milliseconds an image."""
    is_ready, is_exact = "ready" in job, job.startswith("RLE")

    def our_way(classes: Ids, instances: Ids, masks: list[Mask]) -> Annotations:
        height, width = classes.shape
        found = runs_of_masks(masks) if is_ready else runs_of_images(classes, instances)
        return ours(found, len(masks), height=height, width=width)

    def their_way(name: str) -> Callable[[Ids, Ids, list[Mask]], Annotations]:
        make = theirs[name]
        return lambda _, instances, masks: make(masks if is_ready else objects(instances))

    ways = {name: their_way(name) for name in coco_peers.installed()} | {"maskforge": our_way}
    pixels = sum(int(mask.sum()) for _, _, masks in scenes for mask in masks)
    off = {}
    for name, way in ways.items():
        found = [way(*one) for one in scenes]
        off[name] = sum(
            missed(made, masks) for made, (_, _, masks) in zip(found, scenes, strict=True)
        )
        assert not off[name] or not (is_exact or name == "maskforge"), (name, off[name])
        if name == "maskforge" or (is_exact and name == "pycocotools"):
            for made, (_, _, masks) in zip(found, scenes, strict=True):
                assert [each["area"] for each in made] == [mask.sum() for mask in masks], name
                assert [each["bbox"] for each in made] == [_box(mask) for mask in masks], name
    times = race(
        {name: lambda way=way: [way(*one) for one in scenes] for name, way in ways.items()}, repeats
    )
    times = {name: spent / len(scenes) for name, spent in times.items()}
    rows = [[f"{job}, {len(scenes)} images", "ms/image", "times faster", "pixels off"]]
    for name, spent in times.items():
        faster = "" if name == "maskforge" else f"{spent / times['maskforge']:.1f}x"
        shown = name + " + OpenCV" * (not is_exact and name in coco_peers.WITH_OPENCV)
        rows.append([shown, f"{spent:.2f}", faster, f"{100 * off[name] / pixels:.1f} %"])
    print(f"\n{measure.table(rows)}", flush=True)
    return {"ms": times, "pixels off": off, "pixels": pixels}


def _box(mask: Mask) -> list[int]:
    rows, columns = (mask.any(axis=axis).nonzero()[0] for axis in (1, 0))
    left, top = int(columns[0]), int(rows[0])
    return [left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top]


def _large(side: int) -> dict[str, float]:
    """Trace a large label image, once by the clock and once more for the memory."""
    image = patches(side, side, size=300, classes=10)

    def traced() -> tuple[int, int]:
        found = regions.of_label_image(image)
        rings = (
            ring
            for parts in trace.polygons(found.runs, len(found), width=side)
            for part in parts
            for ring in (part.exterior, *part.interiors)
        )
        return len(found), sum(map(len, rings))

    begin = time.perf_counter()
    count, points = traced()
    seconds = time.perf_counter() - begin
    tracemalloc.start()
    traced()
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    print(
        f"\nA label image of {side}x{side}, {image.nbytes / 1e6:.0f} MB: {count} regions, "
        f"{points:,} points traced in {seconds:.2f} s, {peak:.0f} MB at most beside the image"
    )
    return {"seconds": seconds, "points": points, "peak": peak}


def _points(quick: bool) -> list[list[str]]:
    images = {
        "patches, 600x400": patches(400, 600, size=60, classes=5),
        "street, 2048x1024": scene(1024, 2048, 60)[1],
    }
    rows = [["points at the same IoU", "IoU", "traced", "Douglas-Peucker", "maskforge", "seconds"]]
    for title, image in images.items():
        found = regions.of_label_image(image)
        for keep_iou in KEPT[1:2] if quick else KEPT:
            begin = time.perf_counter()
            ours = simplify.simplify(found, pixel_center.cover, keep_iou=keep_iou)
            seconds = time.perf_counter() - begin
            plain = plain_points(found, keep_iou)
            counts = [f"{n:,}" for n in (ours.points_before, plain, ours.points_after)]
            rows.append([title, f"{keep_iou}", *counts, f"{seconds:.2f}"])
    print(f"\n{measure.table(rows)}", flush=True)
    return rows


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="to see that it works")
    parser.add_argument("--repeats", type=int, default=7, help="timed repetitions (default: 7)")
    arguments = parser.parse_args()
    run(Path(), Path(), arguments.quick, arguments.repeats)


if __name__ == "__main__":
    main()
