"""Pixels to regions: RLE and polygons beside the peers, and points beside Douglas and Peucker.

    python benchmarks/regions.py [--quick] [--repeats N]

The input is what a network or a label image gives: an image of instance ids and one of class ids in
memory. Peers get each object as a mask of its own, as their functions want it; making that mask is
in their time, since nobody gives it to them. A second race starts from ready masks. RLE comes with
area and box, as an annotation of COCO wants them. Strings, areas and boxes are first checked
against those of pycocotools. The peers' polygons are OpenCV's contours, without holes and through
the middles of pixels. faster-coco-eval, supervision and Datumaro run where they are installed.
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
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import measure
import numpy as np
import shapely
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from maskforge.raster import regions, rle, runs, simplify, trace
from maskforge.raster.geometry import Polygon
from maskforge.rules import pixel_center

Ids = NDArray[Any]
Mask = NDArray[np.bool_]
Way = tuple[str, Callable[[], Any]]

SCENES = {
    "person, 640x480, 5 objects": (480, 640, 5),
    "street, 2048x1024, 60 objects": (1024, 2048, 60),
}
LARGE = 4096
KEPT = (0.95, 0.98, 0.99)


def scene(height: int, width: int, count: int) -> tuple[Ids, Ids]:
    """Return class ids and instance ids of blobs with rough edges on a background."""
    random = np.random.default_rng(count)
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


# RLE, area and box of every object


def ours_from_images(classes: Ids, instances: Ids) -> Any:
    """Return strings, areas and boxes."""
    found = regions.of_label_image(classes, instances, skip=(0,))
    size = {"height": found.height, "width": found.width}
    return rle.encode(found.runs, len(found), **size), found.areas, found.boxes


def ours_from_masks(masks: list[Mask]) -> Any:
    """Return strings, areas and boxes."""
    height, width = masks[0].shape
    found = runs.gather([(k, *runs.of_mask(mask)) for k, mask in enumerate(masks)])
    texts = rle.encode(found, len(masks), height=height, width=width)
    return texts, found.areas(len(masks)), regions.boxes(found, len(masks), width=width)


def pycocotools_way(masks: Any) -> Any:
    """Return the same by pycocotools."""
    found = [coco_mask.encode(np.asfortranarray(mask.view(np.uint8))) for mask in masks]
    return [r["counts"].decode() for r in found], coco_mask.area(found), coco_mask.toBbox(found)


def faster_coco_eval_way(masks: Any) -> Any:
    """Return the same by faster-coco-eval."""
    module = import_module("faster_coco_eval.core.mask")
    found = [module.encode(np.asfortranarray(mask.view(np.uint8))) for mask in masks]
    return [r["counts"] for r in found], module.area(found), module.toBbox(found)


def supervision_way(masks: Any) -> Any:
    """Return strings, and boxes, by supervision, which leaves areas to others."""
    module = import_module("supervision")
    stack = list(masks)
    return (
        [module.mask_to_rle(mask, compressed=True) for mask in stack],
        None,
        module.mask_to_xyxy(np.stack(stack)),
    )


def datumaro_way(masks: Any) -> Any:
    """Return uncompressed counts and boxes by Datumaro."""
    module = import_module("datumaro.util.mask_tools")
    stack = list(masks)
    return (
        [module.mask_to_rle(mask) for mask in stack],
        None,
        [module.find_mask_bbox(m) for m in stack],
    )


# Polygons


def ours_polygons(classes: Ids, instances: Ids) -> Any:
    """Return the geometry of every object, with holes, on pixel edges."""
    found = regions.of_label_image(classes, instances, skip=(0,))
    return list(trace.polygons(found.runs, len(found), width=found.width))


def opencv_polygons(masks: Any) -> Any:
    """Return outer contours by OpenCV, as pycocotools' users make them."""
    return [
        cv2.findContours(mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]
        for mask in masks
    ]


def supervision_polygons(masks: Any) -> Any:
    """Return contours by supervision."""
    module = import_module("supervision")
    return [module.mask_to_polygons(mask) for mask in masks]


def datumaro_polygons(masks: Any) -> Any:
    """Return contours by Datumaro."""
    module = import_module("datumaro.util.mask_tools")
    return [module.mask_to_polygons(mask) for mask in masks]


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


def installed(ways: dict[str, Way]) -> dict[str, Callable[[], Any]]:
    """Return the work of the ways whose package can be imported."""
    there = {}
    for name, (package, work) in ways.items():
        try:
            import_module(package)
        except ImportError:
            continue
        there[name] = work
    return there


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
    for title, (height, width, count) in SCENES.items():
        classes, instances = scene(height, width, count)
        for job, ways in _jobs(classes, instances).items():
            times = race(installed(ways), 1 if quick else repeats)
            *_, ours = times.values()
            rows = [[f"{job}: {title}", "ms", "times faster"]]
            for name, spent in times.items():
                faster = "" if name.startswith("maskforge") else f"{spent / ours:.1f}x"
                rows.append([name, f"{spent:.2f}", faster])
            print(f"\n{measure.table(rows)}", flush=True)
            figures[f"{job}: {title}"] = times
    figures["large"] = _large(LARGE // 8 if quick else LARGE)
    figures["points"] = _points(quick)
    return figures


def _jobs(classes: Ids, instances: Ids) -> dict[str, dict[str, Way]]:
    """Return the ways to do each job, ours last. Each way: the package it takes, and the work."""
    masks = list(objects(instances))
    expected = pycocotools_way(masks)
    for got in (ours_from_images(instances, instances), ours_from_masks(masks)):
        assert all(np.array_equal(a, b) for a, b in zip(got, expected, strict=True))

    def rle_from(given: Callable[[], Any], ours: Callable[[], Any]) -> dict[str, Way]:
        return {
            "pycocotools": ("pycocotools", lambda: pycocotools_way(given())),
            "faster-coco-eval": ("faster_coco_eval", lambda: faster_coco_eval_way(given())),
            "supervision": ("supervision", lambda: supervision_way(given())),
            "Datumaro": ("datumaro", lambda: datumaro_way(given())),
            "maskforge": ("maskforge", ours),
        }

    return {
        "RLE from images of ids": rle_from(
            lambda: objects(instances), lambda: ours_from_images(classes, instances)
        ),
        "RLE from ready masks": rle_from(lambda: masks, lambda: ours_from_masks(masks)),
        "polygons from images of ids": {
            "OpenCV's contours": ("cv2", lambda: opencv_polygons(objects(instances))),
            "supervision": ("supervision", lambda: supervision_polygons(objects(instances))),
            "Datumaro": ("datumaro", lambda: datumaro_polygons(objects(instances))),
            "maskforge, with holes": ("maskforge", lambda: ours_polygons(classes, instances)),
        },
    }


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
