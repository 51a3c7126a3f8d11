"""The peers' ways from masks to COCO and back, each by the functions that its documents name.

    python benchmarks/coco_peers.py folder|image PEER SOURCE FILE    one job, in a process

RLE and polygons are annotations as a COCO file has them: segmentation, area and box. pycocotools
and faster-coco-eval make no polygons; OpenCV's contours are what their users take. labelformat
draws none. Where a function wants the masks of an image as one stack, stacking is in its time.

``folder``: masks of one thing each, to a COCO file of run lengths. ``image``: a label image, each
4-connected part of a class being a thing; its mask is made when its turn comes and then forgotten,
also for those whose own data sets would keep them all.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Annotations = list[dict[str, Any]]

PACKAGES = {
    "pycocotools": "pycocotools",
    "faster-coco-eval": "faster_coco_eval",
    "supervision": "supervision",
    "Datumaro": "datumaro",
    "labelformat": "labelformat",
}
WITH_OPENCV = ("pycocotools", "faster-coco-eval")
"""Those that make no polygons."""
CLASSES = ("one", "two", "three", "four", "five")


def installed() -> list[str]:
    """Return the peers whose package is there."""
    found = []
    for name, package in PACKAGES.items():
        try:
            import_module(package)
        except ImportError:
            continue
        found.append(name)
    return found


def _functions(name: str) -> Any:
    """Return the module with encode, area and toBbox."""
    return import_module(
        "pycocotools.mask" if name == "pycocotools" else "faster_coco_eval.core.mask"
    )


def _annotation(segmentation: Any, area: Any, box: Any) -> dict[str, Any]:
    return {"segmentation": segmentation, "area": area, "bbox": box}


def coco_rle(name: str, masks: Iterable[Mask]) -> Annotations:
    """By pycocotools, or by faster-coco-eval, which has the same functions."""
    api = _functions(name)
    found = [api.encode(np.asfortranarray(mask.view(np.uint8))) for mask in masks]
    areas, boxes = api.area(found).tolist(), api.toBbox(found).tolist()
    return [
        _annotation({"size": list(each["size"]), "counts": _text(each["counts"])}, area, box)
        for each, area, box in zip(found, areas, boxes, strict=True)
    ]


def _text(counts: str | bytes) -> str:
    return counts if isinstance(counts, str) else counts.decode()


def coco_polygons(name: str, masks: Iterable[Mask]) -> Annotations:
    """OpenCV's contours; area and box by pycocotools or faster-coco-eval."""
    api = _functions(name)
    found = []
    for mask in masks:
        pixels = mask.view(np.uint8)
        rle = api.encode(np.asfortranarray(pixels))
        lines, _ = cv2.findContours(pixels, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        rings = [line.reshape(-1).tolist() for line in lines if len(line) > 2]
        found.append(_annotation(rings, int(api.area(rle)), api.toBbox(rle).tolist()))
    return found


def supervision(masks: Iterable[Mask], *, rle: bool) -> Annotations:
    """What ``DetectionDataset.as_coco`` writes of an image."""
    sv = import_module("supervision")
    formats = import_module("supervision.dataset.formats.coco")
    stack = np.stack(list(masks))
    detections = sv.Detections(
        xyxy=sv.mask_to_xyxy(stack),
        mask=stack,
        class_id=np.zeros(len(stack), dtype=int),
        data={"iscrowd": np.full(len(stack), int(rle))},  # by which it chooses
    )
    found: Annotations = formats.detections_to_coco_annotations(
        detections, image_id=1, annotation_id=1, approximation_percentage=0.0
    )[0]
    return found


def datumaro_rle(masks: Iterable[Mask]) -> Annotations:
    """What its exporter ``coco_instances`` writes."""
    tools = import_module("datumaro.util.mask_tools")
    api = _functions("pycocotools")
    found = []
    for mask in masks:
        rle = tools.mask_to_rle(mask)
        rle = {"counts": [int(c) for c in rle["counts"]], "size": [int(c) for c in rle["size"]]}
        area = float(api.area(api.frPyObjects(rle, *mask.shape)))
        found.append(_annotation(rle, area, [float(v) for v in tools.find_mask_bbox(mask)]))
    return found


def datumaro_polygons(masks: Iterable[Mask]) -> Annotations:
    """What its exporter ``coco_instances`` writes with ``segmentation_mode="polygons"``."""
    tools = import_module("datumaro.util.mask_tools")
    api = _functions("pycocotools")
    found = []
    for mask in masks:
        rings = [list(map(float, ring)) for ring in tools.mask_to_polygons(mask)]
        area = float(api.area(api.merge(api.frPyObjects(rings, *mask.shape)))) if rings else 0.0
        found.append(_annotation(rings, area, [float(v) for v in tools.find_mask_bbox(mask)]))
    return found


def labelformat(masks: Iterable[Mask], *, rle: bool) -> Annotations:
    """What ``COCOInstanceSegmentationOutput`` writes of an image; it has no areas."""
    tools = import_module("labelformat.mask_utils")
    helpers = import_module("labelformat.formats.coco_segmentation_helpers")
    make = tools.mask_to_binary_mask_segmentation if rle else tools.mask_to_multipolygon
    found = []
    for mask in masks:
        segmentation, box, _ = helpers.get_coco_segmentation(make(mask.view(np.uint8)))
        found.append(_annotation(segmentation, None, box))
    return found


RLE: dict[str, Callable[[Iterable[Mask]], Annotations]] = {
    "pycocotools": lambda masks: coco_rle("pycocotools", masks),
    "faster-coco-eval": lambda masks: coco_rle("faster-coco-eval", masks),
    "supervision": lambda masks: supervision(masks, rle=True),
    "Datumaro": datumaro_rle,
    "labelformat": lambda masks: labelformat(masks, rle=True),
}
POLYGONS: dict[str, Callable[[Iterable[Mask]], Annotations]] = {
    "pycocotools": lambda masks: coco_polygons("pycocotools", masks),
    "faster-coco-eval": lambda masks: coco_polygons("faster-coco-eval", masks),
    "supervision": lambda masks: supervision(masks, rle=False),
    "Datumaro": datumaro_polygons,
    "labelformat": lambda masks: labelformat(masks, rle=False),
}


def drawn(segmentation: Any, *, height: int, width: int) -> Mask:
    """Return the mask (height, width) that pycocotools makes of a segmentation."""
    api = _functions("pycocotools")
    if isinstance(segmentation, dict):
        counts = segmentation["counts"]
        listed = (
            segmentation
            if isinstance(counts, str)
            else api.frPyObjects(
                {"counts": [int(c) for c in counts], "size": [height, width]}, height, width
            )
        )
        return np.asarray(api.decode(listed), dtype=np.bool_)
    rings = [[float(v) for v in ring] for ring in segmentation if len(ring) >= 6]
    if not rings:
        return np.zeros((height, width), dtype=np.bool_)
    found = api.decode(api.merge(api.frPyObjects(rings, height, width)))
    return np.asarray(found, dtype=np.bool_)


# COCO to label images. root: a folder with annotations/instances_all.json, whose categories are
# numbered from 1; a later polygon lies on top.


def coco_labels(name: str, root: Path) -> list[NDArray[Any]]:
    """By the class COCO of pycocotools, or of faster-coco-eval."""
    module = "pycocotools.coco" if name == "pycocotools" else "faster_coco_eval"
    with contextlib.redirect_stdout(io.StringIO()):  # it prints how far it is
        coco = import_module(module).COCO(str(root / "annotations" / "instances_all.json"))
    found = []
    for image in coco.loadImgs(sorted(coco.getImgIds())):
        labels = np.zeros((image["height"], image["width"]), dtype=np.uint8)
        for annotation in coco.loadAnns(coco.getAnnIds(imgIds=image["id"])):
            labels[coco.annToMask(annotation) > 0] = annotation["category_id"]
        found.append(labels)
    return found


def supervision_labels(root: Path) -> list[NDArray[Any]]:
    """By ``DetectionDataset.from_coco``."""
    dataset = import_module("supervision").DetectionDataset.from_coco(
        images_directory_path=str(root / "images"),
        annotations_path=str(root / "annotations" / "instances_all.json"),
        force_masks=True,
    )
    found = []
    for path in dataset.image_paths:
        detections = dataset.annotations[path]
        labels = np.zeros(detections.mask.shape[1:], dtype=np.uint8)
        for mask, number in zip(detections.mask, detections.class_id, strict=True):
            labels[mask] = number + 1
        found.append(labels)
    return found


def datumaro_labels(root: Path) -> list[NDArray[Any]]:
    """By ``Dataset.import_from``, the transform to masks and ``merge_masks``."""
    dataset = import_module("datumaro").Dataset.import_from(str(root), "coco_instances")
    merge = import_module("datumaro.util.mask_tools").merge_masks
    dataset.transform("polygons_to_masks")
    return [
        merge(
            (each.image.astype(bool), np.uint8(each.label + 1))
            for each in sorted(item.annotations, key=lambda each: each.id)  # it turned them round
            if hasattr(each, "image")  # the others are boxes
        )
        for item in sorted(dataset, key=lambda item: str(item.id))
    ]


LABELS: dict[str, Callable[[Path], list[NDArray[Any]]]] = {
    "pycocotools": lambda root: coco_labels("pycocotools", root),
    "faster-coco-eval": lambda root: coco_labels("faster-coco-eval", root),
    "supervision": supervision_labels,
    "Datumaro": datumaro_labels,
}


# Jobs of a process


def write(path: Path, images: Sequence[dict[str, Any]], annotations: Annotations) -> None:
    """Write a COCO file as scripts do."""
    categories = [{"id": 1, "name": CLASSES[0]}]
    document = {"images": images, "annotations": annotations, "categories": categories}
    with path.open("w", encoding="utf-8") as file:
        json.dump(document, file, default=lambda value: value.item())


def folder(name: str, source: Path, target: Path) -> None:
    """Masks of one thing each, 0 and 255, to a COCO file of run lengths."""
    paths = sorted(source.glob("*.png"))
    if name == "supervision":
        _supervision_folder(paths, target)
    elif name == "Datumaro":
        _datumaro_folder(paths, target)
    elif name == "labelformat":
        _labelformat_folder(source, target)
    else:
        images, annotations = [], []
        for number, path in enumerate(paths, start=1):
            mask = _read(path)
            size = {"height": mask.shape[0], "width": mask.shape[1]}
            images.append({"id": number, "file_name": path.name, **size})
            (annotation,) = RLE[name]([mask])
            what = {"id": number, "image_id": number, "category_id": 1, "iscrowd": 0}
            annotations.append({**what, **annotation})
        write(target, images, annotations)


def _read(path: Path) -> Mask:
    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert pixels is not None, path
    return np.asarray(pixels > 0)


def _supervision_folder(paths: Sequence[Path], target: Path) -> None:
    sv = import_module("supervision")
    found = {}
    for path in paths:
        mask = _read(path)[None]
        found[str(path)] = sv.Detections(
            xyxy=sv.mask_to_xyxy(mask),
            mask=mask,
            class_id=np.zeros(1, dtype=int),
            data={"iscrowd": np.ones(1, dtype=int)},
        )
    dataset = sv.DetectionDataset(classes=[CLASSES[0]], images=list(found), annotations=found)
    dataset.as_coco(annotations_path=str(target))


def _datumaro_folder(paths: Sequence[Path], target: Path) -> None:
    dm = import_module("datumaro")
    items = [
        dm.DatasetItem(
            id=path.stem,
            media=dm.Image.from_file(path=str(path)),
            annotations=[dm.Mask(lambda path=path: _read(path), label=0, id=number)],
        )
        for number, path in enumerate(paths, start=1)
    ]
    dataset = dm.Dataset.from_iterable(items, categories=[CLASSES[0]])
    dataset.export(str(target.with_suffix("")), "coco_instances", segmentation_mode="mask")
    (made,) = target.with_suffix("").glob("annotations/*.json")
    made.rename(target)


def _labelformat_folder(source: Path, target: Path) -> None:
    formats = import_module("labelformat.formats")
    pairs = formats.MaskPairInstanceSegmentationInput(
        image_glob="*.png",
        mask_glob="*.png",
        base_path=source,
        category_names=CLASSES[0],
        segmentation_type="rle",
    )
    formats.COCOInstanceSegmentationOutput(target).save(pairs)


def image(name: str, source: Path, target: Path) -> None:
    """A label image to a COCO file of run lengths."""
    labels = cv2.imread(str(source), cv2.IMREAD_UNCHANGED)
    assert labels is not None, source
    annotations: Annotations = []
    for mask in _parts(labels):
        annotations += RLE[name]([mask])
    size = {"height": labels.shape[0], "width": labels.shape[1]}
    write(target, [{"id": 1, "file_name": source.name, **size}], annotations)


def _parts(labels: NDArray[Any]) -> Iterator[Mask]:
    for value in np.unique(labels[labels > 0]).tolist():
        here = (labels == value).view(np.uint8)
        count, numbers = cv2.connectedComponents(here, connectivity=4)
        for number in range(1, count):
            yield numbers == number


if __name__ == "__main__":
    job, peer, source, target = sys.argv[1:]
    {"folder": folder, "image": image}[job](peer, Path(source), Path(target))
