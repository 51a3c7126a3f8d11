"""A large COCO file: what it takes to know its images, beside pycocotools' ``COCO()``.

Each runs in a process of its own, which prints the seconds it took, imports left out, and its peak.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import measure
import numpy as np

IMAGES, REGIONS = 118_000, 860_000
QUICK = (1_000, 7_000)
CATEGORIES = [number for number in range(1, 91) if number % 9]

_PEAK = """
import resource, sys, time
from pathlib import Path
path = Path(sys.argv[1])
{before}
begin = time.perf_counter()
{work}
print(time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
assert found == int(sys.argv[2]), found
"""
_WAYS = {
    "pycocotools, COCO()": _PEAK.format(
        before="from pycocotools.coco import COCO\nsys.stdout, out = sys.stderr, sys.stdout",
        work="found = len(COCO(str(path)).imgs)\nsys.stdout = out",
    ),
    "maskforge, the plan of a conversion": _PEAK.format(
        before="from maskforge.conversion import sources\nfrom maskforge.readers import coco",
        work="found = len(sources.plan([path], coco, coco.Options(), root=path.parent).jobs)",
    ),
}


def run(cache: Path, scratch: Path, quick: bool, repeats: int) -> dict[str, Any]:
    """Print and return seconds and peaks in MB."""
    images, regions = QUICK if quick else (IMAGES, REGIONS)
    cache.mkdir(parents=True, exist_ok=True)
    path = cache / f"coco-{images}.json"
    if not path.exists():
        _write(path, images, regions)
    figures: dict[str, Any] = {}
    for _ in range(repeats):
        for name, code in _WAYS.items():
            command = [sys.executable, "-c", code, str(path), str(images)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            seconds, peak = map(float, done.stdout.split())
            found = figures.setdefault(name, {"seconds": [], "peak": []})
            found["seconds"].append(seconds)
            found["peak"].append(peak * 1024 / 1e6)
    title = f"{images:,} images, {regions:,} polygons, {path.stat().st_size / 1e6:,.0f} MB"
    rows = [[title, "seconds", "peak MB"]]
    for name, found in figures.items():
        seconds = statistics.median(found["seconds"])
        rows.append([name, f"{seconds:.1f}", f"{max(found['peak']):,.0f}"])
    print(f"\n{measure.table(rows)}", flush=True)
    return figures


def _write(path: Path, images: int, regions: int) -> None:
    """Write a file as COCO's are: images, then annotations of any image, then categories."""
    random = np.random.default_rng(1)
    listed = [
        {
            "license": 4,
            "file_name": f"{number * 3:012}.jpg",
            "coco_url": f"http://images.cocodataset.org/train2017/{number * 3:012}.jpg",
            "height": 480,
            "width": 640,
            "date_captured": "2013-11-14 11:18:45",
            "flickr_url": "http://farm9.staticflickr.com/8186/8119368305_4e622c8349_z.jpg",
            "id": number * 3,
        }
        for number in range(images)
    ]
    categories = [{"supercategory": "s", "id": i, "name": f"class {i}"} for i in CATEGORIES]
    with path.open("w", encoding="utf-8") as file:
        file.write('{"info": {"year": 2017}, "images": ' + json.dumps(listed))
        file.write(', "annotations": [')
        for number in range(regions):
            corner = random.integers(0, [400, 300])
            points = corner + random.random((int(random.integers(4, 38)), 2)) * [200, 150]
            record = {
                "segmentation": [points.round(2).ravel().tolist()],
                "area": 1234.5,
                "iscrowd": 0,
                "image_id": int(random.integers(images)) * 3,
                "bbox": [*corner.tolist(), 200, 150],
                "category_id": CATEGORIES[number % len(CATEGORIES)],
                "id": number,
            }
            file.write(("," if number else "") + json.dumps(record))
        file.write('], "categories": ' + json.dumps(categories) + "}")
