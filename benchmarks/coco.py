"""COCO to label images, a folder of masks and a large label image to COCO, beside the peers.

    python benchmarks/coco.py [--quick] [--repeats N] [--only labels,folder,large]

``make bench-coco`` runs it where all peers are installed; else those run that are. What they do is
in benchmarks/coco_peers.py.

COCO to label images is raced in this process: from the file on the disk to one array an image. A
label image must be that of pycocotools, pixel by pixel; of a peer that fills polygons by another
rule, and of our own rule, it is told how many pixels in a hundred differ.

A folder of masks, and a label image of 16 MB, become a COCO file of run lengths by whole commands,
each a process of its own, whose peak the system counts: ``maskforge masks``, with its problems,
digests and manifest, and for each peer a script that does no more than that file. The areas in the
files are compared. labelformat splits masks in Python and gets few of them.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import coco_peers
import cv2
import inputs
import measure
import memory
import numpy as np
import regions
from numpy.typing import NDArray

import maskforge

JOBS = ("labels", "folder", "large")
IMAGES = 200
FOLDER = (1000, 5000, 10000)
QUICK = (10, 20)
FEW = 100
"""As many masks labelformat gets."""
SIDE = 4096
SCRIPT = str(Path(__file__).with_name("coco_peers.py"))


def run(
    cache: Path, scratch: Path, quick: bool, repeats: int, only: Sequence[str] = JOBS
) -> dict[str, Any]:
    """Print the tables, and return their figures."""
    place = scratch / "coco"
    place.mkdir(parents=True)
    work: dict[str, Callable[[], dict[str, Any]]] = {
        "labels": lambda: _labels(place, 10 if quick else IMAGES, 1 if quick else repeats),
        "folder": lambda: _folder(place, QUICK if quick else FOLDER),
        "large": lambda: _large(place, SIDE // 8 if quick else SIDE),
    }
    try:
        return {job: work[job]() for job in only}
    finally:
        shutil.rmtree(place)


def _labels(place: Path, count: int, repeats: int) -> dict[str, Any]:
    """Race the ways from a COCO file to label images."""
    root = place / "labels"
    _write_coco(root, count)
    file = root / "annotations" / "instances_all.json"
    classes = maskforge.ClassTable.from_names(list(coco_peers.CLASSES))

    def ours(rule: str) -> Callable[[], list[NDArray[Any]]]:
        def work() -> list[NDArray[Any]]:
            return [
                maskforge.rasterize(annotation, classes, rule=rule).label_image()
                for annotation in maskforge.read(file, format="coco")
            ]

        return work

    ways: dict[str, Callable[[], list[NDArray[Any]]]] = {
        name: lambda make=coco_peers.LABELS[name]: make(root)
        for name in coco_peers.installed()
        if name in coco_peers.LABELS
    }
    ways |= {f"maskforge, {rule}": ours(rule) for rule in ("pixel-center", "coco")}
    expected = coco_peers.LABELS["pycocotools"](root)
    off = {}
    for name, way in ways.items():
        found = way()
        assert len(found) == count, (name, len(found))
        off[name] = sum(int((a != b).sum()) for a, b in zip(found, expected, strict=True))
    assert not off["maskforge, coco"], off
    times = {name: spent / count for name, spent in regions.race(ways, repeats).items()}
    drawn = sum(int((labels > 0).sum()) for labels in expected)
    rows = [[f"COCO to {count} label images, 640x480", "ms/image", "times faster", "pixels off"]]
    for name, spent in times.items():
        faster = "" if name.startswith("maskforge") else f"{spent / times['maskforge, coco']:.1f}x"
        rows.append([name, f"{spent:.2f}", faster, f"{100 * off[name] / drawn:.1f} %"])
    print(f"\n{measure.table(rows)}", flush=True)
    return {"ms": times, "pixels off": off, "pixels": drawn}


def _write_coco(root: Path, count: int) -> None:
    """Write a COCO file of polygons as people draw them, 8 an image."""
    random = np.random.default_rng(inputs.SEED)
    document: dict[str, list[Any]] = {"images": [], "annotations": []}
    names = enumerate(coco_peers.CLASSES, start=1)
    categories = [{"id": number, "name": name} for number, name in names]
    for image in range(1, count + 1):
        size = {"height": 480, "width": 640}
        document["images"].append({"id": image, "file_name": f"{image:06}.jpg", **size})
        for _ in range(8):
            x, y = random.uniform(60, 580), random.uniform(60, 420)
            points = inputs.blob(random, x=x, y=y, radius=random.uniform(15, 120), count=40)
            points = np.clip(points, 0, [640, 480]).round(2)
            (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
            document["annotations"].append(
                {
                    "id": len(document["annotations"]) + 1,
                    "image_id": image,
                    "category_id": int(random.integers(1, len(categories) + 1)),
                    "segmentation": [points.reshape(-1).tolist()],
                    "bbox": [left, top, right - left, bottom - top],
                    "area": (right - left) * (bottom - top),
                    "iscrowd": 0,
                }
            )
    (root / "annotations").mkdir(parents=True)
    (root / "images").mkdir()
    text = json.dumps({**document, "categories": categories})
    (root / "annotations" / "instances_all.json").write_text(text, encoding="utf-8")


def _folder(place: Path, counts: tuple[int, ...]) -> dict[str, Any]:
    """Measure whole commands on folders of masks of one thing each."""
    whole = place / "masks"
    whole.mkdir()
    random = np.random.default_rng(inputs.SEED)
    areas = []
    for number in range(counts[-1]):
        mask = np.zeros((240, 320), dtype=np.uint8)
        x, y = random.uniform(130, 190), random.uniform(100, 140)
        points = inputs.blob(random, x=x, y=y, radius=random.uniform(40, 90), count=60)
        cv2.fillPoly(mask, [points.astype(np.int32)], 1)
        # Of one part each, as labelformat takes parts for things.
        _, parts, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
        mask = (parts == 1 + stats[1:, cv2.CC_STAT_AREA].argmax()).astype(np.uint8)
        areas.append(int(mask.sum()))
        cv2.imwrite(str(whole / f"mask_{number:05}.png"), mask * 255)
    figures: dict[str, Any] = {}
    rows = [["folder of masks, 320x240, to COCO", "masks", "seconds", "ms/mask", "peak MB"]]
    for name in (*coco_peers.installed(), "maskforge"):
        for count in (min(FEW, counts[0]),) if name == "labelformat" else counts:
            some = place / f"masks-{count}"
            some.mkdir(exist_ok=True)
            for path in sorted(whole.iterdir())[:count]:
                if not (some / path.name).exists():
                    inputs.link(path, some / path.name)
            seconds, peak = _timed("folder", name, some, place / "out", areas[:count])
            figures[f"{name}, {count}"] = {"seconds": seconds, "peak": peak}
            each = f"{1e3 * seconds / count:.2f}"
            rows.append([name, f"{count:,}", f"{seconds:.1f}", each, f"{peak:.0f}"])
    print(f"\n{measure.table(rows)}", flush=True)
    return figures


def _large(place: Path, side: int) -> dict[str, Any]:
    """Measure whole commands on one large label image."""
    labels = regions.patches(side, side, size=600, classes=10)
    folder = place / "large"
    folder.mkdir()
    cv2.imwrite(str(folder / "large.png"), labels)
    found = maskforge.raster.regions.of_label_image(labels, skip=(0,))
    areas = found.areas.tolist()
    title = f"a label image of {side}x{side}, {len(areas)} regions, to COCO"
    rows = [[title, "seconds", "times slower", "peak MB"]]
    figures = {}
    for name in ("maskforge", *coco_peers.installed()):
        source = folder if name == "maskforge" else folder / "large.png"
        seconds, peak = _timed("image", name, source, place / "out", areas)
        figures[name] = {"seconds": seconds, "peak": peak}
        slower = "" if name == "maskforge" else f"{seconds / figures['maskforge']['seconds']:.0f}x"
        rows.append([name, f"{seconds:.1f}", slower, f"{peak:.0f}"])
    print(f"\n{measure.table(rows)}", flush=True)
    return figures


def _timed(job: str, name: str, source: Path, out: Path, areas: list[int]) -> tuple[float, float]:
    """Return seconds and peak of a command, whose file must have these areas."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    file = out / "all.json"
    command = [sys.executable, SCRIPT, job, name, str(source), str(file)]
    if name == "maskforge":
        command = [sys.executable, "-m", "maskforge", "masks", str(source), "-o", str(file)]
        command += ["--as", "coco", "--segmentation", "rle", "-j", "1"]
        command += ["--quiet", "--no-previews", "--images", "none"]
        if job == "image":
            command += ["--labels", ",".join(["_background_", *map(str, range(1, 10))])]
    begin = time.perf_counter()
    peak = memory.peak(command)
    seconds = time.perf_counter() - begin
    made = json.loads(file.read_text(encoding="utf-8"))
    got = [_area(each["segmentation"]) for each in made["annotations"]]
    assert sorted(got) == sorted(areas), f"{name} made other masks"
    shutil.rmtree(out)
    return seconds, peak


def _area(segmentation: Any) -> int:
    height, width = segmentation["size"]
    return int(coco_peers.drawn(segmentation, height=height, width=width).sum())


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="to see that it works")
    parser.add_argument("--repeats", type=int, default=5, help="timed repetitions (default: 5)")
    parser.add_argument("--only", default=",".join(JOBS), help="some of %(default)s")
    arguments = parser.parse_args()
    only = arguments.only.split(",")
    with tempfile.TemporaryDirectory(prefix="maskforge-bench-") as scratch:
        run(Path(), Path(scratch), arguments.quick, arguments.repeats, only)


if __name__ == "__main__":
    main()
