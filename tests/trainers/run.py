"""Our set-ups, opened by the trainers that they are for, and an epoch with some of them.

    make trainers        # in an environment of its own, .trainers: none of it is a dependency

The bundled samples are converted to each layout; then each trainer's own reader reads it, and what
it says is compared with what was written: class ids under their names, coordinates, masks, areas,
splits, images without objects. Prints a table of what was read, and ends with 1 where something is
otherwise. What is not installed, or does not install beside the others, is said to be not opened.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import io
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import maskforge
from maskforge.errors import many

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
IGNORED = 255

Check = Callable[[Path], str]
"""Takes a folder to work in; returns in words what was read. Raises AssertionError."""


def set_up(place: Path, layout: str, **how: Any) -> Path:
    """Return the Labelme samples in ``layout``: 60 images, a split, ignored pixels, holes, one
    image without objects."""
    out = place / layout
    if not out.exists():
        settings = {"split": 0.2, "previews": False, "layout": layout} | how
        maskforge.convert(SAMPLES / "labelme", out=out, **settings)
    return out


def names_of(folder: Path) -> list[str]:
    """Return the classes of a set-up, without what is ignored."""
    lines = (folder / "labels.txt").read_text(encoding="utf-8").splitlines()
    return [line.rpartition(":")[2] for line in lines if line != "__ignore__"]


# Reading


def pycocotools(place: Path) -> str:
    from pycocotools.coco import COCO

    folder, read = set_up(place, "coco"), 0
    for part in ("train", "val"):
        with contextlib.redirect_stdout(io.StringIO()):
            coco = COCO(str(folder / f"annotations/instances_{part}.json"))
        for annotation in coco.anns.values():
            mask = coco.annToMask(annotation)
            assert mask.sum() == annotation["area"], annotation["id"]
            rows, columns = np.nonzero(mask)
            box = [columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]
            assert box == annotation["bbox"], annotation["id"]
            read += 1
        for image in coco.imgs.values():
            with Image.open(folder / part / image["file_name"]) as opened:
                assert opened.size == (image["width"], image["height"])
    return f"{read} masks: areas and boxes as the file says"


def ultralytics_segment(place: Path) -> str:
    folder, read = set_up(place, "yolo"), 0
    from ultralytics.data.dataset import YOLODataset
    from ultralytics.data.utils import check_det_dataset

    data = check_det_dataset(str(folder / "data.yaml"), autodownload=False)
    ours = [name for name in names_of(folder) if name != "_background_"]
    assert list(data["names"].values()) == ours, data["names"]
    empty = 0
    for part in ("train", "val"):
        found = YOLODataset(
            img_path=data[part], data=data, task="segment", imgsz=160, augment=False
        )
        images = folder / f"images/{part}"
        assert len(found.labels) == sum(path.is_file() for path in images.rglob("*"))
        for label in found.labels:
            stem = Path(label["im_file"]).relative_to(images).with_suffix("")
            text = (folder / f"labels/{part}/{stem}.txt").read_text(encoding="utf-8")
            lines = [line.split() for line in text.splitlines()]
            # A line that says the same again is one object to ultralytics.
            lines = list({tuple(line): line for line in lines}.values())
            assert sorted(int(line[0]) for line in lines) == sorted(label["cls"][:, 0].astype(int))
            written = {tuple(np.float32(line[1:])) for line in lines}
            assert {tuple(s.reshape(-1)) for s in label["segments"]} == written, stem
            read += len(lines)
            empty += not lines
    assert empty
    without = many(empty, "image")
    return f"{read} objects: ids under their names, all coordinates; {without} without any"


def ultralytics_semantic(place: Path) -> str:
    semantic = importlib.import_module("ultralytics.data.dataset").SemanticDataset
    from ultralytics.data.utils import check_det_dataset

    folder, pixels = set_up(place, "ultralytics-semantic"), 0
    data = check_det_dataset(str(folder / "data.yaml"), autodownload=False)
    assert list(data["names"].values()) == [
        name.strip("_") if name == "_background_" else name for name in names_of(folder)
    ]
    for part in ("train", "val"):
        found = semantic(img_path=data[part], data=data, imgsz=160, augment=False, task="semantic")
        for number, label in enumerate(found.labels):
            stem = Path(label["im_file"]).relative_to(folder / f"images/{part}").with_suffix("")
            with Image.open(folder / f"masks/{part}/{stem}.png") as image:
                ours = np.asarray(image)
            assert np.array_equal(found.load_mask(number), ours), stem
            pixels += int((ours == IGNORED).sum())
    assert pixels
    return f"masks as written, {pixels} pixels of 255 ignored"


def torchvision(place: Path) -> str:
    from torchvision.datasets import CocoDetection, VOCSegmentation

    devkit = place / "tv/VOCdevkit"
    devkit.mkdir(parents=True, exist_ok=True)
    set_up(place, "voc")
    if not (devkit / "VOC2012").exists():
        os.symlink(place / "voc", devkit / "VOC2012")
    read = passed = 0
    for part in ("train", "val"):
        found = VOCSegmentation(place / "tv", image_set=part)
        for number, image in enumerate(found.images):
            if not Path(image).is_file():  # it takes every photograph for a JPEG
                passed += 1
                continue
            mask = np.asarray(found[number][1])
            with Image.open(found.masks[number]) as opened:
                assert np.array_equal(mask, np.asarray(opened))
            assert set(np.unique(mask)) <= {0, 1, 2, 3, 4, 5, 6, IGNORED}
            read += 1
    assert read > passed
    folder, objects = set_up(place, "coco"), 0
    for part in ("train", "val"):
        with contextlib.redirect_stdout(io.StringIO()):
            file = folder / f"annotations/instances_{part}.json"
            found = CocoDetection(str(folder / part), str(file))
        objects += sum(len(targets) for _, targets in found)
    return (
        f"VOCSegmentation: {read} masks ({passed} photographs are PNG, and it opens .jpg only); "
        f"CocoDetection: {objects} objects"
    )


def hugging_face(place: Path) -> str:
    from datasets import Dataset, Features
    from datasets import Image as Picture

    folder = set_up(place, "pairs")
    masks = sorted((folder / "masks").rglob("*.png"))
    rows = {"image": [], "annotation": []}
    for mask in masks:
        stem = mask.relative_to(folder / "masks").with_suffix("")
        [image] = (folder / "images").glob(f"{stem}.*")
        rows["image"].append(str(image))
        rows["annotation"].append(str(mask))
    features = Features({"image": Picture(), "annotation": Picture()})
    found = Dataset.from_dict(rows, features=features)
    for row, mask in zip(found, masks, strict=True):
        with Image.open(mask) as image:
            assert np.array_equal(np.asarray(row["annotation"]), np.asarray(image))
    return f"{len(found)} rows of image and annotation, masks as written"


def nnunet(place: Path) -> str:
    ways = ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results")
    os.environ |= dict.fromkeys(ways, str(place))
    from nnunetv2.experiment_planning.verify_dataset_integrity import verify_dataset_integrity

    folder = set_up(place, "nnunet", split=None)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        verify_dataset_integrity(str(folder), num_processes=1)
    assert "verify_dataset_integrity Done" in said.getvalue(), said.getvalue()
    labels = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))["labels"]
    return f"its own check of integrity passes; {len(labels)} labels, ignore the highest"


def lists(place: Path) -> str:
    folder, read = set_up(place, "mmseg"), 0
    for part in ("train", "val"):
        for line in (folder / f"{part}.txt").read_text(encoding="utf-8").splitlines():
            image, mask = line.split(" ")
            assert (folder / image).is_file(), image
            assert (folder / mask).is_file(), mask
            read += 1
    return f"not opened with it; its lists name {read} images and masks that are there"


# An epoch


def epoch_of_smp(place: Path) -> str:
    import segmentation_models_pytorch as smp
    import torch

    folder = set_up(place, "pairs")
    data = maskforge.open_dataset(folder).split("train").torch(size=(128, 128))
    loader = torch.utils.data.DataLoader(data, batch_size=8, shuffle=True)
    network = smp.Unet("resnet18", encoder_weights=None, classes=len(data.classes))
    loss_of = smp.losses.DiceLoss("multiclass", ignore_index=data.ignore_index)
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3)
    losses = []
    for images, targets in loader:
        loss = loss_of(network(images), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert np.isfinite(losses).all()
    return f"{len(losses)} steps of a Unet, Dice loss {losses[0]:.2f} → {losses[-1]:.2f}"


def epoch_of_segment(place: Path) -> str:
    return _epoch(set_up(place, "yolo"), "yolo11n-seg.yaml", place)


def epoch_of_masks(place: Path) -> str:
    return _epoch(set_up(place, "ultralytics-semantic"), SEMANTIC, place)


def epoch_of_polygons(place: Path) -> str:
    return _epoch(set_up(place, "yolo"), SEMANTIC, place, last="background")


SEMANTIC = "yolo26n-sem.yaml"


def _epoch(folder: Path, model: str, place: Path, *, last: str = "umbrella") -> str:
    from ultralytics import YOLO

    how = {"epochs": 1, "imgsz": 96, "batch": 8, "device": "cpu", "workers": 0, "plots": False}
    network = YOLO(model)
    done = network.train(
        data=str(folder / "data.yaml"), project=str(place / "runs"), amp=False, verbose=False, **how
    )
    scores = {name.partition("(")[0]: round(float(v), 3) for name, v in done.results_dict.items()}
    assert all(map(np.isfinite, scores.values()))
    assert list(network.names.values())[-1] == last, network.names
    return f"an epoch and its validation, {len(network.names)} classes"


CHECKS: dict[str, tuple[str, str, Check]] = {
    "COCO": ("pycocotools", "--layout coco", pycocotools),
    "YOLO": ("ultralytics", "--layout yolo", ultralytics_segment),
    "YOLO, an epoch": ("ultralytics", "--layout yolo", epoch_of_segment),
    "semantic, masks": ("ultralytics", "--layout ultralytics-semantic", ultralytics_semantic),
    "semantic, masks, an epoch": (
        "ultralytics",
        "--layout ultralytics-semantic",
        epoch_of_masks,
    ),
    "semantic, polygons, an epoch": ("ultralytics", "--layout yolo", epoch_of_polygons),
    "nnU-Net": ("nnunetv2", "--layout nnunet", nnunet),
    "mmseg, PaddleSeg": ("", "--layout mmseg", lists),
    "VOC, COCO": ("torchvision", "--layout voc, coco", torchvision),
    "datasets": ("datasets", "label PNGs", hugging_face),
    "smp, an epoch": ("segmentation-models-pytorch", "label PNGs", epoch_of_smp),
}


def rows(place: Path) -> Iterator[tuple[str, str, str, str, bool]]:
    """Yield trainer, version, what it read, what was found, and whether that is as it should."""
    for name, (package, what, check) in CHECKS.items():
        try:
            version = importlib.metadata.version(package) if package else "-"
        except importlib.metadata.PackageNotFoundError:
            yield f"{package} ({name})", "-", what, "not installed: not opened", True
            continue
        said = io.StringIO()
        try:
            with contextlib.redirect_stderr(said):
                found, is_right = check(place), True
        except Exception as error:
            traceback.print_exc()
            found, is_right = f"{type(error).__name__}: {error}".splitlines()[0][:200], False
        yield f"{package} ({name})" if package else name, version, what, found, is_right


def main() -> int:
    """Print the table; return 1 where something was read otherwise."""
    os.environ |= {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false", "YOLO_VERBOSE": "false"}
    os.environ["NUMEXPR_MAX_THREADS"] = str(os.cpu_count())
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        print("| trainer | version | set-up | read |\n| --- | --- | --- | --- |")
        for name, version, what, found, is_right in rows(Path(folder)):
            wrong += not is_right
            mark = "" if is_right else "**otherwise**: "
            print(f"| {name} | {version} | `{what}` | {mark}{found} |", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
